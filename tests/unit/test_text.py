"""Text from library systems is read as it was meant: several ages of bytes, marks out of place, whole names."""

import itertools
import re
import unicodedata

import pytest
from faker.providers.person.th_TH import Provider as ThaiNames

from engagement.settings import INCLUDE
from engagement.text import bare, clean, decode

BOTH = ("utf-8", "cp874")
NIKHAHIT, SARA_AA = "\u0e4d", "\u0e32"
SARA_U, MAI_EK, THANTHAKHAT = "\u0e38", "\u0e48", "\u0e4c"
VOWELS, TONES = "\u0e31\u0e34-\u0e37\u0e38\u0e39", "\u0e48-\u0e4b"

# Given names, family names and titles as Thai people bear them: rare consonants, tone marks over and
# under vowels, cancelled letters, sara am, repetition, royal and noble forms, particles, single letters.
THAI_NAMES = (
    "สมชาย", "ณัฐวุฒิ", "กัญญาณัฐ", "ปัญญา", "กมลหญิง", "ชัชฎาภรณ์", "ฐิติพันธุ์", "ฐากูร", "กฤษฎา", "ปรากฏ",
    "อัจฉราพรรณ", "ภัทร์ธีนันท์", "พงษ์ศักดิ์", "สิริวัฒน์", "วรรณ์", "นฤมล", "ฤทธิ์", "ฦๅชา", "เพ็ญพักตร์", "น้ำผึ้ง",
    "น้ำฝน", "คำแก้ว", "อำพล", "สำเริง", "ซ้ำๆ", "เก่งๆ", "ทุ่งกุลา", "จุ้ย", "ปู่ลิ้ม", "แซ่ตั้ง",
    "แซ่อึ๊ง", "เธียรไชย", "เนตรนภา", "เอนกเนตร", "ณ อยุธยา", "สนิทวงศ์ ณ อยุธยา", "อิศรศักดิ์ ณ อยุธยา", "ณ ถลาง",
    "เทพหัสดิน ณ อยุธยา", "ม.ร.ว.", "ม.ล.", "ณ.", "ก.", "A.", "ว่าที่ร้อยตรีหญิง", "ศรีสวัสดิ์วงศ์วรรัตนสุวรรณภูมิพัฒนกุล",
    "O'Brien", "Nguyễn Thị Hồng", "Müller-Lüdenscheidt", "Aung", "ສົມສັກ", "ບົວຄຳ", "မောင်",
)  # fmt: skip


# Each way in which a Thai word is stored or typed wrongly: what it is, and what does it to a word.
WAYS = {
    "sara am in two characters": lambda w: w.replace("ำ", NIKHAHIT + SARA_AA),
    "sara am in two characters, the tone between": lambda w: re.sub(
        f"([{TONES}])ำ", rf"{NIKHAHIT}\1{SARA_AA}", w
    ),
    "sara am in two characters, the tone last": lambda w: re.sub(
        f"([{TONES}])ำ", rf"{NIKHAHIT}{SARA_AA}\1", w
    ),
    "sara am before its tone": lambda w: re.sub(f"([{TONES}])ำ", r"ำ\1", w),
    "sara am torn off": lambda w: w.replace("ำ", " า"),
    "sara am set apart": lambda w: w.replace("ำ", " ำ"),
    "sara am as NFKC leaves it": lambda w: unicodedata.normalize("NFKC", w),
    "sara aa before its tone": lambda w: re.sub(f"([{TONES}])([ะา])", r"\2\1", w),
    "tone before vowel": lambda w: re.sub(f"([{VOWELS}])([{TONES}])", r"\2\1", w),
    "thanthakhat before vowel": lambda w: re.sub(f"([{VOWELS}]){THANTHAKHAT}", rf"{THANTHAKHAT}\1", w),
    "vowels twice": lambda w: re.sub(f"([{VOWELS}])", r"\1\1", w),
    "tones twice": lambda w: re.sub(f"([{TONES}{THANTHAKHAT}])", r"\1\1", w),
    "tones on both sides of the vowel": lambda w: re.sub(f"([{VOWELS}])([{TONES}])", r"\2\1\2", w),
    "sara ae as sara e twice": lambda w: w.replace("แ", "เเ"),
    "zero-width space between all letters": "\u200b".join,
    "soft hyphen between all letters": "\u00ad".join,
    "word joiner between all letters": "\u2060".join,
    "bidi controls around it": lambda w: f"\u202b{w}\u202c\u200f\u061c",
    "isolates around it": lambda w: f"\u2067{w}\u2069",
    "a byte order mark before it": lambda w: f"\ufeff{w}",
    "control characters in it": lambda w: f"\x07{w[:1]}\x1b\x9f{w[1:]}\x7f",
    "no-break spaces around it": lambda w: f"\u00a0{w}\u202f",
    "ends of line around it": lambda w: f"\u2028{w}\r\n\u2029\x85\x1c",
    "full-width signs": lambda w: re.sub("[!-~]", lambda m: chr(ord(m[0]) + 0xFEE0), w),
}  # fmt: skip


