"""Which games are repeats: the same rules, seed and seating, and replies that could not differ.

A scripted model's answer, one from the cache and a turn that a branch took from its parent follow
from what was on record already. A game in which every answer is one of these adds nothing to an
earlier game of the same rules, seed and seating. A game with any reply that a model drew anew, at
whatever temperature, is evidence of its own, also where it comes out the same.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from sqlalchemy import exists, func, or_, select
from sqlmodel import Session, col

from db.models import Agent, Game, GamePlayer, GameTurn, LLMCall, Model

SCRIPTED = "scripted/%"
"""The models that programs answer for, by their name at the provider."""

_AT_ONCE = 500


def repeats(session: Session, games: Mapping[int, Hashable]) -> dict[int, int]:
    """The game_ids of the repeats, each with that of the game which counts in its place.

    `games` are in the order in which they were rated, by game_id, each with what makes two of them
    the same: rules, seed and seating. Of those that are the same, all with replies drawn anew
    count, or the first where there is none. Only games that have their like are looked up, by the
    keys of their turns and calls.
    """
    alike: dict[Hashable, list[int]] = {}
    for game, same in games.items():
        alike.setdefault(same, []).append(game)
    groups = [group for group in alike.values() if len(group) > 1]
    anew = drawn_anew(session, [game for group in groups for game in group])
    found: dict[int, int] = {}
    for group in groups:
        counted = next((game for game in group if game in anew), group[0])
        found |= {game: counted for game in group if game not in anew and game != counted}
    return found


def drawn_anew(session: Session, games: Sequence[int]) -> set[int]:
    """Those of the games with a reply that could have been another: neither scripted, nor cached,
    nor taken over from the game that it is a branch of. A game without turns on record is one of
    them, since nothing shows how its players were answered."""
    turn, call = GameTurn, LLMCall
    played = exists().where(col(turn.game_id) == col(Game.id))
    seated = (
        exists()
        .where(col(GamePlayer.game_id) == col(Game.id))
        .where(col(Agent.id) == col(GamePlayer.agent_id), col(Model.id) == col(Agent.model_id))
        .where(col(Model.litellm_model_name).not_like(SCRIPTED))
    )
    answered = (
        exists()
        .where(col(turn.game_id) == col(Game.id), col(call.game_turn_id) == col(turn.id))
        .where(col(turn.turn_number) >= func.coalesce(col(Game.parent_turn), 0))
        .where(~col(call.cached), col(call.model).not_like(SCRIPTED))
    )
    found: set[int] = set()
    for at in range(0, len(games), _AT_ONCE):
        # Most games without a drawn reply are of scripted models alone: their calls are not read.
        query: Any = select(col(Game.id)).where(
            col(Game.id).in_(games[at : at + _AT_ONCE]), or_(~played, seated & answered)
        )
        found.update(session.scalars(query))
    return found
