"""Whoever clicks gets no more survey; whoever only looks, guesses or scans links changes and learns nothing."""

import email
import http.client
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from survey import (
    MailWorld,
    add_person,
    approve,
    publish_people,
    use_campaigns,
    write_campaign,
)

from engagement import address, ledger
from engagement.errors import EngagementError
from engagement.measure import run, suppression, unsubscribe_page
from engagement.settings import settings

ONE_CLICK = "List-Unsubscribe=One-Click"  # RFC 8058, section 3.2
PUBLIC = "https://unsubscribe.library.example.com"
EVENTS = (
    "SELECT kind, address_key, patron_key::text, note FROM core.suppression_event ORDER BY event_id"
)


@dataclass(frozen=True)
class Answer:
    """What the page answered."""

    status: int
    headers: dict[str, str]
    body: str


class Page:
    """The running page, spoken to over a socket."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, method: str, path: str, body: str | None = None) -> Answer:
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        client.request(method, path, body, kind)
        answer = client.getresponse()
        said = Answer(
            answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode()
        )
        client.close()
        return said

    def does_listen(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def click(self, path: str) -> Answer:
        return self.ask("POST", path, ONE_CLICK)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "The page did not start."
        time.sleep(0.02)


@pytest.fixture
def page(sent: list[EmailMessage]) -> Iterator[Page]:
    port = free_port()
    server = unsubscribe_page.server("127.0.0.1", port)
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started)
    yield Page(port)
    server.should_exit = True
    thread.join()


@pytest.fixture
def send(
    world: pytest.MonkeyPatch, clock: Any, store: Any, tmp_path: Path, mails: MailWorld
) -> Callable[[], list[EmailMessage]]:
    """Let a campaign's only wave of 100 go out when called; returns the mails as people got them."""

    def go() -> list[EmailMessage]:
        clock.at(2018, 7, 2)
        publish_people(store, {"staff": 40, "undergraduate": 60})
        write_campaign(use_campaigns(world, tmp_path / "campaigns"), sample={"size": 100})
        approve()
        clock.at(2018, 7, 9, 9)
        run.advance_all()
        run.send_all(mails.server, None)
        files = sorted((mails.folder / "people" / "new").iterdir())
        assert len(files) == 100
        return [email.message_from_bytes(file.read_bytes(), policy=default) for file in files]

    return go


@pytest.fixture
def sent(world: pytest.MonkeyPatch, send: Callable[[], list[EmailMessage]]) -> list[EmailMessage]:
    """A wave of 100 of a library that has the page."""
    world.setenv("ENGAGEMENT_UNSUBSCRIBE_URL", f"{PUBLIC}/")
    settings.cache_clear()
    return send()


def link(mail: EmailMessage) -> str:
    """Return the path of a mail's link, as its mail program finds it."""
    found = re.match(r"<(https://[^>]+)>, <mailto:[^>]+>$", mail["List-Unsubscribe"])
    assert found is not None
    assert found[1].startswith(f"{PUBLIC}/")
    return urlsplit(found[1]).path


def key_of(mail: EmailMessage) -> bytes:
    return address.digest(mail["To"], address.secret())


def test_a_mail_offers_the_click_beside_the_mailto_and_shows_its_reader_the_page(
    sent: list[EmailMessage],
) -> None:
    for mail in sent[:3]:
        assert mail["List-Unsubscribe-Post"] == ONE_CLICK
        shown = f"{PUBLIC}{link(mail)}"
        for kind in ("plain", "html"):
            part = mail.get_body((kind,))
            assert part is not None
            assert shown in part.get_content()
    assert len({link(mail) for mail in sent}) == 100


def test_without_a_public_page_a_mail_offers_the_mailto_alone(
    send: Callable[[], list[EmailMessage]],
) -> None:
    mail = send()[0]
    token = mail["X-Engagement-Token"]
    mailto = f"mailto:bounces+unsubscribe-{token}@bounce.kku.example.com?subject=unsubscribe"
    assert mail["List-Unsubscribe"] == f"<{mailto}>"
    assert "List-Unsubscribe-Post" not in mail
    part = mail.get_body(("plain",))
    assert part is not None
    assert mailto in part.get_content()


