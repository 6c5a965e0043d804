"""The words in which models decline, and in which they say that they found nothing.

Covered are English, German, French, Spanish, Russian, Chinese, Japanese and Arabic. A sentence is
known by what it speaks of: "the passages do not mention it" is about the passages, and finds
nothing; "the will does not mention the mill" is about a will, and is an answer.
"""

# ruff: noqa: RUF001 - other scripts have letters that look like ours

import regex

_FLAGS = regex.VERBOSE | regex.IGNORECASE

DECLINES = regex.compile(
    r"""^\W*(?:
    i(?:['’]m|\sam)\s(?:sorry|afraid|unable|not\s(?:able|allowed))\b
    |i\s(?:can(?:not|['’]t)|could\snot|couldn['’]t)\s(?!find|see|locate|determine)
    |i\s(?:won['’]t|will\snot|must\sdecline|decline)\b
    |sorry\b|(?:i\s)?apologi[sz]e\b|my\sapologies|as\san?\s(?:ai|artificial|(?:large\s)?language\smodel)\b
    |es\stut\smir\sleid\b|(?:tut\smir\s)leid\b|leider\skann\sich|entschuldigung
    |(?:je\ssuis\s)?(?:désolée?|navrée?)|lo\ssiento\b|lamento\b|извините|простите|к\sсожалению
    |抱歉|对不起|很抱歉|無法(?:提供|協助)|无法(?:提供|协助|回答)|申し訳|すみません|عذر|آسف|أعتذر|للأسف
    )""",
    _FLAGS,
)

_MATERIAL_EN = (
    r"(?:text|passage|document|context|source|material|excerpt|article|paragraph|section|chunk|page|"
    r"part|summary|content|note|information|data|table|answer|sentence|snippet)s?"
)
_SAYS_EN = (
    r"(?:mention|state|say|contain|provide|specif|include|give|indicate|discuss|address|answer|tell|"
    r"reveal|list|describe|cover|explain|have|hold|offer|refer|identif|name|clarif|disclose|talk|"
    r"report|record)\w*"
)
_SAID_EN = (
    r"(?:mention|stat|specif|provid|given|found|includ|discuss|availabl|answer|present|contain|"
    r"cover|address|indicat|disclos|list|describ|nam|said|told|known|clear|explicit|record|report)\w*"
)
_IN_EN = (
    r"(?:in|by|from|within|on|to)\s(?:any\sof\s)?(?:the|this|these|that|what|your)\b"
    rf"[^.]{{0,30}}?\b{_MATERIAL_EN}"
)

