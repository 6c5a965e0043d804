"""Whether a passage says what a quote says, when the two differ in a few characters.

Typing and printing errors may differ; a number, a negation or the direction of a change may not.
Lists of words, not a model: English, German, French, Spanish, Arabic, Chinese and Japanese.
"""

import regex
from rapidfuzz.distance import Levenshtein

LONGEST_DIFFERENCE = 16
"""Characters that may differ in one place; more is another text."""

LONGEST_HAN_DIFFERENCE = 2
"""Chinese characters that may be left out or added in one place."""


def says_the_same(quote: str, passage: str) -> bool:
    """Tell whether `passage` differs from `quote` by slips only; both normalised, lower case."""
    return _has_only_slips(quote, passage) and (
        _facts(quote) == _facts(passage)
        # A quote may leave out the marks of footnotes.
        or (_facts(quote) == _facts(passage, _NOTE_MARK) and not _NOTE_MARK.search(quote))
    )


def has_negation(text: str) -> bool:
    """Tell whether leaving `text` out of a sentence may turn its meaning round."""
    return _NEGATIONS.search(text.casefold()) is not None


def _has_only_slips(quote: str, passage: str) -> bool:
    # Compared by words, not by letters: then a difference is a run of whole words between
    # two words that agree, and can be judged as one slip.
    ours, theirs = _WORDS.findall(quote), _WORDS.findall(passage)
    i = k = 0
    for block in Levenshtein.opcodes(ours, theirs).as_matching_blocks():  # the last one is empty
        if not _is_slip("".join(ours[i : block.a]), "".join(theirs[k : block.b])):
            return False
        i, k = block.a + block.size, block.b + block.size
    return True


def _is_slip(ours: str, theirs: str) -> bool:
    longer, shorter = sorted((ours, theirs), key=len, reverse=True)
    if _HAN.search(longer + shorter):  # a character is a word: in place of another it is no slip
        return not shorter and len(longer) <= LONGEST_HAN_DIFFERENCE
    if not shorter or len(longer) == 1:  # a word left out or added; a letter for another
        return len(longer) <= LONGEST_DIFFERENCE
    # "appropriate" and "inappropriate" differ by two letters of thirteen and by their meaning.
    prefix = longer.removesuffix(shorter)
    return prefix not in _OPPOSITE_PREFIXES and Levenshtein.distance(ours, theirs) <= max(
        1, len(longer) // 3
    )


def _facts(text: str, ignore: regex.Pattern[str] | None = None) -> list[str]:
    """Return the numbers, negations and directions in `text`, in order."""
    text = ignore.sub("", text) if ignore else text
    return [
        _THOUSANDS.sub("", match.group()) for match in _FACTS.finditer(_NEGATIVE.sub("-", text))
    ]


_HAN = regex.compile(r"\p{Han}")
_WORDS = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]|[^\W\p{Han}\p{Hiragana}\p{Katakana}]+")
_THOUSANDS = regex.compile(r"(?<=\d),(?=\d{3}(?!\d))|'")
_NEGATIVE = regex.compile(r"(?<!\w)\(\s?\$?\s?(?=\d[\d.,]*\s?%?\s?\))")
_OPPOSITE_PREFIXES = frozenset(
    ["un", "in", "im", "il", "ir", "dis", "non", "mis", "anti", "de", "a", "ab", "miss", "nicht"]
)
# The mark of a footnote after a word or a full stop: "profits1", "profits.[12]".
_NOTE_MARK = regex.compile(r"(?<=[\p{L}.,;:!?)'])\[?\d{1,2}\]?(?![\d\p{L}]|[.,]\d)")
_NUMBER = r"(?<!\w)-\d+(?:[.,]\d+)*|\d+(?:[.,]\d+)*"
_NEGATION_WORDS = """
    not no never none nor neither nothing nobody nowhere without cannot hardly barely except unless
    nicht nie niemals nichts niemand ohne weder kaum kein keine keinen keinem keiner keines
    ne pas jamais aucun aucune rien sans ni non sin nunca nada ningun ninguno ninguna"""
_OTHER_WORDS = """
    zero one two three four five six seven eight nine ten eleven twelve twenty thirty
    forty fifty sixty seventy eighty ninety hundred thousand million billion trillion half twice
    zwei drei vier sechs sieben acht neun zehn elf hundert tausend millionen milliarden
    deux trois quatre cinq sept huit neuf dix cent mille millions milliards
    more less fewer most least higher lower above below over under before after up down
    all some any only may must shall should will would can could might
    gain gains loss losses profit profits asset assets liability liabilities
    mehr weniger vor nach plus moins avant"""
_STEMS = r"(?:in|de)creas\p{L}*|(?:in|out)flow\p{L}*|(?:im|ex)port\p{L}*"


def _words(*lists: str) -> str:
    return "|".join(word for words in lists for word in words.split())


_NO = (
    rf"(?<!\p{{L}})(?:{_words(_NEGATION_WORDS)}|\p{{L}}+n't"
    r"|[وف]?(?:لا|لم|لن|ليس|ليست|غير|بدون))(?!\p{L})|(?<!\p{L})n'(?=\p{L})"
    r"|[不没沒無无未非莫勿否]|ません|ない|なかった|なく"
)
_NEGATIONS = regex.compile(_NO)
_FACTS = regex.compile(
    rf"{_NUMBER}|{_NO}|[增減减升降多少高低上下前後后零一二两兩三四五六七八九十百千万萬亿億]"
    rf"|(?<!\p{{L}})(?:{_STEMS}|{_words(_OTHER_WORDS)})(?!\p{{L}})"
)
