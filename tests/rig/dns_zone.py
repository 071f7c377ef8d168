"""What the nameserver of the tests answers."""

import dns.rcode

ZONE = {
    (".", "NS"): ["a.root."],
    ("mx.example.", "MX"): ["10 mail.mx.example.", "20 other.example."],
    ("null.example.", "MX"): ["0 ."],
    ("null.example.", "A"): ["192.0.2.1"],
    ("a.example.", "A"): ["192.0.2.1"],
    ("aaaa.example.", "AAAA"): ["2001:db8::1"],
    ("text.example.", "TXT"): ['"no mail"'],
    ("lame.example.", "A"): ["192.0.2.1"],
}
REFUSALS = {
    ("servfail.example.", "MX"): dns.rcode.SERVFAIL,
    ("refused.example.", "MX"): dns.rcode.REFUSED,
    ("lame.example.", "MX"): dns.rcode.SERVFAIL,
    ("half.example.", "A"): dns.rcode.SERVFAIL,
}
NAMES = {name for name, _ in (*ZONE, *REFUSALS)}
