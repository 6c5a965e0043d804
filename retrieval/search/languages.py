"""Which language a text is in, as far as search needs to know it, and its stop words.

A document may declare its language; else the script decides, and for scripts that many languages
share, whose function words are the most frequent. Stop words are those of bm25s; languages that
it has none for are searched without.
"""

import re
from collections import Counter
from functools import cache

from bm25s import stopwords

from lcagent.documents import Document
from lcagent.retrieval.search.words import Analyzer

_SAMPLE_PAGES = 12
_SAMPLE_CHARACTERS = 20_000
_MIN_SHARE = 0.08
"""A text of which fewer words are function words of a language is not in that language."""

_SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("zh", re.compile("[\u3400-\u9fff]")),
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
)
_MIN_SCRIPT_SHARE = 0.1

_GERMAN_QUESTION_WORDS = (
    "wer wen wem wessen womit wodurch wofür woran wovon wozu woher wohin weshalb"
    " viele vieles wieviel gibt gab gibts heißt hieß heißen lautet befindet geschah passierte"
)
_STOP_WORDS = {
    "da": stopwords.STOPWORDS_DANISH,
    "de": (*stopwords.STOPWORDS_GERMAN, *_GERMAN_QUESTION_WORDS.split()),
    "en": (*stopwords.STOPWORDS_EN_PLUS, "many", "much", "whose"),
    "es": stopwords.STOPWORDS_SPANISH,
    "fr": stopwords.STOPWORDS_FRENCH,
    "it": stopwords.STOPWORDS_ITALIAN,
    "nl": stopwords.STOPWORDS_DUTCH,
    "no": stopwords.STOPWORDS_NORWEGIAN,
    "pt": stopwords.STOPWORDS_PORTUGUESE,
    "ru": stopwords.STOPWORDS_RUSSIAN,
    "sv": stopwords.STOPWORDS_SWEDISH,
    "tr": stopwords.STOPWORDS_TURKISH,
}
_ARABIC = "من ما ماذا متى أين كيف كم هل لماذا في على إلى عن مع هو هي هذا هذه التي الذي أن إن كان و"
_UNSPACED_STOP = {
    "zh": "怎么回事|是谁|谁|为什么|为何|什么时候|什么样|什么|何时|哪个|哪些|哪里|哪儿|哪年|哪种"
    "|怎么样|怎么|怎样|如何|多少|多大|多久|多长|多高|几个|几|有没有|是不是|是|的|了|吗|呢|在",
    "ja": "どれくらい|どれぐらい|どのくらい|どのぐらい|どれほど|どのように|どうやって|どうして"
    "|どんな|どれ|どの|いくつ|いくら|何年|何人|何度|何回|何分|ありますか|いますか|でしょうか|ですか"
    "|ますか|ました|ください|について|のため|とは|何|誰|いつ|どこ|なぜ|どう|は|が|を|の|に|で",
    "th": "คืออะไร|อะไร|ใคร|ที่ไหน|เมื่อไร|ทำไม|อย่างไร|เท่าไร",
}
"""Question words and particles of languages written without blanks, the longest first."""


def language_of(document: Document) -> str | None:
    """Return the language of a document as an ISO 639-1 code, or None where it is unclear."""
    if document.language:
        return re.split("[-_]", document.language.lower())[0]
    step = max(1, len(document.pages) // _SAMPLE_PAGES)
    sample = " ".join(page.text[:4_000] for page in document.pages[::step])
    return detect(sample[:_SAMPLE_CHARACTERS])


def detect(text: str) -> str | None:
    """Return the language of a text by its script and its function words."""
    letters = sum(map(str.isalpha, text)) or 1
    for language, script in _SCRIPTS:
        if len(script.findall(text)) >= _MIN_SCRIPT_SHARE * letters:
            return language
    words = Counter(re.findall(r"[^\W\d_]+", text.lower()))
    shares = {
        language: sum(words[word] for word in stop) / (words.total() or 1)
        for language, stop in _STOP_WORDS.items()
    }
    best = max(shares, key=shares.__getitem__)
    return best if shares[best] >= _MIN_SHARE else None


def without_stop_phrases(question: str, language: str | None) -> str:
    """Return a question with blanks for its question words, where no blanks set them off.

    Otherwise the pairs of characters that words are searched by would reach over them.
    """
    pattern = _UNSPACED_STOP.get(language or "")
    return re.sub(pattern, " ", question) if pattern else question


@cache
def stop_terms(language: str | None) -> frozenset[str]:
    """Return the terms that say nothing of what a question is about."""
    words = [*_STOP_WORDS.get(language or "", ()), *(_ARABIC.split() if language == "ar" else ())]
    analyzer = Analyzer(language)
    return frozenset(term for word in words for term in analyzer.terms(word))
