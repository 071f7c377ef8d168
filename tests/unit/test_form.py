"""A form is one YAML file: what was asked, and how an export writes it; a mistake in it ends in one sentence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from engagement.errors import EngagementError
from engagement.groups import GROUPS
from engagement.labels import labels
from engagement.measure import form as forms
from engagement.measure.form import Form
from engagement.settings import INCLUDE, settings

SHIPPED = yaml.safe_load((INCLUDE / "forms" / "kkul-news-2018.yaml").read_text(encoding="utf-8"))
GROUP, CHANNEL, SLOT, ACCESS, SUGGESTION = 0, 1, 2, 3, 7


@pytest.fixture
def own(world: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Any], Form]:
    """Write a form into the deployment's folder and load it: text, or a change to the shipped one."""
    world.setenv("ENGAGEMENT_CAMPAIGNS", str(tmp_path))
    settings.cache_clear()
    (tmp_path / "forms").mkdir()

    def load(content: str | Callable[[dict[str, Any]], Any]) -> Form:
        if not isinstance(content, str):
            described = yaml.safe_load(yaml.safe_dump(SHIPPED))
            content(described)
            content = yaml.safe_dump(described, allow_unicode=True, sort_keys=False)
        (tmp_path / "forms" / "kkul-news-2018.yaml").write_text(content, encoding="utf-8")
        return forms.load("kkul-news-2018")

    return load


# What is shipped


def test_the_shipped_form_asks_what_kkul_reported_in_2018():
    form = forms.load("kkul-news-2018")
    assert form.system == "google-forms"
    assert {question.code: question.kind for question in form.questions} == {
        "group": "group", "channel": "choices", "time_slot": "choice", "access": "scale",
        "needs": "scale", "interest": "scale", "variety": "scale", "suggestion": "text",
    }  # fmt: skip
    assert set(form.answers(form.questions[GROUP])) == set(GROUPS)
    assert list(form.answers(form.questions[CHANNEL]))[-1] == "other"
    assert list(form.answers(form.questions[ACCESS])) == ["1", "2", "3", "4", "5"]
    assert form.scales["satisfaction"].best == 5
    assert form.answers(form.questions[SUGGESTION]) == {}


def test_the_timestamp_is_what_the_system_calls_it_unless_the_form_says_else(own):
    form = own(lambda y: None)
    assert form.headings("timestamp") == ("ประทับเวลา", "Timestamp")
    assert form.headings("language") == ()
    form = own(lambda y: y["columns"].update(timestamp="เวลา"))
    assert form.headings("timestamp") == ("เวลา",)


def test_a_question_stands_under_its_title_in_either_language_unless_it_names_a_column(own):
    form = own(lambda y: y["questions"][ACCESS].update(column=["Q4 [Access]"]))
    assert form.questions[SLOT].headings[1] == "When is it convenient for you to receive news?"
    assert form.questions[ACCESS].headings == ("Q4 [Access]",)


def test_a_question_of_the_group_may_leave_its_options_to_the_labels(own):
    form = own(lambda y: y["questions"][GROUP].pop("options"))
    answers = form.answers(form.questions[GROUP])
    assert list(answers) == list(GROUPS)
    assert answers["staff"].label == labels().group("staff")


def test_a_deployment_keeps_its_own_forms_beside_its_campaigns(own):
    assert own(lambda y: y["title"].update(en="Ours")).title.en == "Ours"
    assert forms.names() == ["kkul-news-2018"]


# What is compared


@pytest.mark.parametrize(
    "change",
    [
        lambda y: y["questions"][ACCESS]["title"].update(en="Access"),
        lambda y: y["questions"][SLOT]["options"]["16-20"].update(th="เย็น"),
        lambda y: y["questions"][SLOT]["options"].pop("16-20"),
        lambda y: y["scales"]["satisfaction"].update(best=1),
        lambda y: y["scales"]["satisfaction"]["points"][3].update(th="เฉย ๆ"),
        lambda y: y["questions"].pop(SUGGESTION),
        lambda y: y["questions"][CHANNEL].pop("other"),
        lambda y: y["questions"][CHANNEL].update(kind="choice"),
    ],
)
def test_a_form_that_asks_differently_is_another_form(own, change):
    assert own(change).form_hash != own(lambda y: None).form_hash


@pytest.mark.parametrize(
    "change",
    [
        lambda y: y["title"].update(en="Another title"),
        lambda y: y["columns"].update(timestamp="When"),
        lambda y: y["questions"][ACCESS].update(column="Q4"),
        lambda y: y["questions"][SLOT]["options"]["16-20"].update(also="เย็น"),
        lambda y: y.update(order="month/day/year", timezone="UTC", separators="|"),
    ],
)
def test_how_an_export_writes_a_form_makes_it_no_other_form(own, change):
    assert own(change).form_hash == own(lambda y: None).form_hash


