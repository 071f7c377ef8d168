"""A campaign's file is read as it was meant, or a sentence says what a librarian has to change."""

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1] / "integration"))

from survey import use_campaigns, write_campaign

from engagement.errors import EngagementError
from engagement.groups import GROUPS
from engagement.measure import campaign as campaigns
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
        ({"link": "https://forms.example.com/"}, "july.yaml: link: write the form's address with {token} where the personal code belongs, once."),
        ({"waves__sizes": [50]}, "july.yaml: waves.sizes: the first wave takes at least 100, each other one 1."),
        ({"waves__canary": "nobody"}, "july.yaml: waves.canary: that is no e-mail address."),
        ({"sample": {}}, "july.yaml: sample: say how many are asked in one way: as size, as margin_of_error, or as a number for each group under allocation."),
        ({"sample": {"size": 5, "margin_of_error": 0.05, "expected_response_rate": 0.2}}, "say how many are asked in one way"),
        ({"sample": {"margin_of_error": 0.05}}, "july.yaml: sample: margin_of_error needs the share that will answer, as in expected_response_rate: 0.25."),
        ({"sample": {"allocation": {"staff": 5}}}, "allocation must give a number to each of the groups, and no other."),
        ({"sample": {"allocation": dict.fromkeys(GROUPS, 50), "minimum_per_group": 30}}, "july.yaml: sample: minimum_per_group has no place beside a number for each group under allocation: raise the numbers, and take the key away."),
        ({"sample": {"size": 5, "groups": ["staff", "staff"]}}, "july.yaml: sample.groups: name each group once, and at least one."),
        ({"reminder": None}, "july.yaml: there are reminders in dates: write what they say under reminder."),
        ({"approvers": []}, "july.yaml: approvers: "),
        ({"approver": ["anna"]}, "july.yaml: approver: there is no such key."),
        ({"title": "Survey"}, "july.yaml: title: write keys there, each with a colon and its value."),
        ({"title": {"th": "x", "en": "y", "de": "z"}}, "july.yaml: title.de: there is no such key."),
        ({"sender__address": "survey"}, "july.yaml: sender.address: that is no e-mail address."),
        ({"frame": "2018-07"}, "july.yaml: start must be after the frame's period 2018-07 has ended."),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_the_words_of_who_made_it(
    folder: Path, changes: dict[str, Any], said: str
) -> None:
    assert said in sentence(folder, **changes)


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