def test_a_click_leaves_the_person_and_the_address_in_peace_and_a_second_one_changes_nothing(
    sent: list[EmailMessage], page: Page, store: Any
) -> None:
    mail = sent[0]
    patron = store.value(
        "SELECT person_key::text FROM core.invitation WHERE address_key = %s", [key_of(mail)]
    )
    for _ in range(2):
        answer = page.click(link(mail))
        assert (answer.status, "ยกเลิกเรียบร้อยแล้ว" in answer.body) == (200, True)
    assert sorted(store.do(EVENTS), key=str) == [
        ("opt_out", None, patron, "one click"),
        ("opt_out", key_of(mail), None, "one click"),
    ]


def test_a_mail_programs_click_needs_no_cookie_and_is_not_sent_elsewhere(
    sent: list[EmailMessage], page: Page, store: Any
) -> None:
    boundary = "----b"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
        f"One-Click\r\n--{boundary}--\r\n"
    )
    for mail, said in ((sent[0], ONE_CLICK), (sent[1], body), (sent[2], None)):
        answer = page.ask("POST", link(mail), said)
        assert answer.status == 200
        assert not {"location", "set-cookie"} & set(answer.headers)
    assert store.value("SELECT count(*) FROM core.suppression WHERE patron_key IS NOT NULL") == 3


