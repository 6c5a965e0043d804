"""Past runs, for `lcagent runs`."""

from lcagent.pipelines.runtime import Runtime
from lcagent.storage.runs import StoredRun


def list_runs(most: int = 20) -> list[StoredRun]:
    """Return the newest runs, the newest first."""
    with Runtime.open() as runtime:
        return runtime.runs.listed(most)


def find_runs(prefix: str) -> list[StoredRun]:
    """Return the runs whose id begins with `prefix`."""
    with Runtime.open() as runtime:
        return runtime.runs.with_prefix(prefix)
