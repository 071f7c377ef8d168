"""What those who answered a survey say to its questions, with no handful of them to be recognised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from engagement.groups import GROUPS
from engagement.labels import Label, labels
from engagement.measure.figures import PERCENTAGE_BASE
from engagement.measure.form import UNKNOWN, Form, Question
from engagement.monitor.disclosure import SHOWN_WHOLE, SMALL, hidden

_HALVES = 4  # a scale of fewer points has no two good ones

Kind = Literal["group", "choice", "choices", "scale"]


@dataclass(frozen=True)
class Choice:
    """One option of a question and how many chose it; None where it is a handful that could be recognised."""

    label: Label
    count: int | None
    share: float | None  # of the question's base, in per cent; None under a base of 30


@dataclass(frozen=True)
class Finding:
    """What those who answered say to a question, the option chosen most often first, but scales from best to worst.

    `kind` is the form's: group, choice, choices or scale. `base` counts who answered it. Of a scale of four
    points or more, `satisfied` is the number of those who chose one of the two best.
    """

    code: str
    kind: Kind
    title: Label
    base: int
    choices: tuple[Choice, ...]
    satisfied: Choice | None = None


@dataclass(frozen=True)
class Answers:
    """The answers to a question: how many people gave one, and how many chose each option, by its code."""

    people: int
    options: Mapping[str, int]


def of_form(form: Form, answers: Mapping[str, Answers]) -> tuple[Finding, ...]:
    """Return what is found of the questions of a form, in its order.

    Left out are free text, and questions that no more than a handful answered: there even the options that
    nobody chose tell about somebody.

    Args:
        form: what was asked.
        answers: by the question's code.
    """
    return tuple(
        _finding(form, question, question.kind, answers[question.code])
        for question in form.questions
        if question.kind != "text"
        and question.code in answers
        and answers[question.code].people > SMALL
    )


def _finding(form: Form, question: Question, kind: Kind, answers: Answers) -> Finding:
    counts = {code: answers.options.get(code, 0) for code in form.answers(question)}
    names = _names(form, question)
    if kind == "scale":
        scale = form.scales[question.scale or ""]
        best_first = sorted(counts, key=int, reverse=scale.best == max(scale.points))
        return _scale(question, answers, {code: counts[code] for code in best_first}, names)
    if kind == "choices":
        concealed = hidden_ticks(counts, answers.people)
    else:
        # Answers that the form does not have are not shown, but known: they are what is left of the base.
        unknown = answers.options.get(UNKNOWN, 0)
        concealed = _hidden(counts | {UNKNOWN: unknown}, answers.people)
    shown = sorted((code for code in counts if code not in concealed), key=lambda c: -counts[c])
    order = [*shown, *(code for code in counts if code in concealed)]
    choices = tuple(
        _choice(names[code], counts[code], answers.people, code in concealed) for code in order
    )
    return Finding(question.code, kind, question.title, answers.people, choices)


def _names(form: Form, question: Question) -> dict[str, Label]:
    """Return how options are called: the form's words, but the seven groups as all of the report calls them."""
    names = {code: option.label for code, option in form.answers(question).items()}
    if question.kind == "group" and names.keys() >= set(GROUPS):
        names |= {code: labels().group(code) for code in GROUPS}
    return names


def _scale(
    question: Question, answers: Answers, counts: Mapping[str, int], names: Mapping[str, Label]
) -> Finding:
    """Return the finding of a scale, `counts` being from best to worst.

    That so many are satisfied is one total more that could give a hidden point away. So each half is hidden as
    a table of its own, and the two together where one of them is a handful.
    """
    base = answers.people
    best = list(counts)[:2] if len(counts) >= _HALVES else []
    upper = {code: counts[code] for code in best}
    lower = {code: count for code, count in counts.items() if code not in upper}
    lower[UNKNOWN] = answers.options.get(UNKNOWN, 0)
    count = sum(upper.values())
    is_hidden = bool(_hidden({"upper": count, "lower": sum(lower.values())}, base))
    if is_hidden:
        concealed = _hidden({**upper, **lower}, base)
    else:
        concealed = _hidden(upper, base) | _hidden(lower, base)
    label = Label(" + ".join(names[c].th for c in best), " + ".join(names[c].en for c in best))
    return Finding(
        question.code,
        "scale",
        question.title,
        base,
        tuple(_choice(names[code], counts[code], base, code in concealed) for code in counts),
        _choice(label, count, base, is_hidden) if best else None,
    )


def _choice(label: Label, count: int, base: int, is_hidden: bool) -> Choice:
    if is_hidden:
        return Choice(label, None, None)
    return Choice(label, count, 100 * count / base if base >= PERCENTAGE_BASE else None)


def _hidden(counts: Mapping[str, int], base: int) -> frozenset[str]:
    """Return the options that are hidden where each person chose one, so that they sum to the base."""
    return frozenset() if base >= SHOWN_WHOLE else hidden(counts)


def hidden_ticks(counts: Mapping[str, int], base: int) -> frozenset[str]:
    """Return the options that are hidden where each person could tick several.

    They do not sum to the base, so the others do not say what a hidden one is; few need to be hidden with it.
    But each person ticked one at least, so all together are no fewer than the base: if 30 of 34 ticked the
    first of two options, four at least ticked the second. Options are hidden, the next larger ones first, until
    that says of none of the hidden handfuls that it is more than one person.

    Args:
        counts: option -> how many ticked it.
        base: how many ticked any.
    """
    small = [code for code, count in counts.items() if 1 <= count <= SMALL]
    if not small or base >= SHOWN_WHOLE:
        return frozenset()
    larger = sorted((code for code in counts if counts[code] > SMALL), key=lambda c: counts[c])
    for size in range(len(larger) + 1):
        shown = [counts[code] for code in larger[size:]]
        others = (len(small) - 1) * SMALL + size * min(shown, default=base)
        if base - sum(shown) - others <= 1:
            return frozenset((*small, *larger[:size]))
    return frozenset(counts)
