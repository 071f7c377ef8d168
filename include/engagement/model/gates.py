"""What stops a period: publishing would say something false about the library. A person may accept it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from engagement import clock, warehouse
from engagement.errors import EngagementError
from engagement.model import extract_state
from engagement.model.records import LONGEST_ID
from engagement.model.source import Source
from engagement.period import Period
from engagement.text import clean
from engagement.warehouse import Session

# What nobody can wave through: there is nothing to publish, the keys of what is published break, or it is not
# the whole library.
_FINAL = {"empty", "repeated_id", "shards"}


class Refused(EngagementError):
    """A gate is closed; says why and what to do."""


def of_extract(session: Session, extract_id: int, source: Source, period: Period) -> str | None:
    """Close the gates that the staged extract fails; return the first one's sentence, or None."""
    found: Any = session.one(
        "model/extract_gate_figures", extract_id=extract_id, period=str(period)
    )
    closed = dict(_sentences(session, found, extract_id, source, period))
    for code, sentence in closed.items():
        _close(session, extract_id, code, sentence)
    return next(iter(closed.values()), None)


def _sentences(
    session: Session, found: Any, extract_id: int, source: Source, period: Period
) -> Iterator[tuple[str, str]]:
    yield from _unpublishable(found, source, period)
    if changed := _changed_columns(session, found, extract_id, source):
        yield (
            "columns",
            f"{source.label} has changed its columns since the last extract: {changed}. See that the "
            f"codes are still those of {source.system}.yaml, then accept the period or run it again.",
        )
    if not found.least_count <= found.source_count <= found.most_count:
        yield (
            "shards",
            f"The shards of {source.label} hold {found.source_count:,} records together, the whole of it "
            f"{found.least_count:,} to {found.most_count:,}: correct the condition with :shard of its "
            "queries, which leaves records out, as mod() does below 0, or repeats them; if it only changed "
            "meanwhile, read it again.",
        )
    yield from _unreadable(found, source)
    if found.last_count:
        change = found.source_count / found.last_count - 1
        if abs(change) > source.gates.row_change_limit:
            yield (
                "row_count",
                f"{source.label} holds {found.source_count:,} records for {period}, {change:+.0%} "
                f"against {found.last_count:,} of {found.last_period}, beyond the limit of "
                f"{source.gates.row_change_limit:.0%}; see that the source is whole, then run again.",
            )


def _unpublishable(found: Any, source: Source, period: Period) -> Iterator[tuple[str, str]]:
    if found.source_count == 0:
        yield (
            "empty",
            f"{source.label} gave no patron at all for {period}; see that the right database is "
            "connected and filled, then run the period again.",
        )
    if found.repeated_id_count:
        yield (
            "repeated_id",
            f"{found.repeated_id_count:,} patron ids stand on more than one record of {source.label}; "
            f"correct how {source.system}.yaml or its query reads them, so that a patron comes once.",
        )


def _unreadable(found: Any, source: Source) -> Iterator[tuple[str, str]]:
    if found.undecodable_count > source.gates.undecodable_limit * found.source_count:
        yield (
            "undecodable",
            f"{found.undecodable_count:,} of {found.source_count:,} records cannot be read in "
            f"{', '.join(source.encodings)}, more than the limit of "
            f"{source.gates.undecodable_limit:.1%}; correct `encodings` of {source.system}.yaml.",
        )
    if found.malformed_count > source.gates.malformed_limit * found.source_count:
        yield (
            "malformed",
            f"{found.malformed_count:,} of {found.source_count:,} records of {source.label} are malformed, "
            f"without an id, with one of more than {LONGEST_ID} characters, or not to be split into its "
            f"columns, more than the limit of "
            f"{source.gates.malformed_limit:.1%}; have it exported again, or correct its columns in "
            f"{source.system}.yaml.",
        )


