"""Words that turn a statement round, that say nothing of their own, and forms of one word.

Denials and doubts in English, German, French, Spanish, Italian, Portuguese, Dutch, Russian, Arabic,
Chinese and Japanese; irregular forms in English and German.
"""
# ruff: noqa: RUF001 - the letters of many scripts look like those of ours

import regex


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _listed(words: str) -> str:
    return "|".join(regex.escape(word) for word in words.split())


ARTICLES = _set("""
    a an any ce ces cette das del dem den der des die diese dieser dieses du each ein eine
    einem einen einer eines el esta este every gli her his i ihr ihre il its l la las le les
    leur lo los my no our sa sein seine ses some son su sus that the their these this those un
    una unas une uno unos your
""")
# Stop words of a question that tell something in a statement.
TELLING = _set("""
    abov after against befor below down few more most off onli out over under up won own
""")
ADVERBS = _set("abov after befor below down under over onli out off up")
# What a statement about a text says without saying more than the text.
LIGHT = _set("""
    jahr année ano some per
    accord addit also answer approxim außerdem base been call chapter describ document
    documento dokument exact furthermor howev impli indic inform jedoch laut made make mention
    moreov name note page passag provid quell question report respect said say section según
    selon show sourc sowie specif state tabl text texte texto textstell therefor thus year
    zufolg également
""")
WORDS_OF_DENIAL = """
    not no never none nor neither nothing nobody nowhere without cannot hardly barely scarcely
    nicht nie niemals nichts niemand ohne weder kaum kein keine keinen keinem keiner keines ne
    n' pas jamais aucun aucune rien sans non sin nunca nada ningun ningún ninguno ninguna jamás
    nadie tampoco mai nessuno niente senza não nem nunca sem niet geen nooit не нет ни никогда
    никто ничего без нельзя fail fails failed failing refuse refused refuses declined denied
    denies lacks lacked unable lack except unless verweigerte verweigert unterließ versäumte
    scheiterte refusa refusé negó"""
WORDS_OF_DOUBT = """
    planned plans planning proposed proposes proposal intended intends attempted tried alleged
    allegedly rumoured rumored supposedly almost nearly hoped considered threatened failed
    expected expects would might could should geplant plante sollte könnte würde angeblich fast
    beinahe versuchte beabsichtigt beabsichtigte prévu prévoyait proposé presque aurait planeado
    propuesto casi presuntamente habría почти якобы планировал планировала планировали пытался
    пыталась"""
