"""The command line: each command parses, calls one pipeline, and prints."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; Ctrl-C while it is still being loaded ends it quietly, too."""
    try:
        from lcagent.cli.app import main as run_command  # noqa: PLC0415 -- see above
    except KeyboardInterrupt:
        sys.exit(130)
    run_command()
