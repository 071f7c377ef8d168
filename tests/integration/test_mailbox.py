"""Mailboxes on a real IMAP server and in a real Maildir: every mail is found once, and nothing is changed."""

import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from mailbox import Maildir
from pathlib import Path
from typing import Any

import pytest

from engagement import mailbox
from engagement.errors import EngagementError
from engagement.mail import TOKEN_HEADER
from engagement.mailbox import Place, opened

pytest_plugins = ("rig.mail_world",)

ARRIVED_AT = datetime(2018, 7, 9, 1, tzinfo=UTC)
MANY = 10_000
MANY_BYTES = 4_000
_BROKEN = "could not be read to its end .*; run again"
_DELIVER_MANY = f"""
import os, sys
for number in range({MANY}):
    with open(f"{{sys.argv[1]}}/new/{{1_500_000_000 + number}}.M1P1.host", "w") as file:
        file.write(f"{TOKEN_HEADER}: many-{{number}}\\nSubject: many\\n\\n" + "x" * {MANY_BYTES})
    os.chmod(file.name, 0o644)
"""


@pytest.fixture
def mails(mail_world: Any) -> Any:
    mail_world.clear()
    return mail_world


class Box:
    """A mailbox under test: where it is, how a mail arrives there, and the flags of its mails."""

    def __init__(
        self, place: Place, deliver: Callable[[bytes], None], flags: Callable[[], list[str]]
    ) -> None:
        self.place = place
        self.deliver = deliver
        self.flags = flags


def on_imap(mails: Any) -> Box:
    def deliver(content: bytes) -> None:
        with mails.imap("people") as client:
            client.append("INBOX", None, None, content)

    def flags() -> list[str]:
        with mails.imap("people") as client:
            return sorted(map(str, client.fetch("1:*", "(UID FLAGS)")[1]))

    return Box(mails.people, deliver, flags)


def in_maildir(folder: Path) -> Box:
    kept = Maildir(folder)

    def flags() -> list[str]:
        return sorted(str(path) for path in folder.rglob("*"))

    return Box(Place(f"maildir:{folder}"), lambda content: void(kept.add(content)), flags)


def void(_: object) -> None: ...


@pytest.fixture(params=["imap", "maildir"])
def box(request: pytest.FixtureRequest, mails: Any, tmp_path: Path) -> Box:
    return on_imap(mails) if request.param == "imap" else in_maildir(tmp_path / "box")


def mail(token: str) -> bytes:
    return f"{TOKEN_HEADER}: {token}\r\nSubject: a mail\r\n\r\nthe text of {token}\r\n".encode()


def read(place: Place) -> dict[str, bytes]:
    """Return every mail of a mailbox by its mark; a mark that is told twice fails."""
    found: dict[str, bytes] = {}
    with opened(place) as box:
        for marks in box.marks():
            for mark in marks:
                assert mark not in found
                one = box.read(mark)
                assert one is not None
                assert one.mark == mark
                found[mark] = one.content
    return found


def sentence_of(place: Place) -> str:
    with pytest.raises(EngagementError) as caught, opened(place):
        pass
    assert ":rig" not in str(caught.value)
    assert "wrong" not in str(caught.value)
    return str(caught.value)


# What lies there


def test_every_mail_is_read_once_and_again_under_the_same_mark(box: Box) -> None:
    for number in range(5):
        box.deliver(mail(f"t{number}"))
    first = read(box.place)
    assert sorted(content.split()[1] for content in first.values()) == [
        f"t{number}".encode() for number in range(5)
    ]
    box.deliver(mail("t5"))
    after = read(box.place)
    assert len(after) == 6
    assert after.items() > first.items()


def test_a_mailbox_is_told_in_lists_of_bounded_length(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "_AT_ONCE", 3)
    for number in range(8):
        box.deliver(mail(f"t{number}"))
    with opened(box.place) as there:
        lengths = [len(marks) for marks in there.marks()]
    assert sum(lengths) == 8
    assert max(lengths) <= 3


def test_an_empty_mailbox_holds_nothing(box: Box) -> None:
    assert read(box.place) == {}
    with opened(box.place) as there:
        assert not there.holds("t1")


def test_a_mail_that_arrived_a_moment_ago_is_found_by_its_token(box: Box) -> None:
    box.deliver(mail("t1"))
    with opened(box.place) as there:
        assert there.holds("t1")
        assert not there.holds("t2")
        box.deliver(mail("t2"))
        assert there.holds("t2")


def test_reading_changes_nothing(box: Box) -> None:
    for number in range(3):
        box.deliver(mail(f"t{number}"))
    before = box.flags()
    assert len(before) >= 3
    read(box.place)
    with opened(box.place) as there:
        assert there.holds("t1")
    assert box.flags() == before


def test_a_mail_that_has_gone_is_none(mails: Any, tmp_path: Path) -> None:
    box = in_maildir(tmp_path / "box")
    box.deliver(mail("t1"))
    with opened(box.place) as there:
        ((mark,),) = there.marks()
        next((tmp_path / "box" / "new").iterdir()).unlink()
        assert there.read(mark) is None
        assert not there.holds("t1")
    on_imap(mails).deliver(mail("t1"))
    with opened(mails.people) as there:
        ((mark,),) = there.marks()
        mails.clear()
        assert there.read(mark) is None


