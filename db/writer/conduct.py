"""Counts how agents behave when their game is finished, in the transaction that finishes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from db.records import PlayerFinished
from db.writer.connections import Row

COUNT = (
    "INSERT INTO conduct (tournament_id, agent_id, games, turns, invalid_actions, silences, "
    "refusals, overlongs, time_limits, decided) VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (tournament_id, agent_id) DO UPDATE SET games = conduct.games + 1, "
    "turns = conduct.turns + excluded.turns, "
    "invalid_actions = conduct.invalid_actions + excluded.invalid_actions, "
    "silences = conduct.silences + excluded.silences, "
    "refusals = conduct.refusals + excluded.refusals, "
    "overlongs = conduct.overlongs + excluded.overlongs, "
    "time_limits = conduct.time_limits + excluded.time_limits, "
    "decided = conduct.decided + excluded.decided"
)


def rows(
    tournament_id: int, seats: Mapping[int, int], players: Sequence[PlayerFinished]
) -> list[Row]:
    """One row of COUNT for each agent of a game, its places added up; `seats` maps player_index
    to agent_id. An agent decides a game at most once."""
    places: dict[int, list[PlayerFinished]] = {}
    for player in players:
        places.setdefault(seats[player.player_index], []).append(player)
    return [
        (
            tournament_id,
            agent_id,
            sum(player.turns or 0 for player in own),
            sum(player.invalid_actions for player in own),
            sum(player.silences for player in own),
            sum(player.refusals for player in own),
            sum(player.overlongs for player in own),
            sum(player.time_limits for player in own),
            int(any(player.decided for player in own)),
        )
        for agent_id, own in sorted(places.items())
    ]
