"""What models and servers wrap round a reply: tokens, fences, markup, labels, echoes."""

# ruff: noqa: RUF001 - the punctuation of other scripts looks like ours

import regex

ESCAPES = regex.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[PX^_].*?\x1b\\|[\x1b\x9b]\[?[0-9;?]*[ -/]*[@-~]",
    regex.DOTALL,
)
CONTROLS = regex.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe]")
IN_QUOTES = regex.compile(
    r'"[^"\n]{3,400}"|“[^”\n]{3,400}”|„[^“”\n]{3,400}[“”]|«[^»\n]{3,400}»|`[^`\n]+`'
)
TURN_ENDS = regex.compile(
    r"<\|(?:im_end|eot_id|eom_id|endoftext|end_of_text|end|return|eos|eot|end_of_turn|call"
    r"|END_OF_TURN_TOKEN|END_RESPONSE|end_of_solution)\|>|<end_of_turn>|</s>|<eos>|<EOS>|<eot>"
    r"|<｜end▁of▁sentence｜>|<\|end▁of▁sentence\|>|\[EOS\]|<turn\|>|\[end of text\]",
    regex.IGNORECASE,
)
TURN_BEGINS = regex.compile(
    r"^\s*(?:(?:<s>|<bos>|<\|begin_of_text\|>|<｜begin▁of▁sentence｜>)\s*)*"
    r"(?:<\|im_start\|>\s*\w*\s*\n?|<\|start_header_id\|>\s*\w+\s*<\|end_header_id\|>"
    r"|<start_of_turn>\s*\w*\s*\n?|<\|turn>\s*\w*\s*\n?|<｜Assistant｜>"
    r"|<\|(?:assistant|bot|model)\|>"
    r"|<\|start\|>\w*(?:<\|message\|>)?|<\|START_RESPONSE\|>|(?:assistant|model)\s*\n)",
    regex.IGNORECASE,
)
NEXT_TURN = regex.compile(
    r"(?:<\|im_start\|>|<\|start_header_id\|>|<start_of_turn>|<｜User｜>|<\|user\|>|<\|start\|>"
    r"|\[INST\]"
    r"|\n\s*(?:\*\*|#+\s*)?(?:user|human|instruction|student)\s*:\s)",
    regex.IGNORECASE,
)
INST = regex.compile(r"^.*\[/INST\]", regex.DOTALL)
TEMPLATE_TOKEN = regex.compile(
    r"<\|[\w▁ /-]{1,40}\|>|<｜[^｜<>]{1,40}｜>|</?s>|<(?:bos|eos|pad|unk|mask)>|\[/?INST\]"
    r"|<</?SYS>>"
    r"|<(?:start|end)_of_turn>|<0x[0-9A-F]{2}>|\[(?:PAD|CLS|SEP|UNK|BOS|EOS)\]|<unused\d+>"
    r"|\\u001b\[[0-9;]*m|\\x1b\[[0-9;]*m|▁"
)
FENCE = regex.compile(
    r"(?:```|~~~)[\w+-]*[ \t]*\n(?P<inner>.*?)\n?\s*(?:(?:```|~~~)\s*)?", regex.DOTALL
)
ANSWER_KEY = regex.compile(
    r"""["'](?:final_?)?(?:answer|response|claims?|statements?)["']\s*:""", regex.IGNORECASE
)
WRAPPERS = [
    regex.compile(
        r"<(?P<tag>(?:final_?)?answer|response|reply|output|result|final|solution|text|message"
        r"|content)"
        r"(?:\s[^<>]*)?>(?P<inner>.*?)(?:</(?P=tag)\s*>|$)",
        regex.DOTALL | regex.IGNORECASE,
    ),
    regex.compile(r"(?:\\\(|\$+)?\s*\\boxed\{(?:\\text\{)?(?P<inner>[^{}]*)\}?\}\s*(?:\\\)|\$+)?"),
    regex.compile(r"\\text(?:bf|it|rm)?\{(?P<inner>[^{}]*)\}"),
]
HTML = (
    "p|div|span|b|i|u|em|strong|small|sup|sub|ul|ol|html|body|head|h[1-6]|table|tbody|tr|td|th|a"
    "|code|pre|blockquote|font|mark|cite|q"
)
BREAKS = regex.compile(r"<br\s*/?>|</?li(?:\s[^<>]*)?>|<hr\s*/?>", regex.IGNORECASE)
TAGS = regex.compile(rf"</?(?:{HTML})(?:\s[^<>]*)?/?>|<!--.*?-->|</?xml[^<>]*>", regex.IGNORECASE)
HEADING = regex.compile(
    r"(?m)^[ \t]*#{1,6}[ \t]+(?=\S)|^[ \t]*>[ \t]+(?=\S)|^[ \t]*[-*_]{3,}[ \t]*$"
)
EMPHASIS = regex.compile(
    r"(?<!\w)(\*\*\*|\*\*|__)(?=\S)(?P<inner>[^*_\n]+?)(?<=\S)\1(?!\w)"
    r"|(?<![\w*])\*(?=\S)(?P<inner>[^*\n]+?)(?<=\S)\*(?![\w*])"
)
SOURCE_LINES = regex.compile(
    r"(?m)^[ \t]*(?:\[?S\d{1,4}\]?[ \t]*\|[^\n]*"
    r"|</?(?:passage|part|text|chunk|document) [0-9a-f]{8}>)[ \t]*$"
)
ENCLOSING_LINES = regex.compile(r"(?m)^[ \t]*</?\w+ [0-9a-f]{8}>[ \t]*$\n?")
ENCLOSED = regex.compile(r"<(\w+ [0-9a-f]{8})>.*?</\1>", regex.DOTALL)
PLAN_LINE = regex.compile(r"\W*paragraph \d+\W+main point\W", regex.IGNORECASE)
LABEL_WORDS = (
    r"(?:the\s|your\s|my\s|here\sis\s(?:the|my)\s|final\s|short\s|direct\s|correct\s)*"
    r"(?:answer|response|reply|result|output|assistant|ai|bot|model|solution|conclusion)"
    r"|a(?![^\n]*\bB\s*:)|antwort|die\santwort|endgültige\santwort|réponse|la\sréponse|respuesta|la\srespuesta"
    r"|ответ|答案|答|回答|答え|الجواب|الإجابة|إجابة"
)
LABEL = regex.compile(
    rf"\W*(?:(?:sure|certainly|of\scourse|okay|ok)\W+)?(?:{LABEL_WORDS})[*_\"”]*"
    r"(?:\s(?:is|lautet|est|es|to\s(?:the|your)\squestion(?:\sis)?))?\s*[:：][*_\s]*",
    regex.IGNORECASE,
)
LABEL_LINE = regex.compile(rf"\W*(?:{LABEL_WORDS})\W*\n(?=\s*\S)", regex.IGNORECASE)
QUESTION_ANSWER = regex.compile(
    r"""^\W*(?:[SF]\d+\W+)?(?:question|q|frage|pregunta|вопрос|問題?|问题|质問|السؤال)\s*[:：]
    .*?(?:\n|\s)\W*(?:answer|a|antwort|réponse|respuesta|ответ|答案?|回答|答え|الجواب|الإجابة)\s*[:：]
    (?P<answer>.*?)
    (?=(?:\n|\s)\W*(?:[SF]\d+\W+)?(?:question|q|frage|pregunta|вопрос|问题|السؤال)\s*[:：]|$)""",
    regex.VERBOSE | regex.IGNORECASE | regex.DOTALL,
)
BARE_LABELS = regex.compile(
    r"(?m)^[ \t]*(?:[SF]\d{1,4}[ \t,.;:|]*)+$|(?<=[.!?][ \t])(?:[SF]\d{1,4}[ \t,.;:|]*)+$"
)
OPEN_MARK = regex.compile(r"""\s*[\[【(]\s*[SF]\d{1,4}\b[^\[\]【】()]{0,4000}$""")
NOT_THERE = regex.compile(
    r"[\[<({\"'`*]*\b(?:NOT[_ -]?IN[_ -]?(?:THE[_ -]?)?(?:DOCUMENT|TEXT|PASSAGE)S?"
    r"|(?i:not_in_(?:the_)?documents?|notindocuments?))\b[\])}>\"'`*.]*"
)
NOT_THERE_LAST = regex.compile(rf"(?:{NOT_THERE.pattern})\W*$")
NOT_THERE_ALONE = regex.compile(
    r"\W*(?:answer\W+)?not[_\s-]*in[_\s-]*(?:the[_\s-]*)?(?:document|text|passage)s?\W*",
    regex.IGNORECASE,
)
