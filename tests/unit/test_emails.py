"""Addresses are read from fields as people fill them, and a likely typing error is seen, never mended."""

import time
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from engagement.demo.faults import Faults
from engagement.demo.people import Desk
from engagement.model.emails import accept_mail, first_address, known_domains, suggestion
from engagement.text import clean

KINDS = (
    "staff",
    "undergraduate",
    "graduate",
    "international",
    "alumni_retired",
    "external",
    "pupil",
)

pytest_plugins = ("rig.dns_server",)


# The field


@pytest.mark.parametrize(
    ("field", "first"),
    [
        ("somchai@kku.ac.th", "somchai@kku.ac.th"),
        ("Somchai@KKU.ac.th", "Somchai@kku.ac.th"),
        ("a@kku.ac.th, b@kku.ac.th", "a@kku.ac.th"),
        ("a@kku.ac.th;b@kku.ac.th", "a@kku.ac.th"),
        ("a@kku.ac.th / b@kku.ac.th", "a@kku.ac.th"),
        ("a@kku.ac.th|b@kku.ac.th", "a@kku.ac.th"),
        ("a@kku.ac.th\nb@kku.ac.th", "a@kku.ac.th"),
        ("a@kku.ac.th b@kku.ac.th", "a@kku.ac.th"),
        ("; a@kku.ac.th", "a@kku.ac.th"),
        ("mailto:a@kku.ac.th", "a@kku.ac.th"),
        ("E-Mail: a@kku.ac.th", "a@kku.ac.th"),
        ("Somchai Jaidee <a@kku.ac.th>", "a@kku.ac.th"),
        ("สมชาย ใจดี <mailto:a@kku.ac.th>, b@kku.ac.th", "a@kku.ac.th"),
        ("<a@kku.ac.th>", "a@kku.ac.th"),
        ("043-202-000, a@kku.ac.th", "a@kku.ac.th"),
        ("a@kku, a@kku.ac.th", "a@kku.ac.th"),
        ("(a@kku.ac.th)", "a@kku.ac.th"),
        ("[a@kku.ac.th]", "a@kku.ac.th"),
        ("สมชาย (a@kku.ac.th)", "a@kku.ac.th"),
        ("a@kku.ac.th(work) b@kku.ac.th", "a@kku.ac.th"),
        ("a@kku.ac.th.", "a@kku.ac.th"),
        ("(a@kku.ac.th).", "a@kku.ac.th"),
        ("mail me at a@kku.ac.th. Thank you.", "a@kku.ac.th"),
        ("สมชาย@kku.ac.th a@kku.ac.th", "a@kku.ac.th"),
    ],
)
def test_the_first_address_of_a_field_is_its_address(field, first):
    assert first_address(field) == first


@pytest.mark.parametrize(
    "field",
    ["", "-", "ไม่มี", "somchai", "a@", "@kku.ac.th", "a@@kku.ac.th", "a @kku.ac.th", "a@ kku.ac.th", "a@kku,ac,th",
     "a@kku .ac.th", "a@kku", "a@kku.", "a.@kku.ac.th", "()", "[@]", "somchai(jai)@kku.ac.th", "สมชาย@kku.ac.th", "mailto:", "043-202-000",
     "www.kku.ac.th/a", "line: a", "<>", ";;"],
)  # fmt: skip
def test_a_field_without_an_address_has_none(field):
    assert first_address(field) is None


def test_what_the_simulated_library_breaks_is_no_address_and_what_it_wears_stays_one():
    desk = Desk(1)
    faults = Faults(desk)
    broken, worn = set(), {}
    for number in range(4000):
        member = desk.enrol(KINDS[number % len(KINDS)], "", "")
        written = member.email
        (faults.email if number % 2 else faults.wear)(member)
        if number % 2:
            broken.add(clean(member.email or ""))
        elif member.email != written:
            worn[clean(member.email)] = written
    assert len(broken) > 500
    assert len(worn) > 50
    assert {field for field in broken if first_address(field)} == set()
    read = {field: first_address(field) or "" for field in worn}
    assert {field for field in worn if read[field].lower() != worn[field]} == set()


# Suggestions


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gmial.com", "gmail.com"), ("gamil.com", "gmail.com"), ("gmal.com", "gmail.com"), ("gmaill.com", "gmail.com"),
        ("gnail.com", "gmail.com"), ("gmail.con", "gmail.com"), ("gmail.co", "gmail.com"), ("gmail.cm", "gmail.com"),
        ("gmail.c.om", "gmail.com"), ("hotmial.com", "hotmail.com"), ("hotmai.com", "hotmail.com"),
        ("hotmail.co", "hotmail.com"), ("yaho.com", "yahoo.com"), ("yahooo.com", "yahoo.com"), ("outlok.com", "outlook.com"),
        ("icloud.con", "icloud.com"), ("live.con", "live.com"), ("kkumial.com", "kkumail.com"), ("kkumail.co", "kkumail.com"),
        ("kku.ac.ht", "kku.ac.th"), ("kku.ac.t", "kku.ac.th"), ("kku.ca.th", "kku.ac.th"), ("kkuac.th", "kku.ac.th"),
        ("kku.acth", "kku.ac.th"), ("mahidl.ac.th", "mahidol.ac.th"), ("mail.kmut.ac.th", "mail.kmutt.ac.th"),
        ("GMIAL.com", "gmail.com"),
    ],
)  # fmt: skip
def test_one_wrong_keystroke_in_a_known_domain_gets_a_suggestion(typed, meant):
    assert suggestion(f"Somchai.k@{typed}", known_domains()) == f"Somchai.k@{meant}"