def test_two_clicks_at_once_are_one(sent: list[EmailMessage], page: Page, store: Any) -> None:
    threads = [threading.Thread(target=page.click, args=[link(sent[0])]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.value("SELECT count(*) FROM core.suppression_event") == 2


def test_opening_the_link_changes_nothing_and_shows_a_button_that_clicks(
    sent: list[EmailMessage], page: Page, store: Any
) -> None:
    path = link(sent[0])
    shown = page.ask("GET", path)
    assert shown.status == 200
    assert 'ยกเลิกการรับ – <span lang="en">Unsubscribe</span></button>' in shown.body
    assert page.ask("HEAD", path).body == ""
    assert page.ask("PUT", path).status == page.ask("DELETE", path).status == 405
    assert store.do(EVENTS) == []
    form = re.search(
        r'<form method="post">\s*<input type="hidden" name="([^"]+)" value="([^"]+)">', shown.body
    )
    assert form is not None
    assert f"{form[1]}={form[2]}" == ONE_CLICK
    assert page.ask("POST", path, f"{form[1]}={form[2]}").status == 200
    assert len(store.do(EVENTS)) == 2


def test_a_reverse_proxy_may_keep_a_path_in_front(
    sent: list[EmailMessage], page: Page, store: Any
) -> None:
    assert page.click(f"/library/no-more{link(sent[0])}").status == 200
    assert len(store.do(EVENTS)) == 2


def test_who_guesses_is_told_the_same_whether_there_is_such_a_mail_or_not(
    sent: list[EmailMessage], page: Page, store: Any
) -> None:
    path = link(sent[0])
    token, signature = path[1:33], path[33:]
    other = link(sent[1])[33:]
    never_sent = f"/{'0' * 32}{signature}"
    guesses = [
        f"/{token}",
        f"/{token}{'0' * 32}",
        f"/{token}{other}",
        never_sent,
        "/",
        f"{path}0",
        f"/x{path[1:]}",
    ]
    answers = [page.ask(method, guess, None) for guess in guesses for method in ("GET", "POST")]
    assert {answer.status for answer in answers} == {404}
    assert len({answer.body for answer in answers}) == 1
    assert "ลิงก์นี้ใช้ไม่ได้" in answers[0].body
    assert store.do(EVENTS) == []


def test_a_signed_link_to_a_mail_that_is_gone_is_told_what_a_guess_is(
    sent: list[EmailMessage], page: Page, store: Any
) -> None:
    path = link(sent[0])
    store.do("DELETE FROM core.message WHERE token = %s", [path[1:33]])
    gone, guessed = page.click(path), page.click(f"{path[:-1]}x")
    assert (gone.status, gone.body) == (guessed.status, guessed.body) == (404, gone.body)


def test_a_click_holds_after_the_campaign_was_closed_and_its_personal_links_were_deleted(
    sent: list[EmailMessage], page: Page, store: Any, clock: Any
) -> None:
    clock.at(2018, 12, 1)
    run.advance_all()
    store.do("DELETE FROM pii.survey_token")
    assert page.click(link(sent[0])).status == 200
    kept = store.do("SELECT count(*), count(address_key), count(patron_key) FROM core.suppression")
    assert kept == [(2, 1, 1)]


def test_an_objection_by_a_click_holds_for_every_record_of_the_person(
    sent: list[EmailMessage], page: Page, store: Any
) -> None:
    person = store.value(
        "SELECT person_key::text FROM core.invitation WHERE address_key = %s", [key_of(sent[0])]
    )
    second = add_person(store, "second@kku.example.com", "graduate", person=person)
    page.click(link(sent[0]))
    kept = store.do("SELECT patron_key::text FROM core.suppression WHERE patron_key IS NOT NULL")
    assert {key for (key,) in kept} == {person, second}


def test_a_click_since_the_backup_is_entered_again_and_what_was_lifted_stays_lifted(
    sent: list[EmailMessage], page: Page, store: Any, world: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world.setenv("ENGAGEMENT_HOME", str(tmp_path / "var"))
    settings.cache_clear()
    for mail in sent[:2]:
        assert page.click(link(mail)).status == 200
    (noted,) = (tmp_path / "var" / "opt-outs").iterdir()
    assert noted.name == "2018-07.log"
    assert noted.stat().st_mode & 0o777 == 0o600
    lines = noted.read_text().split("\n\n")
    assert [line.split()[1] for line in lines] == [link(mail)[1:33] for mail in sent[:2]]
    noted.write_text(f"2018-07-0\n{noted.read_text()}2018-07-09T09:00:00+07:00 {'0' * 32}\n")
    # The backup knows the first click, which somebody has lifted since, and not the second.
    second = key_of(sent[1])
    store.do(
        "DELETE FROM core.suppression_event WHERE address_key = %s OR patron_key = "
        "(SELECT person_key FROM core.invitation WHERE address_key = %s)",
        [second := key_of(sent[1]), second],
    )
    suppression.lift(sent[0]["To"], "anna", "asked for it", is_objection_too=True)
    ledger.compare(None)
    kept = store.do("SELECT address_key, event_at FROM core.suppression ORDER BY event_id")
    instant = datetime.fromisoformat(lines[1].split()[0])
    assert sorted(kept, key=str) == [(None, instant), (second, instant)]


@pytest.mark.parametrize(
    "half",
    ["2018-07-0", "2018-07-09T10:00", f"2018-07-09T10:00:00+07:00 {'0' * 28}", "2018-13-01T10:"],
)
def test_half_a_line_that_a_crash_has_left_swallows_no_click(
    sent: list[EmailMessage],
    page: Page,
    store: Any,
    world: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: Any,
    half: str,
) -> None:
    world.setenv("ENGAGEMENT_HOME", str(tmp_path / "var"))
    settings.cache_clear()
    noted = tmp_path / "var" / "opt-outs" / "2018-07.log"
    noted.parent.mkdir(parents=True)
    noted.write_text(half)
    page.click(link(sent[0]))
    # A click that stands behind half a line, as one did before each had a line of its own.
    with noted.open("a") as file:
        file.write(f"{half}2018-07-10T08:00:00+07:00 {link(sent[1])[1:33]}\n")
        file.write(f"2018-13-10T08:00:00+07:00 {link(sent[1])[1:33]}\n")
    store.do("DELETE FROM core.suppression_event")
    ledger.compare(None)
    kept = store.do("SELECT address_key FROM core.suppression WHERE address_key IS NOT NULL")
    assert {key for (key,) in kept} == {key_of(sent[0]), key_of(sent[1])}
    assert f"2 lines of {noted} are no whole clicks." in caplog.text


def test_a_click_that_cannot_be_noted_holds_all_the_same(
    sent: list[EmailMessage], page: Page, store: Any, world: Any, tmp_path: Path, caplog: Any
) -> None:
    (tmp_path / "var").write_text("")
    world.setenv("ENGAGEMENT_HOME", str(tmp_path / "var"))
    settings.cache_clear()
    assert page.click(link(sent[0])).status == 200
    assert len(store.do(EVENTS)) == 2
    assert "A click holds, but is not noted" in caplog.text


def test_no_answer_tells_anything_of_the_patron_nor_hands_the_link_on(
    sent: list[EmailMessage], page: Page
) -> None:
    path = link(sent[0])
    for answer in (page.ask("GET", path), page.click(path), page.click("/")):
        assert path[1:33] not in answer.body
        assert sent[0]["To"] not in answer.body
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "form-action 'self'" in policy
        assert "server" not in answer.headers
        assert not re.search(r"(src|href)=", answer.body)


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 26\r\n\r\nList",
    ],
)
def test_who_begins_a_request_and_never_ends_it_does_not_keep_others_out(
    sent: list[EmailMessage], page: Page, world: pytest.MonkeyPatch, begun: bytes
) -> None:
    world.setattr(unsubscribe_page, "_LONGEST_REQUEST_S", 3)
    held: list[socket.socket] = []
    try:
        while page.ask("GET", "/").status != 503:  # one by one: a rush is refused and holds nothing
            held.append(socket.create_connection(("127.0.0.1", page.port)))
            held[-1].sendall(begun)
            assert len(held) < 200
        time.sleep(4)
        assert page.click(link(sent[0])).status == 200
    finally:
        for client in held:
            client.close()


def test_who_asks_and_then_begins_again_without_an_end_is_hung_up_on(
    page: Page, world: pytest.MonkeyPatch
) -> None:
    with socket.create_connection(("127.0.0.1", page.port), timeout=20) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /")
        said = b"".join(iter(lambda: client.recv(65_536), b""))
    assert said.startswith(b"HTTP/1.1 404")
    assert b"connection: close" in said.lower()


def test_a_body_that_is_too_long_is_not_read(
    sent: list[EmailMessage], page: Page, store: Any
) -> None:
    assert page.ask("POST", link(sent[0]), "x" * 5000).status == 413
    assert store.do(EVENTS) == []


def test_while_the_warehouse_is_away_a_click_is_asked_to_come_again_and_no_log_names_the_link(
    sent: list[EmailMessage], store: Any, world: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nowhere = store.url.set(database="nowhere").render_as_string(False)
    world.setenv("ENGAGEMENT_WAREHOUSE_URL", nowhere)
    port, path = free_port(), link(sent[0])
    code = "from engagement.cli import main; main()"
    command = [sys.executable, "-c", code, "suppression", "serve", "--port", str(port)]
    log = tmp_path / "log"
    with log.open("w") as said, subprocess.Popen(command, stdout=said, stderr=said) as process:
        try:
            page = Page(port)
            wait_until(lambda: process.poll() is not None or page.does_listen())
            assert page.ask("GET", path).status == 200
            answer = page.click(path)
        finally:
            process.terminate()
    assert (answer.status, "ขณะนี้ยังยกเลิกไม่ได้" in answer.body) == (503, True)
    assert "Nobody can unsubscribe: Connecting failed in the warehouse" in log.read_text()
    assert path[1:33] not in log.read_text()


@pytest.mark.parametrize(
    "written", ["http://library.example.com", "library.example.com", "https://a.example/?x=1"]
)
def test_a_public_address_without_tls_or_that_is_none_is_refused_in_one_sentence(
    world: pytest.MonkeyPatch, written: str
) -> None:
    world.setenv("ENGAGEMENT_UNSUBSCRIBE_URL", written)
    settings.cache_clear()
    with pytest.raises(EngagementError, match=r"^ENGAGEMENT_UNSUBSCRIBE_URL is wrong: .*see \.env"):
        settings()
