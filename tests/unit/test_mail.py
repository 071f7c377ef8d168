"""A mail arrives as it was written, and the server's answer is understood, whatever it is."""

import email
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from engagement import mail
from engagement.errors import EngagementError
from engagement.mail import Handover, MailServer, Verdict

SENDER = "สำนักหอสมุด <engagement@library.example.com>"
TEXT = "เรียน ผู้บริหาร\n.\n..\nลูกค้าที่แท้จริง 12,083 ราย\n" + "น้ำ" * 900 + "\nFrom here on\n"
HTML = "<p>ลูกค้าที่แท้จริง <b>12,083</b> ราย &amp; อื่น ๆ</p>"


def built(
    recipient: str = "director@library.example.com",
    token: str = "0123456789abcdef",  # noqa: S107
    values: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    **changes: str,
) -> bytes:
    words = {
        "sender": SENDER,
        "subject": "รายงานลูกค้าที่แท้จริง มิถุนายน 2561: 12,083 ราย",
        "text": TEXT,
        "html": HTML,
        "language": "th",
    }
    return mail.Letter(**words | changes).addressed(recipient, token, values, headers)


def received(message: bytes) -> EmailMessage:
    """Return the message as a mail program reads it."""
    read = email.message_from_bytes(message, policy=default)
    assert isinstance(read, EmailMessage)
    assert not read.defects
    return read


# What is built


