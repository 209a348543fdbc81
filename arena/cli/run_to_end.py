"""Plays a tournament for `arena run` and `arena resume`, and says what came of it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import typer

from arena.cli.clusters import check_alone
from arena.cli.exit_codes import INTERRUPTED
from arena.cli.output import advise, count, duration, money, tell

if TYPE_CHECKING:
    from arena.cli.signals import Interrupts
    from arena.config import TournamentConfig
    from arena.forecast.review import ActualOverPredicted, Review
    from arena.orchestrator import Summary
    from arena.orchestrator.affordable import GamePrice
    from arena.record.listening import RunListener
    from db import Database


@dataclass(frozen=True, slots=True)
class Wish:
    """What was typed: the command with its argument, and the options that were given."""

    command: tuple[str, ...]
    database: Database
    games: int | None = None
    concurrency: int | None = None
    budget: float | None = None
    db: str | None = None
    executor: str | None = None
    wait: bool = False
    telemetry: bool = False
    log_json: str | None = None
    ray_address: str | None = None

    def placed(self, config: TournamentConfig) -> TournamentConfig:
        """The tournament, in the cluster that was named, if one was. Raises UsageError."""
        if self.ray_address is None:
            return config
        check_alone(self.ray_address, self.executor)
        theirs = config.executor_options if config.executor == "ray" else {}
        options = {**theirs, "address": self.ray_address}
        return config.model_copy(update={"executor": "ray", "executor_options": options})

    def again(self) -> str:
        """What to type to go on."""
        return shlex.join([*self.command, *self._options(budget=self.budget)])

    def again_with_more(self) -> str:
        """What to type to go on after the budget was reached."""
        return f"{shlex.join([*self.command, *self._options()])} --budget USD"

    def where(self) -> list[str]:
        """The option that says which database it is, without a password."""
        from db.urls import typed

        return [] if self.db is None else ["--db", str(typed(self.db))]

    def _options(self, budget: float | None = None) -> Iterator[str]:
        for option, value in (
            ("--games", self.games),
            ("--concurrency", self.concurrency),
            ("--executor", self.executor),
            ("--ray-address", self.ray_address),
            ("--budget", None if budget is None else f"{budget:g}"),
        ):
            if value is not None:
                yield from (option, str(value))
        if self.wait:
            yield "--wait"
        if self.telemetry:
            yield "--telemetry"
        if self.log_json is not None:
            yield from ("--log-json", self.log_json)
        yield from self.where()


def show_estimate(config: TournamentConfig, wish: Wish) -> None:
    """Say what would be played, and play nothing; exits with 1 where a key is missing."""
    from arena.cli.call_paths import paths_of
    from arena.cli.dry_run import show_plan
    from arena.forecast.plan import plan

    config = wish.placed(config)
    said = {name: getattr(wish, name) for name in ("concurrency", "budget", "executor")}
    said = {name: value for name, value in said.items() if value is not None}
    config = config.model_copy(update=said)
    planned = plan(config, url=wish.database, games=wish.games, estimate=True)
    show_plan(replace(planned, paths=paths_of(planned.models, config)), wish.database)
    if planned.missing is not None:
        advise(f"a run would not start yet: {planned.missing}")
        raise typer.Exit(1)


def play(config: TournamentConfig, wish: Wish, *, dry_run: bool) -> None:
    """Play the tournament until it is done, stopped or interrupted, and say what came of it; with
    `dry_run`, play nothing (`show_estimate`)."""
    from arena.cli.signals import stoppable

    if dry_run:
        show_estimate(config, wish)
        return
    with stoppable(f"to go on: {wish.again()}") as interrupts:
        conclude(play_out(config, wish, interrupts, games=wish.games), wish, config)


def play_out(
    config: TournamentConfig,
    wish: Wish,
    interrupts: Interrupts,
    *,
    games: int | None,
    uncapped: bool = True,
) -> Summary:
    """Play at most `games` games of the tournament, shown as they come, until it is done, stopped
    or interrupted. Without a budget, unless `uncapped`, models that cost money are refused."""
    import time

    from arena import orchestrator
    from arena.cli.fresh_boards import fresh_boards
    from arena.cli.process import playing
    from arena.cli.progress import ProgressView
    from arena.orchestrator.file_limits import allow_files
    from db.write_ahead import missing_log

    if (missing := missing_log(wish.database.url)) is not None:
        advise(missing)
    config = wish.placed(config)
    allow_files(wish.concurrency or config.concurrency)
    stop = orchestrator.Stop()
    fresh = fresh_boards(wish.database, config.name)
    with (
        fresh,
        ProgressView(time.monotonic) as view,
        _listening(wish, view.say) as listeners,
    ):
        return interrupts.run(
            orchestrator.run(
                config,
                url=wish.database,
                games=games,
                concurrency=wish.concurrency,
                executor=wish.executor,
                budget=wish.budget,
                uncapped=uncapped,
                on_progress=playing(view.update),
                stop=stop,
                wait=wish.wait,
                listeners=listeners,
            ),
            stop,
            say=view.say,
        )


@contextmanager
def _listening(wish: Wish, say: Callable[[str], None]) -> Iterator[Sequence[RunListener]]:
    """What hears of the run, where that was typed. Raises UsageError where the extra is missing."""
    if not wish.telemetry:
        yield ()
        return
    try:
        from arena.telemetry import telemetry
    except ModuleNotFoundError as error:
        from arena.core import UsageError

        raise UsageError(
            f"--telemetry needs {error.name}: type `python -m pip install 'llm-arena[telemetry]'`"
        ) from error
    with telemetry(say) as sending:
        yield sending.listeners


def conclude(summary: Summary, wish: Wish, config: TournamentConfig | None = None) -> None:
    """The standings on stdout, what was done on stderr, and the exit code; with the configuration
    also how that compares with its estimate."""
    from arena.cli.leaderboard_table import print_answer
    from arena.cli.sessions import reading
    from arena.leaderboard import LeaderboardQuery
    from arena.leaderboard.stored import answered, keep
    from db.selection import Selection

    query = LeaderboardQuery(Selection(tournament=summary.tournament))
    with reading(wish.database) as session:
        answer = answered(session, query)
    print_answer(answer)
    keep(wish.database, answer)
    report(summary, wish, None if config is None else reviewed(config, wish, summary))
    if summary.games_left and not summary.stopped:
        tell(f"{count(summary.games_left, 'game')} left to play")
    attention = (
        summary.stopped,
        summary.games_void,
        summary.paused,
        summary.suspended,
        summary.unrated,
    )
    if any(attention):
        raise typer.Exit(1)


def reviewed(config: TournamentConfig, wish: Wish, summary: Summary) -> Review | None:
    """What was taken against what an estimate at the beginning of the run said."""
    from arena.forecast.review import review
    from arena.orchestrator.clients import client_for

    if summary.began is None or not summary.finished:
        return None
    return review(
        config,
        url=wish.database,
        games=summary.finished,
        before=summary.began,
        price_of=client_for(config).prices,
    )


def report(summary: Summary, wish: Wish, review: Review | None = None) -> None:
    """What was done and what to look at, on stderr; exits where it was interrupted."""
    for line in _done(summary):
        tell(line)
    if review is not None:
        for line in actual_over_predicted(review):
            tell(line)
    for line in _attention(summary, wish):
        advise(line)
    for line in _versions(summary):
        tell(line)
    if summary.interrupted:
        advise(f"interrupted; to go on: {wish.again()}")
        raise typer.Exit(INTERRUPTED)
    if summary.stopped:
        advise(summary.stopped)
        reached = summary.budget_reached
        tell(f"to go on: {wish.again_with_more() if reached else wish.again()}")


def _done(summary: Summary) -> Iterator[str]:
    """What was done, and what it cost."""
    if summary.turns or summary.games_left or summary.games_void:
        yield (
            f"{summary.tournament}: {count(summary.games_completed, 'game')}, "
            f"{count(summary.turns, 'turn')}, {count(summary.calls, 'call')}, "
            f"{money(summary.cost)}, {duration(summary.elapsed)}"
        )
    else:
        yield f"{summary.tournament}: nothing is left to play, all games are finished"
    if summary.resumed:
        yield f"{count(summary.resumed, 'game')} resumed from the record"
    if summary.cached_calls:
        yield f"{count(summary.cached_calls, 'call')} answered from the cache"
    if summary.times.said is not None:
        yield summary.times.said
    if summary.failed_calls:
        yield f"{count(summary.failed_calls, 'attempt')} of a call failed"
    if summary.lapses:
        yield f"lapses of the agents: {_counts(summary.lapses)}"
    if summary.budget is not None:
        yield f"spent {money(summary.spent)} of the budget of {money(summary.budget)}"
    elif summary.spent > summary.cost:
        yield f"spent {money(summary.spent)} on the whole tournament"
    if summary.games_left and summary.game_price is not None:
        yield from _next_dollar(summary.game_price)


def actual_over_predicted(review: Review) -> Iterator[str]:
    """How the games that were finished compare with their estimate, with 90 % intervals."""
    parts = [
        text
        for name, measure in review.measures.items()
        if (text := _compared(_MEASURES[name], measure)) is not None
    ]
    some = "" if review.compared == review.games else f"{review.compared:,} of "
    yield (
        f"actual over predicted, {some}{count(review.games, 'game')} (90 % interval): "
        f"{', '.join(parts)}"
    )


_MEASURES = {
    "calls": "calls",
    "prompt_tokens": "tokens sent",
    "response_tokens": "tokens answered",
    "dollars": "dollars",
}


def _compared(name: str, measure: ActualOverPredicted) -> str | None:
    """One measure; None where there was nothing and nothing was predicted."""
    ratio, interval = measure.ratio, measure.predicted
    if ratio is None:
        return f"{name} {measure.actual:,.4g}, none predicted" if measure.actual else None
    if interval.low == interval.high and measure.inside:
        return f"{name} {ratio:.2f}"
    outside = "" if measure.inside else ": outside"
    low, high = interval.low / interval.mean, interval.high / interval.mean
    return f"{name} {ratio:.2f} ({low:.2f} to {high:.2f}{outside})"


def _next_dollar(price: GamePrice) -> Iterator[str]:
    if price.mean is not None:
        whose = "" if price.model is None else f" model {price.model!r}"
        buys = "" if price.model is None else f" for model {price.model!r}"
        said = f"a game costs{whose} about {money(price.mean)}"
        if price.next_dollar is not None:
            said += f": the next dollar{buys} buys {count(price.next_dollar, 'game')}"
        yield said
    elif price.begun:
        yield (
            f"no game has been finished: one has cost {money(price.begun)} so far, and the next "
            "dollar buys at most "
            f"{count(int(1.0 / price.begun), 'game')}"
        )


# What helps a process that has more to do than it can.
_RELIEF = "lower the concurrency, take `--executor processes`, or give it faster cores"


def _attention(summary: Summary, wish: Wish) -> Iterator[str]:
    """What a person may have to look at."""
    if summary.fewest_at_once is not None:
        yield (
            "this process was far behind with its own work, and began games only while fewer than "
            f"{summary.fewest_at_once + 1} played: {_RELIEF}"
        )
    elif summary.times.saturated:
        yield f"this process was saturated, and not its providers slow: {_RELIEF}"
    if summary.lapses.get("overlong"):
        yield (
            "overlong answers were cut by their limit of tokens, or are longer than the rules "
            "read: raise max_tokens of a model that was cut while it thought; `arena show GAME` "
            "tells which"
        )
    for model, dollars in summary.beyond.items():
        yield (
            f"model {model!r} was charged up to {money(dollars)} more for a call than its "
            "max_tokens allow: it thinks beyond them, or its prices are others; further calls "
            "reserve as much"
        )
    if summary.orphans:
        were = "call was" if summary.orphans == 1 else "calls were"
        yield (
            f"{summary.orphans:,} {were} in flight when a run or a worker was killed: counted, and "
            f"charged {money(summary.orphan_cost)} at worst"
        )
    if summary.games_void:
        look = ["arena", "games", "--tournament", summary.tournament, "--status", "void"]
        yield (
            f"{count(summary.games_void, 'game')} without a result "
            f"({_counts(summary.void_causes)}); "
            f"see: {shlex.join([*look, *wish.where()])}"
        )
    if summary.unrated:
        yield summary.unrated
    if summary.first_error:
        yield f"the first error: {summary.first_error}"
    if summary.paused:
        are = "is" if summary.paused == 1 else "are"
        yield (
            f"{count(summary.paused, 'game')} {are} paused in the middle and will go on from "
            "the record"
        )
    if summary.suspended:
        are = "is" if summary.suspended == 1 else "are"
        yield (
            f"{count(summary.suspended, 'game')} {are} suspended: the agents wait for an answer; "
            f"once it is there, resume with: {wish.again()}"
        )


def _counts(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}x" for name, number in sorted(counted.items()))


def _versions(summary: Summary) -> Iterator[str]:
    """A line where agents of the file are later versions of those that have played."""
    from db.versions import versioned

    names = sorted(row.name for row in summary.standings if versioned(row.name).version > 1)
    if names:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        yield (
            f"{', '.join(names[:3])}{more}: what an agent is made of has changed since it played "
            "under this name, so it is another version, with ratings of its own"
        )