def thai_words() -> list[str]:
    """Return the Thai names of Faker and the Thai words of the product's own data."""
    files = [path.read_text(encoding="utf-8") for path in INCLUDE.rglob("*.yaml")]
    words = {*ThaiNames.first_names, *ThaiNames.last_names, *THAI_NAMES}
    words.update(*(re.findall("[\u0e01-\u0e5b][\u0e01-\u0e5b.]*", text) for text in files))
    broken = {word for word in words if NIKHAHIT + SARA_AA in word}  # the demo's, on purpose
    assert len(broken) == 2
    return sorted(words - broken)


def test_there_are_enough_names_to_prove_something():
    assert len(set(THAI_NAMES)) >= 40
    letters = "".join(THAI_NAMES)
    assert set("ญฐฎฏฤฦณๆ์ำ่้๊็.") <= set(letters)


@pytest.mark.parametrize("name", THAI_NAMES)
def test_a_real_name_stays_as_it_is(name):
    assert clean(name) == name
    assert bare(name)


@pytest.mark.parametrize("name", THAI_NAMES)
def test_a_real_name_is_read_from_every_encoding_that_can_write_it(name):
    assert decode(name.encode(), BOTH) == name
    if all(letter.isascii() or "\u0e00" <= letter <= "\u0e7f" for letter in name):
        assert decode(name.encode("cp874"), BOTH) == name


@pytest.mark.parametrize("name", THAI_NAMES)
def test_what_a_copy_from_a_web_page_adds_to_a_name_is_taken_off(name):
    copied = f"\ufeff\u00a0{name[:1]}\u200b{name[1:]}\u200e \t\r\n"
    assert clean(copied) == name


@pytest.mark.parametrize(
    ("stored", "meant"),
    [
        (f"ส{NIKHAHIT}{SARA_AA}รวย", "สำรวย"),
        (f"น{NIKHAHIT}้{SARA_AA}ฝน", "น้ำฝน"),
        (f"น้{NIKHAHIT}{SARA_AA}ฝน", "น้ำฝน"),
        (f"ท{NIKHAHIT}\u200b{SARA_AA}", "ทำ"),
        ("ท างาน", "ทำงาน"),
        ("ส านักหอสมุด", "สำนักหอสมุด"),
        ("น้ าฝน", "น้ำฝน"),
        ("ค า อ าพล", "คำ อำพล"),
    ],
)
def test_sara_am_in_pieces_becomes_whole(stored, meant):
    assert clean(stored) == meant


def test_a_thai_word_that_is_right_stays_as_it_is():
    words = thai_words()
    assert len(words) > 1000
    assert [word for word in words if clean(word) != unicodedata.normalize("NFC", word)] == []


