"""After a fault of the relay a person takes its bounces back in one go; what people said stays."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from survey import MailWorld, open_wave
from typer.testing import CliRunner

from engagement.cli.person import login
from engagement.cli.survey import suppression_app
from engagement.errors import EngagementError
from engagement.measure import collect, run, suppression, unsubscribe
from engagement.settings import settings

KINDS = "SELECT kind, count(*) FROM core.suppression GROUP BY 1 ORDER BY 1"


@pytest.fixture
def bounced(
    world: pytest.MonkeyPatch, clock: Any, store: Any, tmp_path: Path, mails: MailWorld
) -> None:
    """A wave of 100 at nine in the morning: 30 addresses bounced for good, another person said no."""
    open_wave(world, clock, store, tmp_path, {"staff": 100})
    mails.kill(store, 30)
    run.send_all(mails.server, None)
    collect.collect(mails.bounces)
    token = store.value(
        "SELECT token FROM core.message WHERE recipient_key NOT IN "
        "(SELECT address_key FROM core.suppression) ORDER BY message_id LIMIT 1"
    )
    unsubscribe.unsubscribe(token)
    assert store.do(KINDS) == [("hard_bounce", 30), ("opt_out", 2)]
    clock.at(2018, 7, 9, 12)


def lift(**of: Any) -> int:
    zone = settings().zone
    since = datetime(2018, 7, 9, of.pop("hour", 8), tzinfo=zone)
    return suppression.lift_bounces(
        "anna",
        of.pop("reason", "blocked"),
        since=since,
        until=datetime(2018, 7, 9, 12, tzinfo=zone),
        **of,
    )


@pytest.mark.parametrize(
    "whose", [{"campaign": "july"}, {"domain": "KKU.example.com"},
              {"campaign": "july", "domain": "kku.example.com"}],
)  # fmt: skip
def test_the_bounces_of_a_campaign_or_a_domain_are_lifted_and_what_people_said_stays(
    bounced: None, store: Any, whose: dict[str, str]
) -> None:
    assert lift(**whose) == 30
    assert store.do(KINDS) == [("opt_out", 2)]
    assert store.do("SELECT actor, command, purpose, row_count FROM ops.pii_read") == [
        ("anna", "suppression lift-bounces", "blocked", 30)
    ]


@pytest.mark.parametrize(
    ("of", "sentence"),
    [({"campaign": "july", "hour": 10}, "Nothing is suppressed there"),
     ({"campaign": "august"}, "Nothing is suppressed there"),
     ({"domain": "elsewhere.example.com"}, "Nothing is suppressed there"),
     ({}, "Say whose bounces"), ({"campaign": "july", "reason": " "}, "Say why")],
)  # fmt: skip
def test_what_bounced_at_another_time_or_elsewhere_stays(
    bounced: None, store: Any, of: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(EngagementError, match=sentence):
        lift(**of)
    assert store.do(KINDS) == [("hard_bounce", 30), ("opt_out", 2)]


def test_the_command_lifts_until_now_and_says_how_many(bounced: None, store: Any) -> None:
    words = ["lift-bounces", "--campaign", "july", "--since", "2018-07-09 08:00"]
    said = CliRunner().invoke(suppression_app, [*words, "--reason", "no SPF"]).output
    assert said == "30 suppressions are lifted.\n"
    assert store.value("SELECT actor FROM ops.pii_read") == login()