def test_a_mail_has_a_text_and_an_html_part_that_say_what_was_written(clock):
    read = received(built())
    assert read.get_content_type() == "multipart/alternative"
    parts = list(read.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert parts[0].get_content().replace("\r\n", "\n") == TEXT
    assert parts[1].get_content().strip() == HTML


def test_thai_travels_in_base64_and_no_line_is_too_long_for_a_relay(clock):
    raw = built()
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    for part in received(built()).iter_parts():
        assert part["Content-Transfer-Encoding"] == "base64"
        assert part.get_content_charset() == "utf-8"


def test_the_headers_say_who_to_whom_when_in_which_language_and_that_no_person_wrote_it(clock):
    now = clock.at(2018, 8, 1, 8)
    read = received(built())
    assert read["From"] == SENDER
    assert read["From"].addresses[0].addr_spec == "engagement@library.example.com"
    assert read["To"] == "director@library.example.com"
    assert read["Date"].datetime == now
    assert read["Content-Language"] == "th"
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["X-Engagement-Token"] == "0123456789abcdef"
    assert read["Message-ID"] == "<0123456789abcdef@library.example.com>"
    assert len({name.lower() for name in read.keys()}) == len(read.keys())  # noqa: SIM118


@pytest.mark.parametrize(
    "subject",
    [
        "[catch-all] รายงานลูกค้าที่แท้จริง มิถุนายน 2561: 12,083 ราย",
        "น้ำผึ้ง" * 25,
        " ".join(["ลูกค้าที่แท้จริง", "12,083", "ราย"] * 6),
        "Report 2018-06: 12,083 real customers, 20.0 % of 60,403 records of the whole library system",
        "ก",
    ],
)
def test_a_subject_arrives_letter_by_letter_however_long_it_is(clock, subject):
    assert received(built(subject=subject))["Subject"] == subject


@pytest.mark.parametrize(
    "name",
    ["สำนักหอสมุด มหาวิทยาลัยขอนแก่น", "น้ำ" * 30, "Library, Khon Kaen", "Library", "ก"],
)
def test_the_senders_name_arrives_letter_by_letter_however_long_it_is(clock, name):
    quoted = f'"{name}"' if "," in name else name
    raw = built(sender=f"{quoted} <a@library.example.com>")
    # As RFC 2047 has it; Python's own new parser reads a space between two encoded words of a name.
    header = email.message_from_bytes(raw)["From"]
    found = parseaddr(str(make_header(decode_header(header))))
    assert found == (name, "a@library.example.com")


def test_copies_differ_by_their_token_alone(clock):
    one, other = (received(built(token=token)) for token in ("a" * 32, "b" * 32))
    assert one["Message-ID"] != other["Message-ID"]
    assert one["X-Engagement-Token"] != other["X-Engagement-Token"]
    same = ("From", "To", "Subject", "Date", "Auto-Submitted", "Content-Language")
    assert all(one[header] == other[header] for header in same)


@pytest.mark.parametrize("sender", ["engagement@library.example.com", SENDER])
def test_the_message_id_is_of_the_senders_domain_and_tells_no_address(clock, sender):
    found = received(built(sender=sender))["Message-ID"]
    assert found == "<0123456789abcdef@library.example.com>"
    assert "director" not in found


def test_what_is_personal_is_put_into_both_parts_and_harmless_in_html(clock):
    mark = "\ue000link\ue000"
    read = received(
        built(
            text=f"ตอบ: {mark}\n",
            html=f'<a href="{mark}">ตอบ</a>',
            values={mark: 'https://forms.example/?a=1&b="<2>"'},
            headers={"List-Unsubscribe": "<mailto:bounces+unsubscribe-1@library.example.com>"},
        )
    )
    text, html = (part.get_content().strip() for part in read.iter_parts())
    assert text == 'ตอบ: https://forms.example/?a=1&b="<2>"'
    assert html == '<a href="https://forms.example/?a=1&amp;b=&quot;&lt;2&gt;&quot;">ตอบ</a>'
    assert read["List-Unsubscribe"] == "<mailto:bounces+unsubscribe-1@library.example.com>"


PICTURE, PDF = b"\x89PNG" + bytes(range(256)) * 8, b"%PDF-1.7\n" + bytes(range(256)) * 40
BOARD = mail.Attachment("รายงานลูกค้า กรกฎาคม 2561.pdf", "report-2018-07.pdf", PDF)


def with_picture(attachment: mail.Attachment | None) -> EmailMessage:
    html = '<p>ลูกค้า</p><img src="cid:trend" alt="12,083">'
    letter = mail.Letter(
        sender=SENDER, subject="รายงาน", text=TEXT, html=html, language="th",
        pictures={"trend": PICTURE}, attachment=attachment,
    )  # fmt: skip
    raw = letter.addressed("director@library.example.com", "0123456789abcdef")
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    return received(raw)


def test_a_picture_is_shown_where_the_html_names_it_and_is_no_attachment(clock):
    read = with_picture(None)
    assert read.get_content_type() == "multipart/related"
    assert read.get_param("type") == "multipart/alternative"
    both, picture = read.iter_parts()
    assert [p.get_content_type() for p in both.iter_parts()] == ["text/plain", "text/html"]
    assert picture.get_content_type() == "image/png"
    assert picture.get_content_disposition() == "inline"
    assert picture.get_content() == PICTURE
    shown = read.get_body(("html",)).get_content()
    assert f'cid:{picture["Content-ID"].strip("<>")}"' in shown
    assert picture["Content-ID"] == "<trend@library.example.com>"


def test_the_pdf_is_attached_under_its_thai_name_with_one_in_ascii_for_old_programs(clock):
    read = with_picture(BOARD)
    assert read.get_content_type() == "multipart/mixed"
    inner, pdf = read.iter_parts()
    assert inner.get_content_type() == "multipart/related"
    assert pdf.get_content_disposition() == "attachment"
    assert pdf.get_filename() == "รายงานลูกค้า กรกฎาคม 2561.pdf"
    assert pdf["Content-Type"].params["name"] == "report-2018-07.pdf"
    assert pdf.get_content() == PDF
    assert [p.get_content_type() for p in read.iter_attachments()] == ["application/pdf"]
    assert read.get_body(("plain",)).get_content().replace("\r\n", "\n") == TEXT


def test_nobody_can_write_a_header_of_his_own_into_a_mail(clock):
    with pytest.raises(ValueError, match="linefeed"):
        built(subject="Report\r\nBcc: everybody@library.example.com")
    with pytest.raises(ValueError, match="header To"):
        built(recipient="director@library.example.com\r\nBcc: everybody@library.example.com")


def test_a_server_shows_its_place_and_never_its_password():
    server = MailServer("mail.example.com", 587, SENDER, user="library", password="hidden")  # noqa: S106
    assert (repr(server), str(server)) == ("mail.example.com:587",) * 2


# What the server says


class Dialogue:
    """A mail server that answers each command as it is told; None hangs up, "" stays silent."""

    def __init__(self) -> None:
        self.answers: dict[str, str | None] = {}
        self.heard: list[str] = []
        self.text = b""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._line: socket.socket | None = None
        self._over = threading.Event()
        self.server = MailServer(
            "127.0.0.1", self._listening.getsockname()[1], "engagement@library.example.com"
        )
        self._thread = threading.Thread(target=self._talk)
        self._thread.start()

    def _talk(self) -> None:
        self._listening.settimeout(10)
        try:
            self._line, _ = self._listening.accept()
        except OSError:
            return
        with self._line as line, line.makefile("rb") as lines:
            if self._answer(line, "greeting", "220 ready"):
                self._listen(line, lines)

    def _listen(self, line: socket.socket, lines: Any) -> None:
        for heard in lines:
            command = heard[:4].decode().strip().upper()
            self.heard.append(command)
            if not self._answer(line, command, "354 go on" if command == "DATA" else "250 ok"):
                return
            if command == "DATA" and self.answers.get("DATA", "354").startswith("354"):
                self._read_text(lines)
                if not self._answer(line, "text", "250 kept"):
                    return
            if command == "QUIT":
                return

    def _read_text(self, lines: Any) -> None:
        for heard in lines:
            if heard == b".\r\n":
                return
            self.text += heard

    def _answer(self, line: socket.socket, command: str, usual: str) -> bool:
        answer = self.answers.get(command, usual)
        if answer is None:
            return False
        if answer == "":
            self._over.wait(10)
            return False
        line.sendall(answer.encode() + b"\r\n")
        return True

    def end(self) -> None:
        self._over.set()
        for end in (self._listening, self._line):
            with suppress(OSError):
                if end is not None:
                    end.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listening.close()
        assert not self._thread.is_alive()


@pytest.fixture
def dialogue(clock, world) -> Iterator[Dialogue]:
    made = Dialogue()
    world.setattr(mail, "TIMEOUT_S", 5)
    yield made
    made.end()


def hand_over(dialogue: Dialogue, recipient: str = "director@library.example.com") -> Handover:
    with mail.connect(dialogue.server) as connection:
        return connection.hand_over(built(), "engagement@library.example.com", recipient)


def verdict(handover: Handover) -> tuple[Verdict, int | None]:
    return handover.verdict, handover.code


def test_what_the_server_keeps_is_accepted(dialogue):
    assert verdict(hand_over(dialogue)) == (Verdict.ACCEPTED, 250)
    assert dialogue.heard == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]
    assert b"X-Engagement-Token: 0123456789abcdef" in dialogue.text


