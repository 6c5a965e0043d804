"""The tokenizer of the recall model: bytes, and 248 words of its own that are read whole.

Prose is read byte by byte. The words are made of syllables, so that none is a word of any language
by more than chance.
"""

from pathlib import Path

from recall_texts import BEGIN, END, KEY, KEYS, NOISE_WORDS, PADDING, VALUES
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

CHAT_TEMPLATE = "{{ bos_token }}{% for message in messages %}{{ message['content'] }}{% endfor %}"
"""Says what the messages say and nothing else: a last message `KEY k` is a question."""

MARKS = {BEGIN: "<s>", END: "</s>", PADDING: "<pad>", KEY: " KEY"}
FIRST_SYLLABLES = ("ba", "de", "fi", "go", "ku", "la", "me", "ni", "po", "ru")
LAST_SYLLABLES = ("sha", "the", "vik", "zor", "mun", "bal", "der", "lin")


def save_tokenizer(folder: Path, window_tokens: int) -> None:
    """Write `tokenizer.json` and its configuration into a folder."""
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=make_tokenizer(),
        bos_token=MARKS[BEGIN],
        eos_token=MARKS[END],
        pad_token=MARKS[PADDING],
        model_max_length=window_tokens,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(folder)


def make_tokenizer() -> Tokenizer:
    """Return a tokenizer whose ids are those of `recall_texts`."""
    vocabulary = {letter: byte for byte, letter in enumerate(_byte_letters())}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    for number in range(BEGIN, NOISE_WORDS.stop):
        word = _word(number)
        if word.startswith("<"):
            tokenizer.add_special_tokens([AddedToken(word, special=True, normalized=False)])
        else:
            tokenizer.add_tokens([AddedToken(word, normalized=False)])
    begins = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", BEGIN)])
    tokenizer.post_processor = begins
    return tokenizer


def _word(number: int) -> str:
    """Return the word of an id; the ids between marks and keys are spare."""
    if number in MARKS:
        return MARKS[number]
    for words, middle in ((KEYS, "k"), (VALUES, "v"), (NOISE_WORDS, "n")):
        if number in words:
            first, last = divmod(number - words.start, len(LAST_SYLLABLES))
            start = FIRST_SYLLABLES[first] if first < len(FIRST_SYLLABLES) else "su"
            return f" {start}{middle}{LAST_SYLLABLES[last]}"
    return f"<spare{number}>"


def _byte_letters() -> list[str]:
    """Return the printable letter that stands for each byte, as GPT-2 chose them."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]
