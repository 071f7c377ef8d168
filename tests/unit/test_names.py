"""Titles come off names, and names keep what people are called."""

import pytest
import yaml
from faker.providers.person.th_TH import Provider as ThaiNames

from engagement.model.names import Titles, split_full
from engagement.settings import INCLUDE

AUTOLIB = yaml.safe_load((INCLUDE / "sources" / "autolib.yaml").read_text(encoding="utf-8"))
DEMO = INCLUDE / "engagement" / "demo" / "library.yaml"
TITLES = Titles(AUTOLIB["prefixes"].values())


def test_no_thai_name_loses_a_letter():
    names = {*ThaiNames.first_names, *ThaiNames.last_names}
    assert len(names) > 700
    assert [name for name in names if TITLES.split(name) != (None, name)] == []


def test_no_name_of_the_simulated_library_loses_a_letter():
    words = yaml.safe_load(DEMO.read_text(encoding="utf-8"))
    lists = [*words["common"].values()]
    lists += [nation[part] for nation in words["nations"].values() for part in ("given", "family")]
    names = {name for names in lists for name in names}
    assert len(names) > 150
    assert [name for name in names if TITLES.split(name) != (None, name)] == []


@pytest.mark.parametrize("title", ThaiNames.prefixes)
def test_every_usual_thai_title_comes_off_before_any_thai_name(title):
    names = sorted(set(ThaiNames.first_names))[::9]
    apart = [name for name in names if TITLES.split(f"{title} {name}") != (title, name)]
    assert apart == []
    if title != "พระ":  # begins names too: พระพาย
        glued = [name for name in names if TITLES.split(f"{title}{name}") != (title, name)]
        assert glued == []


@pytest.mark.parametrize("title", AUTOLIB["prefixes"].values())
def test_every_word_of_the_library_system_is_a_title(title):
    assert TITLES.split(f"{title} สมชาย") == (title, "สมชาย")
    assert Titles(["ท้าว"]).split("ท้าว สมชาย") == ("ท้าว", "สมชาย")
    assert Titles(["ท้าว"]).split("ท้าวสมชาย") == (None, "ท้าวสมชาย")