@pytest.mark.parametrize(
    ("command", "answer", "meant"),
    [
        ("MAIL", "421 4.7.0 too many connections", Verdict.LATER),
        ("MAIL", "451 4.3.0 try later", Verdict.LATER),
        ("MAIL", "553 5.1.8 sender unknown", Verdict.REFUSED),
        ("RCPT", "450 4.2.1 greylisted", Verdict.LATER),
        ("RCPT", "452 4.2.2 mailbox full", Verdict.LATER),
        ("RCPT", "550 5.1.1 no such user", Verdict.REFUSED),
        ("RCPT", "599 5.0.0 no", Verdict.REFUSED),
        ("DATA", "451 4.3.0 try later", Verdict.LATER),
        ("DATA", "554 5.7.1 no", Verdict.REFUSED),
        ("text", "452 4.3.1 disk full", Verdict.LATER),
        ("text", "554 5.7.1 looks like spam", Verdict.REFUSED),
    ],
)
def test_a_four_means_later_and_a_five_means_never(dialogue, command, answer, meant):
    dialogue.answers[command] = answer
    found = hand_over(dialogue)
    assert verdict(found) == (meant, int(answer[:3]))
    status = answer.split()[1]
    assert found.status == (status if "." in status else None)
    assert found.text == answer[4:]


def test_a_recipient_whose_mail_is_forwarded_is_taken(dialogue):
    dialogue.answers["RCPT"] = "251 will forward"
    assert hand_over(dialogue).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize("command", ["MAIL", "RCPT"])
@pytest.mark.parametrize("answer", [None, ""], ids=["hung up", "silent"])
def test_a_line_that_breaks_before_the_text_has_sent_nothing(dialogue, world, command, answer):
    world.setattr(mail, "TIMEOUT_S", 0.2)
    dialogue.answers[command] = answer
    assert verdict(hand_over(dialogue)) == (Verdict.LATER, None)
    assert "DATA" not in dialogue.heard


@pytest.mark.parametrize("answer", [None, ""], ids=["hung up", "silent"])
def test_a_line_that_breaks_after_the_text_leaves_it_open_whether_it_was_taken(
    dialogue, world, answer
):
    world.setattr(mail, "TIMEOUT_S", 0.2)
    dialogue.answers["text"] = answer
    assert verdict(hand_over(dialogue)) == (Verdict.UNCERTAIN, None)
    assert dialogue.text


@pytest.mark.parametrize("answer", [None, ""], ids=["hung up", "silent"])
def test_a_line_that_breaks_when_the_text_is_announced_has_sent_nothing_either(
    dialogue, world, answer
):
    world.setattr(mail, "TIMEOUT_S", 0.2)
    dialogue.answers["DATA"] = answer
    assert verdict(hand_over(dialogue)) == (Verdict.LATER, None)
    assert dialogue.text == b""


