"""A tournament as its page says it: how far it is, what it waits for, who leads."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from arena.reports.run_status import RunStatus, RunTelling
from arena.reports.tournament import TournamentReport, budget_of
from arena.stats.time_left import TimeLeft
from arena.viewer.charts import Axis, axis

WIDTH = 220
"""Units of the column of ratings, and of a bar."""
_LATE_S = 20.0
"""A run that was heard of this long ago is said to be silent."""


@dataclass(frozen=True, slots=True)
class ProgressBar:
    """Shares of the schedule, in units of the bar: finished, void and being played."""

    done: float
    void: float
    running: float


@dataclass(frozen=True, slots=True)
class TournamentLine:
    """A tournament in the list: `state` is a word, and `leader` who is first in it so far."""

    report: TournamentReport
    state: str
    bar: ProgressBar
    budget: float | None
    leader: str | None


@dataclass(frozen=True, slots=True)
class StandingLine:
    """An agent's rating with its 95 % interval; `left`, `at` and `right` are where its marks
    stand."""

    agent_id: int | None
    name: str
    rating: float
    low: float
    high: float
    games: int
    rose: int
    left: float
    at: float
    right: float


@dataclass(frozen=True, slots=True)
class TournamentStandings:
    """Who leads, the best first, on one axis; `of` says what the ratings are, and `moved_over` over
    how many games `rose` is counted."""

    of: str
    moved_over: int
    scale: Axis
    lines: tuple[StandingLine, ...]


@dataclass(frozen=True, slots=True)
class TournamentFacts:
    """A tournament ready to be drawn. `status` is what its run said last, `age` how many seconds
    ago, and `alive` whether it may still play; `left` is how long it takes, as far as that is
    known; `resumes` the command that plays what a run leaves. `faults` are (what, cause, how
    often)."""

    report: TournamentReport
    state: str
    title: str
    lead: str
    bar: ProgressBar
    alive: bool
    silent: bool
    status: RunStatus | None
    age: float | None
    as_of: datetime | None
    left: TimeLeft | None
    budget: float | None
    faults: tuple[tuple[str, str, int], ...]
    waits: tuple[str, ...]
    configuration: tuple[tuple[str, str], ...]
    resumes: str
    written: str


def line(
    report: TournamentReport, alive: bool, told: RunTelling | None, budget: float | None
) -> TournamentLine:
    """A tournament for the list."""
    leader = told.status.standings[0].name if told and told.status.standings else None
    return TournamentLine(report, _state(report, alive), _bar(report), budget, leader)


def facts(
    report: TournamentReport,
    alive: bool,
    told: RunTelling | None,
    config: Mapping[str, Any],
    settings: Mapping[str, Any],
    now: datetime | None = None,
) -> TournamentFacts:
    """A tournament for its page."""
    status = told.status if told else None
    age = max(((now or datetime.now(UTC)) - told.at).total_seconds(), 0.0) if told else None
    current = alive and status is not None and not status.ended
    silent = current and age is not None and age > _LATE_S
    left = status.time_left if current and status else None
    title, lead = _said(report, alive, status if current else None, left)
    return TournamentFacts(
        report=report,
        state=_state(report, alive),
        title=title,
        lead=lead,
        bar=_bar(report),
        alive=alive,
        silent=silent,
        status=status,
        age=age,
        as_of=told.at if told else None,
        left=left,
        budget=budget_of(settings, config),
        faults=_faults(report, status),
        waits=_waits(report, status if current else None),
        configuration=_configuration(report, config, settings),
        resumes=shlex.join(["arena", "resume", report.name]),
        written=_written(config, settings),
    )


def standings(status: RunStatus) -> TournamentStandings | None:
    """The live standings of a run; None where nobody has a game yet."""
    if not any(row.games for row in status.standings):
        return None
    rows = [(row, row.mu - 1.96 * row.sigma, row.mu + 1.96 * row.sigma) for row in status.standings]
    scale = axis([x for _, low, high in rows for x in (low, high)], 4, WIDTH - 4)
    lines = tuple(
        StandingLine(
            agent_id=row.agent_id,
            name=row.name,
            rating=row.mu,
            low=low,
            high=high,
            games=row.games,
            rose=row.rose,
            left=scale.at(low),
            at=scale.at(row.mu),
            right=scale.at(high),
        )
        for row, low, high in rows
    )
    said = "Live ratings, the average agent at 25; a bar is a 95 % interval"
    return TournamentStandings(said, status.moved_over, scale, lines)


def spell(seconds: float) -> str:
    """About how long: `40 s`, `12 min`, `3.5 h`, `2 days`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    hours = seconds / 3600
    if hours < 36:
        return f"{hours:.1f} h" if hours < 10 else f"{hours:.0f} h"
    return f"{hours / 24:.0f} days"


