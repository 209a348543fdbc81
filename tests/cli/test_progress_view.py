"""Progress is a live view in a terminal and plain lines elsewhere, and never too many of them."""

from __future__ import annotations

import io
import re

import pytest

from arena.cli.progress import ProgressView
from arena.orchestrator import Progress, Standing


def report(done: int, *, void: int = 0, waiting: int = 0) -> Progress:
    names = ("Sharp", "Ev\x1b[31mil", "C", "D", "E", "F")
    rows = tuple(Standing(i, name, 33.0 - i, 2.0, done) for i, name in enumerate(names))
    return Progress(done, 60, 3, void, done * 20, done * 25, 7, 0.5, waiting, rows, done / 2)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_a_line_comes_every_ten_seconds_and_at_the_end() -> None:
    seconds = iter([0.0, 4.0, 9.0, 11.0, 12.0, 13.0])
    out = io.StringIO()

    with ProgressView(lambda: next(seconds), out) as view:
        for done in range(6):
            view.update(report(done, void=1))

    assert out.getvalue().splitlines() == [
        "0/60 games · 1 void · 3 running · 0 turns/s · 7 calls in flight · $0.5000 · 0.0 s",
        "3/60 games · 1 void · 3 running · 40 turns/s · 7 calls in flight · $0.5000 · 1.5 s",
        "5/60 games · 1 void · 3 running · 40 turns/s · 7 calls in flight · $0.5000 · 2.5 s",
    ]


def test_a_terminal_shows_the_top_around_25(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("TERM", "xterm-256color"), ("COLUMNS", "80"), ("LINES", "24")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Terminal()

    with ProgressView(lambda: 1.0, out) as view:
        view.update(report(30, waiting=2))

    seen = re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", out.getvalue())
    assert "getting ready ..." in seen
    assert "50% · 15 s" in seen
    assert re.search(r"1 +Sharp +27\.50 +3\.92 +30", seen)
    assert re.search(r"2 +Ev\\x1b\[31mil +26\.50", seen)
    assert " F " not in seen
    assert "with 2 finished games that wait for an earlier one" in seen
