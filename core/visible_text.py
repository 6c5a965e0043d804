"""What leaves lcagent for a terminal or a file: text that can be seen, and nothing that acts.

A document, a file's name or a server's error may hold escape sequences that rewrite the screen,
characters that turn the order of others round (https://trojansource.codes) or that nobody sees, and
Markdown that becomes a script or fetches a picture. All that is printed or written passes here.
"""

import re

_RIGHT_TO_LEFT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"
_JOINING = f"{_RIGHT_TO_LEFT}\u0900-\u0dff\u0f00-\u109f\u1780-\u17b3\u17b6-\u18af\ua840-\ua8ff"
"""Scripts in which a joiner changes how letters look, and so belongs to the text."""
_SYMBOL = "#*0-9\u00a9\u00ae\u203c-\u205f\u2070-\u303d\u3297\u3299\U0001f000-\U0001faff\ufe0f"
_IDEOGRAPH = "\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_MARKS_OF_ORDER = "\u200e\u200f\u061c"
_NEAR = 30
"""Characters before and after a mark of order; text that runs from right to left stands there."""

_FLAGS = "|".join(
    "".join(chr(0xE0000 + ord(letter)) for letter in region)
    for region in ("gbeng", "gbsct", "gbwls")
)
"""England, Scotland and Wales: the only flags that are written in tags."""

_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f"
_INVISIBLE = (
    "\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
)
_CONTROL = re.compile(f"[{_CONTROLS}]")
_UNSEEN = re.compile(f"[{_INVISIBLE}]")
_ESCAPED = re.compile(f"[\x7f-\x9f\u2028\u2029{_INVISIBLE}]")
_BELONGS = (
    rf"(?<=[{_JOINING}])[\u200c\u200d](?=[{_JOINING}])",
    rf"(?<=[{_SYMBOL}])\u200d(?=[{_SYMBOL}])",
    rf"(?<=[{_SYMBOL}{_IDEOGRAPH}])[\ufe00-\ufe0f]",
    rf"(?<=[{_IDEOGRAPH}])[\U000e0100-\U000e01ef]",
    r"(?<=[\u1820-\u18aa])[\u180b-\u180f]",
    rf"(?<=\U0001f3f4)(?:{_FLAGS})\U000e007f",
)
_KEPT_OR_UNSEEN = re.compile(f"(?P<kept>{'|'.join(_BELONGS)})|[{_INVISIBLE}]")
_AT_THE_EDGE = re.compile(r"\A[\u200c\u200d\ufe00-\ufe0f]|[\u200c\u200d]\Z")
_ACTIVE = re.compile(r"(?P<before>\\*)(?P<sign><|!(?=\[)|(?<=\])[(:])")


def printable(text: str) -> str:
    """Return a text without what controls a terminal, and with nothing in it that is not seen.

    A control character becomes U+FFFD. What turns the order of text round or takes no room is
    written out, as ⟨U+202E⟩, but for what the script around it needs: joiners of Persian or of an
    emoji, say.
    """
    text = _CONTROL.sub("\ufffd", text.replace("\r\n", "\n"))
    if not _UNSEEN.search(text):
        return text
    return _KEPT_OR_UNSEEN.sub(_written_out, text)


def printable_piece(text: str) -> str:
    """Return a piece of a text as `printable` does; what may join it to the next one stays."""
    edges = _AT_THE_EDGE.findall(text)
    if not edges:
        return printable(text)
    first = edges[0] if text.startswith(edges[0]) else ""
    last = edges[-1] if len(text) > len(first) and text.endswith(edges[-1]) else ""
    return f"{first}{printable(text[len(first) : len(text) - len(last)])}{last}"


def printable_json(text: str) -> str:
    """Return JSON that says the same, its invisible characters escaped."""
    return _ESCAPED.sub(lambda match: _escape(match[0]), text)


def inert(text: str) -> str:
    """Return Markdown in which no tag, link, picture or target of one begins.

    What would become one stays text. A sign behind an odd number of backslashes is escaped
    already, and another would set it free.
    """
    return _ACTIVE.sub(_escaped, printable(text))


def _written_out(match: re.Match[str]) -> str:
    if match["kept"] is not None:
        return match["kept"]
    character = match[0]
    if character in _MARKS_OF_ORDER:
        around = match.string[max(0, match.start() - _NEAR) : match.end() + _NEAR]
        if re.search(f"[{_RIGHT_TO_LEFT}]", around.replace("\u061c", "")):
            return character
    return f"⟨U+{ord(character):04X}⟩"


def _escaped(match: re.Match[str]) -> str:
    is_escaped = len(match["before"]) % 2 == 1
    return match[0] if is_escaped else f"{match['before']}\\{match['sign']}"


def _escape(character: str) -> str:
    encoded = character.encode("utf-16-be")
    return "".join(
        f"\\u{int.from_bytes(encoded[at : at + 2]):04x}" for at in range(0, len(encoded), 2)
    )
