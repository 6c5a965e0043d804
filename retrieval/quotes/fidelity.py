"""Whether a passage says what a quote says, when the two differ in a few characters.

Typing and printing errors may differ; a word, a number, a unit, a sign, a denial or a direction may
not. What an ellipsis leaves out may hold none of what would turn the rest round. Lists of words,
not a model: English, German, French, Spanish, Arabic, Chinese and Japanese.
"""

from collections.abc import Sequence

import regex
from rapidfuzz.distance import Levenshtein

from lcagent.retrieval.quotes.spelling import CountInDocuments, is_one_word, read_digits

LONGEST_DIFFERENCE = 16
"""Characters that may differ in one place; more is another text."""

LONGEST_UNIT = 3
"""Letters; behind a number so short a word is a unit, which no slip may change."""


def says_the_same(
    quote: str, passage: str, language: str = "", count: CountInDocuments = lambda _: 0
) -> bool:
    """Tell whether `passage` differs from `quote` by slips only; both normalised.

    Args:
        language: Of the passage.
        count: How often the documents have a word: one that stands elsewhere is no slip.
    """
    quote, passage = read_digits(quote), read_digits(passage)
    if not _has_only_slips(quote, passage, language, count):
        return False
    ours, theirs = quote.lower(), passage.lower()
    return _facts(ours) == _facts(theirs) or (
        # A quote may leave out the marks of footnotes.
        _facts(ours) == _facts(theirs, _NOTE_MARK) and not _NOTE_MARK.search(ours)
    )


def has_negation(text: str) -> bool:
    """Tell whether leaving `text` out of a sentence may turn its meaning round."""
    return _NEGATIONS.search(text.casefold()) is not None


def may_be_left_out(between: str) -> bool:
    """Tell whether an ellipsis may stand for `between`.

    It may not where a denial, a doubt or another subject is left out. That it does not reach over
    a sentence is for the caller to see.
    """
    if has_negation(between) or _DOUBTS.search(between) or _OTHER_CLAUSE.search(between):
        return False
    # "The tenant pays, the landlord [repairs]": what is left out ends with whoever does the rest.
    return _NEW_SUBJECT.search(f"{between} ") is None


def _has_only_slips(quote: str, passage: str, language: str, count: CountInDocuments) -> bool:
    # Compared by words, not by letters: then a difference is a run of whole words between
    # two words that agree, and can be judged as one slip.
    ours, theirs = _read_words(quote), _read_words(passage)
    i = k = 0
    blocks = Levenshtein.opcodes(
        [word.lower() for word, _ in ours], [word.lower() for word, _ in theirs]
    ).as_matching_blocks()
    for block in blocks:  # the last one is empty
        before = ours[i - 1][0] if i else ""
        after = ours[block.a][0] if block.a < len(ours) else ""
        if not _are_slips(ours[i : block.a], theirs[k : block.b], before, after, language, count):
            return False
        i, k = block.a + block.size, block.b + block.size
    return True


def _are_slips(
    ours: Sequence[tuple[str, bool]],
    theirs: Sequence[tuple[str, bool]],
    before: str,
    after: str,
    language: str,
    count: CountInDocuments,
) -> bool:
    """Tell whether two runs of words between the same words are one, but for slips."""
    joined = ["".join(word for word, _ in side).lower() for side in (ours, theirs)]
    if joined[0] == joined[1]:  # a blank that came or went
        return True
    if len(ours) == len(theirs):
        last = before
        for (our, is_lone), (their, _) in zip(ours, theirs, strict=True):
            if not _is_slip(our, their, last, language, count, is_lone=is_lone):
                return False
            last = our
        return True
    if not ours or not theirs:
        return _says_nothing([word.lower() for word, _ in ours or theirs], before, after)
    bare = [[word for word in side if word[0].lower() not in _ARTICLES] for side in (ours, theirs)]
    if len(bare[0]) == len(bare[1]) < max(len(ours), len(theirs)):
        return _are_slips(bare[0], bare[1], before, after, language, count)
    is_short = max(map(len, joined)) <= LONGEST_DIFFERENCE
    return is_short and is_one_word(joined[0], joined[1], language, count, is_name=True)


def _is_slip(
    ours: str, theirs: str, before: str, language: str, count: CountInDocuments, *, is_lone: bool
) -> bool:
    if ours.lower() == theirs.lower():
        return True
    pair = frozenset((ours, theirs))
    if _CONTINUOUS.match(ours) or _CONTINUOUS.match(theirs):
        return pair in _KANA_ALIKE
    if before[-1:].isdigit() and min(len(ours), len(theirs)) <= LONGEST_UNIT:
        return False  # mg and kg
    if max(len(ours), len(theirs)) == 1:  # a letter by itself names something, but for "I"
        return is_lone and pair <= _ONE_STROKE
    if len(ours) + len(theirs) > 4 * LONGEST_DIFFERENCE:
        return False
    is_name = ours[0].isupper() or theirs[0].isupper()
    return is_one_word(ours.lower(), theirs.lower(), language, count, is_name=is_name)


def _says_nothing(words: Sequence[str], before: str, after: str) -> bool:
    """Tell whether words that only one side has say nothing: articles, a word written twice."""
    if list(words) == [before.lower()] or list(words) == [after.lower()]:
        return True
    if after.lower() in _AFTER_TELLING_ARTICLES:
        return False
    return len(words) <= 2 and all(word in _ARTICLES for word in words)


