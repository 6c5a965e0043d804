"""A fuzzy match forgives typing and scanning, never meaning: 200 of each kind."""

# ruff: noqa: E501 - words of many scripts; how a line breaks says nothing

import pytest

from lcagent.documents import Document, Page, Span
from lcagent.retrieval.quotes.checking import QuoteChecker

FRAMES = {
    "en": "In the books of the harbour the clerk had noted that {} was what the council meant.",
    "de": "In den Büchern des Hafens hatte der Schreiber notiert, dass {} gemeint war.",
    "fr": "Dans les livres du port, le commis avait noté que {} était ce que disait le conseil.",
    "es": "En los libros del puerto el escribano anotó que {} era lo que decía el consejo.",
}
ALTERED = {
    "en": """Iran/Iraq Austria/Australia Penrow/Penrose Larsen/Larson Brand/Brant Monday/Sunday
        Tuesday/Thursday June/July January/February March/May employer/employee lessor/lessee
        mortgagor/mortgagee payer/payee trainer/trainee 5_mg/5_kg 5_ml/5_mi 12_mm/12_nm 7_cm/7_mm
        3_km/3_nm 40_MB/40_GB $500/€500 £500/$500 €500/£500 x_<_5/x_>_5 x_≤_5/x_≥_5 12_%/12_‰
        9_a.m./9_p.m. Annex_A/Annex_B clause_(c)/clause_(e) Schedule_B/Schedule_D part_(h)/part_(b)
        item_(i)/item_(l) 1870/1871 1,234/1,243 3.5/35 48,216/48,612 -5/5 15/16 five/six
        seven/eleven thirty/thirteen forty/fourteen fifty/fifteen ninety/nineteen first/third
        modern/modem burn/bum corner/comer dear/clear dose/close clay/day clip/dip
        hear/bear heat/beat head/bead house/mouse cat/eat car/ear cast/east cold/gold coal/goal
        form/from trial/trail casual/causal unite/untie martial/marital angel/angle quiet/quite
        sacred/scared diner/dinner desert/dessert later/latter super/supper hoping/hopping
        planing/planning loose/lose choose/chose affect/effect accept/except adopt/adapt
        principal/principle stationary/stationery complement/compliment moral/morale
        personal/personnel human/humane import/export inflow/outflow increase/decrease
        increased/decreased gain/loss profit/loss asset/liability higher/lower before/after
        above/below with/without always/never all/some must/may shall/should more/less north/south
        east/west left/right buyer/seller tenant/landlord plaintiff/defendant debtor/creditor
        husband/wife mother/father son/daughter brother/sister nitrite/nitrate sulfite/sulfate
        hypertension/hypotension hyperbaric/hypobaric prednisone/prednisolone methane/ethane
        ammonia/ammonium chloride/chlorite appropriate/inappropriate able/unable legal/illegal
        moral/immoral paid/unpaid audited/unaudited agreed/disagreed secured/unsecured
        possible/impossible known/unknown permitted/prohibited opened/closed bought/sold
        won/lost born/dead Anna/Anne Maria/Marta Martin/Marlin Hanson/Hansen Miller/Millar
        Smith/Smyth Clark/Clarke Brown/Braun Stevens/Stephens Oslo/Olso Dublin/Lublin
        Sweden/Swedes Slovakia/Slovenia Niger/Nigeria Guinea/Guyana Dominica/Dominican Mali/Malta
        Berlin/Bertin Vienna/Sienna Paris/Parma inter-state/intra-state intranet/internet
        pre-war/post-war million/billion thousand/hundred daily/weekly monthly/yearly
        primary/secondary minimum/maximum eastern/western active/inactive net/gross summer/winter
        wine/vine love/dove sand/band late/fate silver/sliver single/singed former/farmer""",
    "de": """Mieter/Vermieter Arbeitgeber/Arbeitnehmer Käufer/Verkäufer wurde/würde schon/schön
        zahlen/zählen Juni/Juli Montag/Sonntag Norden/Süden drucken/drücken konnte/könnte
        kein_Geld/sein_Geld zwei/drei Gewinn/Verlust fordern/fördern Leiter/Leiden""",
    "fr": """locataire/propriétaire poisson/boisson juin/juillet lundi/mardi désert/dessert
        avant/après cousin/coussin deux/dix poison/poisson""",
    "es": """año/ano lunes/martes junio/julio comprador/vendedor caro/carro pero/perro
        antes/después cima/sima""",
}
SLIPS = {
    "en": """lamp/larnp lantern/lantem burned/bumed company/cornpany dividend/clividend
        the/tbe government/govemment modern/rnodern eastern/eastem western/westem southern/southem
        governor/govemor morning/moming evening/evcning returned/retumed concerned/concemed
        learned/leamed journal/joumal eternal/etemal internal/intemal external/extemal
        pattern/pattem cavern/cavem turned/tumed warned/wamed attorney/attomey tournament/toumament
        amount/arnount summer/surnmer number/nurnber member/mernber common/cornmon time/tirne
        moment/rnoment command/cornmand commerce/cornmerce money/rnoney making/rnaking made/rnade
        much/rnuch from/frorn system/systern farmer/farrner seamen/seamcn claim/clairn
        window/vvindow water/vvater weather/vveather with/vvith which/vvhich winter/vvinter
        tower/tovver power/povver allowed/allovved followed/follovved
        clerk/c1erk light/l1ght light/1ight ship/sh1p tide/t1de wind/w1nd little/1ittle
        steel/stee1 hotel/hote1 school/schoo1 local/loca1 island/is1and pilot/pi1ot
        port/p0rt boat/b0at road/r0ad stone/st0ne storm/st0rm coast/c0ast ocean/0cean
        people/pe0ple company/c0mpany record/rec0rd council/c0uncil sailor/sai1or
        depth/deptb length/lengtb month/montb north/nortb south/soutb other/otber
        weather/weatber father/fatber fishing/fisbing
        ships/sbips chart/cbart church/cburch children/cbildren whether/wbether through/tbrough
        they/tbey their/tbeir there/tbere these/tbese those/tbose this/tbis then/tben than/tban
        been/becn keeper/kceper office/officc vessel/vesscl letter/lettcr
        between/betwecn because/becausc general/gcneral several/scveral second_mate/sccond_mate
        report/rcport record/rccord captain/eaptain country/eountry channel/ehannel
        council/couneil officer/offieer machine/maehine principle/prineiple merchant/merehant
        anchor/anehor passage/passagc village/villagc bridge/bridgc cottage/cottagc
        water/watcr winter/wintcr timber/timbcr engine/enginc
        and_then/ancl_then board/boarcl island/islancl around/arouncl ground/grouncl
        deck/cleck dinner/clinner door/cloor doctor/cloctor during/cluring         distance/clistance driven/clriven         lighthouse/ligthhouse receive/recieve harbour/habrour weather/waether
        keeper/keepre navy/nawy compared/compard necessary/neccessary occurred/occured
        separate/seprate accommodate/accomodate committee/commitee beginning/begining
        government/goverment engineer/engneer passenger/pasenger successful/succesful
        immediately/immediatly different/diferent company/compnay captain/captian
        harbourmaster/harbourmastcr unloading/unloacling warehouse/warebouse
        Penrow/Penr0w Skarra/5karra Quill/Qui1l Holmes/Ho1mes Olsen/0lsen
        1948/l948 1910/191O 2019/2O19 100/1OO 1871/187l 340/34O
        into/in_to seaport/sea_port harbour/har_bour         organise/organize harbour/harbor colour/color centre/center travelled/traveled
        defence/defense labour/labor neighbour/neighbor realised/realized theatre/theater
        Engineers/Engincers Tuesday/Tuesclay shore/sbore mouth/moutb youth/youtb
        health/healtb breath/breatb wharf/wbarf white/wbite where/wbere while/wbile
        charge/cbarge change/cbange choice/cboice chain/cbain teacher/teacber watch/watcb""",
    "de": """Hafen/Hafcn Schiff/Scbiff Wasser/Wasscr Licht/Licbt
        Schule/Scbule Straße/Strasse Leuchtturm/Leucbtturm Kapitän/Kapitan geschrieben/gescbrieben""",
    "fr": """port/p0rt lumière/lumiere navire/navirc maison/maisou tempête/tempete
        chemin/cbemin""",
    "es": """puerto/pucrto barco/barc0 capitán/capitan lámpara/lampara marinero/rnarinero""",
}

