"""A mail server that takes everything and keeps nothing: `python -m benchmarks.sink <seconds per answer>`.

Says on which port it listens. Each line that it is sent then is answered with how many mails it took since.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_END = b"\r\n.\r\n"
_ANSWERS = {b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}


class Sink:
    """A running sink, as those see it who send to it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Take the process, which says its port."""
        assert process.stdin is not None
        assert process.stdout is not None
        self._asks, self._says = process.stdin, process.stdout
        self.port = int(self._says.readline())

    def taken(self) -> int:
        """Return how many mails it took since this was asked last."""
        self._asks.write("taken\n")
        self._asks.flush()
        return int(self._says.readline())


@contextmanager
def running(answer_s: float = 0.0) -> Iterator[Sink]:
    """Let a sink that answers each command after so long run for the block, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.sink", str(answer_s)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Sink(process)
        finally:
            process.terminate()


class _Dialogue(asyncio.Protocol):
    """The least of SMTP (RFC 5321) that a client needs to hand over mails one after the other."""

    taken = 0

    def __init__(self, answer_s: float) -> None:
        self._answer_s = answer_s
        self._buffer = bytearray()
        self._is_text = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._answer(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (at := self._buffer.find(_END if self._is_text else b"\r\n")) >= 0:
            command = bytes(self._buffer[:4]).upper()
            del self._buffer[: at + len(_END if self._is_text else b"\r\n")]
            was_text, self._is_text = self._is_text, not self._is_text and command == b"DATA"
            _Dialogue.taken += was_text
            self._answer(_ANSWERS.get(b"" if was_text else command, b"250 fine\r\n"))

    def _answer(self, line: bytes) -> None:
        if self._answer_s:
            asyncio.get_running_loop().call_later(self._answer_s, self._transport.write, line)
        else:
            self._transport.write(line)


async def _serve(answer_s: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Dialogue(answer_s), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    while await loop.run_in_executor(None, sys.stdin.readline):
        taken, _Dialogue.taken = _Dialogue.taken, 0
        sys.stdout.write(f"{taken}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))