# Mistakes


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda y: y.update(form="other"), "form: the file is called kkul-news-2018.yaml: write form: kkul-news-2018"),
        (lambda y: y.update(system="typeform"), "system: write 'google-forms', 'limesurvey', 'microsoft-forms' or 'table' there."),
        (lambda y: y.update(system="table"), "columns: name the timestamp"),
        (lambda y: y.update(separators="and"), "separators: write the marks between several answers"),
        (lambda y: y.update(timezone="Bangkok"), "timezone: that is no time zone such as"),
        (lambda y: y.update(order="day-month"), "order: write 'day/month/year' or 'month/day/year' there."),
        (lambda y: y.update(question=[]), "question: there is no such key"),
        (lambda y: y.update(questions=[]), "questions: name at least 1."),
        (lambda y: y["questions"][SLOT].pop("options"), "time_slot is of the kind choice: name its options"),
        (lambda y: y["questions"][ACCESS].pop("scale"), "access is of the kind scale: name its scale"),
        (lambda y: y["questions"][SUGGESTION].update(other={"th": "ก", "en": "a"}), "suggestion is of the kind text, which has no other"),
        (lambda y: y["questions"][ACCESS].update(scale="agreement"), "access is on the scale agreement, which scales lacks"),
        (lambda y: y["questions"][ACCESS].update(code="needs"), "two questions have the code needs"),
        (lambda y: y["questions"][ACCESS].update(code="Access!"), "questions.number 4.code: write small letters, digits, hyphens and underscores, as in time_slot."),
        (lambda y: y.update(title="News"), "title: write it in both languages, as in {th: ห้องสมุด, en: Library}."),
        (lambda y: y["questions"][SLOT]["options"].update({"Late!": {"th": "ก", "en": "a"}}), "questions.number 3.options.Late!: write small letters, digits, hyphens and underscores, as in time_slot."),
        (lambda y: y["questions"][SLOT].update(kind="one"), "questions.number 3.kind: write 'scale', 'choice', 'choices', 'group' or 'text' there."),
        (lambda y: y["questions"][SLOT].update(column=5), "questions.number 3.column: write a list there, as in [a, b]."),
        (lambda y: y["columns"].update(token=""), "columns.token.0: write something there."),
        (lambda y: y["scales"]["satisfaction"].update(best=True), "scales.satisfaction.best: write a whole number there"),
        (lambda y: y["scales"]["satisfaction"]["points"].update(good={"th": "ก", "en": "a"}), "scales.satisfaction.points.good: write a whole number there"),
        (lambda y: y["scales"]["satisfaction"].update(points={}), "scales.satisfaction.points: name at least 2."),
        (lambda y: y.update(separators=""), "separators: write something there."),
        (lambda y: y["questions"][ACCESS].pop("title"), "questions.number 4.title: the key is missing"),
        (lambda y: y["questions"][GROUP]["options"].update(student={"th": "นศ", "en": "s"}), "group asks for the group: student is none of staff"),
        (lambda y: y["questions"][SLOT]["options"].update(other={"th": "ก", "en": "a"}), "other is no code for an option"),
        (lambda y: y["questions"][SLOT]["options"]["16-20"].pop("en"), "questions.number 3.options.16-20.en: the key is missing"),
        (lambda y: y["questions"][SLOT]["options"]["16-20"].update(th=" "), "questions.number 3.options.16-20.th: write something there."),
        (lambda y: y["questions"][SLOT]["options"]["16-20"].update(also="12.00 – 16.00 น."), "time_slot: the options 12-16 and 16-20 are written alike"),
        (lambda y: y["questions"][CHANNEL]["options"].update(a={"th": "ก", "en": "A"}, b={"th": "ข", "en": "B"}, c={"th": "ก, ข", "en": "C"}), "channel: the option c is written like others that were ticked together"),
        (lambda y: y["questions"][ACCESS].update(column="ประทับเวลา"), "timestamp and access would be read from the same column"),
        (lambda y: y["questions"][ACCESS].update(column="ข้อมูลที่ได้รับตรงต่อความต้องการ"), "access and needs would be read from the same column"),
        (lambda y: y["scales"]["satisfaction"].update(best=3), "scales.satisfaction: best must be 1 or 5"),
        (lambda y: y["scales"]["satisfaction"]["points"].pop(2), "scales.satisfaction: number the points from 1 to 5 without a gap"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_a_sentence_that_says_where(own, change, sentence):
    with pytest.raises(EngagementError) as caught:
        own(change)
    assert str(caught.value).startswith("kkul-news-2018.yaml: ")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "kkul-news-2018.yaml: write keys there"),
        ("form: [", "is no valid YAML at line"),
        ("questions: {yes: 1}", "form: the key is missing"),
    ],
)
def test_a_file_that_is_no_form_is_told_so(own, content, sentence):
    with pytest.raises(EngagementError, match=sentence):
        own(content)


def test_a_form_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(EngagementError, match=r"no form 'x'; there are: kkul-news-2018\."):
        forms.load("x")
