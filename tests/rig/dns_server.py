"""A nameserver on loopback that answers from a zone of the test's own."""

import socketserver
import threading
import time
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from rig.dns_zone import NAMES, REFUSALS, ZONE


class _Questions(socketserver.BaseRequestHandler):
    """Answers from the server's zone; slowly about slow names, and not at all about silent.example."""

    def handle(self) -> None:
        data, wire = self.request
        query = dns.message.from_wire(data)
        name = query.question[0].name.to_text().lower()
        kind = dns.rdatatype.to_text(query.question[0].rdtype)
        self.server.asked.append((name, kind))
        if name == "silent.example.":
            return
        if name.startswith("slow"):
            time.sleep(0.2)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if records := self.server.zone.get((name, kind)):
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *records))
        elif name not in self.server.names:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        else:
            answer.set_rcode(REFUSALS.get((name, kind), dns.rcode.NOERROR))
        wire.sendto(answer.to_wire(), self.client_address)


class Nameserver(socketserver.ThreadingUDPServer):
    """Answers for its zone and remembers what it was asked."""

    daemon_threads = True

    def __init__(self, zone: dict[tuple[str, str], list[str]], names: set[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Questions)
        self.zone, self.names, self.asked = zone, names, []


@pytest.fixture
def dns_server(request: pytest.FixtureRequest) -> Iterator[Nameserver]:
    zone, names = getattr(request, "param", (ZONE, NAMES))
    with Nameserver(zone, names) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()
