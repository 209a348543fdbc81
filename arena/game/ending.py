"""Tells those who played, where they want to know, how a game has ended for them.

It is told when the last turn was played here, never in a replay: at most once, and a program that
is away has missed it. Nothing of it is on record, and nothing that comes of it changes the game.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from arena.core import Agent, HearsResult, ModelSpec, Outcome
from arena.game.loop import Finished
from arena.game.seating import Relay, Sitter, Told, sitting
from arena.llm.turn import ModelClient, TellsEnd


async def tell_end(
    client: ModelClient,
    game: Finished,
    agents: Sequence[Agent],
    seats: Sequence[Sequence[Sitter]],
) -> None:
    """Tell the agents of a game; `seats[i]` sat where `agents[i]` did."""
    if not isinstance(client, TellsEnd):
        return
    told: list[tuple[ModelSpec, Any]] = []
    for agent, sitters, result in zip(agents, seats, _results(game.outcome), strict=False):
        found = _acting(agent)
        if isinstance(found, HearsResult):
            with suppress(Exception):
                if (messages := found.ended(result)) is not None:
                    told.append((sitting(sitters, game.turns - 1).agent.model, messages))
    await asyncio.gather(*(client.end(model, messages) for model, messages in told))


def _acting(agent: Agent | None) -> Agent | None:
    while isinstance(agent, Told | Relay):
        agent = agent.acting
    return agent


def _results(outcome: Outcome) -> Iterator[Mapping[str, Any]]:
    """Of every seat what it may know of the result: its own part in it."""
    first = {player.team or player.player_index for player in outcome.players if player.rank == 0}
    best = "win" if len(first) == 1 else "draw"
    for player in outcome.players:
        yield {
            "result": "loss" if player.rank else best,
            "rank": player.rank,
            "termination": outcome.termination.value,
        }
