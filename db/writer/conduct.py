"""Counts how agents behave when their game is finished, in the transaction that finishes it."""

from __future__ import annotations

from db.writer.games import GameFinished, PlayerFinished
from db.writer.subject import Ended, Subject, Writing

_COUNT = (
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


def _count(writing: Writing, ended: Ended) -> None:
    """Add up the places of each agent; one decides a game at most once."""
    if not isinstance(ended.record, GameFinished):
        return
    places: dict[int, list[PlayerFinished]] = {}
    for player in ended.record.players:
        places.setdefault(ended.agents[player.player_index], []).append(player)
    rows = [
        (
            ended.tournament_id,
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
    writing.connection.run([(_COUNT, rows)])


SUBJECT = Subject(follows=_count)