def test_an_address_that_cannot_be_written_in_ascii_is_refused_and_stops_no_other(dialogue):
    assert hand_over(dialogue, "ผู้อำนวยการ@library.example.com").verdict is Verdict.REFUSED


def test_a_refused_recipient_does_not_spoil_the_next_mail_on_the_line(dialogue):
    dialogue.answers["RCPT"] = "550 5.1.1 no such user"
    with mail.connect(dialogue.server) as connection:
        path = ("engagement@library.example.com", "director@library.example.com")
        assert connection.hand_over(built(), *path).verdict is Verdict.REFUSED
        del dialogue.answers["RCPT"]
        assert connection.hand_over(built(), *path).verdict is Verdict.ACCEPTED
    assert dialogue.heard[1:4] == ["MAIL", "RCPT", "RSET"]


# The connection


def refusal(open_it: Callable[[], Any]) -> str:
    with pytest.raises(EngagementError) as caught:
        open_it()
    assert caught.value.__suppress_context__
    return str(caught.value)


def test_a_server_that_is_not_there_is_named():
    place = MailServer("127.0.0.1", 1, SENDER)
    assert refusal(lambda: mail.connect(place).__enter__()) == (
        "The mail server 127.0.0.1:1 does not answer (ConnectionRefusedError); nothing was sent. "
        "See that it runs and that the connection smtp_default is right, then run again."
    )


@pytest.mark.parametrize("greeting", [None, "", "554 5.3.2 go away", "421 4.3.2 later"])
def test_a_server_that_does_not_want_to_talk_is_named(dialogue, world, greeting):
    world.setattr(mail, "TIMEOUT_S", 0.2)
    dialogue.answers["greeting"] = greeting
    said = refusal(lambda: hand_over(dialogue))
    assert said.startswith(f"The mail server {dialogue.server} does not answer (")


def test_a_server_that_offers_no_encryption_gets_no_mail_when_it_is_asked_for(dialogue):
    asked = MailServer(dialogue.server.host, dialogue.server.port, SENDER, is_starttls=True)
    said = refusal(lambda: mail.connect(asked).__enter__())
    assert "(SMTPNotSupportedError); nothing was sent" in said
    assert "MAIL" not in dialogue.heard


class _Keeper:
    """A real server's handler that keeps the mails it takes."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.kept.append(envelope.original_content)
        return "250 kept"


@pytest.fixture
def real(clock) -> Iterator[tuple[_Keeper, int]]:
    """A real mail server that asks for the login library / right."""
    keeper = _Keeper()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    def login(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        is_right = (data.login, data.password) == (b"library", b"right")
        return AuthResult(success=is_right, handled=False)

    controller = Controller(
        keeper, hostname="127.0.0.1", port=port, authenticator=login, auth_require_tls=False
    )
    controller.start()
    yield keeper, port
    controller.stop()


def test_a_real_server_gets_the_text_with_its_lonely_dots(real):
    keeper, port = real
    server = MailServer("127.0.0.1", port, SENDER, user="library", password="right")  # noqa: S106
    with mail.connect(server) as connection:
        found = connection.hand_over(
            built(), "engagement@library.example.com", "director@library.example.com"
        )
    assert verdict(found) == (Verdict.ACCEPTED, 250)
    read = email.message_from_bytes(keeper.kept[0], policy=default)
    assert isinstance(read, EmailMessage)
    body = read.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == TEXT


def test_a_real_server_takes_the_next_mail_after_an_address_that_cannot_be_written(real):
    keeper, port = real
    server = MailServer("127.0.0.1", port, SENDER, user="library", password="right")  # noqa: S106
    with mail.connect(server) as connection:
        found = [
            connection.hand_over(built(), "engagement@library.example.com", recipient).verdict
            for recipient in ("ผู้อำนวยการ@library.example.com", "director@library.example.com")
        ]
    assert found == [Verdict.REFUSED, Verdict.ACCEPTED]
    assert len(keeper.kept) == 1


def test_a_wrong_password_is_named_and_not_repeated(real):
    server = MailServer("127.0.0.1", real[1], SENDER, user="library", password="wrong-word")  # noqa: S106
    assert refusal(lambda: mail.connect(server).__enter__()) == (
        f"The mail server 127.0.0.1:{real[1]} does not take the login; "
        "correct the connection smtp_default."
    )
