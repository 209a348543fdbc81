"""Numbers of games in pages: each starts where the one before it ended.

A page costs the same however far it is and however many games there are: nothing is skipped by
counting, and nothing is counted.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, literal, select
from sqlmodel import Session

from db.models import Game
from db.selection import Chosen, several

_TABLES = Game.metadata.tables
_GAMES, _SEATS, _AGENTS = (_TABLES[name] for name in ("games", "game_players", "agents"))

_TAGS = _TABLES["annotation_tags"]

# What is left to ask of a seat of agents that are known.
_OTHERS = ("tournament", "environment", "against")

# A page of more agents, or tournaments, is found faster among all games: most of them fit.
_FEW = 16


def newest_games(
    session: Session | Connection, chosen: Chosen, limit: int, before: int | None = None
) -> list[int]:
    """At most `limit` numbers of the games of a selection below `before`, the largest first."""
    found: list[Iterator[int]] = []
    for query in _queries(session, chosen, limit, before):
        found.append(iter(session.execute(query).scalars().all()))
    merged: list[int] = []
    for number in heapq.merge(*found, reverse=True):
        if merged[-1:] != [number]:
            merged.append(number)
    return merged[:limit]


def games_after(
    session: Session | Connection, chosen: Chosen, limit: int, after: int = 0
) -> list[int]:
    """At most `limit` numbers of the games of a selection above `after`, the smallest first."""
    query: Any = select(_GAMES.c.id).where(_GAMES.c.id > after, *chosen.of_games())
    return [*session.execute(query.order_by(_GAMES.c.id).limit(limit)).scalars()]


def _queries(
    session: Session | Connection, chosen: Chosen, limit: int, before: int | None
) -> Iterator[Any]:
    """Questions that an index answers in order: of each tag, of each agent, of each tournament, or
    of all."""
    if chosen.asked.tag:
        # People tag few games: from the tags to the games, however many of those there are.
        below = [] if before is None else [_TAGS.c.game_id < before]
        fits = select(literal(1)).where(_GAMES.c.id == _TAGS.c.game_id, *chosen.of_games())
        game = fits.correlate(_TAGS).limit(1).scalar_subquery()
        for tag in several(chosen.asked.tag):
            yield (
                select(_TAGS.c.game_id)
                .where(
                    _TAGS.c.tag == tag,
                    *below,
                    fits.correlate(_TAGS).limit(1).scalar_subquery() == 1,
                )
                .order_by(_TAGS.c.game_id.desc())
                .distinct()
                .limit(limit)
            )
        return
    agents = few_agents(session, chosen)
    if agents is not None:
        below = [] if before is None else [_SEATS.c.game_id < before]
        named = {noun: chosen.named[noun] for noun in _OTHERS if noun in chosen.named}
        others = replace(chosen, named=named).of_seats()
        # No EXISTS: a planner makes a join of one, and reads every game for it.
        fits = select(literal(1)).where(_GAMES.c.id == _SEATS.c.game_id, *others)
        game = fits.correlate(_SEATS).limit(1).scalar_subquery()
        for agent in agents:
            yield (
                select(_SEATS.c.game_id)
                .where(_SEATS.c.agent_id == agent, *below, game == 1)
                .order_by(_SEATS.c.game_id.desc())
                .distinct()
                .limit(limit)
            )
        return
    below = [] if before is None else [_GAMES.c.id < before]
    tournaments = [*chosen.named.get("tournament", ())]
    of_each: list[list[ColumnElement[bool]]] = [[]]
    if 0 < len(tournaments) <= _FEW:
        of_each = [[_GAMES.c.tournament_id == number] for number in tournaments]
    for where in of_each:
        yield (
            select(_GAMES.c.id)
            .where(*where, *below, *chosen.of_games())
            .order_by(_GAMES.c.id.desc())
            .limit(limit)
        )


def few_agents(session: Session | Connection, chosen: Chosen) -> list[int] | None:
    """The agents that a selection asks for by name or part; None for any, and for many."""
    where = chosen.of_agents(_AGENTS.c.id)
    if not where:
        return None
    query: Any = select(_AGENTS.c.id).where(*where).order_by(_AGENTS.c.id)
    found = [*session.execute(query.limit(_FEW + 1)).scalars()]
    return found if len(found) <= _FEW else None
