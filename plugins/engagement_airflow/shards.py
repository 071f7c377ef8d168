"""In how many parts a library system is read, each by a task of its own: ENGAGEMENT_SHARDS."""

import os

from engagement.errors import EngagementError

_count = os.environ.get("ENGAGEMENT_SHARDS") or "1"
if not _count.isdigit() or int(_count) < 1:
    raise EngagementError(
        f"ENGAGEMENT_SHARDS is {_count!r}; set it to a whole number from 1, or take it out."
    )
ALL = list(range(int(_count)))
