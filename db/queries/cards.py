"""What a card of a result says: a tournament, its agents and ratings, and every game with the hash
of its record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from db.models import (
    Agent,
    AgentTrueSkill,
    Environment,
    Game,
    GamePlayer,
    Kind,
    Model,
    Prompt,
    RatingPool,
    Tournament,
)
from db.queries.transcript import TurnRow, transcript

_OF_GAME = ("schedule_index", "attempt", "status", "seed", "fold_index")


@dataclass(frozen=True, slots=True)
class CardGame:
    """An attempt at a place of the schedule. `rated` is its place, from 0, among the games of the
    tournament that moved its ratings; `seats` are (place of the agent in the card, role, team,
    rank); `record` is a hash of every turn and call, without their times."""

    schedule_index: int | None
    attempt: int
    status: str
    seed: int | None
    rated: int | None
    seats: tuple[tuple[int, str | None, str | None, int | None], ...]
    record: str


def card_head(session: Session, tournament_id: int, usual: str) -> dict[str, Any]:
    """The tournament, its environment, agents and ratings, as plain values: the agents in the
    order of their numbers, whose places the ratings name. `usual` is the system that rates where
    none is named."""
    tournament = session.get_one(Tournament, tournament_id)
    rules = session.get_one(Environment, tournament.environment_id)
    system = str(tournament.config.get("rating", usual))
    agents = _agents(session, tournament_id)
    places = {number: place for place, (number, _) in enumerate(agents)}
    rated = session.execute(
        select(AgentTrueSkill)
        .join(RatingPool, col(RatingPool.id) == col(AgentTrueSkill.pool_id))
        .where(col(RatingPool.tournament_id) == tournament_id, col(RatingPool.system) == system)
    ).scalars()
    ratings = sorted(
        [places[row.agent_id], row.mu, row.sigma, row.games, row.wins, row.draws, row.losses]
        for row in rated
    )
    return {
        "tournament": {
            "name": tournament.name,
            "config": tournament.config,
            "config_hash": tournament.config_hash,
            "rating": system,
        },
        "environment": {
            "name": rules.name,
            "num_players": rules.num_players,
            "options": rules.options,
            "package": rules.package,
            "version": rules.version,
            "fingerprint": rules.fingerprint,
        },
        "agents": [said for _, said in agents],
        "ratings": ratings,
    }


def _agents(session: Session, tournament_id: int) -> list[tuple[int, dict[str, Any]]]:
    seated = (
        select(col(GamePlayer.agent_id))
        .join(Game, col(Game.id) == col(GamePlayer.game_id))
        .where(col(Game.tournament_id) == tournament_id)
        .distinct()
    )
    rows = session.execute(
        select(Agent, Kind, Model, Prompt)
        .join(Kind, col(Kind.id) == col(Agent.kind_id))
        .join(Model, col(Model.id) == col(Agent.model_id))
        .join(Prompt, col(Prompt.id) == col(Agent.prompt_id))
        .where(col(Agent.id).in_(seated))
        .order_by(col(Agent.id))
    )
    return [
        (
            int(agent.id or 0),
            {
                "name": agent.alias or f"{kind.name}/{model.name}/{prompt.name}",
                "fingerprint": agent.fingerprint,
                "kind": kind.name,
                "kind_version": kind.version,
                "model": model.litellm_model_name,
                "params": model.params,
                "prompt": prompt.name,
                "prompt_hash": prompt.content_hash,
                "options": agent.options,
            },
        )
        for agent, kind, model, prompt in rows
    ]


def card_games(session: Session, tournament_id: int) -> Iterator[CardGame]:
    """The games of a tournament in the order of its schedule, one record at a time in memory.
    Raises Damaged for one that is not as it was written."""
    places = {number: place for place, (number, _) in enumerate(_agents(session, tournament_id))}
    games = session.execute(
        select(col(Game.id), *(col(getattr(Game, name)) for name in _OF_GAME))
        .where(col(Game.tournament_id) == tournament_id)
        .order_by(col(Game.schedule_index), col(Game.attempt), col(Game.id))
    ).all()
    folds = sorted(row.fold_index for row in games if row.fold_index is not None)
    order = {fold: place for place, fold in enumerate(folds)}
    for number, index, attempt, status, seed, fold in games:
        seats = session.execute(
            select(*(col(getattr(GamePlayer, n)) for n in ("agent_id", "role", "team", "rank")))
            .where(col(GamePlayer.game_id) == number)
            .order_by(col(GamePlayer.player_index))
        )
        yield CardGame(
            index,
            attempt,
            status,
            seed,
            None if fold is None else order[fold],
            tuple((places[agent], role, team, rank) for agent, role, team, rank in seats),
            _record(transcript(session, number)),
        )
        session.expunge_all()


def _record(turns: Sequence[TurnRow]) -> str:
    digest = hashlib.sha256()
    for turn in turns:
        said = [
            turn.turn_number, turn.player_index, turn.observation, turn.action, turn.submitted,
            turn.invalid, turn.lapse, turn.target, turn.target_how,
            [
                [
                    call.call_index, call.call_number, call.attempt, call.model_asked,
                    call.model_answered, call.request, call.request_hash, call.messages,
                    call.text, call.response, call.finish_reason, call.error_class,
                    call.error_message, call.error_status, call.prompt_tokens,
                    call.response_tokens, call.cost,
                ]
                for call in turn.calls
            ],
        ]  # fmt: skip
        text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        digest.update(text.encode("ascii") + b"\n")
    return digest.hexdigest()