DECISIVE = "twelve/tvvelve nothing/notbing before/bcfore under/undcr hundred/hundrecl 1,100/l,l00"
"""Slips in a number, a denial or a direction: too much hangs on these words to forgive any."""


def _pairs(lists: dict[str, str]) -> list[tuple[str, str, str]]:
    pairs: list[tuple[str, str, str]] = []
    for language, words in lists.items():
        for pair in words.split():
            true, other = pair.split("/")
            pairs.append((language, true.replace("_", " "), other.replace("_", " ")))
    return pairs


def _status(language: str, on_page: str, in_quote: str) -> str:
    """Return what becomes of a quote of a page with one word of its own."""
    text = FRAMES[language].format(on_page)
    page = Page(0, f"{text}\nNothing else is told of it.", 1)
    checker = QuoteChecker([Document("d", "d", "text/plain", "test/1", (page,))])
    return checker.locate(FRAMES[language].format(in_quote), Span("d", 0)).status


def test_there_are_200_of_each_kind() -> None:
    assert len(set(_pairs(ALTERED))) >= 200
    assert len(set(_pairs(SLIPS))) >= 200


@pytest.mark.parametrize(("language", "true", "altered"), _pairs(ALTERED))
def test_another_word_is_no_slip(language: str, true: str, altered: str) -> None:
    assert _status(language, true, altered) == "not_found"
    assert _status(language, altered, true) == "not_found"


