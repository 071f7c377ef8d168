"""The one business clock: rules about time ask it, never the machine."""

from datetime import UTC, datetime
from pathlib import Path

from engagement.errors import EngagementError
from engagement.settings import settings


def now() -> datetime:
    """Return the business instant, in the library's zone.

    It is the machine's time, unless ENGAGEMENT_CLOCK_FILE names a file that holds an instant:
    the demo and the tests move that one explicitly.

    Raises:
        EngagementError: the clock file is missing or holds no instant with an offset.
    """
    path = settings().clock_file
    if path is None:
        return datetime.now(UTC).astimezone(settings().zone)
    try:
        instant = datetime.fromisoformat(path.read_text().strip())
    except (OSError, ValueError):
        raise EngagementError(
            f"The clock file {path} holds no instant such as 2018-07-01T00:00:00+07:00; "
            "write one, or unset ENGAGEMENT_CLOCK_FILE to use real time."
        ) from None
    if instant.tzinfo is None:
        raise EngagementError(f"The instant in the clock file {path} has no offset; add +07:00.")
    return instant.astimezone(settings().zone)


def move(path: Path, instant: datetime) -> None:
    """Set the clock file to `instant` (aware); readers see the old instant or the new, no mixture."""
    new = path.with_suffix(".new")
    new.write_text(instant.isoformat())
    new.replace(path)
