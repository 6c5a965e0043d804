"""What a sentence says, as far as a program can see: its words, names, numbers and denials.

Words are compared by the stemmers of the search (`retrieval/search/analysis.py`) and, beyond them,
by irregular forms (English, German) and by endings of derivation. A word with a capital letter
inside a sentence is a name, which has one form. Chinese and Japanese words are pairs of characters.
"""
# ruff: noqa: E501, RUF001 - lists of words; the letters of many scripts look like those of ours

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

import regex

from lcagent.agents.quantities import (
    Date,
    Quantity,
    dates_in,
    month_of,
    quantities_in,
    weekday_of,
)
from lcagent.retrieval.search.analysis import (
    Analyzer,
    detect_language,
    stop_terms,
    without_stop_phrases,
)

NEAREST_FORMS = 4
"""Letters that two forms of a word have in common at least, where a stemmer does not join them."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word that carries meaning.

    Attributes:
        key: The form it is compared in.
        is_name: It has a capital letter that no sentence begins with.
        is_first: The sentence begins with it.
        follows_article: An article stands before it, so it is no verb.
        at: Its place among the words of the text, those without meaning counted, too.
    """

    key: str
    raw: str
    start: int
    end: int
    is_name: bool
    is_first: bool
    follows_article: bool
    at: int


@dataclass(frozen=True)
class Statement:
    """A text, taken apart.

    Attributes:
        denials: Where words stand that deny what stands beside them.
        doubts: Where words stand that make of a fact a plan, an attempt or a rumour.
    """

    text: str
    language: str
    words: tuple[Word, ...]
    dates: tuple[Date, ...]
    denials: tuple[tuple[int, int], ...]
    doubts: tuple[tuple[int, int], ...]

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        """The numbers, in order."""
        return tuple(quantities_in(self.text, self.language, self.dates))

    @cached_property
    def cells(self) -> tuple[Quantity, ...]:
        """The numbers, those of a table's cells one by one, too."""
        return tuple(quantities_in(self.text, self.language, self.dates, may_be_row=True))

    @cached_property
    def keys(self) -> frozenset[str]:
        """The words, as they are compared."""
        return frozenset(word.key for word in self.words)

    @cached_property
    def is_unspaced(self) -> bool:
        """Whether most of it is in a script without blanks between words."""
        return len(_UNSPACED.findall(self.text)) * 2 > sum(map(str.isalpha, self.text))

    def has(self, word: Word) -> bool:
        """Say whether it has a word, in whatever form."""
        return word.key in self.keys or any(is_same_word(word, other) for other in self.words)

    def clauses(self) -> list[tuple[int, int]]:
        """Return its clauses: what a denial in one of them says nothing of the others."""
        borders = [match.span() for match in _CLAUSE_BORDER.finditer(self.text)]
        starts = [0, *(end for _, end in borders)]
        ends = [*(start for start, _ in borders), len(self.text)]
        return list(zip(starts, ends, strict=True))


@lru_cache(maxsize=8_192)
def read_statement(text: str, language: str = "") -> Statement:
    """Take a text apart."""
    language = language or language_of(text)
    dates = tuple(dates_in(text))
    return Statement(
        text,
        language,
        tuple(_words(text, language, dates)),
        dates,
        tuple(match.span() for match in _DENIAL.finditer(text)),
        tuple(match.span() for match in _DOUBT.finditer(text)),
    )


@lru_cache(maxsize=1_024)
def language_of(text: str) -> str:
    """Return the language of a text; English where it has Latin letters and does not tell."""
    return detect_language(text) or ("en" if regex.search("[a-z]", text) else "")


def is_same_word(one: Word, other: Word) -> bool:
    """Say whether two words are forms of one; names have one form only."""
    if one.key == other.key:
        return True
    if one.is_name and other.is_name:
        return False
    return _are_forms(one.key, other.key)


@lru_cache(maxsize=65_536)
def _are_forms(one: str, other: str) -> bool:
    if any(one in group and other in group for group in _groups().get(one, ())):
        return True
    common = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        common += 1
    if common < NEAREST_FORMS or one[common:] == other[common:]:
        return False
    endings = {one[common:], other[common:]}
    return endings <= _ENDINGS and not endings & _AGENTS


