"""A campaign's file is read as it was meant, or a sentence says what a librarian has to change."""

import re
import sys
from collections.abc import Iterator
from copy import deepcopy
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

sys.path.append(str(Path(__file__).parents[1] / "integration"))

from survey import CAMPAIGN, use_campaigns, write_campaign

from engagement import yaml_file
from engagement.errors import EngagementError
from engagement.groups import GROUPS
from engagement.measure import campaign as campaigns
from engagement.measure.campaign import Campaign
from engagement.measure.form import Form
from engagement.settings import INCLUDE


@pytest.fixture
def folder(world: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    return use_campaigns(world, tmp_path / "campaigns")


def sentence(folder: Path, **changes: Any) -> str:
    write_campaign(folder, **changes)
    with pytest.raises(EngagementError) as caught:
        campaigns.load("july")
    return str(caught.value)


def test_the_dates_are_the_librarys(folder: Path) -> None:
    campaign = campaigns.load(write_campaign(folder))
    assert campaign.dates.start.isoformat() == "2018-07-09T08:00:00+07:00"
    assert campaign.personal_link("abc") == "https://forms.example.com/survey?code=abc&lang=th"
    assert (campaign.languages.of("staff"), campaign.languages.of("international")) == ("th", "en")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"frame": "2561-06"}, "july.yaml: frame: '2561-06' is in the Buddhist era; periods are Gregorian: 2018-06."),
        ({"dates__start": "9.7.2018"}, "july.yaml: dates.start: write date and time as 2018-07-09 08:00."),
        ({"dates__end": "2561-07-19 00:00"}, "july.yaml: dates.end: write the year as 2018: dates here are Gregorian."),
        ({"dates__end": "2018-07-01 00:00"}, "july.yaml: dates: approve_by, start, the reminders and end must follow each other."),
        ({"dates__reminders": "2018-07-14 08:00"}, "july.yaml: dates.reminders: write a list there, as in [a, b]."),
        ({"dates__reminders": ["2018-07-14 08:00"] * 4}, "july.yaml: dates.reminders: name at most 3."),
        ({"dates__reminders": ["Saturday"]}, "july.yaml: dates.reminders.number 1: write date and time as 2018-07-09 08:00."),
        ({"link": "https://forms.example.com/"}, "july.yaml: link: write the form's address with {token} where the personal code belongs, once, as in https://forms.example.com/?code={token}."),
        ({"form": None}, "july.yaml: form: write text there"),
        ({"survey_id": "abc"}, "july.yaml: survey_id: write a whole number there, as in 30."),
        ({"survey_id": 0}, "july.yaml: survey_id: write 1 or more."),
        ({"languages__default": "thai"}, "july.yaml: languages.default: write 'th' or 'en' there."),
        ({"languages__groups": {"student": "th"}}, "july.yaml: languages.groups.student: write 'staff', 'undergraduate', "),
        ({"languages__groups": {"staff": "thai"}}, "july.yaml: languages.groups.staff: write 'th' or 'en' there."),
        ({"waves__sizes": [50]}, "july.yaml: waves.sizes: the first wave takes at least 100, each other one 1, as in [160]."),
        ({"waves__sizes": 160}, "july.yaml: waves.sizes: write a list there, as in [a, b]."),
        ({"waves__sizes": ["all"]}, "july.yaml: waves.sizes.number 1: write a whole number there, as in 30."),
        ({"waves__wait_hours": "a day"}, "july.yaml: waves.wait_hours: write a number there, as in 0.5."),
        ({"waves__wait_hours": 0}, "july.yaml: waves.wait_hours: write 1 or more."),
        ({"waves__hard_bounce_limit": 10}, "july.yaml: waves.hard_bounce_limit: write it as a share of 1, as in 0.10 for 10 %."),
        ({"waves__hard_bounce_limit": "10%"}, "july.yaml: waves.hard_bounce_limit: write it as a share of 1, as in 0.10 for 10 %."),
        ({"waves__hard_bounce_limit": 0}, "july.yaml: waves.hard_bounce_limit: write it as a share of 1, as in 0.10 for 10 %."),
        ({"waves__canary": "nobody"}, "july.yaml: waves.canary: that is no e-mail address such as library@example.com."),
        ({"sample": {"margin_of_error": 5, "expected_response_rate": 0.2}}, "july.yaml: sample.margin_of_error: write it as a share of 1, as in 0.05 for 5 %, below 0.5."),
        ({"sample": {"margin_of_error": 0.05, "expected_response_rate": 25}}, "july.yaml: sample.expected_response_rate: write it as a share of 1, as in 0.25 for 25 %."),
        ({"sample__confidence": 95}, "july.yaml: sample.confidence: write it as a share of 1, as in 0.95 for 95 %, above 0.5 and below 1."),
        ({"sample__size": "1,500"}, "july.yaml: sample.size: write a whole number there, as in 30."),
        ({"sample__size": True}, "july.yaml: sample.size: write a whole number there, as in 30."),
        ({"sample__size": 0}, "july.yaml: sample.size: write 1 or more."),
        ({"sample__minimum_per_group": -1}, "july.yaml: sample.minimum_per_group: write 0 or more."),
        ({"sample__not_asked_for_months": "six"}, "july.yaml: sample.not_asked_for_months: write a whole number there, as in 30."),
        ({"sample__groups": ["student"]}, "july.yaml: sample.groups.number 1: write 'staff', 'undergraduate', "),
        ({"sample__allocation": "evenly"}, "july.yaml: sample.allocation: write proportional or equal, or a number for each group, as in {staff: 300, pupil: 50}."),
        ({"sample": {"allocation": {"student": 5}}}, "july.yaml: sample.allocation: student is none of the groups staff, undergraduate, "),
        ({"sample": {"allocation": {"staff": "all"}}}, "july.yaml: sample.allocation: write a whole number of people for staff, as in staff: 300."),
        ({"sample": {"allocation": {"staff": -5}}}, "july.yaml: sample.allocation: write a whole number of people for staff, as in staff: 300."),
        ({"sample": {"allocation": dict.fromkeys(GROUPS, 0)}}, "july.yaml: sample: allocation asks nobody: not every number can be 0."),
        ({"sample": {}}, "july.yaml: sample: say how many are asked in one way: as size, as margin_of_error, or as a number for each group under allocation."),
        ({"sample": {"size": 5, "margin_of_error": 0.05, "expected_response_rate": 0.2}}, "say how many are asked in one way"),
        ({"sample": {"margin_of_error": 0.05}}, "july.yaml: sample: margin_of_error needs the share that will answer, as in expected_response_rate: 0.25."),
        ({"sample": {"allocation": {"staff": 5}}}, "july.yaml: sample: allocation must give a number to each of the groups, and no other: staff, undergraduate, "),
        ({"sample": {"allocation": dict.fromkeys(GROUPS, 50), "minimum_per_group": 30}}, "july.yaml: sample: minimum_per_group has no place beside a number for each group under allocation: raise the numbers, and take the key away."),
        ({"sample": {"size": 5, "groups": ["staff", "staff"]}}, "july.yaml: sample.groups: name each group once, and at least one, as in [staff, pupil]."),
        ({"reminder": None}, "july.yaml: there are reminders in dates: write what they say under reminder."),
        ({"approvers": []}, "july.yaml: approvers: name at least one, by the name for Airflow's login, as in [anna]."),
        ({"approvers": "anna"}, "july.yaml: approvers: write a list there, as in [a, b]."),
        ({"approvers": [""]}, "july.yaml: approvers.number 1: write something there."),
        ({"owner": "Anna"}, "july.yaml: owner: that is no e-mail address such as library@example.com."),
        ({"invitation__subject": {"th": "", "en": "x"}}, "july.yaml: invitation.subject: write something in both languages."),
        ({"invitation__subject": {"th": "a\nb", "en": "x"}}, "july.yaml: invitation.subject: write it in one line."),
        ({"invitation__text__en": " "}, "july.yaml: invitation.text: write something in both languages."),
        ({"lawful_basis": "public task"}, "july.yaml: lawful_basis: write it in both languages, as in {th: ห้องสมุด, en: Library}."),
        ({"sender__name": {"th": "ห้องสมุด"}}, "july.yaml: sender.name.en: the key is missing."),
        ({"sender": "library"}, "july.yaml: sender: write keys there, each with a colon and its value."),
        ({"approver": ["anna"]}, "july.yaml: approver: there is no such key."),
        ({"title": "Survey"}, "july.yaml: title: write it in both languages, as in {th: ห้องสมุด, en: Library}."),
        ({"title": {"th": "x", "en": "y", "de": "z"}}, "july.yaml: title.de: there is no such key."),
        ({"sender__address": "survey"}, "july.yaml: sender.address: that is no e-mail address such as library@example.com."),
        ({"frame": "2018-07"}, "july.yaml: start must be after the frame's period 2018-07 has ended."),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_the_words_of_who_made_it(
    folder: Path, changes: dict[str, Any], said: str
) -> None:
    assert said in sentence(folder, **changes)


