"""Whether an error says that prompt and reply do not fit, and into how many tokens.

There is no common code for it, and each provider words it in its own way. What they share is read:
something of the prompt's (the input, the context, its tokens) that exceeds, is too long, or must be
reduced; or the name of a limit of the context. The number is what stands at the limit.
"""

import re

_PROMPT = (
    r"(?:prompts?|inputs?|context|messages?|conversation|sequence|request(?: body)?|quer(?:y|ies)|"
    r"text|payload|tokens?|content|n_?keep|输入|提示词?|上下文|prompt)"
)
_TOO_MUCH = (
    r"(?:exceed\w*|too (?:long|large|big|many|much)|(?:long|larg|great|bigg)er than|more than|"
    r"over(?:flow\w*|runs?| the (?:limit|max\w*|\d))|above the|beyond the|surpass\w*|limited to|"
    r"not enough (?:room|space)|(?<![-=])>=? ?\(?(?=\d|context|max)|"
    r"(?:does|do|did|will|can) ?n[o']t fit|cannot fit|out of (?:range|bounds)|"
    r"must (?:be|have) (?:<=?|less|at most|shorter|smaller|fewer|within|under|between)|"
    r"should be \[|超|过长|太长)"
)
_GAP = r"(?:[^.;!?]|\.(?=\d))"
_LIMIT_NAME = (
    r"(?:max(?:imum)?[ _-]*(?:model|context|sequence|seq|prompt|input|position|total)[ _-]*"
    r"(?:len\w*|size|tokens?|window|limit|embeddings)|context[ _-](?:length|window|size|limit|of)|"
    r"session_len|n_ctx|num_ctx|token limit|tokens? allowed)"
)
_CODES = (
    r"context_length_exceeded|exceed_context_size|max_prompt_tokens_exceeded|tokens_limit_reached|"
    r"context_?window_?exceeded|expected maxlength|context_overflow|"
    r"(?:prompt|input|request|context)_too_(?:long|large)|"
    r"string_above_max_length|model_context_window"
)
_OVERFLOW = re.compile(
    rf"\b(?:{_CODES})|"
    rf"\b{_PROMPT}\b{_GAP}{{0,90}}?{_TOO_MUCH}|"
    rf"{_TOO_MUCH}{_GAP}{{0,60}}?(?:{_LIMIT_NAME}|\b{_PROMPT}\b)|"
    rf"{_LIMIT_NAME}{_GAP}{{0,60}}?(?:is|of|:|=)\D{{0,12}}\d|"
    r"(?:reduce|shorten|decrease|truncate) (?:the|your) "
    r"(?:length|size|prompt|input|message|context)|"
    rf"\b{_PROMPT}\b{_GAP}{{0,60}}"
    r"(?:\bonly|but (?:the|this) model) (?:has|supports?|accepts?|allows?|takes?)\b|"
    r"max must be at least 1, got -|"  # what the prompt left over
    r"输入.{0,12}超|超.{0,12}(?:长度|限制)",
    re.IGNORECASE,
)
_PARAMETER = re.compile(
    r"[`'\"]?\bmax(?:imum)?[_ ]?(?:new|completion|output)?[_ ]?tokens\b[`'\"]?(?: value)?"
    r"(?: is too large:? ?[\d,]+| \([\d,.]+\))?",
    re.IGNORECASE,
)
_OF_THE_REPLY = re.compile(
    r"max_?\w*_?tokens\W{0,3}(?:value )?(?:is too (?:large|high|big)|must|should|cannot|exceed|"
    r"value|:? ?\d+ >)|maximum tokens (?:you requested|value)|range of max|valid range of|"
    r"supported range|(?:completion|output) tokens",
    re.IGNORECASE,
)
_OF_THE_PROMPT = re.compile(
    r"\b(?:inputs?|prompts?|messages?|context length|context limit|context size)\b|输入",
    re.IGNORECASE,
)
_RATE = re.compile(
    r"rate.?limit|per (?:min(?:ute)?|hour|day|second)\b|\b[tr]p[md]\b|quota|too many requests|"
    r"credits?\b|afford|balance|billing",
    re.IGNORECASE,
)
_NEVER_FITS = re.compile(
    r"request too large|must be reduced|reduce (?:your|the) (?:message|prompt|input)", re.IGNORECASE
)
_OF_OTHER_THINGS = re.compile(
    r"\b(?:images?|files?|attachments?|audio|video|tools?|schema|functions?|stop sequences?|"
    r"header|url|user_?name|metadata|concurren\w+)\b",
    re.IGNORECASE,
)
_NUMBER = (
    r"(?<!by )(?<![\w.,-])"
    r"(\d{1,3}(?:[,._'\u00a0\u202f ]\d{3})+(?!\d)|\d+(?:,\d+)*(?:\.0+)?)([km]?)(?!\w)"
)
_FIELD = r"(?:n_ctx|num_ctx|max_seq_len|session_len|max_model_len|max_position_embeddings)"
_AT_LIMIT = (
    rf"(?:{_LIMIT_NAME}|\bmax(?:imum)?\b|limit|only|allowed|available|supports?|up to|at most|"
    r"exceed\w*|\bthan|最大|上限|限制)"
)
_PLACES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_FIELD}\W{{0,4}}(?:is |of )?{_NUMBER}",
        rf"(?:>=?|<=|≤)\s*(?:n_ctx: ?)?`?{_NUMBER}",
        rf"\[\s*\d+\s*, ?{_NUMBER}\s*\]",
        rf"\d(?: of |/){_NUMBER} tokens",
        rf"{_NUMBER}[ -](?:tokens? )?(?:max\w*|limit|allowed|available|context)\b",
        rf"{_AT_LIMIT}[^.;!?\d]{{0,60}}?{_NUMBER}",
        rf"(?:{_LIMIT_NAME}|\bmax(?:imum)?\b|limit|exceed\w*)[^;!?]{{0,80}}?{_NUMBER}",
    )
]
_CODE_IN_TEXT = re.compile(r"limit \((?:1039|2013)\)$")  # MiniMax's
_FACTORS = {"": 1, "k": 1_000, "m": 1_000_000}


