"""Asks matchmakers for pairings as a tournament does."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from arena.core import Casting, Matchmaker, MatchmakerFactory, Pairing, Part, Standings


def alone(num_players: int) -> Casting:
    """Rules without roles and teams."""
    return lambda seed: (Part(),) * num_players


def mafia(seed: int) -> Sequence[Part]:
    """Two Mafia against four of the Village, dealt out by the seed."""
    roles = ["Mafia", "Mafia", "Doctor", "Detective", "Villager", "Villager"]
    random.Random(seed).shuffle(roles)
    return [Part(role, "Mafia" if role == "Mafia" else "Village") for role in roles]


def made(
    factory: MatchmakerFactory,
    agents: int | Sequence[int],
    num_players: int,
    games: int,
    seed: int = 1,
    casting: Casting | None = None,
    options: Mapping[str, Any] | None = None,
) -> Matchmaker:
    """A matchmaker for agents by their ids, or for that many from 1."""
    return factory(
        agents=range(1, agents + 1) if isinstance(agents, int) else agents,
        num_players=num_players,
        games=games,
        seed=seed,
        options=options or {},
        casting=casting or alone(num_players),
    )


def unknown(scheduled: Sequence[Pairing] = (), agents: Sequence[int] = ()) -> Standings:
    """Standings when nothing is settled."""
    n = len(agents)
    return Standings(
        agents=tuple(agents),
        mean=np.zeros(n),
        covariance=np.eye(n) * (25 / 3) ** 2,
        dollars=np.full(n, np.nan),
        scheduled=scheduled,
    )


def asked(matchmaker: Matchmaker, games: int, room: int | None = None) -> list[Pairing]:
    """The first games of a fixed schedule, asked for with that much room each time."""
    scheduled: list[Pairing] = []
    while len(scheduled) < games:
        following = matchmaker.next(unknown(scheduled), room or games)
        if not following:
            break
        scheduled += following
    return scheduled
