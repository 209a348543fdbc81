"""What the models of a tournament were sent lately: a limit by the minute holds over its runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, text
from sqlmodel import Session, col

from db.models import Game
from db.models.columns import CompactDateTime
from db.models.tournaments import REFEREE_ID


class SentCall(NamedTuple):
    """A request: the model's name in the catalogue, when it was sent by the clock of who sent it,
    and the tokens it took in all; None where nobody knows."""

    model: str
    at: datetime
    tokens: int | None


_ended: Any = col(Game.finished_at)

# CROSS JOIN says the order in which SQLite reads the tables, from the few games to their calls,
# whose keys hold the game and the player (`db.keys`).
_SENT = (
    text(
        f"""
SELECT m.name, c.request_sent_at, c.total_tokens_consumed
FROM games g CROSS JOIN llm_calls c
LEFT JOIN game_players p ON p.game_id = g.id AND p.player_index = (c.game_turn_id & 255)
LEFT JOIN environments rules ON rules.id = g.environment_id
CROSS JOIN agents a CROSS JOIN models m
WHERE g.tournament_id = :tournament AND (g.status = 'running' OR g.finished_at > :ended)
  AND c.id >= g.id * 4294967296 AND c.id < (g.id + 1) * 4294967296
  AND c.request_sent_at > :since AND NOT c.cached
  AND a.id = COALESCE(p.agent_id, {REFEREE_ID}) AND m.id = a.model_id
ORDER BY c.request_sent_at
"""  # noqa: S608
    )
    .bindparams(
        bindparam("since", type_=CompactDateTime()),
        bindparam("ended", type_=_ended.type),
    )
    .columns(request_sent_at=CompactDateTime())
)


def sent_since(session: Session, tournament_id: int, since: datetime) -> list[SentCall]:
    """The requests of a tournament's games that were sent after a time, the earliest first, those
    that were never answered too; not what was answered from the record."""
    values = {"tournament": tournament_id, "since": since, "ended": since}
    rows = session.connection().execute(_SENT, values)
    return [SentCall(str(name), at, tokens) for name, at, tokens in rows]
