"""The errors of lcagent, by who can mend them.

LcagentError
├── UsageError              the caller asked for something impossible; fix the call
│   ├── WrongValue          an option has a value that it cannot have
│   ├── UnreadableDocument  a file cannot be turned into text
│   │   └── PasswordNeeded  it opens with a password only
│   ├── MissingExtra        an optional part of lcagent is not installed
│   └── ModelNotUsable      no such model, no key or a wrong one; fix the settings
├── StorageError            the store cannot be read or written; fix the disk or the settings
├── ModelError              a model or its server failed
│   ├── ModelUnavailable    it cannot answer now; a retry may help
│   ├── ContextTooLong      prompt and reply do not fit into its window
│   └── UnusableReply       it replied, but with nothing that can be used
└── BudgetExceeded          a limit set by the caller stopped the run
"""


class LcagentError(Exception):
    """Base of every error that lcagent raises on purpose.

    Attributes:
        go_on_with: The command that goes on from here, where there is one.
    """

    go_on_with: str = ""


class UsageError(LcagentError):
    """The caller asked for something impossible."""


class WrongValue(UsageError):
    """An option has a value that it cannot have.

    Attributes:
        name: The option's field; a face says its own name for it, as `--top-k`.
        why: The rest of the sentence.
    """

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} {why}")
        self.name = name
        self.why = why


class UnreadableDocument(UsageError):
    """The file cannot be turned into text."""


class PasswordNeeded(UnreadableDocument):
    """The document opens with a password only, and none or a wrong one was given."""


class MissingExtra(UsageError):
    """An optional part of lcagent is not installed."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(f"{purpose} needs an optional part: pip install 'lcagent[{extra}]'")


class ModelNotUsable(UsageError):
    """The model will not answer until the call or the settings are changed."""


class StorageError(LcagentError):
    """The store cannot be read or written."""


class ModelError(LcagentError):
    """A model or its server failed."""


class ModelUnavailable(ModelError):
    """The model or its server cannot answer now.

    Attributes:
        retry_after_s: How long the server asks to wait, where it says so.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ContextTooLong(ModelError):
    """Prompt and reply together do not fit into the model's window."""


class UnusableReply(ModelError):
    """The model replied with nothing that can be used."""


class BudgetExceeded(LcagentError):
    """A limit that the caller set stopped the run."""