@pytest.mark.parametrize("way", WAYS)
def test_a_thai_word_that_is_broken_becomes_whole_again(way):
    # Where sara am is torn off, a word must not begin with the rest of another one: "ส านัก".
    words = [word for word in thai_words() if "\u0e01" <= word[0] <= "\u0e2e" or word[0] in "เแโใไ"]
    broken = {WAYS[way](word): word for word in words if WAYS[way](word) != word}
    assert len(broken) >= 5
    assert {b: w for b, w in broken.items() if clean(b) != unicodedata.normalize("NFC", w)} == {}


@pytest.mark.parametrize("text", ["น้ำ", "ຄຳ", "ﾊ", "№ ๑", "ﬁ"])
def test_letters_are_never_replaced_by_others_that_only_resemble_them(text):
    assert unicodedata.normalize("NFKC", text) != text  # what the rule guards against
    assert clean(text) == text


@pytest.mark.parametrize("kept", ["มา อาคม", "สุ อารีย์", "วิภา อารี", "a า", "ดี าา"])
def test_a_space_between_two_names_is_no_broken_sara_am(kept):
    assert clean(kept) == kept


@pytest.mark.parametrize(
    ("stored", "meant"),
    [
        ("e\u0301", "é"),
        (f"ก{MAI_EK}{SARA_U}", f"ก{SARA_U}{MAI_EK}"),  # typed in the wrong order, looks the same
        ("สม\u00adชาย", "สมชาย"),
        ("\u202eสมชาย\u202c", "สมชาย"),
        ("สม\u2060ชาย\u0000", "สมชาย"),
        ("สมชาย\u3000ใจดี", "สมชาย ใจดี"),
        ("Ａ．Ｂ＠ｋｋｕ．ａｃ．ｔｈ", "A.B@kku.ac.th"),
        ("สมชาย\u2028ใจดี", "สมชาย ใจดี"),
        ("นำ้้", "น้ำ"),
        ("จะ้", "จ้ะ"),
        (f"พันธ{THANTHAKHAT}{SARA_U}", f"พันธ{SARA_U}{THANTHAKHAT}"),
        ("  a   b\t c ", "a b c"),
        (" \u00a0\u200b ", ""),
        ("", ""),
        ("   ", ""),
    ],
)
def test_texts_that_look_alike_become_alike(stored, meant):
    assert clean(stored) == meant


@pytest.mark.parametrize("stored", [f"ก{MAI_EK}\u200b{SARA_U}", "e\u200b\u0301"])
def test_texts_that_look_alike_become_alike_also_with_something_invisible_between_marks(stored):
    assert clean(stored) == unicodedata.normalize("NFC", stored.replace("\u200b", ""))


@pytest.mark.parametrize(
    "stored",
    [
        *THAI_NAMES,
        "ท างาน",
        f"ส{NIKHAHIT}{SARA_AA}",
        " a  b ",
        "ค า อ าพล",
        "\u200bx",
        "เเเ",
        "ะำ้",
        "า่ำ้",
        "ท า่",
    ],
)
def test_cleaning_twice_is_cleaning_once(stored):
    assert clean(clean(stored)) == clean(stored)


def test_what_is_clean_is_what_mending_leaves_as_it_is():
    """Any letters in any order: what is passed unmended is mended to itself, and mended once for all."""
    signs = "กำา\u0e31\u0e38\u0e3a\u0e48\u0e49\u0e4c\u0e4dเa "
    for text in map("".join, itertools.product(signs, repeat=4)):
        once = clean(text)
        assert once == clean(f"\u200b{text}") == clean(once) == unicodedata.normalize("NFC", once)


