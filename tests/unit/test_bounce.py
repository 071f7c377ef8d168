"""What comes back to the return path of a survey is read as what it is, however broken it arrives."""

import json
import random
import time
from pathlib import Path

import pytest
import yaml

from engagement.errors import EngagementError
from engagement.measure import bounce
from engagement.measure.bounce import patterns
from engagement.settings import INCLUDE

SAMPLES = Path(__file__).parents[1] / "data" / "bounces"
EXPECTED = yaml.safe_load((SAMPLES / "expected.yaml").read_text(encoding="utf-8"))
LONGEST = 1.0  # seconds for one mail, the worst of them


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.eml").read_bytes()


def swapped(name: str, address: str) -> bytes:
    """Return a sample whose recipient is another one."""
    before = EXPECTED[name]["recipient"].encode()
    assert before in sample(name)
    return sample(name).replace(before, address.encode())


def verdicts(*names: str) -> set[str]:
    return {bounce.read(sample(name)).verdict for name in names}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_mail_is_read_as_what_it_is(name):
    reading = bounce.read(sample(name))
    assert {
        "verdict": reading.verdict,
        "recipient": reading.recipient,
        "status": reading.status,
    } == EXPECTED[name], reading.rule


def test_every_sample_is_in_the_table_and_every_verdict_among_them():
    assert {path.stem for path in SAMPLES.glob("*.eml")} == set(EXPECTED)
    assert len(EXPECTED) >= 100
    assert {row["verdict"] for row in EXPECTED.values()} == {
        "hard",
        "soft",
        "auto-reply",
        "complaint",
        "unknown",
    }


def test_a_code_alone_makes_no_dead_address():
    assert verdicts("postfix-spam-with-5.1.1", "qmail-over-quota-5.1.1") == {"soft"}
    assert verdicts("postfix-unknown-with-5.7.1") == {"hard"}


def test_a_domain_that_exists_without_a_mail_server_is_not_dead_one_that_does_not_exist_is():
    gone = sample("postfix-domain-not-found")
    assert b"Host not found" in gone
    bare = gone.replace(b"Host not found", b"Host found but no data record of requested type")
    assert [bounce.read(mail).verdict for mail in (gone, bare)] == ["hard", "soft"]


def test_a_server_that_calls_the_user_unknown_for_now_is_believed_once_delivery_was_given_up():
    given_up = sample("postfix-delayed-user-unknown").replace(b"Action: delayed", b"Action: failed")
    assert b"450 4.1.1" in given_up
    assert bounce.read(given_up).verdict == "hard"
    assert (
        bounce.read(given_up.replace(b"Action: failed", b"Action: delayed")).verdict == "auto-reply"
    )


def test_a_delay_is_no_bounce_even_if_the_server_calls_the_user_unknown():
    reading = bounce.read(sample("postfix-delayed-user-unknown"))
    assert (reading.verdict, reading.rule) == ("auto-reply", "delayed")


def test_a_failure_is_a_bounce_though_it_tells_of_the_delays_before_or_of_those_of_others():
    late = sample("postfix-delayed")
    assert bounce.read(late.replace(b"Action: delayed", b"Action: failed")).verdict == "soft"
    failed = b"\nFinal-Recipient: rfc822; wipa@example.com\nAction: failed\nStatus: 5.2.2\n\n"
    both = late.replace(
        b"\nFinal-Recipient:",
        b"\nFinal-Recipient: rfc822; anong@example.com\n"
        b"Action: delayed\nStatus: 4.4.1\n" + failed + b"Final-Recipient:",
        1,
    )
    reading = bounce.read(both)
    assert (reading.verdict, reading.recipient) == ("soft", "wipa@example.com")


def test_the_rule_that_decided_can_be_looked_up():
    read = yaml.safe_load((INCLUDE / "bounces.yaml").read_text(encoding="utf-8"))
    listed = {row["rule"] for part in ("causes", "hints", "statuses") for row in read[part]}
    code = "".join(path.read_text() for path in Path(bounce.__file__).parent.glob("*.py"))
    for name in EXPECTED:
        rule = bounce.read(sample(name)).rule
        assert rule in listed or f'"{rule}"' in code or rule.startswith("feedback-"), rule


@pytest.mark.parametrize(
    "name", ["postfix-user-unknown", "exim-rcpt-refused", "gmail-2010-prose", "complaint-abuse"]
)
def test_a_report_is_bound_to_our_message_by_what_it_quotes(name):
    reading = bounce.read(sample(name))
    assert reading.tokens == ("q7Jd2mXw",)
    assert reading.message_ids == ("<survey-2018.q7Jd2mXw@kku.example>",)