_FINDS_NOTHING = regex.compile(
    rf"""
    ^\W*(?:unfortunately,?\s)?i\s(?:do\snot|don['’]t)\s(?:know|have|see|find)\b
    |^\W*(?:unfortunately,?\s)?i\s(?:can(?:not|['’]t)|could\snot|couldn['’]t|was\s(?:un|not\s)able\sto)\s
        (?:find|see|locate|determine|answer|tell|identify)\b
    |^\W*unfortunately\b
    |^\W*(?:none|n/?a|unknown|nothing|not\sknown|unanswerable|no\s(?:answer|idea|data|result)s?
        |no\schanges?\b.*)\W*$
    |\b{_MATERIAL_EN}\s(?:(?:that|which)\s[^.]{{0,40}}\s)?(?:provided\s|given\s|above\s|shown\s)?
        (?:do(?:es)?\s?n[o'’]t|did\snot|don['’]t|doesn['’]t|never)\s(?:\w+ly\s|seem\sto\s|appear\sto\s)?
        {_SAYS_EN}
    |\b(?:passages|text|document|context|excerpts?)\s(?:has|have|contains?|provides?|gives?|includes?)\s
        (?:no|nothing)\b
    |^\W*(?:nothing|none|neither|nowhere)\s(?:in|of)\s(?:the|these|this)\b[^.]{{0,30}}?\b{_MATERIAL_EN}
    |^\W*(?:(?:based\son|according\sto|in|from)\s[^.]{{0,60}},\s)?
        (?:(?:i\s(?:can\s|could\s)?(?:see|find|found))\s|there\s(?:is|are|was)\s)?(?:no|not\senough|insufficient|not\sany)\s
        (?:relevant\s|new\s|further\s|specific\s|explicit\s|direct\s|such\s|sufficient\s)*
        (?:information|mention|evidence|indication|reference|details?|answer|data|context)\b
    |\b(?:it|this|that|the\sanswer|(?:this|that|the|such|relevant)\s(?:information|question|detail))\s
        (?:is|was|can|could|are)\s?(?:not|n['’]t|never)\s(?:be\s)?(?:\w+ly\s)?
        (?:{_SAID_EN}|determin\w*|inferr\w*)
    |\b(?:is|are|was|were)\s?(?:not|n['’]t|never)\s(?:\w+ly\s)?{_SAID_EN}\s{_IN_EN}
    |\b(?:cannot|can\snot|can['’]t|could\snot)\sbe\s
        (?:determined|answered|found|inferred|identified|established|known)\b
    |\b(?:impossible|not\spossible)\sto\s(?:determine|say|answer|tell|know|identify)\b
    |^\W*not\s(?:mentioned|stated|given|provided|specified|found|available|answered|applicable
        |in\sthe\s(?:text|passages?|document|context))\b

    |\bich\s(?:weiß|weiss)\s(?:es\s|das\s)?nicht\b
    |\bich\s(?:kann|konnte|habe)\b[^.]*\b(?:nicht|keine?n?)\b[^.]*
        (?:finden|gefunden|beantworten|angaben|informationen|sagen)
    |\b(?:texte?n?|passagen?|dokumente?|textstellen?|abschnitte?n?|auszüge?n?|quellen?|kontext
        |unterlagen|text)\s(?:\w+\s){{0,8}}?(?:nicht|keine?n?|nichts)\b
    |\b(?:nicht|nichts)\s(?:\w+\s)?(?:erwähnt|genannt|angegeben|enthalten)\b[^.]{{0,12}}$
    |\bsteht\s(?:\w+\s){{0,3}}(?:nicht|nichts)\b
    |^\W*(?:(?:dazu|darüber|hierzu)\s\w+\s)?(?:es\sgibt\s|sich\s)?keine\s(?:angaben?|informationen?|hinweise?
        |antwort|erwähnung)\b
    |\b(?:geht|lässt\ssich)\b[^.]*\bnicht\s(?:hervor|beantworten|feststellen|ermitteln|entnehmen)\b

    |\bje\sne\s(?:sais|peux|trouve|dispose)\b|\bn['’](?:est|a|ont|sont)\spas\s(?:été\s)?
        (?:mentionn|indiqu|précis|fourni|donn|spécifi|trouv)\w*
    |\b(?:textes?|passages?|documents?|extraits?|contexte|sources?)\s(?:\w+\s){{0,3}}?n(?:e\s|['’])
        (?:\w+\s){{0,2}}?\w+\s(?:pas|rien|aucune?)\b
    |^\W*(?:il\sn['’]y\sa\s)?(?:pas\sd['’]|aucune?\s)(?:information|mention|réponse|indication)
    |\bimpossible\sde\s(?:répondre|déterminer|dire|savoir)\b

    |\bno\s(?:lo\s)?sé\b|\bno\s(?:puedo|encuentro|encontré|dispongo)\b
    |\b(?:textos?|pasajes?|documentos?|fragmentos?|contexto|fuentes?)\s(?:\w+\s){{0,2}}?no\s
        (?:lo\s|se\s)?(?:mencion|dic|indic|contien|especific|proporcion|inclu|hac|ofrec)\w*
    |^\W*(?:eso\s|esto\s)?no\sse\s(?:mencion|indic|especific|proporcion|encuentr|dic)\w*
    |^\W*no\shay\s(?:informaci|menci|dato|respuest|ninguna)\w*|\bninguna\s(?:información|mención)\b

    |(?:текст\w*|отрыв\w*|документ\w*|фрагмент\w*|контекст\w*|источник\w*|материал\w*)\s
        (?:[\w,]+\s){{0,6}}?(?:не|нет|ничего)\s
    |^\W*(?:об\sэтом\s)?не\s(?:упомина|указан|сказано|говорит|содерж|найден|сообща)\w*
    |^\W*(?:нет|недостаточно)\s(?:информаци|упоминани|сведени|ответа|данных)\w*
    |^\W*(?:я\s)?не\s(?:знаю|могу|нашёл|нашел|нашла|удалось)\b|\bневозможно\s(?:ответить|определить)

    |(?:文|段落|材料|资料|資料|文档|文件|原文|上下文|信息|文章|片段|文本|内容).{{0,14}}
        (?:未|没有|沒有|并未|並未|无法|無法)\s?(?:提及|提到|说明|說明|提供|给出|給出|包含|指出|涉及|记载|找到)
    |^\W*(?:我)?(?:不知道|不清楚|未提及|未提到|未说明|没有提到|没有提及|没有相关|没有信息|找不到|未找到
        |无法(?:确定|得知|从|找到|判断)|無法(?:確定|得知|從|找到)|没有足够)
    |(?:文|段落|資料|情報|記載|本文|文書|箇所|中に?は?|回答|答え).{{0,24}}
        (?:ありません|ない|おりません|いません|できません|見つかりません)[。.]?$
    |(?:分かりません|わかりません|知りません|不明です|見つかりません|答えられません)[。.]?\W*$
    |(?:النص|النصوص|المقاطع|المقطع|الوثيقة|المستند|السياق|المصدر|الفقرات).{{0,30}}(?:لا|لم|ليس)\s
    |^\W*(?:لا\s(?:أعرف|أعلم|أستطيع|يمكن|توجد|يوجد|يذكر|تذكر)|لم\s(?:يذكر|يُذكر|ترد|يرد|أجد)|غير\s(?:مذكور|موجود|متوفر))
    """,
    _FLAGS,
)

MAX_REFUSAL_CHARACTERS = 300
"""A longer reply says something besides."""


def declines(text: str) -> bool:
    """Say whether a short text declines to do what it was asked."""
    bare = text.strip()
    return len(bare) <= MAX_REFUSAL_CHARACTERS and DECLINES.search(bare) is not None


def finds_nothing(sentence: str) -> bool:
    """Say whether a sentence says that what was asked is not in the material."""
    bare = " ".join(sentence.split())
    return len(bare) <= MAX_REFUSAL_CHARACTERS and _FINDS_NOTHING.search(bare) is not None