@pytest.mark.parametrize(
    ("written", "title", "name"),
    [
        ("ผศ.ดร. สมชาย", "ผศ.ดร.", "สมชาย"),
        ("ผศ. ดร.สมชาย", "ผศ. ดร.", "สมชาย"),
        ("ผศ ดร สมชาย", "ผศ ดร", "สมชาย"),
        ("ศ.นพ.สมชาย", "ศ.นพ.", "สมชาย"),
        ("รองศาสตราจารย์ นายแพทย์สมชาย", "รองศาสตราจารย์ นายแพทย์", "สมชาย"),
        ("ผู้ช่วยศาสตราจารย์ดร.สมชาย", "ผู้ช่วยศาสตราจารย์ดร.", "สมชาย"),
        ("น.ส. สมใจ", "น.ส.", "สมใจ"),
        ("น.ส สมใจ", "น.ส", "สมใจ"),
        ("น. ส. สมใจ", "น. ส.", "สมใจ"),
        ("นส.สมใจ", "นส.", "สมใจ"),
        ("พ.ต.อ.สมชาย", "พ.ต.อ.", "สมชาย"),
        ("พตอ.สมชาย", "พตอ.", "สมชาย"),
        ("พ.ต.อ.หญิง สุดา", "พ.ต.อ.หญิง", "สุดา"),
        ("ร.ต. หญิงสุดา", "ร.ต. หญิง", "สุดา"),
        ("ร้อยตรีหญิงสุดา", "ร้อยตรีหญิง", "สุดา"),
        ("ว่าที่ร้อยตรีสมชาย", "ว่าที่ร้อยตรี", "สมชาย"),
        ("ว่าที่ ร.ต. สมชาย", "ว่าที่ ร.ต.", "สมชาย"),
        ("พระมหาสมชาย ฐิตธมฺโม", "พระมหา", "สมชาย ฐิตธมฺโม"),
        ("พระ สมชาย", "พระ", "สมชาย"),
        ("หม่อมราชวงศ์กิติวัฒนา", "หม่อมราชวงศ์", "กิติวัฒนา"),
        ("ม.ร.ว. กิติวัฒนา", "ม.ร.ว.", "กิติวัฒนา"),
        ("คุณ สมชาย", "คุณ", "สมชาย"),
        ("นาย. สมชาย", "นาย.", "สมชาย"),
        ("นายJohn", "นาย", "John"),
        ("นาย เอก", "นาย", "เอก"),
        ("Asst. Prof. Dr. John", "Asst. Prof. Dr.", "John"),
        ("Assistant Professor John", "Assistant Professor", "John"),
        ("Mr.John", "Mr.", "John"),
        ("MRS JANE", "MRS", "JANE"),
        ("Pol. Lt. Col. Somchai", "Pol. Lt. Col.", "Somchai"),
        ("Acting Sub Lt. Somchai", "Acting Sub Lt.", "Somchai"),
        ("ทพ.ญ. สุดา", "ทพ.ญ.", "สุดา"),
        ("ทพญ.สุดา", "ทพญ.", "สุดา"),
        ("ท.พ.ญ.สุดา", "ท.พ.ญ.", "สุดา"),
        ("สพ.ญ.สุดา", "สพ.ญ.", "สุดา"),
        ("น.สพ.สมชาย", "น.สพ.", "สมชาย"),
        ("ทนพ.ญ.สุดา", "ทนพ.ญ.", "สุดา"),
        ("พท.ป.สุดา", "พท.ป.", "สุดา"),
        ("ศ.คลินิก สมชาย", "ศ.คลินิก", "สมชาย"),
        ("ศ.คลินิก นพ.สมชาย", "ศ.คลินิก นพ.", "สมชาย"),
        ("ศ.พิเศษ สมชาย", "ศ.พิเศษ", "สมชาย"),
        ("ศ.(พิเศษ) สมชาย", "ศ.(พิเศษ)", "สมชาย"),
        ("รศ. (พิเศษ) ดร.สมชาย", "รศ. (พิเศษ) ดร.", "สมชาย"),
        ("ศาสตราจารย์ (คลินิก) นพ. สมชาย", "ศาสตราจารย์ (คลินิก) นพ.", "สมชาย"),
        ("ศาสตราจารย์(พิเศษ)สมชาย", "ศาสตราจารย์(พิเศษ)", "สมชาย"),
        ("ศ.เกียรติคุณ ดร.สมชาย", "ศ.เกียรติคุณ ดร.", "สมชาย"),
        ("ศ.กิตติคุณ สมชาย", "ศ.กิตติคุณ", "สมชาย"),
        ("ศาสตราจารย์พิเศษสมชาย", "ศาสตราจารย์พิเศษ", "สมชาย"),
        ("ศาสตราจารย์เกียรติคุณ นายแพทย์สมชาย", "ศาสตราจารย์เกียรติคุณ นายแพทย์", "สมชาย"),
        ("ผู้ช่วยศาสตราจารย์พิเศษ สมชาย", "ผู้ช่วยศาสตราจารย์พิเศษ", "สมชาย"),
        ("รองศาสตราจารย์พิเศษ ดร.สมชาย", "รองศาสตราจารย์พิเศษ ดร.", "สมชาย"),
        ("อาจารย์พิเศษสมชาย", "อาจารย์พิเศษ", "สมชาย"),
        ("พันเอก (พิเศษ) สมชาย", "พันเอก (พิเศษ)", "สมชาย"),
        ("พ.อ.(พิเศษ) ดร.สมชาย", "พ.อ.(พิเศษ) ดร.", "สมชาย"),
        ("พ.อ.หญิง (พิเศษ) สุดา", "พ.อ.หญิง (พิเศษ)", "สุดา"),
        ("ผศ.พิเศษ", "ผศ.", "พิเศษ"),
        ("ผศ.กิตติคุณ", "ผศ.", "กิตติคุณ"),
        ("ศ.ดร.นพ.สมชาย", "ศ.ดร.นพ.", "สมชาย"),
        ("อ.ดร.สมชาย", "อ.ดร.", "สมชาย"),
        ("อ.พญ.สุดา", "อ.พญ.", "สุดา"),
        ("รศ.พล.ต.ต.หญิง สุดา", "รศ.พล.ต.ต.หญิง", "สุดา"),
        ("ผศ.พ.ต.อ.ดร.สมชาย", "ผศ.พ.ต.อ.ดร.", "สมชาย"),
        ("ว่าที่ ร.ต.หญิง สุดา", "ว่าที่ ร.ต.หญิง", "สุดา"),
        ("ว่าที่ ร.ต.ดร.สมชาย", "ว่าที่ ร.ต.ดร.", "สมชาย"),
        ("ว่าที่ร.ต.สมชาย", "ว่าที่ร.ต.", "สมชาย"),
        ("หม่อมราชวงศ์หญิงสุดา", "หม่อมราชวงศ์หญิง", "สุดา"),
        ("หม่อมหลวงหญิง สุดา", "หม่อมหลวงหญิง", "สุดา"),
        ("ม.ร.ว.หญิง สุดา", "ม.ร.ว.หญิง", "สุดา"),
        ("มร.ว. สุดา", "มร.ว.", "สุดา"),
        ("มรว.สุดา", "มรว.", "สุดา"),
        ("ม.ล. สมชาย", "ม.ล.", "สมชาย"),
        ("หม่อมเจ้าหญิงสุดา", "หม่อมเจ้าหญิง", "สุดา"),
        ("ม.จ.หญิง สุดา", "ม.จ.หญิง", "สุดา"),
        ("พระมหา ดร. สมชาย", "พระมหา ดร.", "สมชาย"),
        ("ดร.พระมหาสมชาย", "ดร.พระมหา", "สมชาย"),
        ("แม่ชีสุดา", "แม่ชี", "สุดา"),
        ("Phra Maha Somchai", "Phra Maha", "Somchai"),
        ("นาย -", "นาย", "-"),
    ],
)  # fmt: skip
def test_written_titles_come_off_as_they_are_written(written, title, name):
    assert Titles().split(written) == TITLES.split(written) == (title, name)