def test_an_answer_is_bound_to_our_message_by_what_it_answers():
    reading = bounce.read(sample("auto-left-the-university"))
    assert reading.message_ids == ("<survey-2018.q7Jd2mXw@kku.example>",)


def test_a_report_on_a_domain_that_no_mail_reaches_names_the_recipient_all_the_same():
    reading = bounce.read(swapped("exim-unrouteable", "wipa@nodomain.invalid"))
    assert (reading.verdict, reading.recipient) == ("hard", "wipa@nodomain.invalid")


def test_a_mail_that_was_forwarded_to_a_host_inside_names_the_recipient_we_wrote_to():
    forwarded = b"X-Failed-Recipients: wipa@mailhost.local"
    report = sample("exim-unrouteable")
    reading = bounce.read(report.replace(b"X-Failed-Recipients: wipa@nodomain.example", forwarded))
    assert reading.recipient == "wipa@nodomain.example"


def test_a_report_names_the_recipient_we_wrote_to_and_not_where_it_was_forwarded():
    reading = bounce.read(sample("postfix-forwarded-to-a-dead-address"))
    assert reading.recipient == "somchai@example.com"


@pytest.mark.parametrize(
    "local", ["o'brien", "a/b", "a%b", "x!y", "x*y", "b=c", "{d}", "e~f", "_g"]
)
@pytest.mark.parametrize("name", ["postfix-user-unknown", "qmail-no-mailbox", "exim-rcpt-refused"])
def test_an_address_is_read_as_a_whole_and_never_as_the_end_of_one(name, local):
    assert bounce.read(swapped(name, f"{local}@kku.example")).recipient == f"{local}@kku.example"


@pytest.mark.parametrize(
    "odd", ['"x brien"@kku.example', '"x@kku.example"@dept.example', "a@b@c.example"]
)
def test_an_address_that_cannot_be_ours_is_never_taken_for_the_end_of_it(odd):
    report = sample("postfix-user-unknown").partition(b"--")[0] + (
        b"Final-Recipient: rfc822; %s\nAction: failed\nStatus: 5.1.1\n" % odd.encode()
    )
    reading = bounce.read(report)
    assert (reading.verdict, reading.recipient) == ("hard", None)


@pytest.mark.parametrize(
    "written", ["'{}'", "`{}'", "*{}*", "**{}**", "<{}>", "({}).", "mailto:{}"]
)
def test_marks_around_an_address_are_not_of_it(written):
    address = "somchai@kku.example"
    report = f"Subject: failure notice\n\nUser unknown: {written.format(address)}\n"
    assert bounce.read(report.encode()).recipient == address


def nested(levels: int) -> bytes:
    opened = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(levels)
    )
    return b"From: mailer-daemon@example.com\n" + opened + b"\nuser unknown\n" * 20_000


BROKEN = {
    "nothing": b"",
    "zero bytes": b"\0" * 100_000,
    "10,000 nested parts": nested(10_000),
    "100 nested parts and many lines": nested(100),
    "10,000 nested mails": b"Content-Type: message/rfc822\n\n" * 10_000,
    "10,000 reports in each other": b"Content-Type: multipart/report; boundary=b\n\n--b\n"
    b"Content-Type: message/rfc822\n\n" * 10_000,
    "10 MB in one line": b"From: mailer-daemon@example.com\n\n" + b"a" * 10_000_000,
    "50 MB": b"Subject: failure notice\n\n" + b"user unknown a@example.com " * 1_900_000,
    "a header of a megabyte": b"Content-Type: multipart/report" + b";" * 1_000_000 + b"\n\nx",
    "a folded header of a megabyte": b"Content-Type: multipart/report" + b";\n x" * 300_000,
    "a header of encoded words": b"Subject: " + b"=?a?q?b" * 100_000 + b"\n\nx",
    "100,000 headers": b"X-Failed-Recipients: a\n" * 100_000,
    "open tags": b"Content-Type: text/html\n\n" + b"<" * 1_000_000,
    "open styles": b"Content-Type: text/html\n\n" + b"<style" * 200_000,
    "entities": b"Content-Type: text/html\n\n" + b"&#x110000;&" * 100_000,
    "half phrases": b"Subject: failure notice\n\n" + b"user mailbox address account " * 40_000,
    "half addresses": b"Subject: failure notice\n\n" + b"a." * 500_000 + b"@" + b"a." * 500_000,
    "half ids": b"In-Reply-To: " + b"<" * 500_000 + b"\n\n" + b"Message-ID: <" * 100_000,
    "half codes": b"Subject: failure notice\n\n" + b"550-5.1." * 200_000,
    "half fields": b"Content-Type: message/delivery-status\n\n" + b"Status\n Action\n: " * 50_000,
    "a charset that is slow": b"Content-Type: text/plain; charset=punycode\n\n\xffa-"
    + b"b" * 400_000,
    "a charset that is none": b"Content-Type: text/plain; charset=zlib\n\n\xff user unknown",
    "bad base64": b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n" + b"=A" * 99,
    "headers with no end": b"Subject: failure notice",
    "half characters": "ส่งไม่สำเร็จ".encode()[:-1],
    "only line ends": b"\n" * 1_000_000,
    "only carriage returns": b"\r" * 1_000_000,
}


