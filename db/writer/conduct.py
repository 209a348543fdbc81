"""Counts how agents behave when their game is finished, in the transaction that finishes it."""

from __future__ import annotations

from db.models.games import COUNTS
from db.writer.games import GameFinished, PlayerFinished
from db.writer.subject import Ended, Subject, Writing

_COUNTED = (*COUNTS, "decided", "eliminated")
_COUNT = (
    f"INSERT INTO conduct (tournament_id, agent_id, games, {', '.join(_COUNTED)}) "  # noqa: S608
    f"VALUES (?, ?, 1, {', '.join('?' for _ in _COUNTED)}) "
    "ON CONFLICT (tournament_id, agent_id) DO UPDATE SET games = conduct.games + 1, "
    + ", ".join(f"{name} = conduct.{name} + excluded.{name}" for name in _COUNTED)
)


def _count(writing: Writing, ended: Ended) -> None:
    """Add up the places of each agent; one decides a game, or is thrown out of it, at most once."""
    if not isinstance(ended.record, GameFinished):
        return
    places: dict[int, list[PlayerFinished]] = {}
    for player in ended.record.players:
        places.setdefault(ended.agents[player.player_index], []).append(player)
    rows = [
        (
            ended.tournament_id,
            agent_id,
            *(sum(getattr(player, name) or 0 for player in own) for name in COUNTS),
            int(any(player.decided for player in own)),
            int(any(player.eliminated_turn is not None for player in own)),
        )
        for agent_id, own in sorted(places.items())
    ]
    writing.connection.run([(_COUNT, rows)])


SUBJECT = Subject(follows=_count)
