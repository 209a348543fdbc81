"""Starts `torture.server` and reads its books."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib import request

# Dollars per million tokens, in and out; the tournaments' models name the same.
PRICES = (1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Request:
    """A line of the books. `at` and `sent` are seconds of the machine's monotonic clock: when the
    request had come in, and when its answer had been written (None where it never was)."""

    number: int
    lane: str
    digest: str
    at: float
    sent: float | None
    dollars: float
    text: str | None


@dataclass(frozen=True, slots=True)
class Books:
    """What the server was asked, in order."""

    requests: tuple[Request, ...]

    def between(self, start: float, end: float) -> Books:
        """What came in between two moments of the monotonic clock."""
        return Books(tuple(r for r in self.requests if start <= r.at <= end))

    def digests(self) -> Counter[str]:
        """How often each request came in."""
        return Counter(r.digest for r in self.requests)

    def answered(self, until: float) -> Counter[str]:
        """How often each request's answer had been written by then."""
        return Counter(r.digest for r in self.requests if r.sent is not None and r.sent <= until)

    @property
    def dollars(self) -> float:
        """What the provider bills: every request that it took, whoever was still there to hear
        the answer."""
        return sum(r.dollars for r in self.requests)


def read_books(lines: Iterable[str], lane: str | None = None) -> Books:
    """The books in a log, of one lane or of all. A last line that was cut is left out."""
    taken: dict[int, dict[str, Any]] = {}
    sent: dict[int, float] = {}
    for line in lines:
        if not line.endswith("\n"):
            break
        entry = json.loads(line)
        if "sent" in entry:
            sent[entry["n"]] = entry["sent"]
        elif lane is None or entry["lane"] == lane:
            taken[entry["n"]] = entry
    return Books(
        tuple(
            Request(
                number=number,
                lane=entry["lane"],
                digest=entry["digest"],
                at=entry["at"],
                sent=sent.get(number),
                dollars=entry["dollars"],
                text=entry.get("text"),
            )
            for number, entry in sorted(taken.items())
        )
    )


class Service:
    """The server's process. It ends with the block, and by itself when this process is gone."""

    def __init__(
        self, log: Path, *, latency: tuple[float, float] = (0.0, 0.0), seed: int = 0
    ) -> None:
        self.log = log
        self._arguments = [
            *("--log", str(log), "--seed", str(seed)),
            *("--latency", *map(str, latency), "--prices", *map(str, PRICES)),
        ]
        self._process: subprocess.Popen[str] | None = None
        self._port = 0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "torture.server", *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.strip().isdigit():
            raise RuntimeError(f"the server of the torture did not start: it said {line!r}")
        self._port = int(line)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def url(self, lane: str, mode: str = "plain") -> str:
        """The `api_base` of a lane."""
        return f"http://127.0.0.1:{self._port}/{mode}/{lane}/v1"

    def mend(self, lane: str) -> None:
        """From now on the lane is answered, whatever its mode (`torture.unready`)."""
        asked = request.Request(f"http://127.0.0.1:{self._port}/mended/{lane}", b"", method="POST")
        request.urlopen(asked, timeout=20).close()

    @property
    def written(self) -> int:
        """How long the log is."""
        return self.log.stat().st_size if self.log.exists() else 0

    def asked_since(self, written: int) -> bool:
        """Whether a request has come in since the log was so long."""
        if self.written == written:
            return False
        with self.log.open("rb") as lines:
            lines.seek(written)
            return b'"at":' in lines.read()

    def books(self, lane: str | None = None) -> Books:
        """What has been asked so far."""
        with self.log.open() as lines:
            return read_books(lines, lane)
