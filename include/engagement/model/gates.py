"""What stops an extract from being accepted: it would say something false about the library."""

from __future__ import annotations

from engagement.model.source import Source
from engagement.period import Period
from engagement.warehouse import Session


def refusal(session: Session, extract_id: int, source: Source, period: Period) -> str | None:
    """Return the sentence of the first gate that the staged extract fails, or None."""
    found = session.one("model/extract_gate_figures", extract_id=extract_id, period=str(period))
    if found is None:
        raise LookupError(f"extract {extract_id}")
    if found.source_count == 0:
        return (
            f"{source.label} gave no patron at all for {period}; see that the right database is "
            "connected and filled, then run the period again."
        )
    if found.repeated_id_count:
        return (
            f"{found.repeated_id_count:,} patron ids stand on more than one record of {source.label}; "
            f"correct include/sql/sources/{source.system}/patron.sql so that a patron comes once."
        )
    if found.undecodable_count > source.gates.undecodable_limit * found.source_count:
        return (
            f"{found.undecodable_count:,} of {found.source_count:,} records cannot be read in "
            f"{', '.join(source.encodings)}, more than the limit of "
            f"{source.gates.undecodable_limit:.1%}; correct `encodings` of {source.system}.yaml."
        )
    if found.last_count:
        change = found.source_count / found.last_count - 1
        if abs(change) > source.gates.row_change_limit:
            return (
                f"{source.label} holds {found.source_count:,} records for {period}, {change:+.0%} "
                f"against {found.last_count:,} of {found.last_period}, beyond the limit of "
                f"{source.gates.row_change_limit:.0%}; see that the source is whole, then run again."
            )
    return None
