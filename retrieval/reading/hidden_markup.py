"""What HTML hides from the people who look at it, though it is in the file."""

import re
from typing import Literal, TypeAlias

from selectolax.lexbor import LexborHTMLParser, LexborNode

Reason: TypeAlias = Literal["invisible", "tiny", "off the page"]

_STYLES: tuple[tuple[re.Pattern[str], Reason], ...] = (
    (
        re.compile(
            r"display:none|visibility:(?:hidden|collapse)|(?<![-\w])opacity:0(?:\.0*)?(?![.\d])"
        ),
        "invisible",
    ),
    (re.compile(r"font-size:(?:0|[012](?:\.\d+)?px|0?\.[0-2]\d*r?em)(?![.\d])"), "tiny"),
    (re.compile(r"(?:left|top|right|text-indent):-\d{4,}px|clip:rect\(0"), "off the page"),
)
_RULE = re.compile(r"([^{}@/]+)\{([^{}]*)\}")
_COMMENT = re.compile(r"/\*.*?(?:\*/|$)", re.DOTALL)
_CONDITIONAL = re.compile(r"@[^{};]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")  # @media print, ...
_SIMPLE_SELECTOR = re.compile(r"\s*[\w*]*(?:[.#][\w-]+)+\s*")
_MOST_RULES = 200


class HiddenRules:
    """Knows which elements of one document are hidden, by their attributes and its style rules.

    Of style sheets only rules for a class or an id are known, in the document itself.
    """

    def __init__(self, tree: LexborHTMLParser) -> None:
        self._by_rule: dict[int, Reason] = {}
        for sheet in tree.css("style"):
            self._apply(tree, _CONDITIONAL.sub("", _COMMENT.sub("", sheet.text())))

    def reason(self, node: LexborNode) -> Reason | None:
        """Return why nobody sees the element, or None if it is seen as far as is known."""
        attributes = node.attributes
        if node.tag == "noscript" or (node.tag == "dialog" and "open" not in attributes):
            return "invisible"
        if not attributes or _is_note(attributes):
            return None
        if "hidden" in attributes or attributes.get("aria-hidden") == "true":
            return "invisible"
        reason = self._by_rule.get(node.mem_id) or _reason_of_style(attributes.get("style") or "")
        sized = node.css("[style*=font-size]") if reason == "tiny" else []
        if any(inner.mem_id != node.mem_id for inner in sized):
            return None  # a size of 0 closes the gaps between boxes that have sizes of their own
        return reason

    def _apply(self, tree: LexborHTMLParser, sheet: str) -> None:
        for selectors, style in _RULE.findall(sheet)[:_MOST_RULES]:
            reason = _reason_of_style(style)
            for selector in selectors.split(",") if reason else ():
                if _SIMPLE_SELECTOR.fullmatch(selector) and reason:
                    self._by_rule.update((node.mem_id, reason) for node in tree.css(selector))


def _is_note(attributes: dict[str, str | None]) -> bool:
    """Tell whether an element is a note, which reading systems hide only until it is called."""
    kind = f"{attributes.get('epub:type') or ''} {attributes.get('role') or ''}"
    return "footnote" in kind or "endnote" in kind or "rearnote" in kind


def _reason_of_style(style: str) -> Reason | None:
    compact = "".join(style.lower().split())
    return next((reason for pattern, reason in _STYLES if pattern.search(compact)), None)
