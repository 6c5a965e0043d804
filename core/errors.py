"""The errors of lcagent, by who can mend them.

LcagentError
├── UsageError              the caller asked for something impossible; fix the call
│   ├── UnreadableDocument  a file cannot be turned into text
│   │   └── PasswordNeeded  it opens with a password only
│   └── MissingExtra        an optional part of lcagent is not installed
├── StorageError            the store cannot be read or written; fix the disk or the settings
├── ModelError              a model or its server failed; a retry may help
└── BudgetExceeded          a limit set by the caller stopped the run
"""


class LcagentError(Exception):
    """Base of every error that lcagent raises on purpose."""


class UsageError(LcagentError):
    """The caller asked for something impossible."""


class UnreadableDocument(UsageError):
    """The file cannot be turned into text."""


class PasswordNeeded(UnreadableDocument):
    """The document opens with a password only, and none or a wrong one was given."""


class MissingExtra(UsageError):
    """An optional part of lcagent is not installed."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(f"{purpose} needs an optional part: pip install 'lcagent[{extra}]'")


class StorageError(LcagentError):
    """The store cannot be read or written."""


class ModelError(LcagentError):
    """A model or its server failed."""


class BudgetExceeded(LcagentError):
    """A limit that the caller set stopped the run."""
