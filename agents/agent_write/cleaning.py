"""From the reply of a writer to the paragraph in it: no labels, no talk about the task.

Bai et al., LongWriter, strip the labels "paragraph k" afterwards; so does this.
"""

import regex

from lcagent.retrieval.sentences import sentences


def clean(reply: str) -> str:
    """Return what of a reply belongs into the text."""
    text = _THINKING.sub("", reply).strip()
    fenced = _FENCED.fullmatch(text)
    text = (fenced["body"] if fenced else text).strip()
    text = _PREAMBLE.sub("", text, count=1)
    text = _LABEL.sub("", text, count=1)
    text = _CLOSING.sub("", text)
    return _WORD_COUNT.sub("", text).strip()


def joined(text: str, continuation: str) -> str:
    """Return a text that was cut off with what goes on from there, its overlap left out."""
    added = _THINKING.sub("", continuation).lstrip("\n")
    for size in range(min(len(text), len(added), LONGEST_OVERLAP), SHORTEST_OVERLAP - 1, -1):
        if text.endswith(added[:size]):
            return text + added[size:]
    needs_blank = text[-1:].isalnum() and added[:1].isalnum() and text[-1:].isascii()
    return text + (" " if needs_blank else "") + added


def appended(text: str, addition: str) -> str:
    """Return a text with sentences added to its end."""
    is_unspaced = _UNSPACED_END.search(text) is not None
    return f"{text}{'' if is_unspaced else ' '}{addition}".strip()


def whole_sentences(text: str) -> str:
    """Return a text without the sentence at its end that was cut off."""
    ends = [end for _, end in sentences(text) if _STOP.search(text[:end])]
    return text[: ends[-1]].rstrip() if ends else text.rstrip()


SHORTEST_OVERLAP, LONGEST_OVERLAP = 12, 400
"""Characters of its end that a model may repeat when it goes on."""

_THINKING = regex.compile(r"<think>.*?(?:</think>|$)", regex.DOTALL)
_FENCED = regex.compile(r"```(?:markdown|md|text)?\n(?P<body>.*?)\n?```", regex.DOTALL)
_PREAMBLE = regex.compile(
    r"""\A(?:(?:sure|certainly|of\scourse|okay|ok|gerne|natürlich|bien\ssûr|claro|好的)[^\n]{0,200}[:!.：]
    |here(?:\sis|['’]s)\s[^\n]{0,200}:|hier\sist\s[^\n]{0,200}:|voici\s[^\n]{0,200}:
    |aquí\s(?:está|tienes)\s[^\n]{0,200}:|以下是[^\n]{0,100}[:：])\s*\n+""",
    regex.VERBOSE | regex.IGNORECASE,
)
_LABEL = regex.compile(
    r"""\A(?:[#>*_\s]*)(?:paragraph|absatz|paragraphe|párrafo|абзац|段落|第)\s*
    (?:\d+|[一二三四五六七八九十百]+)\s*(?:of\s\d+)?\s*段?
    (?:(?:\s*[-–—:.：]\s*(?:main\spoint\s*:[^\n]*|[^\n]{0,120}(?=\n)))?[*_]*\s*\n+|[*_]*\s*[-–—:：][*_]*\s*)""",
    regex.VERBOSE | regex.IGNORECASE,
)
_CLOSING = regex.compile(
    r"""\n+\s*(?:let\sme\sknow\b|please\slet\sme\b|would\syou\slike\b|i\shope\sthis\b|feel\sfree\b
    |\[?\(?\s*(?:end\sof\sparagraph|to\sbe\scontinued|continued\sin)\b)[^\n]*\Z""",
    regex.VERBOSE | regex.IGNORECASE,
)
_WORD_COUNT = regex.compile(
    r"\s*[\[(*_]*(?:word\scount|words|字数)\s*[:：=]\s*[\d,.]+(?:\s*words)?[\])*_]*(?=\s*\Z)",
    regex.IGNORECASE,
)
_STOP = regex.compile(r"[.!?。！？؟…]['\"”’»)\]*_]*\s*\Z")
_UNSPACED_END = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}。！？”」』]\s*\Z")