def test_no_known_domain_is_taken_for_another_one():
    known = known_domains()
    assert len(known) > 200
    assert known >= {
        "gmail.com", "ymail.com", "mail.com", "email.com", "gmx.com", "kku.ac.th", "kkumail.com", "ku.ac.th",
        "cmu.ac.th", "psu.ac.th", "kmutt.ac.th", "kmutnb.ac.th", "rmuti.ac.th", "rmutl.ac.th", "chula.ac.th",
    }  # fmt: skip
    assert {domain for domain in known if suggestion(f"a@{domain}", known)} == set()
    assert {domain for domain in known if suggestion(f"a@{domain.upper()}", known)} == set()


@pytest.mark.parametrize(
    "torn",
    [
        "somchai,jai@kku.ac.th",
        "somchai jai@kku.ac.th",
        "somchai/jai@kku.ac.th",
        "somchai;jai@kku.ac.th",
    ],
)
def test_an_address_that_was_torn_in_two_is_not_taken_for_somebody_elses(torn):
    assert first_address(torn) is None


@pytest.mark.parametrize(
    "real",
    ["kkk.ac.th", "cu.ac.th", "mail.su.ac.th", "rmutx.ac.th", "live.ac.th", "moe.go.th", "kku.example.com",
     "student.kku.ac.th", "gmail.com.th", "egat.co.th", "ptt.co.th", "scb.co.th", "love.com", "mcu.edu", "gmx.us", "wed.de",
     "man.com", "nus.edu.sg", "ox.ac.uk", "google.co.th", "hmail.com", "cox.net", "att.net", "sky.com", "bu.edu"],
)  # fmt: skip
def test_a_domain_that_may_well_be_meant_gets_no_suggestion(real):
    assert suggestion(f"a@{real}", known_domains()) is None


def test_two_wrong_keystrokes_or_two_possible_domains_are_not_guessed_at():
    assert suggestion("a@gmial.con", known_domains()) is None
    assert (
        suggestion("a@jmail.com", known_domains()) is None
    )  # gmail.com, ymail.com, email.com, mail.com
    assert suggestion("a@gmail.comcom", known_domains()) is None


def test_a_library_names_domains_of_its_own():
    typed = "a@mylibary.example"
    assert suggestion(typed, known_domains()) is None
    assert suggestion(typed, known_domains() | {"mylibrary.example"}) == "a@mylibrary.example"
    assert suggestion("a@gmial.com", frozenset({"gmial.com", "gmail.com"})) is None


# Who takes mail


def ask(server: Any, *domains: str, seconds: float = 20) -> dict[str, bool | None]:
    return accept_mail(domains, ["127.0.0.1"], server.server_address[1], seconds)


@pytest.mark.parametrize(
    ("domain", "takes_mail"),
    [
        ("mx.example", True),
        ("a.example", True),  # RFC 5321, section 5.1: without MX the host itself
        ("aaaa.example", True),
        ("null.example", False),  # RFC 7505
        ("text.example", False),
        ("nobody.example", False),
        ("servfail.example", None),
        ("refused.example", None),
        ("lame.example", None),
        ("half.example", None),
        ("a..b", None),
        ("a" * 64 + ".example", None),
    ],
)
def test_who_takes_mail_is_asked_of_the_dns(dns_server, domain, takes_mail):
    assert ask(dns_server, domain) == {domain: takes_mail}


def test_many_domains_are_asked_for_at_once(dns_server):
    began = time.monotonic()
    slow = [f"slow{n}.example" for n in range(16)]
    assert ask(dns_server, *slow) == dict.fromkeys(slow, False)
    assert time.monotonic() - began < len(slow) * 0.2 / 2


def test_each_domain_is_asked_for_once(dns_server):
    domains = [f"nobody{n}.example" for n in range(300)]
    answers = ask(dns_server, "mx.example", *domains, *domains)
    assert answers == {"mx.example": True} | dict.fromkeys(domains, False)
    assert len([question for question in dns_server.asked if question[0] != "."]) == 301


def test_silence_is_no_answer_and_costs_no_more_than_the_time_allowed(dns_server):
    began = time.monotonic()
    answers = ask(dns_server, "mx.example", "silent.example", seconds=0.5)
    assert answers == {"mx.example": True, "silent.example": None}
    assert time.monotonic() - began < 5


def test_what_was_not_asked_in_time_is_unknown(dns_server):
    assert ask(dns_server, "mx.example", "nobody.example", seconds=0) == {
        "mx.example": None,
        "nobody.example": None,
    }


@pytest.mark.parametrize("dns_server", [({}, set()), ({}, {"."})], indirect=True)
def test_a_resolver_of_a_closed_network_denies_nobody(dns_server):
    assert ask(dns_server, "mx.example", "nobody.example") == {
        "mx.example": None,
        "nobody.example": None,
    }


def test_without_a_resolver_nothing_is_known(monkeypatch, tmp_path, dns_server):
    port = dns_server.server_address[1]
    dns_server.shutdown()
    dns_server.server_close()
    assert accept_mail(["mx.example"], ["127.0.0.1"], port, seconds=1) == {"mx.example": None}
    # A machine without /etc/resolv.conf.
    read = dns.resolver.Resolver.read_resolv_conf
    monkeypatch.setattr(
        dns.resolver.Resolver, "read_resolv_conf", lambda self, _: read(self, tmp_path / "none")
    )
    assert accept_mail(["mx.example"]) == {"mx.example": None}


def test_asking_for_nobody_asks_nobody(dns_server):
    assert ask(dns_server) == {}
