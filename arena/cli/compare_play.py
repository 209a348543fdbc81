"""Plays a comparison until it is decided, the budget is spent or the games asked for are played."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

import typer

from arena.cli.output import advise

if TYPE_CHECKING:
    from arena.config import TournamentConfig
    from arena.forecast.review import Review
    from db import Database

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class ComparisonPlay(Generic[Found]):
    """What to play and how to answer: `configure` makes the tournament, `answer` says what its
    games show, and `show` prints that and how what was played compares with its estimate; `open_`
    is what to say while not all is `decided`. `games` are those asked for in all, None for as many
    as it takes; `command` is what was typed."""

    command: tuple[str, ...]
    games: int | None
    configure: Callable[[Database], TournamentConfig]
    answer: Callable[[Database, TournamentConfig], Found]
    show: Callable[[Found, Review | None], None]
    decided: Callable[[Found], bool]
    open_: str


def play_comparison(
    play: ComparisonPlay[Found],
    *,
    concurrency: int | None,
    budget: float | None,
    db: str | None,
    dry_run: bool,
) -> None:
    """Play and print what is known, or with `dry_run` print what it would cost. Exits with 1 while
    it is open."""
    from arena.cli.run_to_end import Wish, play_out, report, reviewed, show_estimate
    from arena.cli.sessions import existing
    from arena.cli.signals import stoppable

    with existing(db) as database:
        config = play.configure(database)
        wish = Wish(play.command, database, None, concurrency, budget, db)
        if dry_run:
            show_estimate(config, replace(wish, games=play.games))
            return
        with stoppable(f"to go on: {wish.again()}") as interrupts:
            summary = review = None
            left = _left(database, config, play.games)
            if left is None or left > 0:
                summary = play_out(config, wish, interrupts, games=left, uncapped=False)
                review = reviewed(config, wish, summary)
            found = play.answer(database, config)
            play.show(found, review)
            if summary is not None:
                report(summary, wish, review)
    if play.decided(found):
        return
    if summary is None or not summary.stopped:
        advise(play.open_ + ("; play on with more --games" if play.games else ""))
    raise typer.Exit(1)


def _left(database: Database, config: TournamentConfig, games: int | None) -> int | None:
    """How many games may be played now, of those that were asked for in all; None for any."""
    from arena.orchestrator.schedule import games_done

    if games is None or games == config.games:
        return None
    return games - games_done(database, config)
