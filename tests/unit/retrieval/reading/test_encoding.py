"""Finding the encoding of a text."""

import codecs

import pytest

from lcagent.retrieval.reading.encoding import clean, decode, is_text

CHINESE = "第一章 那天早上，他推开门，看见院子里站着一个人。\n“你是谁？”他问道。那人没有回答。"
TRADITIONAL = (
    "那天早上，他推開門，看見院子裡站著一個人。「你是誰？」他問道。那人沒有回答，只是笑了笑。"
)
JAPANESE = (
    "その朝、彼は戸を開けて、庭に一人の男が立っているのを見た。\n「あなたは誰ですか」と彼は尋ねた。"
)
KOREAN = "그날 아침 그는 문을 열고 마당에 한 사람이 서 있는 것을 보았다. 누구입니까 하고 물었다."
RUSSIAN = "В то утро он открыл дверь и увидел, что во дворе стоит человек. Кто вы? Спросил он."
GREEK = "Εκείνο το πρωί άνοιξε την πόρτα και είδε έναν άνθρωπο να στέκεται στην αυλή."
ARABIC = "في ذلك الصباح فتح الباب ورأى رجلا واقفا في الساحة. من أنت؟ سأل الرجل."
HEBREW = "באותו בוקר הוא פתח את הדלת וראה אדם עומד בחצר. מי אתה? שאל."
GERMAN = "An jenem Morgen öffnete er die Tür und sah einen Mann. „Wer sind Sie?“ Größe, Straße."
FRENCH = "Ce matin-là, il ouvrit la porte et vit un homme au cœur de la cour. Il coûtait 5 €."
SPANISH = "Aquella mañana abrió la puerta y vio a un hombre en el patio. ¿Quién es usted?"
POLISH = "Tego ranka otworzył drzwi i zobaczył, że na podwórzu stoi człowiek. Żółć, gęś."
HUNGARIAN = "Azon a reggelen kinyitotta az ajtót, és látta, hogy egy ember áll. Árvíztűrő."
TURKISH = "O sabah kapıyı açtı ve avluda bir adamın durduğunu gördü. Şöyle, İstanbul."


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        *((CHINESE, codec) for codec in ("gbk", "gb18030", "utf-8", "utf-16-le", "utf-16-be")),
        *((TRADITIONAL, codec) for codec in ("big5", "gb18030", "utf-32")),
        *((JAPANESE, codec) for codec in ("shift_jis", "euc_jp", "iso2022_jp", "utf-16-le")),
        (KOREAN, "euc_kr"),
        *((RUSSIAN, codec) for codec in ("cp1251", "koi8-r", "iso8859-5", "cp866", "utf-16-be")),
        *((GREEK, codec) for codec in ("iso8859-7", "cp1253")),
        *((ARABIC, codec) for codec in ("cp1256", "iso8859-6")),
        (HEBREW, "cp1255"),
        *((GERMAN, codec) for codec in ("cp1252", "utf-16", "utf-8-sig")),
        *((FRENCH, codec) for codec in ("iso8859-15", "cp1252")),
        (SPANISH, "latin-1"),
        *((POLISH, codec) for codec in ("cp1250", "iso8859-2")),
        (HUNGARIAN, "cp1250"),
        (TURKISH, "cp1254"),
    ],
)
def test_a_text_is_decoded_whatever_its_encoding(text: str, codec: str) -> None:
    assert decode(text.encode(codec))[0] == text


def test_a_character_that_only_gb18030_has_does_not_spoil_the_rest() -> None:
    text = CHINESE + "㐀"
    with pytest.raises(UnicodeEncodeError):
        text.encode("gbk")
    assert decode(text.encode("gb18030")) == (text, "gb18030")


@pytest.mark.parametrize("mark", [codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF32_BE])
def test_the_byte_order_mark_is_no_part_of_the_text(mark: bytes) -> None:
    codec = {3: "utf-8", 2: "utf-16-le", 4: "utf-32-be"}[len(mark)]
    assert decode(mark + GERMAN.encode(codec))[0] == GERMAN


def test_broken_bytes_in_utf8_are_replaced_and_counted() -> None:
    data = GERMAN.encode()
    text, name = decode(data[:30] + b"\xff" + data[30:] + b"\xe2\x80")
    assert name == "utf-8, 2 unreadable characters"
    assert text == GERMAN[:29] + "\ufffd" + GERMAN[29:] + "\ufffd"


def test_a_declared_encoding_is_believed_if_the_bytes_fit_it() -> None:
    assert decode("ş".encode("cp1254"), "iso-8859-9")[0] == "ş"
    assert decode(CHINESE.encode("gb18030"), "utf-8")[0] == CHINESE
    assert decode(GERMAN.encode("cp1252"), "no-such-charset")[0] == GERMAN


def test_utf8_that_is_declared_as_latin1_is_read_as_utf8() -> None:
    assert decode(GERMAN.encode(), "iso-8859-1") == (GERMAN, "utf-8")


def test_latin1_means_windows_1252() -> None:
    assert decode("“so”".encode("cp1252"), "iso-8859-1")[0] == "“so”"


def test_line_ends_become_newlines_and_control_characters_go() -> None:
    assert clean("a\r\nb\rc\n\x00d\x0ce\tf\u00adg\x85") == "a\nb\nc\nde\tf\u00adg"


def test_compressed_bytes_are_not_text() -> None:
    assert not is_text(bytes(range(256)) * 8)
    assert is_text(GERMAN.encode("cp1252"))
    assert is_text(CHINESE.encode("utf-16-le"))