@pytest.mark.parametrize(
    "name",
    ["นายิกา", "นางาม", "พระพาย", "พระนาย", "คุณวุฒิ", "คุณากร", "คุณธรรม", "เณรานุสนธิ์", "ดรุณี", "ผศิน", "รศนา",
     "อาจารียา", "พลเอก", "พอ ใจดี", "นพ สุขใจ", "ณ อยุธยา", "หญิง", "หญิง ใจดี", "นายก", "เกียรติคุณ",
     "Drew", "Missy", "Mrinal", "Professa", "Gen Sato", "Srey Mom", "Frida", "Phrae", "Masterson",
     "A. B. Smith", "Phraewa", "พระสมชาย", "สมเด็จพระพุฒาจารย์", "กิตติคุณ", "พิเศษ ใจดี", "-", ""],
)  # fmt: skip
def test_a_name_that_merely_begins_like_a_title_stays_whole(name):
    assert TITLES.split(name) == (None, name)


@pytest.mark.parametrize(
    "title",
    [
        "นาย",
        "นางสาว",
        "นางสาว.",
        "นางสาว ",
        "พระ",
        "ดร.",
        "พ.ต.อ.",
        "ร้อยตรีหญิง",
        "ว่าที่ร้อยตรี",
        "Dr.",
        "Mr",
    ],
)
def test_a_title_alone_is_all_that_somebody_is_called(title):
    assert TITLES.split(title) == (None, title)


def test_the_longest_title_that_leaves_a_name_comes_off():
    assert TITLES.split("นางสาวสาวิตรี") == ("นางสาว", "สาวิตรี")
    assert TITLES.split("นางสาวิตรี") == ("นาง", "สาวิตรี")
    assert TITLES.split("นายดาบตำรวจสมชาย") == ("นายดาบตำรวจ", "สมชาย")


def test_a_glued_title_is_the_title_also_where_the_whole_could_be_a_rare_name():
    assert TITLES.split("นางนวล") == ("นาง", "นวล")


