"""Prints the leaderboard of each pool of ratings: a row per agent, or how often it errs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arena.cli.conduct import Errors
from arena.cli.output import Column, advise, console, count, money, percent, print_table, safe, tell

if TYPE_CHECKING:
    from db.queries.leaderboard import PoolRow

# Costs are added up from the calls, ratings are kept: beyond so many games the sum takes seconds.
COSTS_UP_TO_GAMES = 5_000


@dataclass(frozen=True, slots=True)
class Place:
    """A row of the leaderboard.

    `rating` is mu on the scale on which the pool's average agent has 25: only differences inside a
    pool mean anything. `low` and `high` bound its 95 % interval, ± 1.96 sigma; `agents` is how
    many agents the row is the average of; `cost` is dollars, None where unknown. `left_out` is how
    many of the pool's games the ratings leave out; `errors` how the agents' turns went wrong in all
    of them, None where nothing is known.
    """

    environment: str | None
    num_players: int | None
    version: str | None
    tournament: str | None
    rank: int
    name: str
    agents: int
    rating: float
    low: float
    high: float
    mu: float
    sigma: float
    games: int
    wins: int
    draws: int
    losses: int
    cost: float | None
    left_out: int
    errors: Errors | None


def print_ranking(
    found: Sequence[tuple[PoolRow, Sequence[Place]]], by: str, *, rates: bool
) -> None:
    """Every pool with its rows, which are of agents or averages `by` a part of them; with `rates`,
    the shares of turns that went wrong instead of the ratings."""
    from rich.text import Text

    out = console()
    for place, (pool, places) in enumerate(found):
        if place:
            out.print()
        title = Text(style="bold")
        for part in (pool.tournament, pool.environment or "rated by hand"):
            if part:
                title.append_text(safe(part)).append(" · ")
        if pool.num_players:
            title.append(f"{count(pool.num_players, 'player')} · ")
        left_out = places[0].left_out
        out.print(title.append(count(pool.games - left_out, "game")), soft_wrap=True)
        if rates:
            _error_table(places, by)
        else:
            _table(places, by)
        if left_out:
            tell(f"left out: {count(left_out, 'game')} that an agent's own error decided")
        if pool.games > COSTS_UP_TO_GAMES:
            advise(f"costs are left out beyond {COSTS_UP_TO_GAMES:,} games")
    if by != "agent" and found:
        advise(
            f"a row is the average of the agents with this {by}: it says how these combinations "
            f"did, and little about the {by} in others"
        )


def _table(places: Sequence[Place], by: str) -> None:
    averages = by != "agent"
    print_table(
        [
            Column("", "right", style="dim"),
            Column(by, shrink=True, style="bold"),
            *([Column("agents", "right")] if averages else []),
            Column("rating", "right"),
            Column("95 %", "right", style="dim"),
            Column("games", "right"),
            Column("won/drawn/lost", "right"),
            Column("cost", "right"),
            Column("errors", shrink=True, style="dim"),
        ],
        [
            [
                str(place.rank),
                place.name,
                *([str(place.agents)] if averages else []),
                f"{place.rating:.2f}",
                f"{place.low:.1f} to {place.high:.1f}",
                f"{place.games:,}",
                f"{place.wins:,}/{place.draws:,}/{place.losses:,}",
                "" if place.cost is None else money(place.cost),
                place.errors.shown() if place.errors else "",
            ]
            for place in places
        ],
    )


def _error_table(places: Sequence[Place], by: str) -> None:
    known = [(place, place.errors) for place in places if place.errors is not None]
    if not known:
        advise("of these games it is not on record how the turns went")
        return
    kinds = [*known[0][1].rates]
    print_table(
        [
            Column("", "right", style="dim"),
            Column(by, shrink=True, style="bold"),
            Column("turns", "right"),
            *(Column(kind, "right") for kind in kinds),
        ],
        [
            [
                str(place.rank),
                place.name,
                f"{errors.turns:,}",
                *(percent(share) for share in errors.rates.values()),
            ]
            for place, errors in known
        ],
    )
    tell("shares of an agent's turns; decided: of its games, by its own error")