@pytest.mark.parametrize(("language", "true", "slip"), _pairs(SLIPS))
def test_a_slip_is_forgiven(language: str, true: str, slip: str) -> None:
    assert _status(language, slip, true) == "fuzzy"


@pytest.mark.parametrize(("language", "true", "slip"), _pairs({"en": DECISIVE}))
def test_a_slip_in_a_word_that_decides_is_not_forgiven(language: str, true: str, slip: str) -> None:
    assert _status(language, slip, true) == "not_found"


def test_a_word_that_stands_elsewhere_is_no_slip() -> None:
    sentence = "The engineers of the yard had painted the {} before the ship was let into the sea."
    page = Page(0, sentence.format("garboard"), 1)
    other = Page(1, "A garhoard is another part. Each garhoard has a number.", 2)
    quote = sentence.format("garhoard")
    alone = QuoteChecker([Document("d", "d", "text/plain", "test/1", (page,))])
    assert alone.locate(quote, Span("d", 0)).status == "fuzzy"
    both = QuoteChecker([Document("d", "d", "text/plain", "test/1", (page, other))])
    assert both.locate(quote, Span("d", 0)).status == "not_found"


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        (
            "The lantern was not lit by Osla Brand in 1911. Per Larsen lit it.",
            "The lantern was ... lit by Osla Brand in 1911",
        ),
        (
            "The tenant pays on time. The landlord must repair the roof of the house.",
            "The tenant pays ... must repair the roof",
        ),
        (
            "The tenant of the house pays rent, the landlord must repair the roof at once.",
            "The tenant of the house ... must repair the roof at once",
        ),
        (
            "The tenant of the house may leave but the landlord must repair the roof at once.",
            "The tenant of the house ... must repair the roof at once",
        ),
        (
            "The council was asked and refused in the end to build the bridge over the sound.",
            "The council was asked ... to build the bridge over the sound",
        ),
        (
            "| Quern One sent out | 871 |\n| Quern Two sent out | 402 megawatt-hours |\n",
            "Quern One sent out ... 402 megawatt-hours",
        ),
    ],
)
def test_an_ellipsis_swallows_nothing_that_decides(text: str, quote: str) -> None:
    checker = QuoteChecker([Document("d", "d", "text/plain", "test/1", (Page(0, text, 1),))])
    assert checker.locate(quote, Span("d", 0)).status == "not_found"


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        (
            "The committee, which met on Tuesday and had five members, approved the plan.",
            "The committee ... approved the plan",
        ),
        (
            "The old lantern on the outer pier was lit by Osla Brand in the winter of 1911.",
            "The old lantern ... was lit by Osla Brand",
        ),
    ],
)
def test_an_ellipsis_may_leave_out_what_decides_nothing(text: str, quote: str) -> None:
    checker = QuoteChecker([Document("d", "d", "text/plain", "test/1", (Page(0, text, 1),))])
    assert checker.locate(quote, Span("d", 0)).status == "exact"