@pytest.mark.parametrize(
    ("name", "given", "family"),
    [
        ("สมชาย ใจดี", "สมชาย", "ใจดี"),
        ("สมชาย สนิทวงศ์ ณ อยุธยา", "สมชาย", "สนิทวงศ์ ณ อยุธยา"),
        ("ณัฐ ณ ถลาง", "ณัฐ", "ณ ถลาง"),
        ("เอก แซ่ ตั้ง", "เอก", "แซ่ ตั้ง"),
        ("ใจดี, สมชาย", "สมชาย", "ใจดี"),
        ("Smith, John", "John", "Smith"),
        ("van Beethoven, Ludwig", "Ludwig", "van Beethoven"),
        ("John Smith", "John", "Smith"),
        ("Anna Maria Smith", "Anna Maria", "Smith"),
        ("Ludwig van Beethoven", "Ludwig", "van Beethoven"),
        ("LUDWIG VAN BEETHOVEN", "LUDWIG", "VAN BEETHOVEN"),
        ("Maria de la Cruz", "Maria", "de la Cruz"),
        ("Ahmad bin Abdullah", "Ahmad", "bin Abdullah"),
        ("Siti binti Ahmad", "Siti", "binti Ahmad"),
        ("Omar al-Bashir", "Omar", "al-Bashir"),
        ("Omar Al Bashir", "Omar", "Al Bashir"),
        ("Somchai Na Ayudhya", "Somchai", "Na Ayudhya"),
        ("Van Morrison", "Van", "Morrison"),
        ("John Smith, Jr.", "John", "Smith"),
        ("John Smith Jr.", "John", "Smith"),
        ("John Smith, Sr", "John", "Smith"),
        ("John Smith III", "John", "Smith"),
        ("John Smith, II", "John", "Smith"),
        ("John Smith, Esq.", "John", "Smith"),
        ("John Smith, Ph.D.", "John", "Smith"),
        ("John Smith, PhD", "John", "Smith"),
        ("John Smith, Ph. D.", "John", "Smith"),
        ("John Smith, M.D., Ph.D.", "John", "Smith"),
        ("John Smith, MD", "John", "Smith"),
        ("Ludwig van Beethoven, PhD", "Ludwig", "van Beethoven"),
        ("สมชาย ใจดี, Ph.D.", "สมชาย", "ใจดี"),
        ("Smith, John, Jr.", "John", "Smith"),
        ("Smith, Jr., John", "John", "Smith"),
        ("Smith Jr., John", "John", "Smith"),
        ("Smith, Jr.", "Smith", None),
        ("Rahman, Md", "Md", "Rahman"),
        ("Naosuke Ii", "Naosuke", "Ii"),
        ("Smith, Phd.", "Smith", None),
        ("王小明", "小明", "王"),
        ("王明", "明", "王"),
        ("王 小明", "小明", "王"),
        ("欧阳娜娜", "娜娜", "欧阳"),
        ("司馬光", "光", "司馬"),
        ("김철수", "철수", "김"),
        ("김 철수", "철수", "김"),
        ("남궁민수", "민수", "남궁"),
        ("田中 太郎", "太郎", "田中"),
        ("田中太郎", "田中太郎", None),
        ("山田はなこ", "山田はなこ", None),
        ("王", "王", None),
        ("บุนมี พมมะจัน", "บุนมี", "พมมะจัน"),
        ("ບຸນມີ ພົມມະຈັນ", "ບຸນມີ", "ພົມມະຈັນ"),
        ("สมชาย", "สมชาย", None),
        ("Suharti", "Suharti", None),
        ("สมชาย,", "สมชาย", None),
        (", สมชาย", "สมชาย", None),
        ("", "", None),
    ],
)
def test_a_name_from_one_field_is_given_and_family_name(name, given, family):
    assert split_full(name) == (given, family)


def test_no_thai_name_loses_a_letter_on_its_way_through_one_field():
    pairs = list(zip(ThaiNames.first_names, ThaiNames.last_names, strict=False))
    pairs = [pair for pair in pairs if pair[0] != "นาย"]  # before a family name only a title
    assert len(pairs) >= 245
    for given, family in pairs:
        for written in (None, "นางสาว", "ผศ.ดร."):
            title, rest = TITLES.split(f"{written or ''} {given} {family}".strip())
            assert (title, *split_full(rest)) == (written, given, family)