DENIAL = regex.compile(
    rf"(?<!\p{{L}})(?i:{_listed(WORDS_OF_DENIAL)}|\p{{L}}+n['’]t)(?!\p{{L}})|(?<!\p{{L}})n['’](?=\p{{L}})"
    r"|(?<!\p{L})[وف]?(?:لا|لم|لن|ليس|ليست|غير|بدون|ما)(?!\p{L})"
    r"|[不没沒無无未非莫勿否](?!同|仅|僅|但|过|過|論|论)|ません|ない|なかった|なく|ずに",
)
DOUBT = regex.compile(
    rf"(?<!\p{{L}})(?i:{_listed(WORDS_OF_DOUBT)})(?!\p{{L}})|计划|計劃|打算|据说|據說|几乎|予定|つもり|らしい"
)
CLAUSE_BORDER = regex.compile(
    r"[;:。；！？]|[.!?](?=\s|$)|，|、(?=\p{Han}{3})|\s[–—-]\s|—"
    r"|,?\s(?:but|because|while|whereas|although|though|since|whereupon|so that|until"
    r"|when|after|before"
    r"|aber|sondern|weil|während|obwohl|denn|doch|nachdem|bevor|mais|parce que|tandis que|alors que"
    r"|pero|sino|porque|mientras|aunque|но|а|потому что|хотя)\s"
    r"|,\s(?:and|or|so|und|et|y|и|who|which|der|die|das|qui|que|которы\p{L}+)\s"
    r"|\s(?:and|und|et|y|и)\s(?=(?:the|a|an|he|she|it|they|we|der|die|das|er|sie|es|le|la|les|il|elle|el|los|las)\s|\p{Lu})"
)
ENDINGS = _set("""
    a able ada ado age al ance ant ary as ation ative ción d dom e ed em en ence ent er ers
    ery es est ful h heit hood i ial ible ic ical ier ies ig ing ion isch ism ist ists ition
    ity ive keit less lich ly ment ments miento n nen ness o or ors ory os ous rs s ship st t
    te ten tet th tion u um ung ungen us ward wards y а ам ами ах ая е ей ем и л ла ли ло ов
    ого ое ой ом ому ть у ы ые ый ым ых ю я ов ев ин
""") | {""}
AGENTS = _set("""
    ee ees less
""")
ENGLISH_FORMS = """
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
GERMAN_FORMS = """
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
# "not only", "no later than" and "No. 7" deny nothing.
NO_DENIAL = regex.compile(
    r"(?i:not only|nicht nur|non seulement|no sólo|no solo|не только|no\. ?\d"
    r"|no (?:later|less|fewer|more) than)"
    r"|不仅|不但|不同|未来|非常|无论|莫斯科|否则"
)
AUXILIARIES = _set(
    """may might must shall should will would can could ought need be is are was were been being
    has have had do does did not only first last sera est sont fut a ont es son fue fueron ha han"""
)
BE_FORMS = _set(
    """is are was were be been being est sont fut furent été était étaient es son era eran fue
    fueron
    sido ser se"""
)
PREPOSED = _set("mr mrs ms dr prof sir lord captain")
# Denials stand before what they deny, but in these languages behind it, too.
DENIAL_BEHIND = _set("de nl ja")
# The order of words tells who does what, but not where cases tell it.
ORDERED = _set("en fr es it pt zh nl da no sv")
UNSPACED_STOP = frozenset("于由的了是在和与及也都就而为年月日将被从到其之个")


def _words(words: str) -> regex.Pattern[str]:
    return regex.compile(rf"(?<!\p{{L}})(?:{_listed(words)})(?!\p{{L}})", regex.IGNORECASE)


# A statement with one of a group is said only by a text that has one of it, too.
DEGREES = tuple(
    map(
        _words,
        (
            """largest biggest greatest highest maximum most größte größter größten höchste höchster
            höchsten meisten maximal mayor máximo máxima maximale""",
            """smallest least lowest fewest minimum kleinste kleinster kleinsten niedrigste
            niedrigsten wenigsten minimal moindre menor mínimo mínima minimale""",
            """only sole solely exclusively nur einzige einziger einzigen seul seule seulement
            uniquement único única solo sólo solamente""",
            "best beste bester besten meilleur meilleure mejor",
            "worst schlechteste schlechtesten pire peor",
            "longest längste längsten",
            "shortest kürzeste kürzesten",
        ),
    )
)
_RISES = """
    increase increased increases increasing rose risen rises grew grown grows gained climbed
    erhöhte erhöht stieg gestiegen wuchs augmenté augmenta aumentó creció
"""
_SIGNS_OF_RISE = """
    rise rising growth grow growing gain gains up higher more raise raised added addition
    additional jumped expanded doubled tripled than from Anstieg mehr höher hausse plus más aumento
"""
_FALLS = """
    decrease decreased decreases decreasing fell fallen falls dropped declined shrank sank gesunken
    fiel gefallen diminué baissa disminuyó bajó cayó
"""
_SIGNS_OF_FALL = """
    fall falling drop drops decline declining down lower less fewer reduced reduction cut lost loss
    halved than from Rückgang weniger niedriger baisse moins menos descenso
"""
# Words of change, and what a text must have for one of them: it, or another sign of the change.
CHANGES = (
    (_words(_RISES), _words(_RISES + _SIGNS_OF_RISE)),
    (_words(_FALLS), _words(_FALLS + _SIGNS_OF_FALL)),
)
