"""What people read has a name in both languages, and names nothing that the product does not keep."""

import re
from dataclasses import fields

import pytest

from engagement.labels import Label, labels

THAI = re.compile("[ก-๙]")
NAMED = [
    (part, code, label)
    for part in ("groups", "reasons", "notices", "faults", "explanations")
    for code, label in getattr(labels(), part).items()
]


def test_every_code_has_a_name_in_thai_and_in_english():
    assert len(NAMED) > 30
    for part, code, label in NAMED:
        assert THAI.search(label.th), (part, code)
        assert re.search("[A-Za-z]", label.en), (part, code)
        assert not THAI.search(label.en), (part, code)


def test_no_two_codes_of_a_table_have_the_same_name():
    for part in ("groups", "reasons", "notices", "faults"):
        names = list(getattr(labels(), part).values())
        for language in fields(Label):
            assert len({getattr(name, language.name) for name in names}) == len(names), part


def test_a_code_without_a_name_is_shown_as_it_is():
    assert labels().reason("kku_only") == Label("kku_only", "kku_only")
    assert labels().group("visitors") == Label("visitors", "visitors")
    assert labels().fault("upside down") == Label("upside down", "upside down")


@pytest.mark.parametrize("reason", ["not_current", "name", "status", "affiliation", "email", "own"])
def test_an_explanation_names_system_and_remedy_in_one_sentence(reason):
    said = labels().explanation(reason, label="Walai AutoLib", system="autolib")
    for text in (said.th, said.en):
        assert "Walai AutoLib" in text
        assert "autolib.yaml" in text or "expectations/stage_patron.json" in text
        assert "{" not in text
        assert "\n" not in text
    assert said.en.endswith(".")
    assert re.search(r"\.\s", said.en) is None


def test_each_reason_of_the_sources_can_be_explained_and_asked_for():
    checked = {"name", "status", "affiliation", "email"}
    assert set(labels().rejects["asks"]) == checked
    assert set(labels().explanations) == checked | {"not_current", "other"}
    assert list(labels().reasons)[-4:] == ["name", "status", "affiliation", "email"]