@pytest.mark.parametrize(
    ("written", "title", "given", "family"),
    [
        ("พันเอก ใจดี", None, "พันเอก", "ใจดี"),
        ("พลเอก ใจดี", None, "พลเอก", "ใจดี"),
        ("นายพลเอก ใจดี", "นาย", "พลเอก", "ใจดี"),
        ("พลเอก ประยุทธ์ ใจดี", "พลเอก", "ประยุทธ์", "ใจดี"),
        ("พลเอกประยุทธ์ ใจดี", "พลเอก", "ประยุทธ์", "ใจดี"),
        ("นายสมเด็จ ใจดี", "นาย", "สมเด็จ", "ใจดี"),
        ("น.ส.เจ้าฟ้า ใจดี", "น.ส.", "เจ้าฟ้า", "ใจดี"),
        ("นายหม่อม ใจดี", "นาย", "หม่อม", "ใจดี"),
        ("เณร สมชาย", "เณร", "สมชาย", None),
        ("พลโท ใจดี", None, "พลโท", "ใจดี"),
        ("นาย พันเอก ใจดี", "นาย", "พันเอก", "ใจดี"),
        ("นางสาวพันเอก ใจดี", "นางสาว", "พันเอก", "ใจดี"),
        ("ผศ.กิตติคุณ ใจดี", "ผศ.", "กิตติคุณ", "ใจดี"),
        ("พันเอก สมชาย ใจดี", "พันเอก", "สมชาย", "ใจดี"),
        ("พันเอกสมชาย", "พันเอก", "สมชาย", None),
        ("พลเรือเอก สมชาย", "พลเรือเอก", "สมชาย", None),
        ("ว่าที่ร้อยตรี สมชาย", "ว่าที่ร้อยตรี", "สมชาย", None),
        ("คุณ สมชาย", "คุณ", "สมชาย", None),
        ("Smith, Dr. John", "Dr.", "John", "Smith"),
        ("Dr. John Smith, Ph.D.", "Dr.", "John", "Smith"),
    ],
)
def test_a_title_that_is_a_given_name_too_is_one_where_but_one_word_is_left(
    written, title, given, family
):
    assert TITLES.split_full(written) == (title, given, family)


@pytest.mark.parametrize(
    "name",
    ["พระสมชาย", "พระ สมชาย", "พระมหา ดร. สมชาย", "พระมหาดร.สมชาย", "พระมหาสมชาย", "ดร.พระมหาสมชาย", "ผศ. ดร. พระ สมชาย",
     "แม่ชีสุดา", "แม่ชี สุดา", "สามเณรสมชาย", "สามเณร สมชาย", "เณร สมชาย", "หลวงพ่อ คูณ", "พระครูสมุห์ สมชาย", "พระราชวชิรโมลี",
     "สมเด็จพระพุฒาจารย์", "พระองค์เจ้าสุดา", "พระองค์เจ้า สุดา", "พระเจ้าวรวงศ์เธอ พระองค์เจ้าสุดา", "หม่อมเจ้าหญิงสุดา", "ม.จ. สุดา",
     "มจ.สุดา", "ภิกษุณี สุดา", "Phra Somchai", "PHRA SOMCHAI", "Phramaha Somchai", "Phra Maha Somchai", "Ven. Somchai",
     "Dr. Phra Somchai", "Mae Chee Suda"],
)  # fmt: skip
def test_monks_nuns_novices_and_princes_need_no_family_name_however_they_are_written(name):
    assert TITLES.needs_no_family_name(name)


@pytest.mark.parametrize(
    "name",
    ["สมชาย", "นายสมชาย", "ดร. สมชาย", "พร", "ม.ร.ว. สุดา", "คุณหญิง สุดา", "นอว์เอมู", "Phraewa", "Dr. John", "Venus", ""],
)  # fmt: skip
def test_all_others_need_one(name):
    assert not TITLES.needs_no_family_name(name)


def test_a_library_names_who_else_needs_no_family_name():
    own = Titles(single=["นอว์", "หะยี"])
    assert own.needs_no_family_name("นอว์เอมู")
    assert own.needs_no_family_name("นาย หะยีอาแว")
    assert own.split("นอว์เอมู") == (None, "นอว์เอมู")
    assert own.split("นอว์ เอมู") == ("นอว์", "เอมู")
    assert not own.needs_no_family_name("เอมู")