def _read_words(text: str) -> list[tuple[str, bool]]:
    """Return the words, and of each whether blanks stand on both sides."""
    return [
        (
            match.group(),
            text[match.start() - 1 : match.start()] in ("", " ")
            and text[match.end() : match.end() + 1] in ("", " "),
        )
        for match in _WORDS.finditer(text)
    ]


def _facts(text: str, ignore: regex.Pattern[str] | None = None) -> list[str]:
    """Return the numbers, negations and directions in `text`, in order."""
    text = ignore.sub("", text) if ignore else text
    return [
        _THOUSANDS.sub("", match.group()) for match in _FACTS.finditer(_NEGATIVE.sub("-", text))
    ]


_CONTINUOUS = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}ー]")
_ONE_STROKE = frozenset("lI1i|")
# What may be missing or too many without a change of meaning; in Chinese and Japanese, particles.
_ARTICLE_WORDS = """
    the a an that der die das den dem des ein eine einen einem einer eines le la les l un une el los
    las lo una il gli 的 了 过 過 着 地 得 们 們 之 の は が"""
_ARTICLES = frozenset(_ARTICLE_WORDS.split())
_AFTER_TELLING_ARTICLES = frozenset(["few", "little", "peu", "poco", "wenig", "bisschen"])
_KANA_ALIKE = frozenset(
    frozenset(pair)
    for pair in (
        "ロ口",
        "ニ二",
        "へヘ",
        "カ力",
        "ト卜",
        "タ夕",
        "エ工",
        "ハ八",
        "つっ",
        "やゃ",
        "ゆゅ",
        "よょ",
        "ツッ",
        "ヤャ",
        "ユュ",
        "ヨョ",
        "日曰",
        "己已",
        "べベ",
        "ぺペ",
        "りリ",
    )
)
_WORDS = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]|[^\W\p{Han}\p{Hiragana}\p{Katakana}]+")
_THOUSANDS = regex.compile(r"(?<=\d),(?=\d{3}(?!\d))|'")
_NEGATIVE = regex.compile(r"(?<!\w)\(\s?\$?\s?(?=\d[\d.,]*\s?%?\s?\))")
# The mark of a footnote after a word or a full stop: "profits1", "profits.[12]".
_NOTE_MARK = regex.compile(r"(?<=[\p{L}.,;:!?)'])\[?\d{1,2}\]?(?![\d\p{L}]|[.,]\d)")
_NUMBER = r"(?<!\w)-\d+(?:[.,]\d+)*|\d+(?:[.,]\d+)*"
_SIGNS = "[$€£¥₽₹¢<>≤≥=≠±%‰°]"
_NEGATION_WORDS = """
    not no never none nor neither nothing nobody nowhere without cannot hardly barely except unless
    nicht nie niemals nichts niemand ohne weder kaum kein keine keinen keinem keiner keines
    ne pas jamais aucun aucune rien sans ni non sin nunca nada ningun ninguno ninguna"""
_DOUBT_WORDS = """
    planned plans planning proposed intended attempted tried alleged allegedly rumoured supposedly
    almost nearly hoped considered threatened failed refused denied declined expected said reported
    believed claimed if unless except instead rather than only might would could should may
    geplant plante sollte könnte würde angeblich fast beinahe versuchte wenn falls ausser außer nur
    prévu proposé presque aurait prétendu si sauf planeado casi presuntamente habría salvo"""
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
    rf"{_NUMBER}|{_NO}|{_SIGNS}|[增減减升降多少高低上下前後后零一二两兩三四五六七八九十百千万萬亿億]"
    rf"|(?<!\p{{L}})(?:{_STEMS}|{_words(_OTHER_WORDS)})(?!\p{{L}})"
)
_DOUBTS = regex.compile(
    rf"(?<!\p{{L}})(?i:{_words(_DOUBT_WORDS)})(?!\p{{L}})|计划|打算|据说|几乎|予定|らしい"
)
# "but", and "and" before what may be a subject.
_OTHER_CLAUSE = regex.compile(
    r"[;:；：]|(?<!\p{L})(?i:but|while|whereas|although|though|however|aber|sondern|doch|jedoch|während"
    r"|mais|tandis|pero|sino|mientras|но|а|однако)(?!\p{L})|但|而|しかし"
    r"|(?<!\p{L})(?i:and|or|und|oder|et|ou|y|o|и|или)\s+"
    r"(?i:the|a|an|his|her|its|their|he|she|it|they|der|die|das|ein|eine|er|sie|es|le|la|les|il|elle|el|los|las)\s"
)
_NEW_SUBJECT = regex.compile(
    r"[,，、]\s*(?:and\s+|or\s+|und\s+|et\s+|y\s+)?(?:(?i:the|a|an|his|her|its|their|der|die|das|ein|eine|le|la|les|el|los|las)"
    r"\s+[\p{L}'’-]+(?:\s+[\p{L}'’-]+)?|\p{Lu}[\p{L}'’-]+(?:\s+\p{Lu}[\p{L}'’-]+)?|(?i:he|she|it|they|we|you|er|sie|es|il|elle))\s+$"
)