def is_overflow(text: str) -> bool:
    """Say whether an error means that prompt and reply do not fit into the window.

    Args:
        text: Its codes and its message, all of it.
    """
    if "got -" not in text and is_about_reply(text):
        return False
    if _RATE.search(text) and not _NEVER_FITS.search(text):
        return False
    bare = _PARAMETER.sub("max", text)
    return bool(_OVERFLOW.search(bare)) and not _is_about_other_things(bare)


def is_about_reply(text: str) -> bool:
    """Say whether an error is about the longest reply alone, whatever the prompt is."""
    return bool(_OF_THE_REPLY.search(text)) and not _OF_THE_PROMPT.search(text)


def limit_in(text: str) -> int | None:
    """Return how many tokens the window has, where an error says so."""
    if re.search(r"\b(?:characters?|chars|bytes|[kmg]b|字符)\b", text, re.IGNORECASE):
        return None
    bare = _CODE_IN_TEXT.sub("limit", _PARAMETER.sub("max", text))
    for place in _PLACES:
        for found in place.finditer(bare):
            number = read_number(found[1], found[2])
            if number >= _LEAST_WINDOW:
                return number
    return None


_LEAST_WINDOW = 64


def read_number(digits: str, unit: str = "") -> int:
    """Return a whole number as it is written: "16,384", "16 384", "128k"."""
    bare = re.sub(r"\.0+$", "", digits) if not re.search(r"\.\d{3}$", digits) else digits
    return int(re.sub(r"\D", "", bare)) * _FACTORS[unit.lower()]


def _is_about_other_things(text: str) -> bool:
    return bool(_OF_OTHER_THINGS.search(text)) and not re.search(
        rf"token|{_LIMIT_NAME}|prompt", text, re.IGNORECASE
    )
