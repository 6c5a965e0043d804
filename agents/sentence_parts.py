"""Who does what to whom: whether two sentences with the same words give them the same parts.

No parser: what stands before and behind a word that may be a verb is compared, where the order of
words tells the parts (English, French, Spanish and others, not German or Russian with their cases).
"""

from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations

from lcagent.agents.quantities import Quantity
from lcagent.agents.quote_context import QuoteInContext
from lcagent.agents.statement_words import AUXILIARIES, BE_FORMS, CHANGES, DEGREES, ORDERED
from lcagent.agents.statements import Statement, Word, is_same_word

BESIDE = 2
"""Words between a verb and what stands right behind it, an article counted."""


def moves_parts(claim: Statement, quote: Statement) -> bool:
    """Say whether a subject or an object of the claim has another place in the quote.

    "A pays B" and "B pays A" differ so; in "B is paid by A" the voice changes, too.
    """
    if claim.language not in ORDERED or claim.is_unspaced:
        return False
    return any(
        _moves(claim, quote, verb, place)
        for verb in claim.words
        if _may_be_verb(verb)
        for place in [_place(verb, quote)]
        if place is not None
    )


def overstates(claim: str, places: Sequence[QuoteInContext]) -> bool:
    """Say whether a claim has a word of degree, or of change, that no place has.

    "The largest liability was 57,046" is not said by "Total liabilities 57,046", nor "it was
    increased by 4,200" by "it entered into an agreement of 4,200".
    """
    said = "\n".join(
        f"{each.quote}\n{each.sentence}\n{each.labels}\n{each.column_heads}" for each in places
    )
    if any(word.search(claim) and not word.search(said) for word in DEGREES):
        return True
    is_row = any(each.row for each in places)  # its numbers tell
    return not is_row and any(
        word.search(claim) and not sign.search(said) for word, sign in CHANGES
    )


def takes_opposite(claim: Statement, quote: Statement) -> bool:
    """Say whether the quote says the opposite of a word of the claim at the same place.

    "Exported wheat and imported no rice" has the words of "imported wheat": what tells is which of
    the two stands nearer before what comes next in the claim.
    """
    for word in claim.words:
        for opposite in _OPPOSITES.get(word.key, ()):
            at = [said.start for said in quote.words if said.key == opposite]
            if not at or opposite in claim.keys:
                continue
            same = [said.start for said in quote.words if is_same_word(said, word)]
            following = _start_of_next(claim, quote, word)
            before = [place for place in (*at, *same) if place < following]
            if not same or (before and max(before) in at):
                return True
    return False


def _start_of_next(claim: Statement, quote: Statement, word: Word) -> int:
    """Return where the quote has what follows a word in the claim; its end if it has not."""
    places = [each.start for each in claim.words if each.start > word.start]
    numbers = [each for each in claim.quantities if each.start > word.start]
    if numbers and (not places or numbers[0].start < places[0]):
        found = [each.start for each in quote.cells if each.values & numbers[0].values]
    else:
        nearest = next((each for each in claim.words if each.start > word.start), None)
        found = [each.start for each in quote.words if nearest and is_same_word(each, nearest)]
    return found[0] if found else len(quote.text)


def swaps_numbers(claim: Statement, quote: Statement) -> bool:
    """Say whether two numbers changed places among the words that stand beside them."""
    numbers = [each for each in claim.quantities if not each.is_year]
    for one, other in combinations(numbers, 2):
        if one.values & other.values:
            continue
        for side in (_words_behind, _words_before):
            ours = [side(claim, each) for each in (one, other)]
            theirs = [
                [
                    word
                    for found in quote.cells
                    if found.values & each.values
                    for word in side(quote, found)
                ]
                for each in (one, other)
            ]
            moved = [
                [word for word in ours[at] if not _is_among(word, theirs[at])] for at in (0, 1)
            ]
            if _share(moved[0], theirs[1]) and _share(moved[1], theirs[0]):
                return True
    return False


def misplaces_number(claim: Statement, quote: Statement) -> bool:
    """Say whether what follows a number in the claim follows another number in the quote.

    "61 percent of severe cases" is not said by "94 percent of severe cases but 61 percent of mild
    ones", nor "$48.2 million in 2021" by "$48.2 million in 2020 to $41.7 million in 2021".
    """
    return any(
        _follows_another(claim, quote, number) or _has_another_year(claim, quote, number)
        for number in claim.quantities
        if not number.is_year
    )


def _follows_another(claim: Statement, quote: Statement, number: Quantity) -> bool:
    own = [found for found in quote.cells if found.values & number.values]
    behind = _words_behind(claim, number)
    if not own or not behind or any(_share(behind, _words_behind(quote, one)) for one in own):
        return False
    others = [
        found
        for found in quote.cells
        if found.unit == own[0].unit and found not in own and not found.is_year
    ]
    return any(_share(behind, _words_behind(quote, found)) for found in others)


