"""Where things are in the packed columns of games: what a rating fold reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arena.core import Games
from arena.core.arrays import Booleans, Integers, whole


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are in the columns, found for all games at once.

    Per game: `starts`; `drawn`, no single team has the best rank; `plain`, two teams and no agent
    in two seats, and for these `sign`, 1 when the first team won, −1 when it lost, 0 for a draw.
    The first team is the smaller one, or that of the first seat. Per seat: `game`; `code`, the
    agent's position in `names`; `second`, in the second team of a plain game; `first`, the agent's
    first seat in its game; `won` and `lost`, in any of the agent's seats there (a draw is neither,
    or both).
    """

    names: Integers
    starts: Integers
    drawn: Booleans
    plain: Booleans
    sign: Integers
    game: Integers
    code: Integers
    second: Booleans
    first: Booleans
    won: Booleans
    lost: Booleans


def lay_out(games: Games) -> Layout:
    """Raises ValueError for columns that do not fit together, numbers that are not whole, an empty
    game, or a team with two ranks."""
    sizes, agents, teams, ranks = (
        whole(column, name)
        for column, name in (
            (games.sizes, "size"),
            (games.agents, "agent"),
            (games.teams, "team"),
            (games.ranks, "rank"),
        )
    )
    if not len(agents) == len(teams) == len(ranks) == sizes.sum():
        raise ValueError(
            f"{sizes.sum()} seats in all games, but {len(agents)} agents, {len(teams)} teams and "
            f"{len(ranks)} ranks: expected as many of each"
        )
    if len(sizes) and sizes.min() < 1:
        raise ValueError(f"game {int(sizes.argmin())} has no seats: expected at least one")
    n = len(sizes)
    starts = np.cumsum(sizes) - sizes
    game = np.repeat(np.arange(n), sizes)
    names, code = codes_of(agents)

    team = _first_alike(game, teams)
    odd = ranks != ranks[team]
    if odd.any():
        raise ValueError(f"game {game[odd.argmax()]}: the seats of one team have different ranks")
    seats = np.arange(len(agents))
    opens = team == seats
    leads = ranks == (np.minimum.reduceat(ranks, starts) if n else ranks)[game]
    drawn = _count(opens & leads, starts) > 1
    won, lost = leads & ~drawn[game], ~leads
    agent = _first_alike(game, code)
    first = agent == seats
    if not first.all():
        # An agent's first seat answers for all of them.
        for column in won, lost:
            column[agent[column]] = True

    with_first_seat = team == team[starts][game]
    larger = 2 * _count(with_first_seat, starts) > sizes
    plain = (_count(opens, starts) == 2) & (_count(first, starts) == sizes)
    return Layout(
        names=names,
        starts=starts,
        drawn=drawn,
        plain=plain,
        sign=np.where(drawn, 0, np.where(leads[starts] ^ larger, 1, -1)),
        game=game,
        code=code,
        second=(with_first_seat == larger[game]) & plain[game],
        first=first,
        won=won,
        lost=lost,
    )


def _count(seats: Booleans, starts: Integers) -> Integers:
    """How many of the seats are in each game."""
    if not len(starts):
        return starts
    counts: Integers = np.add.reduceat(seats, starts, dtype=np.int64)
    return counts


def codes_of(agents: Integers) -> tuple[Integers, Integers]:
    """The agents' ids in order, and the place of each seat's agent among them."""
    if len(agents) and agents.min() >= 0 and agents.max() < len(agents):
        names = np.flatnonzero(np.bincount(agents))
        places = np.zeros(int(agents.max()) + 1, np.int64)
        places[names] = np.arange(len(names))
        return names, places[agents]
    return np.unique(agents, return_inverse=True)


def _first_alike(game: Integers, label: Integers) -> Integers:
    """For every seat, the first seat of its game with the same label."""
    if not len(label):
        return label
    low = label.min()
    span = int(label.max() - low) + 1
    key = game * span + (label - low)
    if (int(game[-1]) + 1) * span > 64 * len(label):
        _, opening, group = np.unique(key, return_index=True, return_inverse=True)
        found: Integers = opening[group]
        return found
    seats = np.arange(len(label))
    table = np.empty((int(game[-1]) + 1) * span, np.int64)
    table[key[::-1]] = seats[::-1]  # of seats with the same key the last one written stays
    found = table[key]
    return found
