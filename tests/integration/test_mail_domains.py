"""Where a library wants it, a domain that takes no mail makes its addresses none; who is silent passes."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from engagement.model import emails, source as sources
from engagement.model.check import check
from engagement.model.extract import Reread, extract
from engagement.model.publish import publish
from engagement.period import Period

pytest_plugins = ("rig.dns_server",)
pytestmark = pytest.mark.usefixtures("clock", "store")
JUNE = Period(2018, 6)


@pytest.fixture
def asking(dns_server: Any, world: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Let the shipped AutoLib look domains up, at a nameserver of the test's own."""
    shipped = yaml.safe_load((sources.INCLUDE / "sources" / "autolib.yaml").read_text("utf-8"))
    shipped["email"]["look_up_domains"] = True
    (tmp_path / "sources").mkdir()
    described = yaml.safe_dump(shipped, allow_unicode=True)
    (tmp_path / "sources" / "autolib.yaml").write_text(described, encoding="utf-8")
    world.setattr(sources, "INCLUDE", tmp_path)
    port = dns_server.server_address[1]
    world.setattr(
        emails, "accept_mail", partial(emails.accept_mail, nameservers=["127.0.0.1"], port=port)
    )
    return dns_server


def run(library: Any, reason: str | None = None) -> int:
    url = library.url.update_query_dict({"client_encoding": "latin1"})
    extract(JUNE, url, reread=Reread(reason, "anna") if reason else None)
    check(JUNE)
    return publish(JUNE)


def enrol(library: Any) -> None:
    library.do("DELETE FROM autolib.member")
    for domain in ("mx.example", "null.example", "servfail.example", "nobody.example"):
        library.enrol(1, email=f"somchai@{domain}")


def test_only_a_domain_that_surely_takes_no_mail_makes_an_address_none(
    library: Any, store: Any, asking: Any
) -> None:
    enrol(library)
    assert run(library) == 2
    faults = store.do("SELECT email_raw, email_fault FROM stage.patron ORDER BY record_no")
    assert faults == [
        ("somchai@mx.example", None),
        ("somchai@null.example", "domain takes no mail"),
        ("somchai@servfail.example", None),
        ("somchai@nobody.example", "domain takes no mail"),
    ]


def test_a_domain_is_asked_about_once_a_month_and_what_was_silent_again(
    library: Any, store: Any, asking: Any, clock: Any
) -> None:
    enrol(library)
    run(library)
    asking.asked.clear()
    assert run(library, "once more") == 2
    assert {name for name, _ in asking.asked} == {".", "servfail.example."}
    clock.at(2018, 7, 31, 12)
    library.stand_at(2018, 7, 30)
    asking.asked.clear()
    run(library, "a month later")
    assert "mx.example." in {name for name, _ in asking.asked}


def test_without_a_nameserver_everybody_passes(library: Any, asking: Any) -> None:
    enrol(library)
    asking.shutdown()
    asking.server_close()
    assert run(library) == 4


def test_nobody_is_asked_unless_the_library_wants_it(
    library: Any, store: Any, dns_server: Any
) -> None:
    enrol(library)
    assert run(library) == 4
    assert dns_server.asked == []
    assert store.value("SELECT count(*) FROM pii.mail_domain") == 0
