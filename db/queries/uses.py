"""What uses a row of the catalogue, and whether it has ever played: what has is never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlmodel import Session, col

from db.live import branches_run_now, run_now
from db.models import Agent, Environment, Game, GamePlayer, GameTurn, LLMCall, Prompt, Tournament
from db.versions import versioned

UsedNoun = Literal["model", "prompt", "kind", "agent"]
"""What agents are made of, and agents."""

_ANSWERED = exists().where(
    col(LLMCall.game_turn_id) == col(GameTurn.id),
    col(LLMCall.response_received_at).is_not(None),
    col(LLMCall.error_class).is_(None),
)
# What is only scheduled need not be looked into.
_SAID = and_(
    col(Game.status) != "scheduled",
    or_(
        col(Game.status) == "completed",
        exists().where(
            col(GameTurn.game_id) == col(Game.id),
            col(GameTurn.player_index) == col(GamePlayer.player_index),
            or_(col(GameTurn.acted_at).is_not(None), _ANSWERED),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class CatalogueUses:
    """What a row of the catalogue is used by: `agents` and, of a prompt, its `forks`, by name;
    `tournaments` by name, in whose `games` its agents have seats. It has `played` where one of them
    has acted or an answer to it is on record; `running` are tournaments that are run now."""

    agents: Sequence[str]
    forks: Sequence[str]
    tournaments: Sequence[str]
    games: int
    played: bool
    running: Sequence[str]

    @property
    def fixed(self) -> bool:
        """Whether it may not be changed any more."""
        return self.played or bool(self.running)


def catalogue_uses(session: Session, noun: UsedNoun, key: int) -> CatalogueUses:
    """What uses the row of a noun with this number. Counts games: not for every row of a list."""
    rows: Any = select(Agent).where(_of(noun, key)).order_by(col(Agent.id))
    agents = [] if noun == "agent" else [row.label for row in session.execute(rows).scalars()]
    forks: Any = select(col(Prompt.name)).where(col(Prompt.forked_from) == key)
    seats: Any = _seats(noun, key)
    names: Any = (
        select(col(Tournament.name))
        .where(col(Tournament.id).in_(seats.with_only_columns(col(Game.tournament_id)).distinct()))
        .order_by(col(Tournament.id))
    )
    games = seats.with_only_columns(func.count(func.distinct(col(Game.id))))
    return CatalogueUses(
        agents=agents,
        forks=[*session.execute(forks).scalars()] if noun == "prompt" else [],
        tournaments=[*session.execute(names).scalars()],
        games=int(session.execute(games).scalar_one()),
        played=has_played(session, noun, key),
        running=running_with(session, noun, key),
    )


def has_played(session: Session, noun: UsedNoun, key: int) -> bool:
    """Whether an agent of this row has acted in a game, or an answer to it is on record."""
    query = _seats(noun, key).with_only_columns(col(Game.id)).where(_SAID).limit(1)
    if session.execute(query).first() is not None:
        return True
    judged: Any = select(col(Game.id)).where(
        col(Game.environment_id).in_(_refereed(session, noun, key)),
        col(Game.status) != "scheduled",
    )
    return session.execute(judged.limit(1)).first() is not None


def has_answers(session: Session, tournament_id: int) -> bool:
    """Whether anybody has acted in a game of the tournament, or an answer is on record."""
    query: Any = (
        select(col(Game.id))
        .join(GamePlayer, col(GamePlayer.game_id) == col(Game.id))
        .where(col(Game.tournament_id) == tournament_id, _SAID)
        .limit(1)
    )
    return session.execute(query).first() is not None


def running_with(
    session: Session, noun: UsedNoun, key: int, *, apart_from: int | None = None
) -> list[str]:
    """What is run now and plays with the row: tournaments by name, and runs of branches."""
    rows: Any = select(Agent).where(_of(noun, key))
    agents = {row.id: row.label for row in session.execute(rows).scalars()}
    found = []
    if agents and (live := run_now(session) - {apart_from}):
        # An agent of one that pairs by results may have no seat yet.
        names = {versioned(label).name for label in agents.values()}
        query: Any = select(Tournament).where(col(Tournament.id).in_(live))
        for row in session.execute(query.order_by(col(Tournament.id))).scalars():
            judge = (row.config.get("environment") or {}).get("referee")
            entered = [*row.config.get("agents", ()), *([judge] if judge else [])]
            if names & {versioned(str(agent["name"])).name for agent in entered}:
                found.append(row.name)
    found += [
        f"branches of game {run.game_id}"
        for run in branches_run_now(session)
        if agents.keys() & {*run.seats.values()}
    ]
    return found


def _of(noun: UsedNoun, key: int) -> ColumnElement[bool]:
    columns: dict[str, Any] = {
        "model": col(Agent.model_id),
        "prompt": col(Agent.prompt_id),
        "kind": col(Agent.kind_id),
        "agent": col(Agent.id),
    }
    found: ColumnElement[bool] = columns[noun] == key
    return found


def _refereed(session: Session, noun: UsedNoun, key: int) -> list[int]:
    """The environments, by number, whose referee is an agent of this row."""
    rows: Any = select(col(Agent.id)).where(_of(noun, key))
    agents = {*session.execute(rows).scalars()}
    environments = session.execute(select(Environment)).scalars() if agents else ()
    return [row.id for row in environments if row.id and row.referee_id in agents]


def _seats(noun: UsedNoun, key: int) -> Any:
    return (
        select(GamePlayer)
        .join(Game, col(Game.id) == col(GamePlayer.game_id))
        .join(Agent, and_(col(Agent.id) == col(GamePlayer.agent_id), _of(noun, key)))
    )
