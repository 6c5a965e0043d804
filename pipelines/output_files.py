"""The file of `--output`: what of the user's it never replaces.

A file that exists is replaced where a run of ours wrote what is in it, or where the user says so.
One of the sources never is, whatever it is called here: files are compared, not names.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lcagent.errors import UsageError
from lcagent.pipelines.services import Services
from lcagent.pipelines.text_files import file_behind, remove_unfinished, rendered, replace_file
from lcagent.retrieval.sources import Source, StoredId
from lcagent.storage.output_store import OutputStore
from lcagent.tasks import Task


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file that a run writes, perhaps again and again.

    Attributes:
        path: As it was given.
        written: Knows what runs of ours wrote.
        may_overwrite: Whether the user lets it replace any file.
    """

    path: str
    written: OutputStore
    may_overwrite: bool = False

    def check(self, sources: Sequence[Source]) -> None:
        """Refuse to write over a source, or over what is the user's; remove what killed runs left.

        Raises:
            UsageError: The file is one of the sources, or exists and is not ours.
        """
        target = file_behind(self.path)
        if target.exists():
            held = _hash_of(target)
            if any(_is_same(target, held, source) for source in sources):
                raise UsageError(f"{self.path} is one of the sources: write to another file")
        self._check_ours(target)
        remove_unfinished(target)

    def save(self, text: str) -> None:
        """Write a text of Markdown in the format that the name of the file says.

        Raises:
            UsageError: The user changed the file since a run wrote it.
            OSError: It cannot be written.
        """
        target = file_behind(self.path)
        self._check_ours(target)
        content = rendered(text, Path(self.path))
        # Before it is written: a run that is killed in between finds its own file again.
        self.written.record(target, hashlib.sha256(content).digest())
        replace_file(target, content)

    def _check_ours(self, target: Path) -> None:
        if self.may_overwrite or not target.exists() or not target.stat().st_size:
            return
        if not self.written.has_written(target, _hash_of(target)):
            raise UsageError(
                f"{self.path} exists, and is not as lcagent wrote it: "
                "name another file, move it away, or replace it with --force"
            )


def output_of(task: Task, services: Services) -> OutputFile | None:
    """Return the file that a task asks for, or None."""
    for options in task.options:
        output = getattr(options, "output", None)
        if output is not None:
            may_overwrite = getattr(options, "may_overwrite", False)
            return OutputFile(output, services.outputs, may_overwrite)
    return None


def _is_same(target: Path, held: bytes, source: Source) -> bool:
    """Say whether a file is a source; of a stored one, its id is the hash of its file."""
    if isinstance(source, StoredId):
        return held.hex() == source.document_id
    return source.exists() and target.samefile(source)


def _hash_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