def test_a_name_is_fit_for_an_address_and_a_file(folder: Path) -> None:
    path = folder / f"{write_campaign(folder)}.yaml"
    path.write_text(path.read_text().replace("campaign: july", "campaign: July 2018"))
    with pytest.raises(EngagementError, match=r"july\.yaml: campaign: write small letters, digits"):
        campaigns.load("july")


def _places(part: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every key and every item of a list in a file, each as the way there."""
    for key, value in part.items() if isinstance(part, dict) else enumerate(part):
        yield (*way, key)
        if isinstance(value, dict | list):
            yield from _places(value, (*way, key))


ODD = (None, "", " ", "x y", "5%", -1, 0, 1.5, 101, True, [], ["a"], {}, {"a": 1}, {"staff": "x"})
FORM = yaml.safe_load((INCLUDE / "forms" / "kkul-news-2018.yaml").read_text(encoding="utf-8"))
FORM["questions"] = FORM["questions"][1:4]  # one of each kind with options
SAMPLE = {"size": 200, "groups": ["staff"], "confidence": 0.95, "expected_response_rate": 0.25}


@pytest.mark.parametrize(
    ("model", "right"),
    [
        (Campaign, CAMPAIGN | {"survey_id": 1, "sample": SAMPLE | {"allocation": "equal"}}),
        (Form, FORM | {"order": "day/month/year", "separators": ","}),
    ],
)
def test_no_mistake_under_any_key_is_told_in_the_words_of_a_program(
    model: type[BaseModel], right: dict[str, Any]
) -> None:
    said = set()
    for way, odd in product(_places(right), ODD):
        wrong = deepcopy(right)
        place = wrong
        for key in way[:-1]:
            place = place[key]
        place[way[-1]] = odd
        try:
            yaml_file.validated(Path("july.yaml"), wrong, model)
        except EngagementError as error:
            said.add(str(error))
    assert len(said) > 50
    program = re.compile(
        r"Input should|should have|should match|valid |Tuple|String|literal\[|\[key\]|None"
    )
    assert [one for one in said if program.search(one)] == []


def test_a_file_that_says_another_name_is_named(folder: Path) -> None:
    (folder / "june.yaml").write_text((folder / f"{write_campaign(folder)}.yaml").read_text())
    with pytest.raises(EngagementError) as caught:
        campaigns.load("june")
    assert str(caught.value) == (
        "june.yaml: campaign: the file is called june.yaml: write campaign: june."
    )


def test_a_campaign_that_is_not_there_is_named_with_those_that_are(folder: Path) -> None:
    write_campaign(folder)
    with pytest.raises(EngagementError, match="There is no campaign 'august'; there are: july"):
        campaigns.load("august")


def test_the_shipped_campaigns_can_be_read(world: pytest.MonkeyPatch) -> None:
    names = sorted(path.stem for path in (INCLUDE / "campaigns").glob("*.yaml"))
    assert names == ["hours-2018-07", "news-2018-07"] == campaigns.names()
    assert campaigns.load("news-2018-07").waves.hard_bounce_limit == 0.60
    assert campaigns.load("hours-2018-07").waves.hard_bounce_limit == 0.10
