"""Which versions of its agents a tournament was begun with: its configuration says their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlmodel import Session, col, select

from db.models import Agent, Game, GamePlayer
from db.versions import versioned


def begun_agents(
    session: Session, tournament_id: int, names: Iterable[str]
) -> list[tuple[int, str] | None]:
    """(agent_id, label) of the agents of a tournament by their names in its configuration; None
    for one that is not in the catalogue, or of which no version has a seat yet."""
    wanted = list(names)
    bases = {versioned(name).name for name in wanted}
    query: Any = select(col(Agent.id), col(Agent.alias)).where(col(Agent.alias).is_not(None))
    known: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for key, alias in session.execute(query.order_by(col(Agent.id))):
        if (base := versioned(alias).name) in bases:
            known[base].append((key, alias))
    return [_begun(session, tournament_id, name, known[versioned(name).name]) for name in wanted]


def _begun(
    session: Session, tournament_id: int, name: str, known: list[tuple[int, str]]
) -> tuple[int, str] | None:
    if versioned(name).version > 1:
        known = [found for found in known if found[1] == name]
    if len(known) > 1:
        known = [found for found in known if _is_seated(session, tournament_id, found[0])]
    return known[0] if len(known) == 1 else None


def _is_seated(session: Session, tournament_id: int, agent_id: int) -> bool:
    seat: Any = (
        select(col(GamePlayer.id))
        .join(Game, col(Game.id) == col(GamePlayer.game_id))
        .where(GamePlayer.agent_id == agent_id, Game.tournament_id == tournament_id)
        .limit(1)
    )
    return session.execute(seat).first() is not None