def test_a_mail_tells_when_it_arrived(mails: Any, tmp_path: Path) -> None:
    with mails.imap("people") as client:
        client.append("INBOX", None, '" 9-Jul-2018 08:00:00 +0700"', mail("t1"))
    with opened(mails.people) as there:
        ((mark,),) = there.marks()
        assert there.read(mark).received_at == ARRIVED_AT
    box = in_maildir(tmp_path / "box")
    box.deliver(mail("t1"))
    os.utime(
        next((tmp_path / "box" / "new").iterdir()), (ARRIVED_AT.timestamp(), ARRIVED_AT.timestamp())
    )
    with opened(box.place) as there:
        ((mark,),) = there.marks()
        assert there.read(mark).received_at == ARRIVED_AT


# IMAP


def test_a_folder_that_was_made_again_has_other_marks(mails: Any) -> None:
    place = mails.place("people", "Survey")
    with mails.imap("people") as client:
        client.create("Survey")
        client.append("Survey", None, None, mail("old"))
    (old,) = read(place)
    with mails.imap("people") as client:
        client.delete("Survey")
        client.create("Survey")
        client.append("Survey", None, None, mail("new"))
    try:
        (new,) = read(place)
        assert new != old
        with opened(place) as there:
            assert there.read(old) is None  # not the new mail of the same number
    finally:
        with mails.imap("people") as client:
            client.delete("Survey")


def test_a_server_that_cannot_look_is_no_answer_to_whether_a_mail_is_there(
    mails: Any, tmp_path: Path
) -> None:
    """An error taken for yes loses a mail; one taken for no sends it twice."""
    on_imap(mails).deliver(mail("t1"))
    mails.run("sh", "-c", "cd /var/mail/boxes/people; chmod 000 */*.*; rm dovecot.index.cache")
    box = in_maildir(tmp_path / "box")
    (tmp_path / "box" / "new" / "1.M1P1.host").mkdir()  # cannot be opened as a file
    for place in (mails.people, box.place):
        with pytest.raises(EngagementError, match=_BROKEN), opened(place) as there:
            there.holds("t2")
        with pytest.raises(EngagementError, match=_BROKEN):
            read(place)


def test_a_line_that_breaks_while_reading_is_told(mails: Any) -> None:
    on_imap(mails).deliver(mail("t1"))

    def look() -> None:
        with opened(mails.people) as there:
            mails.run("doveadm", "-c", "/var/mail/dovecot.conf", "kick", "people")
            there.holds("t1")

    with pytest.raises(EngagementError, match=_BROKEN):
        look()


def test_a_mailbox_that_cannot_be_opened_is_told_in_one_sentence(
    mails: Any, tmp_path: Path
) -> None:
    host = mails.server.host
    assert "does not take the login" in sentence_of(Place(f"imap://people:wrong@{host}:10143"))
    assert f"{host} does not answer" in sentence_of(Place(f"imap://people:rig@{host}:1/INBOX"))
    assert "has no folder Nowhere" in sentence_of(mails.place("people", "Nowhere"))
    assert "is no Maildir" in sentence_of(Place(f"maildir:{tmp_path}"))
    assert "A mailbox is imap://" in sentence_of(Place(f"pop3://people@{host}"))


# Maildir


def test_a_mail_that_a_mail_program_has_moved_is_still_the_same(tmp_path: Path) -> None:
    box = in_maildir(tmp_path / "box")
    box.deliver(mail("t1"))
    (mark,) = read(box.place)
    (file,) = (tmp_path / "box" / "new").iterdir()
    file.rename(tmp_path / "box" / "cur" / f"{file.name}:2,S")
    assert list(read(box.place)) == [mark]


def test_names_that_begin_alike_are_different_mails(tmp_path: Path) -> None:
    Maildir(tmp_path / "box")
    for name, token in (("1.M1P1.host2", "t2"), ("1.M1P1.host", "t1"), ("1.M1P[1].host", "t3")):
        (tmp_path / "box" / "cur" / f"{name}:2,S").write_bytes(mail(token))
    found = read(Place(f"maildir:{tmp_path / 'box'}"))
    assert {mark: content.split()[1] for mark, content in found.items()} == {
        "1.M1P1.host2": b"t2",
        "1.M1P1.host": b"t1",
        "1.M1P[1].host": b"t3",
    }


# Many


@pytest.mark.parametrize("kind", ["imap", "maildir"])
def test_ten_thousand_mails_are_never_held_in_memory_at_once(
    kind: str, mails: Any, tmp_path: Path
) -> None:
    if kind == "imap":
        mails.run(sys.executable, "-c", _DELIVER_MANY, "/var/mail/boxes/people")
        place = mails.people
    else:
        Maildir(tmp_path / "box")
        place = Place(f"maildir:{tmp_path / 'box'}")
        subprocess.run([sys.executable, "-c", _DELIVER_MANY, tmp_path / "box"], check=True)
    read_bytes = 0
    seen = set()
    with opened(place) as there:
        tracemalloc.start()
        try:
            for marks in there.marks():
                for mark in marks:
                    read_bytes += len(there.read(mark).content)
                    seen.add(mark)
            assert there.holds(f"many-{MANY - 1}")
            assert not there.holds("nobody")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert len(seen) == MANY
    assert read_bytes > MANY * MANY_BYTES
    assert peak < 16 * 1024**2  # their marks, and not what is in them
