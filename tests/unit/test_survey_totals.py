"""Figures of a survey that contradict each other make no report, and one sentence says which."""

import re
from dataclasses import replace
from typing import Any

import pytest
from reports import NEWS, REACHABLE

from engagement.errors import EngagementError
from engagement.measure.figures import Counts
from engagement.monitor import agreement
from engagement.monitor.findings import Finding
from engagement.monitor.rates import Rate

# Staff and pupils of a survey: 700 might have been asked.
GROUPS = {
    "staff": Counts(500, 150, 148, 20, 5, 1, 124, 2, 60, 149),
    "pupil": Counts(200, 50, 50, 10, 0, 0, 40, 0, 20, 50),
}
ALL = Counts(700, 200, 198, 30, 5, 1, 164, 2, 80, 199)
SURVEY = replace(NEWS, counts=ALL, by_group=GROUPS, findings=())
SMALL_ONE = replace(SURVEY, by_group={})


def finding(**changes: Any) -> Finding:
    return replace(
        NEWS.findings[0],
        **{
            "kind": "choice",
            "base": 80,
            "choices": tuple(replace(NEWS.findings[0].choices[0], count=n) for n in (50, 30, None)),
        }
        | changes,
    )


def several(*counts: int | None) -> Finding:
    """Return a finding of a question of which several options may be ticked."""
    (one, *_) = NEWS.findings[0].choices
    return finding(kind="choices", choices=tuple(replace(one, count=count) for count in counts))


def test_figures_that_agree_pass() -> None:
    agreement.require_surveys([NEWS, SURVEY])
    agreement.require_surveys([replace(SURVEY, findings=(finding(), several(80, 80, 1, None)))])


def test_a_person_whose_mail_was_withdrawn_after_its_bounce_is_no_contradiction() -> None:
    """It is not known whether it went out, yet the address is known to be dead."""
    agreement.require_surveys([replace(SMALL_ONE, counts=replace(ALL, hard_bounced=32))])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"frame": 199}, "a later step of its funnel is larger than an earlier one"),
        ({"sent": 201}, "a later step of its funnel is larger than an earlier one"),
        ({"delivered": 199}, "a later step of its funnel is larger than an earlier one"),
        (
            {"delivered": 163},
            "200 people were invited, but 163 reached, 35 bounced and 1 uncertain",
        ),
        (
            {"uncertain": 37},
            "200 people were invited, but 164 reached, 35 bounced and 37 uncertain",
        ),
        ({"sampled": 29}, "30 addresses are dead of 29 that were tried"),
        ({"answered": 201}, "201 have answered of 200 invited"),
    ],
)
def test_a_funnel_that_contradicts_itself_makes_no_report(
    changes: dict[str, int], said: str
) -> None:
    wrong = replace(SMALL_ONE, counts=replace(ALL, **changes))
    with pytest.raises(EngagementError) as caught:
        agreement.require_surveys([NEWS, wrong])
    assert str(caught.value) == (
        f"The figures of the survey news-2018-07 contradict each other: {said}; no report was made. "
        "Count them again with measure_collect."
    )


def test_groups_that_do_not_sum_to_all_make_no_report() -> None:
    wrong = replace(SURVEY, counts=replace(ALL, opted_out=3))
    with pytest.raises(EngagementError, match="its groups do not sum to the figures of all"):
        agreement.require_surveys([wrong])


def test_a_group_that_contradicts_itself_makes_no_report_though_all_together_do_not() -> None:
    staff, pupil = GROUPS.values()
    groups = {
        "staff": replace(staff, answered=29),
        "pupil": replace(pupil, answered=51),
    }
    with pytest.raises(EngagementError, match="51 have answered of 50 invited"):
        agreement.require_surveys([replace(SURVEY, by_group=groups)])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (finding(base=81), "81 have answered the question group, but 80 the survey"),
        (
            finding(base=79),
            "the options of the question group were chosen by 80, but 79 have answered it",
        ),
        (
            several(81, 3),
            "the options of the question group were chosen by 81, but 80 have answered it",
        ),
    ],
)
def test_answers_that_contradict_each_other_make_no_report(wrong: Finding, said: str) -> None:
    with pytest.raises(EngagementError, match=re.escape(said)):
        agreement.require_surveys([replace(SURVEY, findings=(wrong,))])


@pytest.mark.parametrize("name", ["bounced", "answered", "answered_of_delivered"])
@pytest.mark.parametrize(
    "wrong",
    [
        Rate(5, 100, 0.99, 0.98, 1.0),
        Rate(5, 100, 0.0504, 0.01, 0.1),
        Rate(5, 0, 0.05),
        Rate(101, 100, 1.01, 1.0, 1.1),
        Rate(5, 100, 0.05, 0.06, 0.1),
        Rate(5, 100, 0.05, 0.01, 0.04),
    ],
)
def test_a_rate_that_is_not_the_share_of_its_counts_makes_no_report(name: str, wrong: Rate) -> None:
    said = f"{wrong.count} of {wrong.base} are not the share that is shown"
    with pytest.raises(EngagementError, match=said):
        agreement.require_surveys([replace(NEWS, **{name: wrong})])


def test_a_rate_without_a_share_or_an_interval_is_no_contradiction() -> None:
    for rate in (Rate(5, 20, None), Rate(5, 100, 0.05)):
        agreement.require_surveys([replace(NEWS, answered=rate)])


@pytest.mark.parametrize("changes", [{"frame": 0}, {"share": 0.4}, {"share": 0.46}])
def test_a_reach_that_cannot_be_makes_no_report(changes: dict[str, Any]) -> None:
    agreement.require_reachable(None)
    agreement.require_reachable(REACHABLE)
    agreement.require_reachable(replace(REACHABLE, share=1 + 1e-15, low=1, high=1))
    with pytest.raises(EngagementError, match="whom a mail reaches in 2018-06 contradict each"):
        agreement.require_reachable(replace(REACHABLE, **changes))
