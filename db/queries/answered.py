"""Under which names models answered in an agent's games."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import distinct, func, select
from sqlmodel import Session, col

from db.models import Game, GamePlayer, GameTurn, LLMCall
from db.queries.games import RATED
from db.selection import Selection


@dataclass(frozen=True, slots=True)
class AnsweredName:
    """A `name` under which a model answered an agent, in how many of its rated `games`."""

    name: str
    games: int


def answered_names(session: Session, selection: Selection) -> dict[int, list[AnsweredName]]:
    """Of the seats of a selection, by agent_id, in order of the first game; an agent whose provider
    told none is left out. Reads every call of them."""
    first = func.min(col(Game.fold_index))
    query: Any = (
        select(
            col(GamePlayer.agent_id),
            col(LLMCall.model_answered),
            func.count(distinct(col(Game.id))),
        )
        .select_from(GamePlayer)
        .join(Game, col(Game.id) == col(GamePlayer.game_id))
        .join(
            GameTurn,
            (col(GameTurn.game_id) == col(GamePlayer.game_id))
            & (col(GameTurn.player_index) == col(GamePlayer.player_index)),
        )
        .join(LLMCall, col(LLMCall.game_turn_id) == col(GameTurn.id))
        .where(*RATED, *selection.on(session).of_seats(), col(LLMCall.model_answered).is_not(None))
        .group_by(col(GamePlayer.agent_id), col(LLMCall.model_answered))
        .order_by(col(GamePlayer.agent_id), first, col(LLMCall.model_answered))
    )
    found: dict[int, list[AnsweredName]] = defaultdict(list)
    for agent, name, games in session.execute(query):
        found[int(agent)].append(AnsweredName(name, int(games)))
    return dict(found)
