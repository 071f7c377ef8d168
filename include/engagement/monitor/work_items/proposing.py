"""What the product itself would put before the executives: rows that a librarian may adopt, or not."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from engagement import clock
from engagement.errors import EngagementError
from engagement.measure import campaign as campaigns, events
from engagement.measure.campaign import Campaign
from engagement.monitor import distribution
from engagement.monitor.work_items import place
from engagement.monitor.work_items.items import WorkItem
from engagement.monitor.work_items.table import Unreadable
from engagement.monitor.work_items.template import workbook
from engagement.monitor.work_items.vocabulary import clean, words
from engagement.period import Period
from engagement.warehouse import Session
from engagement.wording import TH, decimal

_TIME_TO_DECIDE = timedelta(days=14)
_log = logging.getLogger(__name__)


def proposals(session: Session, period: Period) -> list[WorkItem]:
    """Return the rows that the period gives reason for; their ids stay the same however often they are asked for.

    A gate that holds the period's extract; a campaign of the period that stopped itself, or of whose mails more
    bounced for good than the library's target or the campaign's own limit allows.

    Raises:
        EngagementError: the file of recipients, which has the target, is wrong.
    """
    proposed = []
    if session.rows("model/closed_gates", period=str(period)):
        proposed.append(_item("gate", str(period), month=TH.month(period)))
    for row in session.rows(
        "monitor/campaigns_of_period", starts_at=period.start, ends_at=period.end
    ):
        proposed += _of_campaign(session, row)
    return proposed


def write(period: Period, proposed: Sequence[WorkItem]) -> str | None:
    """Write the proposed rows beside the lists, in place of earlier ones; return the file's name, or None.

    A place that cannot be written to is logged and stops nothing: the mail names the rows too.
    """
    try:
        file = place.proposals_file(period)
        if proposed:
            content = io.BytesIO()
            workbook(_row(item) for item in proposed).save(content)
            file.write_bytes(content.getvalue())
        else:
            file.unlink(missing_ok=True)
    except Unreadable as fault:
        _log.warning("Work items: %s", fault)
        return None
    except Exception as error:
        # Every store fails in its own way; none of them may stop the mail.
        _log.warning(
            "The proposed rows cannot be written beside the work items (%s).", type(error).__name__
        )
        return None
    return str(file.name)


def _of_campaign(session: Session, row: Any) -> Iterator[WorkItem]:
    campaign = _loaded(row.campaign)
    title = clean(campaign.title.th if campaign else row.campaign)
    stops = [e for e in events.read(session, row.campaign) if e.kind in ("stopped", "resumed")]
    if stops and stops[-1].kind == "stopped" and stops[-1].actor is None:
        yield _item("stopped", row.campaign, title=title)
    elif row.sent_count and (share := 100 * row.hard_count / row.sent_count) > _most(campaign):
        yield _item("bounced", row.campaign, title=title, share=decimal(share))


def _loaded(name: str) -> Campaign | None:
    with suppress(EngagementError):  # its file is gone or wrong, which others are told of
        return campaigns.load(name)
    return None


def _most(campaign: Campaign | None) -> float:
    """Return which share of bounced mails is still right, in per cent."""
    limits = [distribution.read().targets.bounced_pct]
    if campaign is not None:
        limits.append(100 * campaign.waves.hard_bounce_limit)
    return min((limit for limit in limits if limit is not None), default=100.0)


def _item(kind: str, about: str, **values: str) -> WorkItem:
    said = words()["proposals"][kind]
    return WorkItem(
        f"P-{kind}-{about}",
        "ongoing",
        said["title"].format(**values),
        "",
        words()["statuses"][0],
        None,
        None,
        wanted=said["wanted"],
        deadline=(clock.now() + _TIME_TO_DECIDE).date(),
    )


def _row(item: WorkItem) -> dict[str, Any]:
    return asdict(item) | {"id": item.item_id, "section": words()["sections"][item.section]}