def _words(text: str, language: str, dates: Iterable[Date]) -> Iterable[Word]:
    spans = [(date.start, date.end) for date in dates]
    numbers = quantities_in(text, language, tuple(dates))
    spans.extend((number.start, number.end) for number in numbers)
    readable = without_stop_phrases(text, language) if language in ("zh", "ja", "th") else text
    if len(readable) != len(text):
        readable = text
    before, at, is_new = "", 0, True
    position = 0
    for match in _WORD.finditer(readable):
        start, end = match.span()
        is_new = is_new or _SENTENCE_END.search(readable, position, start) is not None
        position = end
        at += 1
        raw = match.group()
        inside = any(first <= start < last for first, last in spans)
        if _UNSPACED.match(raw):
            if not inside:
                yield from _pairs(raw, start, at)
            is_new, before = False, raw
            continue
        if not inside:
            word = _word(raw, language, start, at, before, is_first=is_new)
            if word is not None:
                yield word
        is_new, before = False, raw


def _word(
    raw: str, language: str, start: int, at: int, before: str, *, is_first: bool
) -> Word | None:
    bare = _POSSESSIVE.sub("", raw)
    weekday, month = weekday_of(bare), month_of(bare)
    is_capital = bare[0].isupper()
    if weekday:
        key = f"weekday {weekday}"
    elif month and is_capital and not is_first:
        key = f"month {month}"
    else:
        terms = _analyzer(language).terms(bare)
        key = "".join(terms)
        if not key or key in _stop(language) or key in _LIGHT:
            # "US" and "IT" are names, whatever the words are that are written with their letters.
            if not (len(bare) > 1 and bare.isupper() and not before.isupper()):
                return None
            key = bare.casefold()
    is_name = is_capital and not is_first and key[:5] not in ("weekd", "month")
    return Word(
        key,
        raw,
        start,
        start + len(raw),
        is_name,
        is_first,
        before.casefold() in _ARTICLES,
        at,
    )


def _pairs(run: str, start: int, at: int) -> Iterable[Word]:
    for place in range(max(1, len(run) - 1)):
        pair = run[place : place + 2]
        if not _DENIAL.fullmatch(pair):
            yield Word(
                pair, pair, start + place, start + place + len(pair), False, False, False, at
            )


@cache
def _analyzer(language: str) -> Analyzer:
    return Analyzer(language)


@cache
def _stop(language: str) -> frozenset[str]:
    return stop_terms(language) - _TELLING


@cache
def _groups() -> dict[str, list[frozenset[str]]]:
    groups: dict[str, list[frozenset[str]]] = {}
    for language, lines in (("en", _ENGLISH_FORMS), ("de", _GERMAN_FORMS)):
        for line in lines.split(";"):
            keys = frozenset(_analyzer(language).terms(line))
            for key in keys:
                groups.setdefault(key, []).append(keys)
    return groups


_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}ー]")
_WORD = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}ー]+"
    r"|[\w--[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}ー]]+(?:['’.&][\w--[\p{Han}\p{Hiragana}\p{Katakana}]]+)*",
    regex.V1,
)
_POSSESSIVE = regex.compile(r"['’]s?$")
_SENTENCE_END = regex.compile(r"[.!?:。！？：\n\"“„«»•|]")
_ARTICLES = frozenset(
    [
        "the",
        "a",
        "an",
        "this",
        "that",
        "these",
        "those",
        "his",
        "her",
        "its",
        "their",
        "our",
        "my",
        "your",
        "each",
        "every",
        "no",
        "some",
        "any",
        "der",
        "die",
        "das",
        "den",
        "dem",
        "des",
        "ein",
        "eine",
        "einen",
        "einem",
        "einer",
        "eines",
        "dieser",
        "diese",
        "dieses",
        "sein",
        "seine",
        "ihr",
        "ihre",
        "le",
        "la",
        "les",
        "l",
        "un",
        "une",
        "des",
        "du",
        "ce",
        "cette",
        "ces",
        "son",
        "sa",
        "ses",
        "leur",
        "el",
        "los",
        "las",
        "una",
        "unos",
        "unas",
        "del",
        "su",
        "sus",
        "este",
        "esta",
        "il",
        "lo",
        "gli",
        "i",
        "uno",
    ]
)
# Stop words of a question that tell something in a statement.
_TELLING = frozenset(
    [
        "abov",
        "after",
        "befor",
        "below",
        "down",
        "more",
        "most",
        "few",
        "under",
        "over",
        "onli",
        "out",
        "off",
        "up",
        "against",
    ]
)
# What a statement about a text says without saying more than the text.
_LIGHT = frozenset(
    [
        "accord",
        "document",
        "passag",
        "text",
        "sourc",
        "state",
        "mention",
        "describ",
        "report",
        "say",
        "said",
        "note",
        "call",
        "name",
        "also",
        "thus",
        "therefor",
        "howev",
        "moreov",
        "addit",
        "furthermor",
        "respect",
        "specif",
        "approxim",
        "around",
        "near",
        "total",
        "amount",
        "answer",
        "question",
        "exact",
        "provid",
        "inform",
        "base",
        "indic",
        "impli",
        "show",
        "section",
        "page",
        "tabl",
        "chapter",
        "dokument",
        "textstell",
        "quell",
        "laut",
        "zufolg",
        "sowie",
        "jedoch",
        "außerdem",
        "document",
        "selon",
        "texte",
        "passag",
        "également",
        "según",
        "texto",
        "documento",
        "also",
        "us",
        "use",
        "been",
        "made",
        "make",
        "year",
        "one",
        "two",
        "would",
        "could",
        "may",
        "might",
        "must",
        "shall",
    ]
) - frozenset(
    [
        "near",
        "total",
        "around",
        "amount",
        "one",
        "two",
        "may",
        "might",
        "must",
        "shall",
        "would",
        "could",
        "use",
        "us",
    ]
)