def _has_another_year(claim: Statement, quote: Statement, number: Quantity) -> bool:
    ours = _next_year(claim, number)
    theirs = [_next_year(quote, found) for found in quote.cells if found.values & number.values]
    return bool(ours) and bool(theirs) and all(year and not year & ours for year in theirs)


def _next_year(said: Statement, number: Quantity) -> frozenset[Decimal]:
    """Return the year that is the next number behind a number; nothing where none is."""
    following = next((each for each in said.cells if each.start >= number.end), None)
    return following.values if following and following.is_year else frozenset()


def _moves(claim: Statement, quote: Statement, verb: Word, said: Word) -> bool:
    is_turned = _is_passive(claim, verb) != _is_passive(quote, said)
    words_before = [word for word in claim.words if word.start < verb.start]
    before = [word for word in words_before if _is_noun(word)]
    behind = [word for word in claim.words if word.start > verb.start and _is_noun(word)]
    subject, object_ = (before[-1] if before else None), (behind[0] if behind else None)
    nouns = [word for word in quote.words if _is_noun(word)]
    left = [word for word in nouns if word.start < said.start]
    right = [word for word in nouns if word.start > said.start]
    at_subject = _place(subject, quote) if subject else None
    at_object = _place(object_, quote) if object_ else None
    if at_subject and at_object and subject and object_:
        is_straight = at_subject.start < said.start < at_object.start
        is_reversed = at_object.start < said.start < at_subject.start
        if (is_reversed and not is_turned) or (is_straight and is_turned):
            return True
    if is_turned:
        return False
    is_other = bool(left) and not _is_among(left[-1], words_before)
    if at_subject and is_other and at_subject.start > said.start:
        return True  # somebody else stands where the claim has its subject
    if at_subject and is_other:
        between = quote.text[at_subject.end : said.start]
        ends = [end for _, end in quote.clauses() if at_subject.end <= end < left[-1].start]
        if ends and "," in between and not _is_relative(between):
            return True
    if at_object and at_object.start < said.start and right and left:
        is_beside = right[0].at - said.at <= BESIDE
        return is_beside and right[0].follows_article and not claim.has(right[0])
    return False


def _is_among(word: Word, words: list[Word]) -> bool:
    return any(is_same_word(word, other) for other in words)


def _is_relative(between: str) -> bool:
    words = between.replace(",", " ").split()
    return bool(words) and words[0].casefold() in (
        "which",
        "who",
        "that",
        "whom",
        "whose",
        "qui",
        "que",
    )


def _may_be_verb(word: Word) -> bool:
    return not (
        word.is_name or word.follows_article or word.is_first or word.raw.casefold() in AUXILIARIES
    )


def _is_noun(word: Word) -> bool:
    return word.is_name or word.follows_article or word.is_first


def _place(word: Word | None, quote: Statement) -> Word | None:
    """Return where a quote has a word; None where it has it several times, or not."""
    if word is None:
        return None
    found = [said for said in quote.words if is_same_word(word, said)]
    return found[0] if len(found) == 1 else None


def _is_passive(said: Statement, verb: Word) -> bool:
    """Say whether a form of "to be" stands right before a verb, or an adverb between."""
    before = said.text[: verb.start].casefold().split()[-2:]
    if verb.raw.casefold().endswith("ing"):
        return False
    return any(word.strip(",;") in BE_FORMS for word in before)


def _words_behind(said: Statement, number: Quantity) -> list[Word]:
    end = min(
        (each.start for each in said.cells if each.start >= number.end), default=len(said.text)
    )
    return [word for word in said.words if number.end <= word.start < end]


def _words_before(said: Statement, number: Quantity) -> list[Word]:
    start = max((each.end for each in said.cells if each.end <= number.start), default=0)
    return [word for word in said.words if start <= word.start < number.start]


def _share(ours: list[Word], theirs: list[Word]) -> bool:
    return any(is_same_word(one, other) for one in ours for other in theirs)


_RELATIVE = ("which", "who", "that", "whom", "whose", "qui", "que")
_PAIRS = """
    import export;rise fall;rose fell;rose fall;increas decreas;buy sell;bought sold;win
    lose;won lost;open close;gain loss;profit loss;befor after;first last;north south;east
    west;summer winter;maximum minimum;accept reject;approv reject;allow forbid;enter
    leav;begin end;higher lower;abov below;more less;more fewer;inflow outflow;asset
    liabil;male femal;husband wife;mother father;dawn dusk;day night"""
_OPPOSITES: dict[str, list[str]] = {}
for _pair in _PAIRS.split(";"):
    _one, _other = _pair.split()
    _OPPOSITES.setdefault(_one, []).append(_other)
    _OPPOSITES.setdefault(_other, []).append(_one)
