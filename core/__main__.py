"""Run the command line as `python -m lcagent`."""

from lcagent.cli import main

if __name__ == "__main__":
    main()
