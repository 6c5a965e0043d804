"""The settings: from the environment, then from a file, then the defaults.

The file is `config.toml` in the platform's configuration folder, or where `LCAGENT_CONFIG` says.
A key of a model is never a setting, so that no listing of the settings can show one.
"""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import quote

from platformdirs import user_config_path, user_data_path
from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from lcagent.credentials import BaseUrl, hide_in_url
from lcagent.errors import UsageError
from lcagent.local_options import PolicyChoice, StoreDtype, StoreName

Source: TypeAlias = Literal["environment", "file", "default"]


def config_path() -> Path:
    """Return where the settings file is, or would be."""
    given = os.environ.get("LCAGENT_CONFIG")
    return Path(given) if given else user_config_path("lcagent") / "config.toml"


def prompts_folder() -> Path:
    """Return where a user's own prompts are, or would be."""
    return config_path().with_name("prompts")


class Settings(BaseSettings):
    """What a user may set; each has its variable, `LCAGENT_` and the name in capitals."""

    model_config = SettingsConfigDict(env_prefix="LCAGENT_", extra="forbid", frozen=True)

    home: Path = Field(
        default_factory=lambda: user_data_path("lcagent"),
        description="Folder that holds the store.",
    )
    database_url: str | None = Field(
        default=None,
        repr=False,  # a password may stand in it
        description="Where the store is, as an SQLAlchemy URL; by default in `home`.",
    )
    model: str = Field(
        default="quote",
        description='What answers: "quote" (no language model), "openai:NAME" for any server with '
        "OpenAI's interface, "
        '"local:PATH" for one that runs here.',
    )
    base_url: Annotated[str, AfterValidator(BaseUrl)] | None = Field(
        default=None,
        description="Where the model's server is; by default OPENAI_BASE_URL, else OpenAI's.",
    )
    key_over_http: bool = Field(
        default=False,
        description="Send a key to a server over http, where others on the way can read it.",
    )
    window: int | None = Field(
        default=None, ge=256, description="Tokens of the model's window, where it is not known."
    )
    model_concurrency: int = Field(
        default=8, ge=1, le=256, description="Calls to a model at the same time."
    )
    requests_per_minute: int | None = Field(
        default=None, ge=1, description="The most calls to a model in a minute."
    )
    tokens_per_minute: int | None = Field(
        default=None, ge=1, description="The most tokens, of prompts and replies, in a minute."
    )
    local_device: str = Field(
        default="auto",
        description='Where a local model runs: "auto" (a GPU where there is one), "cpu", "cuda".',
    )
    local_dtype: str = Field(
        default="auto",
        description='What a local model computes in: "auto" (as its weights are stored), or a '
        'name such as "bfloat16".',
    )
    local_store: StoreName = Field(
        default="cpu", description="Where a local model keeps what left its window."
    )
    local_store_dtype: StoreDtype = Field(
        default="model", description="What a local model keeps that in."
    )
    local_policy: PolicyChoice = Field(
        default="auto",
        description='What a local model sees of a text: "auto" (all, up to its own window; then '
        "what InfLLM looks up), or a policy of the engine.",
    )
    traces: Literal["none", "langsmith"] = Field(
        default="none",
        description='Who is sent each step of a run with its texts: nobody, or "langsmith", as its '
        "own variables say.",
    )
    embedder: str = Field(
        default="auto",
        description='What makes vectors: "auto" (MiniLM where installed), "minilm", "none" '
        '(lexical search only) or "llama-index:module:Class?argument=value".',
    )
    vectors: Literal["auto", "none", "stored", "needed"] = Field(
        default="auto",
        description='Search by meaning: never ("none"), where all vectors of a document are '
        'stored ("stored"), or by computing those of likely passages ("needed"); "auto" is '
        '"needed" for search and "stored" for ask.',
    )
    reader: str | None = Field(
        default=None,
        description="Class path of a llama-index reader, used for files that lcagent cannot read.",
    )
    ocr: bool = Field(
        default=False, description="Recognise the text of pages that are only pictures."
    )
    reading_memory_mb: int = Field(
        default=1_400, ge=200, description="Memory that reading one file may take, in MB."
    )
    reading_text_mb: int = Field(
        default=30, ge=1, description="Text that one document may have, in millions of characters."
    )
    concurrency: int = Field(default=2, ge=1, le=64, description="Files read at the same time.")
    index_cache_mb: int = Field(
        default=256, ge=0, description="Memory for the indexes of documents asked last, in MB."
    )

    @property
    def store_url(self) -> str:
        """The URL of the store; in a folder's name "?", "#" and "%" have no meaning."""
        return self.database_url or f"sqlite:///{quote(str(self.home.expanduser()))}/lcagent.db"

    @property
    def model_url(self) -> BaseUrl | None:
        """Where the model's server is; None for OpenAI's."""
        found = self.base_url or os.environ.get("OPENAI_BASE_URL")
        return BaseUrl(found) if found else None

    @property
    def memories(self) -> Path:
        """The folder of what local models have read."""
        return self.home.expanduser() / "memories"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put what is passed first, then the environment, then the file."""
        file = TomlConfigSettingsSource(settings_cls, toml_file=config_path())
        return init_settings, env_settings, file


def load_settings(**given: Any) -> Settings:
    """Return the settings in force; `given` wins over every source.

    Raises:
        UsageError: A setting has no sensible value, or the file is not TOML.
    """
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"setting {name!r}: {first['msg']} (see: lcagent config show)") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise UsageError(f"the settings file {config_path()} cannot be read: {error}") from error


def source_of(name: str) -> Source:
    """Say where the value of a setting comes from."""
    if f"LCAGENT_{name.upper()}" in os.environ:
        return "environment"
    path = config_path()
    if path.is_file() and name in tomllib.loads(path.read_text(encoding="utf-8")):
        return "file"
    return "default"


def masked(value: Any) -> str:
    """Return a value as it may be shown: passwords and keys in it are replaced by stars."""
    if isinstance(value, BaseUrl) and value.secrets:
        return f"{value} (and what proves you are you, not shown)"
    return hide_in_url(str(value))
