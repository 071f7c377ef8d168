"""What Airflow's triggerer waits for, many at once and without a worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

_LOOK_EVERY_S = 3.0


class BusinessClock(BaseTrigger):
    """Fires when the business clock shows an instant; the clock may be moved meanwhile."""

    def __init__(self, until: str) -> None:
        """Take the instant, in ISO 8601 with its offset."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.until = until

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return how the triggerer makes it again."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {"until": self.until}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event, at the instant or soon after."""
        from engagement import clock

        until = datetime.fromisoformat(self.until)
        while clock.now() < until:
            await asyncio.sleep(_LOOK_EVERY_S)
        yield TriggerEvent(self.until)  # type: ignore[no-untyped-call]
