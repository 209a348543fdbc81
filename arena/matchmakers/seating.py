"""Seats agents so that each sits equally often at every place.

A stretch of games in which every agent plays as often as a game has places is a regular bipartite
graph of games and agents; by Kőnig's theorem its edges can be coloured with the places, so that no
game and no agent sees a place twice. Found edge by edge, with alternating paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random


def seat(games: Sequence[Sequence[int]], places: int, rng: Random) -> list[tuple[int, ...]]:
    """The same games with their agents in order of place.

    `games[g]` names `places` agents, an agent several times where it has several seats. No agent
    may appear more than `places` times in all; none then sits twice at one place.
    """
    at_game: list[list[int | None]] = [[None] * places for _ in games]
    at_agent: dict[int, list[int | None]] = {}
    order = rng.sample(range(places), places)
    for g, agents in enumerate(games):
        for agent in agents:
            at_agent.setdefault(agent, [None] * places)
            _place(g, agent, at_game, at_agent, order)
    return [tuple(agent for agent in seats if agent is not None) for seats in at_game]


def _place(
    game: int,
    agent: int,
    at_game: list[list[int | None]],
    at_agent: dict[int, list[int | None]],
    order: Sequence[int],
) -> None:
    """Give the agent a place in the game that both have free, moving others along a path if the
    free places of the two differ."""
    here, there = at_game[game], at_agent[agent]
    both = [p for p in order if here[p] is None and there[p] is None]
    if both:
        here[both[0]], there[both[0]] = agent, game
        return
    wanted = next(p for p in order if here[p] is None)
    other = next(p for p in order if there[p] is None)
    # The path from the agent alternates between the two places and cannot come back to the game,
    # where `wanted` is free: swapping the places along it frees `wanted` for the agent.
    path: list[tuple[int, int]] = []
    player: int | None = agent
    while player is not None:
        table = at_agent[player][wanted]
        if table is None:
            break
        path.append((table, player))
        player = at_game[table][other]
        if player is not None:
            path.append((table, player))
    moves = [(g, a, wanted if k % 2 == 0 else other) for k, (g, a) in enumerate(path)]
    for g, a, old in moves:
        at_game[g][old] = at_agent[a][old] = None
    for g, a, old in moves:
        new = wanted + other - old
        at_game[g][new], at_agent[a][new] = a, g
    here[wanted], there[wanted] = agent, game
