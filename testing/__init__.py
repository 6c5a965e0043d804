"""Models and servers that reply from a script: public, for tests of what is built on lcagent.

`ScriptedModel` stands where a `ChatModel` is taken and contacts nobody. `ScriptedServer` is an
OpenAI-compatible server on 127.0.0.1, with its errors, its limits and replies that break off.
Both keep what they were asked. See docs/testing.md.
"""

from lcagent.testing.scripted_model import SCRIPTED_CARD, ScriptedModel
from lcagent.testing.scripted_server import ScriptedServer, ServedCall, ServerRules
from lcagent.testing.scripts import (
    Fault,
    Script,
    ScriptedCall,
    ScriptedReply,
    fact_script,
    fixed,
    with_faults,
    writer_script,
)

__all__ = [
    "SCRIPTED_CARD",
    "Fault",
    "Script",
    "ScriptedCall",
    "ScriptedModel",
    "ScriptedReply",
    "ScriptedServer",
    "ServedCall",
    "ServerRules",
    "fact_script",
    "fixed",
    "with_faults",
    "writer_script",
]