@pytest.mark.parametrize("what", BROKEN)
def test_whatever_arrives_never_stops_the_run(what):
    began = time.perf_counter()
    reading = bounce.read(BROKEN[what])
    assert time.perf_counter() - began < LONGEST
    assert reading.verdict in ("unknown", "soft", "hard")


def test_random_damage_never_stops_the_run():
    chance = random.Random(20180806)  # noqa: S311 - the same damage every time
    originals = [sample(name) for name in sorted(EXPECTED)]
    for _ in range(600):
        mail = bytearray(chance.choice(originals))
        for _ in range(chance.randint(1, 30)):
            place = chance.randrange(len(mail))
            match chance.randrange(4):
                case 0:
                    mail[place] = chance.randrange(256)
                case 1:
                    del mail[place : place + chance.randrange(40)]
                case 2:
                    mail[place:place] = mail[place : place + chance.randrange(200)]
                case _:
                    mail[place:place] = chance.choice([b"\0", b"\n\n", b"\r", b";", b'"', b"=?"])
            mail = mail or bytearray(b"x")
        began = time.perf_counter()
        reading = bounce.read(bytes(mail))
        assert time.perf_counter() - began < LONGEST
        assert reading.rule != "unreadable"


def test_no_damage_makes_a_vacation_note_a_bounce():
    note = sample("auto-left-the-university")
    assert {bounce.read(note[:length]).verdict for length in range(200, len(note), 7)} <= {
        "auto-reply",
        "unknown",
    }


def test_explain_tells_what_decided(tmp_path):
    told = bounce.explain(SAMPLES / "postfix-user-unknown.eml")
    assert json.loads(json.dumps(told)) == told
    assert {key: told[key] for key in ("verdict", "recipient", "status", "rule")} == {
        "verdict": "hard",
        "recipient": "somchai@example.com",
        "status": "5.1.1",
        "rule": "unknown-recipient",
    }
    assert told["file"].endswith("postfix-user-unknown.eml")


def test_explain_of_a_file_that_is_missing_says_so_in_a_sentence(tmp_path):
    for path in (tmp_path / "none.eml", tmp_path):
        with pytest.raises(EngagementError, match="cannot be read"):
            bounce.explain(path)


def test_a_pattern_file_that_is_broken_is_said_at_once(tmp_path, monkeypatch):
    (tmp_path / "bounces.yaml").write_text("causes: [", encoding="utf-8")
    monkeypatch.setattr(patterns, "INCLUDE", tmp_path)
    patterns.book.cache_clear()
    try:
        with pytest.raises(EngagementError, match=r"bounces\.yaml is no valid YAML"):
            bounce.read(b"")
    finally:
        patterns.book.cache_clear()


def groups() -> list[tuple[str, list[dict[str, object]]]]:
    read = yaml.safe_load((INCLUDE / "bounces.yaml").read_text(encoding="utf-8"))
    named = [(row["rule"], row["said"]) for row in [*read["causes"], *read["hints"]]]
    for part in ("reports", "auto_replies", "complaints"):
        named += [(f"{part}.{name}", listed) for name, listed in read[part].items()]
    named = [(name, listed) for name, listed in named if name != "auto_replies.headers"]
    return [*named, ("original", read["original"])]


@pytest.mark.parametrize(("name", "listed"), groups())
def test_every_wording_has_a_source_and_can_be_found(name, listed):
    phrases = [phrase for group in listed for phrase in group["phrases"]]
    assert phrases
    assert all(group["source"] for group in listed)
    assert len(phrases) == len(set(phrases))
    for phrase in phrases:
        assert patterns.normal(phrase).strip() == phrase.strip(), "never stands in a normal text"
