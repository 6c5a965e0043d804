"""Run the scripted server as `python -m lcagent.models.scripted_server`."""

import sys

from lcagent.models.scripted_server.server import main

sys.exit(main())