def _changed_columns(session: Session, found: Any, extract_id: int, source: Source) -> str:
    """Say which columns came, went or changed their type; nothing at a first extract.

    Across a changed mapping only columns count that both knew: those of the last extract that the
    mapping of now takes a field from. What it newly takes, or takes no more, a person has changed.
    """
    last = session.one("model/last_columns", extract_id=extract_id)
    if last is None:
        return ""
    before, now = dict(last.columns), dict(found.columns)
    if not last.is_same_mapping:
        before = {name: kind for name, kind in before.items() if name in _named(source)}
        now = {name: kind for name, kind in now.items() if name in before}
    return _told(before, now)


def _named(source: Source) -> set[str]:
    """Return the columns that the source's YAML takes a field from, as an extract's shape has them."""
    parts = [part.columns for part in (source.database, source.export) if part is not None]
    names = chain.from_iterable(chain.from_iterable(part.values() for part in parts))
    return {clean(name) for name in names}


def _told(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    return ", ".join(
        [f"{name} is gone" for name in before if name not in now]
        + [f"{name} is new" for name in now if name not in before]
        + [
            f"{name} was {before[name]} and is {now[name]}"
            for name in now
            if name in before and before[name] != now[name]
        ]
    )


def of_publication(session: Session, source: Source, binds: Mapping[str, Any]) -> str | None:
    """Close the gate of a share of real customers far from the last period's; return its sentence, or None.

    Nothing is compared across a changed suite or mapping.

    Args:
        session: in which the verdicts of the extract were found.
        source: whose limit counts.
        binds: extract_id, period and definition_hash of what is to be published.
    """
    session.run("model/forget_closed_gate", extract_id=binds["extract_id"], gate_code="real_share")
    found: Any = session.one("model/real_share_figures", **binds)
    limit = source.gates.real_share_change_limit
    if found.last_share is None or found.real_share is None:
        return None
    if abs(found.real_share - found.last_share) <= limit * found.last_share:
        return None
    sentence = (
        f"Of {source.label}'s records {found.real_share:.1%} would be real customers in {binds['period']}, "
        f"against {found.last_share:.1%} of {found.last_period}, a change beyond the limit of {limit:.0%}; "
        "see which reason grew or shrank, then accept the period or read it again."
    )
    if session.scalar("model/is_gate_accepted", extract_id=binds["extract_id"], sentence=sentence):
        return None
    _close(session, binds["extract_id"], "real_share", sentence)
    return sentence


def _close(session: Session, extract_id: int, code: str, sentence: str) -> None:
    session.run(
        "model/close_gate",
        extract_id=extract_id,
        gate_code=code,
        sentence=sentence,
        closed_at=clock.now(),
    )


def accept(period: Period, reason: str, by: str) -> list[str]:
    """Accept what holds the period's newest extract, for this extract only; return the sentences.

    Args:
        period: whose extract a gate has stopped.
        reason: why it is right all the same; kept with the gate.
        by: who says so; kept with the gate.

    Raises:
        EngagementError: nothing holds the period, the reason is empty, or nobody can accept the gate.
    """
    if not reason.strip():
        raise EngagementError("Say why the extract is right all the same: --reason '...'.")
    with warehouse.session() as session:
        session.run("model/lock_extract", period=str(period))
        closed = session.rows("model/closed_gates", period=str(period))
        if not closed:
            raise EngagementError(
                f"No gate holds the newest extract of {period}: nothing to accept."
            )
        for gate in closed:
            if gate.gate_code in _FINAL:
                raise EngagementError(f"This cannot be accepted: {gate.sentence}")
        extract_id, state = closed[0].extract_id, closed[0].state
        extract_state.require_staged(session, extract_id, period)
        session.run(
            "model/open_gate",
            extract_id=extract_id,
            accepted_at=clock.now(),
            accepted_by=by,
            accept_reason=reason.strip(),
        )
        if state == "refused":
            extract_state.accept(session, extract_id, period)
            extract_state.drop_old(session)
    return [gate.sentence for gate in closed]