_WORDS_OF_DENIAL = """
    not no never none nor neither nothing nobody nowhere without cannot hardly barely scarcely
    nicht nie niemals nichts niemand ohne weder kaum kein keine keinen keinem keiner keines ne
    n' pas jamais aucun aucune rien sans non sin nunca nada ningun ningún ninguno ninguna jamás
    nadie tampoco mai nessuno niente senza não nem nunca sem niet geen nooit не нет ни никогда
    никто ничего без нельзя fail fails failed failing refuse refused refuses declined denied
    denies lacks lacked unable lack except unless verweigerte verweigert unterließ versäumte
    scheiterte refusa refusé negó"""
_WORDS_OF_DOUBT = """
    planned plans planning proposed proposes proposal intended intends attempted tried alleged
    allegedly rumoured rumored supposedly almost nearly hoped considered threatened failed
    expected expects would might could should geplant plante sollte könnte würde angeblich fast
    beinahe versuchte beabsichtigt beabsichtigte prévu prévoyait proposé presque aurait planeado
    propuesto casi presuntamente habría почти якобы планировал планировала планировали пытался
    пыталась"""


def _any_of(words: str) -> str:
    return "|".join(regex.escape(word) for word in words.split())


_DENIAL = regex.compile(
    rf"(?<!\p{{L}})(?i:{_any_of(_WORDS_OF_DENIAL)}|\p{{L}}+n['’]t)(?!\p{{L}})|(?<!\p{{L}})n['’](?=\p{{L}})"
    r"|(?<!\p{L})[وف]?(?:لا|لم|لن|ليس|ليست|غير|بدون|ما)(?!\p{L})"
    r"|[不没沒無无未非莫勿否](?!同|仅|僅|但|过|過|論|论)|ません|ない|なかった|なく|ずに",
)
_DOUBT = regex.compile(
    rf"(?<!\p{{L}})(?i:{_any_of(_WORDS_OF_DOUBT)})(?!\p{{L}})|计划|計劃|打算|据说|據說|几乎|予定|つもり|らしい"
)
_CLAUSE_BORDER = regex.compile(
    r"[;:。；！？]|[.!?](?=\s|$)|，|、(?=\p{Han}{3})|\s[–—-]\s|—"
    r"|,?\s(?:but|because|while|whereas|although|though|since|whereupon|so that|until|when|after|before"
    r"|aber|sondern|weil|während|obwohl|denn|doch|nachdem|bevor|mais|parce que|tandis que|alors que"
    r"|pero|sino|porque|mientras|aunque|но|а|потому что|хотя)\s"
    r"|,\s(?:and|or|so|und|et|y|и|who|which|der|die|das|qui|que|которы\p{L}+)\s"
    r"|\s(?:and|und|et|y|и)\s(?=(?:the|a|an|he|she|it|they|we|der|die|das|er|sie|es|le|la|les|il|elle|el|los|las)\s|\p{Lu})"
)
_ENDINGS = frozenset(
    [
        "s",
        "es",
        "ed",
        "d",
        "ing",
        "ion",
        "ation",
        "ition",
        "tion",
        "ment",
        "ments",
        "ly",
        "al",
        "ial",
        "ity",
        "y",
        "ies",
        "ness",
        "able",
        "ible",
        "ive",
        "ative",
        "ic",
        "ical",
        "e",
        "en",
        "em",
        "er",
        "ers",
        "or",
        "ors",
        "n",
        "nen",
        "t",
        "te",
        "ten",
        "tet",
        "st",
        "est",
        "ung",
        "ungen",
        "lich",
        "isch",
        "ig",
        "keit",
        "heit",
        "rs",
        "a",
        "o",
        "as",
        "os",
        "ado",
        "ada",
        "ción",
        "miento",
        "ant",
        "ent",
        "ance",
        "ence",
        "age",
        "ery",
        "ary",
        "ory",
        "ier",
        "i",
        "u",
        "h",
        "um",
        "us",
        "ous",
        "ful",
        "less",
        "ism",
        "ist",
        "ists",
        "ship",
        "dom",
        "hood",
        "ward",
        "wards",
        "th",
        "ы",
        "и",
        "а",
        "у",
        "е",
        "ом",
        "ой",
        "ов",
        "ам",
        "ами",
        "ах",
        "я",
        "ю",
        "ем",
        "ей",
        "ый",
        "ая",
        "ое",
        "ые",
        "ого",
        "ому",
        "ым",
        "ых",
        "л",
        "ла",
        "ло",
        "ли",
        "ть",
    ]
) | {""}
_AGENTS = frozenset(["ee", "ees", "less"])
_ENGLISH_FORMS = """
    arise arose arisen;be being;bear bore born borne;beat beaten;become became;begin began
    begun; bend bent;bind bound;bite bit bitten;bleed bled;blow blew blown;break broke
    broken;breed bred; bring brought;build built;burn burnt burned;buy bought;catch
    caught;choose chose chosen;come came; creep crept;deal dealt;dig dug;draw drew drawn;dream
    dreamt;drink drank drunk;drive drove driven; eat ate eaten;fall fell fallen;feed fed;feel
    felt;fight fought;find found;flee fled;fly flew flown; forbid forbade forbidden;forget
    forgot forgotten;freeze froze frozen;get got gotten;give gave given; go went gone;grow grew
    grown;hang hung;hear heard;hide hid hidden;hold held;keep kept;know knew known; lay
    laid;lead led;leave left;lend lent;lie lay lain;light lit lighted;lose lost;make made;mean
    meant; meet met;pay paid;ride rode ridden;ring rang rung;rise rose risen;run ran;see saw
    seen;seek sought; sell sold;send sent;shake shook shaken;shine shone;shoot shot;show
    shown;shrink shrank shrunk; sing sang sung;sink sank sunk;sit sat;sleep slept;speak spoke
    spoken;spend spent;stand stood; steal stole stolen;stick stuck;strike struck stricken;swear
    swore sworn;sweep swept;swim swam swum; take took taken;teach taught;tear tore torn;tell
    told;think thought;throw threw thrown; understand understood;wake woke woken;wear wore
    worn;weave wove woven;win won;wind wound; withdraw withdrew withdrawn;write wrote
    written;man men;woman women;child children;foot feet; tooth teeth;mouse mice;goose
    geese;person people;life lives live;wife wives;half halves; die died death dead;birth
    born;sale sell sold;choice choose;growth grow;height high;length long; width wide;depth
    deep;strength strong;weight weigh;loss lose lost;proof prove;belief believe; gift
    give;speech speak;flight fly;cost price priced;build construct erect;begin start commence;
    end finish;found establish;buy purchase acquire;large big;employ hire"""
_GERMAN_FORMS = """
    beginnen begann begonnen;bleiben blieb geblieben;brechen brach gebrochen;bringen brachte
    gebracht; fahren fuhr gefahren;fallen fiel gefallen;finden fand gefunden;fliegen flog
    geflogen;geben gab gegeben; gehen ging gegangen;gewinnen gewann gewonnen;halten hielt
    gehalten;kommen kam gekommen; lassen liess gelassen;lesen las gelesen;liegen lag
    gelegen;nehmen nahm genommen;nennen nannte genannt; rufen rief gerufen;schliessen schloss
    geschlossen;schreiben schrieb geschrieben;sehen sah gesehen; sinken sank gesunken;sprechen
    sprach gesprochen;stehen stand gestanden;steigen stieg gestiegen; sterben starb
    gestorben;tragen trug getragen;treffen traf getroffen;treten trat getreten; verlieren verlor
    verloren;wachsen wuchs gewachsen;werfen warf geworfen;ziehen zog gezogen; zahlen zahlte
    gezahlt bezahlt bezahlte;bauen baute gebaut erbaut erbaute errichtet;kaufen kaufte gekauft"""