def _state(report: TournamentReport, alive: bool) -> str:
    if alive:
        return "running"
    return report.idle or {"created": "not begun"}.get(report.status, report.status)


def _bar(report: TournamentReport) -> ProgressBar:
    settled = report.games - report.left
    done = min(report.by_status.get("completed", 0), settled)
    unit = WIDTH / max(report.games, 1)
    running = min(report.by_status.get("running", 0), report.left)
    return ProgressBar(
        round(done * unit, 2), round((settled - done) * unit, 2), round(running * unit, 2)
    )


def _said(
    report: TournamentReport, alive: bool, status: RunStatus | None, left: TimeLeft | None
) -> tuple[str, str]:
    """The heading, and the sentence below it."""
    done = report.by_status.get("completed", 0)
    of = f"{done:,} of {_games(report.games)}"
    leads = ""
    if status and done and status.standings:
        leads = f" {status.standings[0].name} leads, but the order can still change."
    if alive:
        if not done:
            return f"{report.name}: no game has ended yet", "The first results come with its end."
        if left is None:
            return (
                f"{report.name}: {of} played",
                f"How long the rest takes is not known yet.{leads}",
            )
        about = f"about {spell(left.mean)} left"
        return (
            f"{report.name}: {of} played, {about}",
            f"At this pace it ends in {spell(left.low)} to {spell(left.high)} (90 %).{leads}",
        )
    if report.status == "finished":
        lost = report.games - done
        void = f"; {_games(lost)} came to no result" if lost > 0 else ""
        return f"{report.name} is finished: {_games(done)}{void}", "Nothing is left to play."
    if report.status == "created" and not done:
        return f"{report.name} has not begun", f"{_games(report.left)} wait to be played."
    return (
        f"{report.name} has stopped at {of}",
        f"Nobody runs it, and {_games(report.left)} are left. What was played is on record: the "
        "next run repays no call.",
    )


def _games(number: int) -> str:
    return f"{number:,} game" if number == 1 else f"{number:,} games"


def _faults(report: TournamentReport, status: RunStatus | None) -> tuple[tuple[str, str, int], ...]:
    found = [("games without a result", cause, n) for cause, n in report.void_causes.items()]
    if status is not None:
        found += [("turns without an action", cause, n) for cause, n in status.lapses.items()]
        found += [("failed calls", cause, n) for cause, n in status.errors.items()]
    return tuple(sorted(found, key=lambda each: (each[0], -each[2], each[1])))


def _waits(report: TournamentReport, status: RunStatus | None) -> tuple[str, ...]:
    """What is waited for, in words."""
    said = []
    if scheduled := report.by_status.get("scheduled", 0):
        said.append(f"{_games(scheduled)} scheduled and not begun")
    more = report.left - scheduled - report.by_status.get("running", 0)
    if more > 0 and report.status != "finished":
        said.append(f"{_games(more)} that the matchmaker has not paired yet")
    if status is None:
        return tuple(said)
    if status.paused:
        said.append(f"{_games(status.paused)} paused in the middle")
    if status.suspended:
        said.append(f"{_games(status.suspended)} suspended until an answer from outside is there")
    if status.waiting:
        said.append(
            f"{_games(status.waiting)} finished ahead of an earlier one, which the stored ratings "
            "wait for"
        )
    return (*said, *status.stopped)


def _configuration(
    report: TournamentReport, config: Mapping[str, Any], settings: Mapping[str, Any]
) -> tuple[tuple[str, str], ...]:
    """What a reader looks for first, by name."""
    environment = config.get("environment") or {}
    options = environment.get("options") or {}
    named = ", ".join(f"{key} {value}" for key, value in options.items())
    matchmaker = config.get("matchmaker") or {}
    more = ", ".join(
        f"{key} {value}" for key, value in matchmaker.items() if key != "name" and value is not None
    )
    lines = [
        ("Environment", f"{report.environment}, {report.players} players"),
        ("Options", named),
        ("Matchmaker", f"{report.matchmaker or '–'}{f' ({more})' if more else ''}"),
        ("Games", f"{report.games:,}"),
        ("Seed", str(report.seed)),
        ("At once", str(settings.get("concurrency") or "")),
        ("Attempts at a game", str(settings.get("attempts") or "")),
    ]
    return tuple((name, said) for name, said in lines if said)


def _written(config: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """The configuration as it is stored."""
    known = {key: value for key, value in settings.items() if key != "models"}
    # YAML would take several times as long as the rest of the page.
    return json.dumps({**config, **known}, indent=2, ensure_ascii=False)
