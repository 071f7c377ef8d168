"""What a library system's codes mean stands in one YAML file; a mistake in it ends in one sentence."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from engagement.errors import EngagementError
from engagement.model import source as sources
from engagement.settings import INCLUDE, ROOT

GROUPS = (
    "staff", "undergraduate", "graduate", "international", "alumni_retired", "external", "pupil",
)  # fmt: skip
SHIPPED = yaml.safe_load((INCLUDE / "sources" / "autolib.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def include(tmp_path: Path, world: pytest.MonkeyPatch) -> Path:
    """A folder of sources that a test may spoil."""
    shutil.copytree(INCLUDE / "sources", tmp_path / "sources")
    world.setattr(sources, "INCLUDE", tmp_path)
    return tmp_path


def refusal(include: Path, content: str | bytes) -> str:
    """Return the sentence that loading the file ends in; it must be one, and short enough to read."""
    raw = content if isinstance(content, bytes) else content.encode()
    (include / "sources" / "autolib.yaml").write_bytes(raw)
    with pytest.raises(EngagementError) as caught:
        sources.load("autolib")
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert len(sentence) < 250
    return sentence


def spoilt(change: Callable[[dict[str, Any]], Any]) -> str:
    described = yaml.safe_load(yaml.safe_dump(SHIPPED))
    change(described)
    return yaml.safe_dump(described, allow_unicode=True)


# What is shipped


def test_the_shipped_autolib_is_understood():
    autolib = sources.load("autolib")
    assert autolib.system == "autolib"
    assert autolib.label == "Walai AutoLib"
    assert autolib.history is False
    assert autolib.encodings == ("utf-8", "cp874")
    assert autolib.database.driver_encoding == "latin-1"
    assert autolib.database.columns["affiliation"] == ("faculty_name", "unit_name")
    assert autolib.export.columns["email"] == ("อีเมล์",)
    assert autolib.dates.era == "buddhist"
    assert autolib.gates.row_change_limit == 0.30
    assert autolib.gates.undecodable_limit == 0.01
    assert autolib.gates.real_share_change_limit == 0.30
    assert autolib.membership.contradiction.past_expiry == "expiry"
    assert autolib.membership.contradiction.no_expiry == "expiry"
    assert autolib.prefixes["12"] == "พระ"
    assert autolib.same_person == (("citizen_id",), ("given_name", "family_name", "email"))


@pytest.mark.parametrize(
    ("patron_type", "nationality", "group"),
    [
        ("01", "TH", "staff"), ("02", None, "staff"), ("03", "US", "staff"),
        ("11", "TH", "undergraduate"), ("21", "TH", "graduate"), ("22", "TH", "graduate"),
        ("11", "LA", "international"), ("21", "VN", "international"), ("22", "CN", "international"),
        ("31", "TH", "alumni_retired"), ("32", "GB", "alumni_retired"),
        ("41", "TH", "external"), ("42", "LA", "external"), ("51", "LA", "pupil"),
    ],
)  # fmt: skip
def test_a_patron_belongs_to_the_group_of_the_first_rule_that_fits(patron_type, nationality, group):
    assert sources.load("autolib").group(patron_type, nationality) == group


@pytest.mark.parametrize(("patron_type", "group"), [("11", "undergraduate"), ("21", "graduate")])
def test_who_has_no_nationality_on_record_is_not_taken_for_a_foreigner(patron_type, group):
    assert sources.load("autolib").group(patron_type, None) == group


@pytest.mark.parametrize("patron_type", ["99", None, "", "1", "011"])
def test_a_type_that_no_rule_names_stays_unmapped(patron_type):
    assert sources.load("autolib").group(patron_type, "LA") is None


def test_all_seven_groups_can_be_reached_and_every_type_has_one():
    autolib = sources.load("autolib")
    reached = {
        autolib.group(code, nation) for code in autolib.patron_types for nation in ("TH", "LA")
    }
    assert reached == set(GROUPS)


def test_placeholders_are_compared_in_the_form_that_values_get():
    found = sources.load("autolib").placeholders
    assert {"n/a", "null", "ไม่ระบุ", "ทดสอบ"} <= found.name
    assert {"อื่นๆ", "อื่น ๆ", "other"} <= found.affiliation
    assert {"no", "no@email.com"} <= found.email


def test_a_placeholder_may_be_written_as_it_stands_in_the_records(include: Path):
    (include / "sources" / "autolib.yaml").write_text(
        spoilt(lambda y: y["placeholders"].update(name=["(No  Name)", "-ไม่ทราบ-", "\u200bX.X"])),
        encoding="utf-8",
    )
    assert sources.load("autolib").placeholders.name == {"no name", "ไม่ทราบ", "x.x"}


@pytest.mark.parametrize(
    "change",
    [
        lambda y: y["gates"].update(row_change_limit=0.5),
        lambda y: y.update(label="The old one"),
        lambda y: y["email"].update(own_domains=["library.example.com"]),
    ],
)
def test_the_definition_stays_when_a_limit_a_name_a_comment_or_a_suggestion_changes(
    include: Path, change
):
    before = sources.load("autolib").mapping_hash
    (include / "sources" / "autolib.yaml").write_text(spoilt(change), encoding="utf-8")
    assert sources.load("autolib").mapping_hash == before


def test_the_definition_changes_when_mail_domains_are_asked(include: Path):
    before = sources.load("autolib").mapping_hash
    asked = spoilt(lambda y: y["email"].update(look_up_domains=True))
    (include / "sources" / "autolib.yaml").write_text(asked, encoding="utf-8")
    assert sources.load("autolib").mapping_hash != before


def test_the_definition_changes_with_the_file_and_with_the_query(include: Path, world: Any):
    before = sources.load("autolib").mapping_hash
    assert before == sources.load("autolib").mapping_hash
    file = include / "sources" / "autolib.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("ทดสอบ", "ลองดู"), encoding="utf-8")
    changed = sources.load("autolib").mapping_hash
    assert changed != before
    asked: list[str] = []
    world.setattr(sources.warehouse, "statement", lambda name: asked.append(name) or "SELECT 2")
    assert sources.load("autolib").mapping_hash not in (before, changed)
    assert asked == ["sources/autolib/patron"]


@pytest.mark.parametrize(
    ("file", "word", "another"),
    [("titles.yaml", "นายแพทย์", "นายช่าง"), ("nationalities.yaml", "Laotian", "Laoman")],
)
def test_the_definition_changes_with_the_titles_and_with_the_nationalities(
    tmp_path: Path, world: pytest.MonkeyPatch, file, word, another
):
    before = sources.load("autolib").mapping_hash
    shutil.copytree(INCLUDE, tmp_path / "include", ignore=shutil.ignore_patterns("engagement"))
    changed = tmp_path / "include" / file
    written = changed.read_text(encoding="utf-8")
    assert word in written
    changed.write_text(written.replace(word, another), encoding="utf-8")
    for module in (sources.names, sources.countries):
        world.setattr(module, "INCLUDE", tmp_path / "include")
    cached = (sources.names.definition, sources.countries.known)
    try:
        for kept in cached:
            kept.cache_clear()
        assert sources.load("autolib").mapping_hash != before
    finally:
        for kept in cached:
            kept.cache_clear()


# What is refused


def test_a_source_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(EngagementError) as caught:
        sources.load("kohha")
    known = ", ".join(sorted(path.stem for path in (INCLUDE / "sources").glob("*.yaml")))
    assert "autolib" in known
    assert str(caught.value) == (
        f"There is no source 'kohha'; set ENGAGEMENT_SOURCE to one of: {known}."
    )


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda y: y.pop("label"), "label"),
        (lambda y: y.pop("patron_types"), "patron_types"),
        (lambda y: y.pop("groups"), "groups"),
        (lambda y: y.pop("dates"), "dates"),
        (lambda y: y["dates"].update(era="พ.ศ."), "dates.era"),
        (lambda y: y["dates"].update(order="day/year/month"), "dates.order"),
        (lambda y: y["groups"].append({"group": "visitors"}), "groups.number 8.group"),
        (lambda y: y["groups"][0].update(nationality=["TH"]), "groups.number 1.nationality"),
        (lambda y: y["groups"][1].update(nationality_not="TH"), "groups.number 2.nationality_not"),
        (lambda y: y["groups"][1].update(nationality_not=["ไทย"]), "groups.number 2.nationality_not"),
        (lambda y: y["groups"][1].update(nationality_not=[]), "groups.number 2.nationality_not"),
        (lambda y: y["groups"][0].update(patron_type=[]), "groups.number 1.patron_type"),
        (lambda y: y["groups"].append({"group": "external"}), "groups.number 8: name a patron_type"),
        (lambda y: y.update(nationalities={"01": "ไทย"}), "nationalities.01: name countries by their two letters"),
        (lambda y: y["single_name"].update(nationalities=["Burma"]), "single_name.nationalities.number 1"),
        # Without quotes YAML reads 01 as a number and NO, which is Norway, as "no".
        (lambda y: y["groups"][0].update(patron_type=[1, 2, 3]), "groups.number 1.patron_type.number 1"),
        (lambda y: y["single_name"].update(nationalities=[False]), "single_name.nationalities.number 1"),
        (lambda y: y["patron_types"].update({1: "อาจารย์"}), "patron_types.1"),
        (lambda y: y["membership"].update(active=[1]), "membership.active.number 1"),
        (lambda y: y["membership"]["contradiction"].update(no_expiry="ok"), "membership.contradiction.no_expiry"),
        (lambda y: y["database"]["columns"].pop("source_id"), "database.columns"),
        (lambda y: y["database"]["columns"].update(phone="tel"), "database.columns.phone"),
        (lambda y: y["export"].update(delimiter="||"), "export.delimiter"),
        (lambda y: y["gates"].update(real_share_change_limit=0), "gates.real_share_change_limit"),
        (lambda y: y["membership"].pop("active"), "membership.active"),
        (lambda y: y["gates"].update(row_change_limit=0), "gates.row_change_limit"),
        (lambda y: y["gates"].update(undecodable_limit=30), "gates.undecodable_limit"),
        (lambda y: y["gates"].update(undecodable_limit="1 %"), "gates.undecodable_limit"),
        (lambda y: y["placeholders"].update(name="ไม่ระบุ"), "placeholders.name"),
        (lambda y: y["placeholders"].update(status=["ไม่ระบุ"]), "placeholders.status"),
        (lambda y: y.update(group=y["groups"]), "group"),
        (lambda y: y.update(as_of="yesterday"), "as_of"),
        (lambda y: y.update(encodings="utf-8"), "encodings"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_and_place(include: Path, change, place):
    assert refusal(include, spoilt(change)).startswith(f"autolib.yaml: {place}")


@pytest.mark.parametrize("content", ["", "autolib", "- autolib", "42"])
def test_a_file_that_describes_nothing_is_refused(include: Path, content):
    assert refusal(include, content).startswith(
        "autolib.yaml: it describes no library system; write system, label, dates"
    )


def test_a_mistake_of_the_file_as_a_whole_is_one_sentence(include: Path):
    assert refusal(include, spoilt(lambda y: (y.pop("database"), y.pop("export")))) == (
        "autolib.yaml: say how it is read: under database, under export, or both."
    )


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: path.symlink_to(path.name), "Too many levels of symbolic links"),
    ],
    ids=["folder", "link to itself"],
)
def test_what_cannot_be_opened_as_a_file_is_named_with_the_reason(include: Path, make, why):
    make(include / "sources" / "openlib.yaml")
    with pytest.raises(EngagementError) as caught:
        sources.load("openlib")
    assert str(caught.value) == (
        f"openlib.yaml cannot be read ({why}); let it be a file that may be read."
    )


@pytest.mark.parametrize("name", ["../titles", "../sources/koha", "", "/etc/hosts", "au*", "a\0b"])
def test_a_source_is_a_name_and_no_path(name):
    with pytest.raises(EngagementError, match=r"^There is no source"):
        sources.load(name)


@pytest.mark.parametrize(
    "content",
    [
        "system: [autolib",
        "system: autolib\n\tlabel: x",
        "a: b: c",
        "label: {{ label }}",
        "name: [2018-99-99]",
        "a: !!int x",
    ],
)
def test_what_is_no_yaml_at_all_ends_in_one_sentence_too(include: Path, content):
    assert refusal(include, content).startswith("autolib.yaml is no valid YAML")


def test_a_letter_that_yaml_does_not_allow_is_no_traceback(include: Path):
    assert refusal(include, "system: auto\x07lib").startswith("autolib.yaml is no valid YAML")


def test_a_file_that_a_thai_editor_saved_in_its_own_encoding_is_named(include: Path):
    assert refusal(include, spoilt(lambda _: None).encode("cp874")).startswith("autolib.yaml")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda y: y.update(encodings=["utf-8", "cp8744"]), id="unknown encoding"),
        pytest.param(
            lambda y: y["database"].update(driver_encoding="latin-11"), id="unknown driver encoding"
        ),
        pytest.param(lambda y: (y.pop("database"), y.pop("export")), id="nothing to read"),
        pytest.param(lambda y: y.update(encodings=["rot13"]), id="no encoding of text"),
        pytest.param(lambda y: y.update(same_person=[["citizenid"]]), id="unknown field"),
        pytest.param(lambda y: y.update(same_person=[[]]), id="a rule that looks at nothing"),
        pytest.param(
            lambda y: y["database"]["columns"].update(email=[]), id="a field of no column"
        ),
        pytest.param(lambda y: y.update(system="koha"), id="the name of another system"),
        pytest.param(
            lambda y: y["membership"].update(suspended=y["membership"]["active"]),
            id="a state that means both",
        ),
        pytest.param(lambda y: y["export"].update(delimiter='"'), id="a quote as delimiter"),
        pytest.param(lambda y: y["export"].update(delimiter="\n"), id="a line end as delimiter"),
        pytest.param(
            lambda y: y["database"]["columns"].update(email=""), id="a column without a name"
        ),
        pytest.param(lambda y: y["patron_types"].update({" ": "x"}), id="a code that is empty"),
        pytest.param(
            lambda y: y["database"].update(driver_encoding="cp874"),
            id="a driver encoding that does not carry every byte",
        ),
        pytest.param(
            lambda y: y["groups"][0].update(patron_type=["STX"]),
            id="a group of a type that is none",
        ),
    ],
)
def test_what_cannot_work_is_refused_when_the_file_is_loaded_and_not_in_the_middle_of_a_month(
    include: Path, change
):
    assert refusal(include, spoilt(change)).startswith("autolib.yaml: ")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda y: y["membership"].update(active="OK"), "membership.active: write a list there, as in [a, b]."),
        (lambda y: y["membership"].update(active=[1]),
         "membership.active.number 1: write text there, in quotes where it is a number, yes or no."),
        (lambda y: y.update(prefixes="นาย"), "prefixes: write keys there, each with a colon and its value."),
        (lambda y: y.update(membership="1"), "membership: write keys there, each with a colon and its value."),
        (lambda y: y.update(fields={}), "fields: there is no such key."),
        (lambda y: y.pop("label"), "label: the key is missing."),
        (lambda y: y["groups"][0].update(patron_type=["STX"]), "groups name STX, which patron_types lacks."),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_the_words_of_who_writes_yaml(include: Path, change, said):
    assert refusal(include, spoilt(change)) == f"autolib.yaml: {said}"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda y: y.pop("label"), "the key is missing"),
        (lambda y: y["membership"].update(closed=["3"]), "there is no such key"),
        (lambda y: y["groups"].append({"group": "external"}), "name a patron_type, a nationality_not"),
        (lambda y: y.update(nationalities={"01": "ไทย"}), "by their two letters of ISO 3166"),
    ],
)  # fmt: skip
def test_the_page_of_library_systems_says_what_to_do_about_a_mistake(include: Path, change, words):
    table = (ROOT / "docs" / "sources.md").read_text("utf-8").split("## What the sentences mean")[1]
    assert f"`{words}`" in table
    assert words in refusal(include, spoilt(change))


def test_a_code_with_spaces_around_it_is_that_code_in_the_yaml_too(include: Path):
    def spaced(y: Any) -> None:
        y["membership"].update(active=[" 1"], suspended=["2 "])
        y["patron_types"]["51 "] = "นักเรียน"
        y["prefixes"]["\u200b77"] = "ผศ."
        y["groups"][0]["patron_type"] = [" 51"]
        y["single_name"]["prefixes"] = ["77 "]

    (include / "sources" / "autolib.yaml").write_text(spoilt(spaced), encoding="utf-8")
    read = sources.load("autolib")
    assert read.membership.active == {"1"}
    assert read.membership.suspended == {"2"}
    assert read.patron_types["51"] == "นักเรียน"
    assert read.prefixes["77"] == "ผศ."
    assert read.group("51", "TH") == read.groups[0].group
    assert read.single_name.prefixes == {"77"}


def test_a_code_that_is_explained_twice_is_refused(include: Path):
    twice = (INCLUDE / "sources" / "autolib.yaml").read_text(encoding="utf-8")
    twice = twice.replace('  "02": นักวิจัย\n', '  "02": นักวิจัย\n  "02": ศิษย์เก่า\n')
    assert twice.count('"02": ') == 2
    assert "02" in refusal(include, twice)
