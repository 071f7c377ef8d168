"""An address is normal when email-validator says so, however quickly that was found out."""

import itertools

import pytest
from email_validator import EmailNotValidError, validate_email

from engagement import address

LOCALS = (
    "a", "a.b", "somchai_k", "a+b", "a-b", "-a-", "_", "1234567", ".a", "a.", "a..b", "", "a b", "a,b", "a@b",
    "Somchai", "SOMCHAI.K", "Info", "INFO", "Postmaster", "info", "WWW", "No-Reply", "a'b", "a/b", "{a}", "a!#$%&*=?^`|~b",
    '"a"', '"a b"', '"a@b"', "สมชาย", "é", "ａ", "a\u0301", "a\u200b", "a\n", "\na", " a", "a\\", "(a)", "<a", "A <a",
    "a" * 63, "a" * 64, "a" * 65, "a." * 31 + "a", "a" * 110, "a" * 200,
)  # fmt: skip
DOMAINS = (
    "kku.ac.th", "KKU.ac.th", "KkuMail.Com", "example.com", "mail.example.org", "a.b.c.d.e.f.co", "x.museum",
    "localhost", "example", "kku", "a.test", "test", "a.invalid", "a.local", "x.localhost", "x.arpa", "x.onion", "notatest",
    "1.2.3.4", "[1.2.3.4]", "[IPv6:::1]", "[IPv6:2001:db8::1]", "[999.1.1.1]", "127.0.0.1.com", "a.123", "a.c0m", "a.co1",
    "a_b.com", "_dmarc.a.com", "-a.com", "a-.com", "a.-b.com", "a--b.com", "ab--cd.com", "a---b.com", "a-b.com",
    "xn--o3cw4h", "kku.xn--o3cw4h", "xn--12c1fe0br.xn--o3cw4h", "XN--12C1FE0BR.xn--o3cw4h", "xn--a.com", "xn--.com",
    "xn--mnchen-3ya.de", "ไทย.com", "มหาวิทยาลัย.ไทย", "münchen.de", "MÜNCHEN.DE", "ｋｋｕ．ac．th", "kku。ac。th",
    "ก" * 50 + ".com", "xn--12c" + "a" * 49 + ".com",  # the same: 60 bytes for DNS, 154 in UTF-8
    "straße.de", "אב.com", "1.xn--4dbc.com",
    "", ".", ".com", "com.", "a.com.", "a..com", "a .com", " a.com", "a.com ", "a.com\n", "a,com", "a.com>", "a@b.com",
    "b" * 63 + ".com", "b" * 64 + ".com", "b" * 64, ".".join(["b" * 63] * 3) + ".com",
)  # fmt: skip
# Domains of 240 to 254 letters, for whole addresses of 242 to 318.
LONG = tuple(".".join(["b" * 61] * 3 + ["c" * (n - 190), "com"]) for n in range(240, 255))


def by_email_validator(text: str) -> str | None:
    try:
        return validate_email(text, check_deliverability=False, allow_smtputf8=False).ascii_email
    except EmailNotValidError:
        return None


def test_normal_is_what_email_validator_says_of_every_address():
    written = [
        f"{local}@{domain}" for local, domain in itertools.product(LOCALS, (*DOMAINS, *LONG))
    ]
    written += [*LOCALS, *DOMAINS, "@", "a@b@c.com", "mailto:a@kku.ac.th"]
    said = {text: by_email_validator(text) for text in written}
    assert len(said) > 3000
    assert len(set(said.values())) > 400
    assert {len(text) for text, normal in said.items() if normal} >= {253, 254}
    assert {len(text) for text, normal in said.items() if not normal} >= {254, 255, 256}
    for _ in range(2):  # a domain that was asked for before says the same again
        assert {text: address.normal(text) for text in said} == said


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("somchai_k@KKU.ac.th", "somchai_k@kku.ac.th"),
        ("Somchai@kku.ac.th", "Somchai@kku.ac.th"),
        ("INFO@kku.ac.th", "info@kku.ac.th"),
        ("a@มหาวิทยาลัย.ไทย", "a@xn--o3cteaoj1a6cedt.xn--o3cw4h"),
        ("สมชาย@kku.ac.th", None),
        ("a@localhost", None),
        ("a..b@kku.ac.th", None),
        ("", None),
    ],
)
def test_an_address_is_read_as_a_mail_server_takes_it(text, normal):
    assert address.normal(text) == normal
