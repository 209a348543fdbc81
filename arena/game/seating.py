"""Seats agents: a fresh one at each place of a game, its prompt filled in."""

from __future__ import annotations

from arena.core import AgentKind, AgentSpec, prompts
from arena.game.loop import Seat


def seat(
    spec: AgentSpec, kind: AgentKind, player_index: int, *, environment: str, num_players: int
) -> Seat:
    """A fresh agent at its place. Raises UsageError for a prompt that cannot be filled in."""
    variables = {
        "player_index": player_index,
        "num_players": num_players,
        "environment": environment,
        "agent": spec.name,
    }
    prompt = prompts.render(spec.prompt, variables)
    return Seat(kind(prompt=prompt, options=spec.options), spec.model)
