"""What those say who answered: in the form's words, in an order to read, and nobody to be recognised."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from engagement.groups import GROUPS
from engagement.measure.form import Form
from engagement.monitor import findings
from engagement.monitor.findings import Answers, Finding

FORM = Form.model_validate(
    {
        "form": "test",
        "title": {"th": "แบบ", "en": "Form"},
        "system": "google-forms",
        "scales": {
            "five": {"best": 5, "points": {n: {"th": f"ท{n}", "en": f"P{n}"} for n in range(1, 6)}},
            "four": {"best": 1, "points": {n: {"th": f"ท{n}", "en": f"P{n}"} for n in range(1, 5)}},
            "three": {"best": 3, "points": {n: {"th": f"ท{n}", "en": f"P{n}"} for n in range(1, 4)}},
        },
        "questions": [
            {"code": "scale", "kind": "scale", "scale": "five", "title": {"th": "ก", "en": "A"}},
            {"code": "who", "kind": "group", "title": {"th": "ข", "en": "B"}},
            {
                "code": "slot",
                "kind": "choice",
                "title": {"th": "ค", "en": "C"},
                "options": {c: {"th": c, "en": c} for c in ("one", "two", "three", "four")},
                "other": {"th": "อื่น ๆ", "en": "Other"},
            },
            {
                "code": "channel",
                "kind": "choices",
                "title": {"th": "ง", "en": "D"},
                "options": {c: {"th": c, "en": c} for c in ("radio", "print", "web")},
            },
            {"code": "words", "kind": "text", "title": {"th": "จ", "en": "E"}},
            {"code": "short", "kind": "scale", "scale": "three", "title": {"th": "ฉ", "en": "F"}},
            {"code": "falling", "kind": "scale", "scale": "four", "title": {"th": "ช", "en": "G"}},
        ],
    }
)  # fmt: skip


def found(code: str, people: int | None = None, **options: int) -> Finding:
    """Return what is found of one question; people: of one that several options may be ticked of."""
    answers = Answers(sum(options.values()) if people is None else people, options)
    (one,) = findings.of_form(FORM, {code: answers})
    return one


def scale(*best_first: int) -> Finding:
    return found("scale", **{str(5 - place): count for place, count in enumerate(best_first)})


def counts(one: Finding) -> dict[str, int | None]:
    return {choice.label.en: choice.count for choice in one.choices}


def test_findings_stand_in_the_order_of_the_form_without_free_text_and_what_nobody_answered() -> (
    None
):
    ten = {code: Answers(10, {}) for code in ("channel", "slot", "words", "scale", "gone")}
    assert [one.code for one in findings.of_form(FORM, ten)] == ["scale", "slot", "channel"]


@pytest.mark.parametrize(("people", "is_told"), [(3, False), (4, False), (5, True)])
def test_of_a_handful_of_answers_nothing_is_told(people: int, is_told: bool) -> None:
    told = findings.of_form(FORM, {"slot": Answers(people, {"one": people})})
    assert bool(told) is is_told


def test_options_stand_by_how_many_chose_them_and_equal_ones_in_the_order_of_the_form() -> None:
    one = found("slot", two=120, four=200, other=120, one=1)
    assert list(counts(one).items()) == [
        ("four", 200),
        ("two", 120),
        ("Other", 120),
        ("one", 1),
        ("three", 0),
    ]
    assert one.choices[0].share == pytest.approx(100 * 200 / 441)


def test_a_scale_stands_from_best_to_worst_whichever_number_is_the_best() -> None:
    assert list(counts(scale(10, 60, 20, 5, 5))) == ["P5", "P4", "P3", "P2", "P1"]
    falling = found("falling", **{"1": 90, "2": 30, "3": 10, "4": 20})
    assert list(counts(falling)) == ["P1", "P2", "P3", "P4"]
    assert falling.satisfied is not None
    assert (falling.satisfied.label.en, falling.satisfied.count) == ("P1 + P2", 120)
    assert falling.satisfied.share == pytest.approx(80)


def test_of_a_scale_with_one_good_point_nobody_says_how_many_are_satisfied() -> None:
    assert found("short", **{"3": 100, "2": 50}).satisfied is None


def test_a_group_is_called_as_in_all_of_the_report() -> None:
    one = found("who", **dict.fromkeys(GROUPS, 20))
    assert one.choices[4].label.en == "Alumni and retired"


def test_one_of_398_is_shown_as_in_the_source() -> None:
    one = found("channel", 398, web=299, print=120, radio=1)
    assert counts(one) == {"web": 299, "print": 120, "radio": 1}
    assert [round(choice.share or 0, 1) for choice in one.choices] == [75.1, 30.2, 0.3]
    assert one.base == 398


def test_below_a_hundred_answers_a_group_of_one_is_hidden_with_the_next_larger_one() -> None:
    one = found("who", staff=50, undergraduate=30, graduate=1, pupil=10)
    assert list(counts(one).items()) == [
        ("Staff", 50),
        ("Undergraduates", 30),
        ("International students", 0),
        ("Alumni and retired", 0),
        ("External members", 0),
        ("Graduate students", None),  # in the order of the form, which does not say who are more
        ("School pupils", None),
    ]
    assert all(choice.share is None for choice in one.choices if choice.count is None)
    whole = found("who", staff=50, undergraduate=39, graduate=1, pupil=10)
    assert counts(whole)["Graduate students"] == 1


def test_below_thirty_answers_there_are_counts_and_no_percentages() -> None:
    assert {choice.share for choice in found("slot", one=15, two=14).choices} == {None}
    assert {choice.share for choice in found("slot", one=15, two=15).choices} == {50, 0}


def test_an_answer_that_the_form_does_not_have_is_in_the_base_and_is_no_option() -> None:
    one = found("slot", one=150, two=40, unknown=10)
    assert one.base == 200
    assert sum(choice.count or 0 for choice in one.choices) == 190
    assert len(one.choices) == 5


def test_how_many_are_satisfied_is_told_where_single_points_are_hidden() -> None:
    one = scale(3, 40, 9, 2, 0)
    assert list(counts(one).values()) == [None, None, None, None, 0]
    assert one.satisfied is not None
    assert one.satisfied.count == 43


def test_how_many_are_satisfied_is_hidden_where_all_but_a_handful_are_or_no_more() -> None:
    for one in (scale(20, 40, 2, 0, 0), scale(1, 2, 40, 20, 10)):
        assert one.satisfied is not None
        assert (one.satisfied.count, one.satisfied.share) == (None, None)


@pytest.mark.parametrize("people", [7, 10])
def test_no_handful_can_be_computed_from_what_is_shown_of_a_scale(people: int) -> None:
    """Try all that a table may be; of each, all that a reader may think that it is."""
    tables = list(_tables(people, 5))
    for table in tables:
        one = scale(*table)
        shown = {
            n: choice.count for n, choice in enumerate(one.choices) if choice.count is not None
        }
        satisfied = one.satisfied.count if one.satisfied else None
        possible = [
            other
            for other in tables
            if all(other[n] == count for n, count in shown.items())
            and satisfied in (None, other[0] + other[1])
        ]
        for place, count in enumerate(table):
            if 1 <= count <= 4:
                assert place not in shown
                assert len({other[place] for other in possible}) > 1, table


def _tables(people: int, points: int) -> Iterator[tuple[int, ...]]:
    for counted in itertools.product(range(people + 1), repeat=points - 1):
        if sum(counted) <= people:
            yield (*counted, people - sum(counted))


@pytest.mark.parametrize(
    ("ticked", "people", "hidden"),
    [
        ({"web": 40, "print": 20, "radio": 1}, 45, {"radio"}),  # the rest does not say how many
        ({"web": 30, "print": 0, "radio": 4}, 34, {"radio", "web"}),  # it would be 34 - 30 or more
        ({"web": 30, "print": 9, "radio": 4}, 40, {"radio"}),  # it is 40 - 39 or more
        ({"web": 30, "print": 8, "radio": 4}, 40, {"radio", "print"}),
        ({"web": 99, "print": 1, "radio": 1}, 100, set()),
    ],
)
def test_where_several_may_be_ticked_a_handful_is_hidden_alone_unless_the_rest_bounds_it(
    ticked: dict[str, int], people: int, hidden: set[str]
) -> None:
    assert findings.hidden_ticks(ticked, people) == hidden
    assert {
        code for code, count in counts(found("channel", people, **ticked)).items() if count is None
    } == hidden


def test_each_hidden_tick_might_be_that_of_one_person() -> None:
    people = 9
    for ticks in itertools.product(range(people + 1), repeat=3):
        if sum(ticks) < people:
            continue  # each ticked something
        table = dict(zip("abc", ticks, strict=True))
        hidden = findings.hidden_ticks(table, people)
        handfuls = [code for code, count in table.items() if 1 <= count <= 4]
        assert hidden >= set(handfuls)
        if hidden == set(table):
            continue  # nothing is shown
        assert all(_might_be_one(table, hidden, code, people) for code in handfuls), table


def _might_be_one(table: Mapping[str, int], hidden: Any, code: str, people: int) -> bool:
    """Say whether the others can be so many that all together are as many as the people."""
    shown = [count for other, count in table.items() if count and other not in hidden]
    most = min(shown, default=people)
    others = sum(
        count if other not in hidden else 4 if count <= 4 else max(most, 4)
        for other, count in table.items()
        if other != code
    )
    return 1 + others >= people
