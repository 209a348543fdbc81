"""Who answered in an agent's games: under which names models did, and from where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import distinct, func, select
from sqlmodel import Session, col

from db.errors import DatabaseError
from db.models import CallPayload, Game, GamePlayer, GameTurn, LLMCall
from db.payloads import PayloadReader, as_done, at_turn
from db.queries.games import RATED
from db.selection import Selection

GAMES_LOOKED_AT = 200
"""Of an agent: responses are packed, and reading them all takes longer than rating does."""

_AT_ONCE = 500  # values in one statement


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
        _of_rated_calls(
            session,
            selection,
            col(GamePlayer.agent_id),
            col(LLMCall.model_answered),
            func.count(distinct(col(Game.id))),
        )
        .where(col(LLMCall.model_answered).is_not(None))
        .group_by(col(GamePlayer.agent_id), col(LLMCall.model_answered))
        .order_by(col(GamePlayer.agent_id), first, col(LLMCall.model_answered))
    )
    found: dict[int, list[AnsweredName]] = defaultdict(list)
    for agent, name, games in session.execute(query):
        found[int(agent)].append(AnsweredName(name, int(games)))
    return dict(found)


def backends(session: Session, selection: Selection) -> dict[int, list[str]]:
    """What the response to the first answered call of each game tells of the provider that
    answered and of its system fingerprint, by agent_id, in the order of the games: of the seats of
    a selection, and of at most GAMES_LOOKED_AT games of an agent, spread evenly over its games.
    Those that tell nothing are left out."""
    query: Any = (
        _of_rated_calls(session, selection, col(GamePlayer.agent_id), func.min(col(LLMCall.id)))
        .where(col(LLMCall.error_class).is_(None), col(LLMCall.response_received_at).is_not(None))
        .group_by(col(GamePlayer.agent_id), col(Game.id), col(Game.fold_index))
        .order_by(col(GamePlayer.agent_id), col(Game.fold_index))
    )
    calls: dict[int, list[int]] = defaultdict(list)
    for agent, call in session.execute(query):
        calls[int(agent)].append(int(call))
    looked_at = {agent: made[:: -(-len(made) // GAMES_LOOKED_AT)] for agent, made in calls.items()}
    said = _said(session, [call for made in looked_at.values() for call in made])
    found = {
        agent: [said[call] for call in made if call in said] for agent, made in looked_at.items()
    }
    return {agent: told for agent, told in found.items() if told}


def _of_rated_calls(session: Session, selection: Selection, *columns: Any) -> Any:
    return (
        select(*columns)
        .select_from(GamePlayer)
        .join(Game, col(Game.id) == col(GamePlayer.game_id))
        .join(
            GameTurn,
            (col(GameTurn.game_id) == col(GamePlayer.game_id))
            & (col(GameTurn.player_index) == col(GamePlayer.player_index)),
        )
        .join(LLMCall, col(LLMCall.game_turn_id) == col(GameTurn.id))
        .where(*RATED, *selection.on(session).of_seats())
    )


def _said(session: Session, calls: Sequence[int]) -> dict[int, str]:
    """By call_id, the provider and the fingerprint that its response names, where it does."""
    found: dict[int, str] = {}
    for at in range(0, len(calls), _AT_ONCE):
        query: Any = (
            select(
                col(CallPayload.llm_call_id),
                col(CallPayload.response),
                col(GameTurn.action_text),
                col(GameTurn.action_raw),
            )
            .join(LLMCall, col(LLMCall.id) == col(CallPayload.llm_call_id))
            .join(GameTurn, col(GameTurn.id) == col(LLMCall.game_turn_id))
            .where(col(CallPayload.llm_call_id).in_(calls[at : at + _AT_ONCE]))
        )
        for call, body, action, raw in session.execute(query):
            try:
                with at_turn(call >> 8):
                    _, response = PayloadReader().answer(body, as_done(action, raw))
            except DatabaseError:
                continue  # `arena db verify` lists what is damaged; a board does not need it
            told = response if isinstance(response, dict) else {}
            provider, mark = told.get("provider"), told.get("system_fingerprint")
            names = [f"{provider}" if provider else "", f"fingerprint {mark}" if mark else ""]
            if any(names):
                found[call] = " ".join(filter(None, names))
    return found
