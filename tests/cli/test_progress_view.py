"""Progress is a live view in a terminal and plain lines elsewhere, and never too many of them."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest

from arena.cli.progress import ProgressView, speed
from arena.core import Evidence
from arena.orchestrator import LiveStanding, Progress
from arena.orchestrator.progress import ModelState
from arena.reports.call_times import CallTimes
from arena.reports.usage import Latency


def report(
    done: int,
    *,
    void: int = 0,
    waiting: int = 0,
    paused: int = 0,
    budget: float | None = None,
    models: tuple[ModelState, ...] = (),
) -> Progress:
    names = ("Sharp", "Ev\x1b[31mil", "C", "D", "E", "F")
    rows = tuple(LiveStanding(i, name, 33.0 - i, 2.0, done) for i, name in enumerate(names))
    return Progress(
        games_done=done,
        games_total=60,
        games_running=3,
        games_void=void,
        turns=done * 20,
        calls=done * 25,
        calls_in_flight=7,
        cost=0.5,
        waiting=waiting,
        standings=rows,
        elapsed=done / 2,
        spent=1.25,
        budget=budget,
        paused=paused,
        models=models,
    )


HELD = ModelState("small\x1b[2J", in_flight=3, limit=4, waiting=12, state="waiting")
PARKED = ModelState("own", in_flight=0, limit=1, waiting=0, state="parked")
WELL = ModelState("well", in_flight=9, limit=9, waiting=5, state="ok")


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
        "0/60 games · 1 void · 3 running · no turn yet · 7 calls in flight · $0.5000 · 0.0 s",
        "3/60 games · 1 void · 3 running · 40 turns/s · 7 calls in flight · $0.5000 · 1.5 s",
        "5/60 games · 1 void · 3 running · 40 turns/s · 7 calls in flight · $0.5000 · 2.5 s",
    ]


def test_slow_models_have_a_speed_too() -> None:
    """An answer takes half a minute: what is shown is measured over twenty turns, not ten
    seconds."""
    out = io.StringIO()
    with ProgressView(iter(range(0, 10_000, 10)).__next__, out) as view:
        for second in range(0, 601, 10):
            view.update(replace(report(0), turns=second // 30, elapsed=float(second)))

    speeds = [line.split(" · ")[2] for line in out.getvalue().splitlines()]
    assert speeds[:3] == ["no turn yet"] * 3
    assert all(1 <= float(each.removesuffix(" turns/min")) <= 2 for each in speeds[3:])
    assert speeds[-1] == "2.0 turns/min"
    assert [speed(each) for each in (1234.5, 40.2, 2.54, 1, 0.5, 0.1, 0.001)] == [
        "1,234 turns/s", "40 turns/s", "2.5 turns/s", "1.0 turns/s", "30 turns/min",
        "6.0 turns/min", "0.1 turns/min",
    ]  # fmt: skip


SHARP, EVIL = 0, 1
DUEL = Evidence(
    SHARP, EVIL, "gsprt", 48, (3, 5, 20, 12, 8), 1.5, (-2.94, 2.94), 0.612, (0.52, 0.695)
)


def test_a_comparison_shows_how_near_it_is() -> None:
    out = io.StringIO()
    with ProgressView(iter(range(0, 100, 10)).__next__, out) as view:
        for found in (DUEL, Evidence(SHARP, EVIL, "fixed", 12), replace(DUEL, test="evalue")):
            view.update(replace(report(6), evidence=lambda found=found: (found,)))
        pairs = [
            DUEL, replace(DUEL, statistic=2.0, interval=None), replace(DUEL, decided=True),
        ]  # fmt: skip
        view.update(replace(report(6), evidence=lambda: pairs))

    gsprt, fixed, betting, several = (
        line.partition("3.0 s · ")[2] for line in out.getvalue().splitlines()
    )
    against = (
        "Sharp scores 61.2 % (95 % interval 52.0 % to 69.5 %) against Ev\\x1b[31mil in 48 blocks"
    )
    assert gsprt == (f"{against}; log likelihood ratio 1.50, the test stops at -2.94 and 2.94")
    assert fixed == ("Sharp against Ev\\x1b[31mil: 12 blocks, which are looked at once, at the end")
    assert betting == f"{against}; e-value 4.48, the test stops at 18.9"
    assert several == (
        "1 of 3 pairs decided; Sharp scores 61.2 % against Ev\\x1b[31mil in 48 blocks; log "
        "likelihood ratio 2.00, the test stops at -2.94 and 2.94"
    )


def test_a_terminal_shows_the_blocks_of_a_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("TERM", "xterm-256color"), ("COLUMNS", "80"), ("LINES", "40")):
        monkeypatch.setenv(name, value)
    out = Terminal()
    with ProgressView(lambda: 1.0, out) as view:
        view.update(replace(report(30), evidence=lambda: (DUEL,)))

    seen = re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", out.getvalue())
    assert "log likelihood ratio 1.50, the test stops at -2.94 and 2.94" in seen
    assert "blocks by what Sharp won of their 2 games: 0: 3, ½: 5, 1: 20, 1½: 12, 2: 8" in seen


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


def test_a_line_says_what_is_spent_of_the_budget_and_which_models_are_in_trouble() -> None:
    out = io.StringIO()

    with ProgressView(lambda: 0.0, out) as view:
        view.update(report(6, budget=5.0, paused=2, models=(WELL, HELD, PARKED)))

    assert out.getvalue() == (
        "6/60 games · 2 paused · 3 running · 7 calls in flight · $1.25 of $5.00 · "
        "small\\x1b[2J is held back: 12 calls waiting, 3 of 4 in flight · "
        "own is parked, it only fails · 3.0 s\n"
    )


def test_a_line_says_that_the_process_is_saturated() -> None:
    def seconds(each: float) -> Latency:
        return Latency(*(each * 1e3,) * 4)

    for times, at_once, said in (
        (CallTimes(seconds(0.5), seconds(5.3)), None, " · saturated · "),
        (CallTimes(seconds(0.5), seconds(5.3)), 750, " · saturated: at most 750 games at once · "),
        (CallTimes(seconds(60.0), seconds(5.3)), None, " · "),
    ):
        out = io.StringIO()
        with ProgressView(lambda: 0.0, out) as view:
            view.update(replace(report(6), times=times, at_once=at_once))
        assert out.getvalue().endswith(f"7 calls in flight · $0.5000{said}3.0 s\n")


def test_a_terminal_names_the_models_in_trouble_but_not_dozens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (("TERM", "xterm-256color"), ("COLUMNS", "80"), ("LINES", "40")):
        monkeypatch.setenv(name, value)
    out = Terminal()

    with ProgressView(lambda: 1.0, out) as view:
        view.update(report(30, models=(HELD, *[PARKED] * 30)))
        view.say("stopping: \x1b[2J")

    seen = re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", out.getvalue())
    assert "small\\x1b[2J is held back: 12 calls waiting, 3 of 4 in flight" in seen
    assert seen.count("own is parked, it only fails") % 4 == 0
    assert "and 26 models more like this" in seen
    assert "stopping: \\x1b[2J" in seen


def test_what_is_said_without_a_terminal_is_a_line() -> None:
    out = io.StringIO()

    with ProgressView(lambda: 0.0, out) as view:
        view.say("stopping at once")

    assert out.getvalue() == "stopping at once\n"