def test_utf_8_is_tried_first_and_then_code_page_874():
    assert decode("สุธรรม".encode(), BOTH) == "สุธรรม"
    assert decode("สุธรรม".encode("cp874"), BOTH) == "สุธรรม"
    assert decode(b"plain", BOTH) == "plain"
    assert decode(b"", BOTH) == ""
    assert decode(b"\xa0\xca\xc1", BOTH) == "\u00a0สม"


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param("สมชาย".encode()[:-1], id="cut in the middle of a letter"),
        pytest.param("มารศรี".encode()[:-1], id="cut, and each byte a letter of code page 874"),
        pytest.param("ใจดี".encode()[1:], id="cut at the front"),
        pytest.param("เธอ".encode() + b"\xe0", id="half a letter more"),
        pytest.param(b"\xff\xfe\xca", id="no Thai letter"),
        pytest.param("สมชาย".encode() + "ใจดี".encode("cp874"), id="two encodings in one field"),
    ],
)
def test_damaged_bytes_are_not_guessed_at(damaged):
    assert decode(damaged, BOTH) is None


@pytest.mark.parametrize("name", ["เธียรธน เนตรนภา", "เนเน่", "เธอ", "เนก เนติ", "เนาวรัตน์"])
def test_a_name_in_code_page_874_is_not_taken_for_damage_because_of_its_letters(name):
    assert decode(name.encode("cp874"), BOTH) == name


@pytest.mark.parametrize("name", ["สถิต", "วนิช", "สนิท", "หญิง", "รถ", "สด"])
def test_a_short_name_in_code_page_874_is_not_read_as_foreign_letters(name):
    assert decode(name.encode("cp874"), BOTH) == name


@pytest.mark.parametrize("damaged", ["มา".encode()[:-1], "รสา".encode()[:4]])
def test_a_short_value_that_was_cut_is_damage_too(damaged):
    assert decode(damaged, BOTH) is None


def test_only_the_encodings_that_the_source_names_are_tried():
    old = "สุธรรม".encode("cp874")
    assert decode(old, ("utf-8",)) is None
    assert decode(old, ("cp874",)) == "สุธรรม"
    assert decode("มารศรี".encode(), ("cp874",)) is None  # it would read as เธกเธฒเธฃ


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("-", ""), ("...", ""), ("????", ""), ("(ไม่ระบุ)", "ไม่ระบุ"), ("ไม่มี.", "ไม่มี"), ("*TEST*", "test"),
        ("N/A", "n/a"), ("- null -", "null"), ("O'Brien", "o'brien"), ("ม.ร.ว.", "ม.ร.ว"), ("ณ", "ณ"),
        ("ซ้ำๆ", "ซ้ำๆ"), ("ก์", "ก์"),
    ],
)  # fmt: skip
def test_placeholders_are_compared_without_outer_punctuation_and_case(written, compared):
    assert bare(written) == compared


def test_two_thai_words_in_code_page_874_are_not_read_as_foreign_letters():
    assert decode("สถิต วนิช".encode("cp874"), BOTH) == "สถิต วนิช"


def test_a_short_thai_name_in_the_old_code_page_is_not_taken_for_foreign_letters():
    consonants = [chr(code) for code in range(0x0E01, 0x0E2F)]
    syllables = [v + a + b for v in "เแโ" for a in consonants for b in consonants]
    assert len(syllables) > 6_000
    kept = {s for s in syllables if decode(s.encode("cp874"), ("utf-8", "cp874")) == s}
    # What remains is the beginning of every Thai letter in UTF-8; such bytes are never guessed at.
    assert {s[:2] for s in set(syllables) - kept} <= {"เธ", "เน"}
    assert {"แดง", "เดช", "เทพ", "แทน", "โชค", "เจน", "แพง", "เกด"} <= kept


@pytest.mark.parametrize("name", ["ລາວ", "ສົມໄຊ", "阮", "丸山", "王小明", "Nguyễn", "ကျော်", "ង៉ែត"])
def test_a_foreign_name_in_utf_8_stays_what_it_is(name):
    assert decode(name.encode(), ("utf-8", "cp874")) == name
