"""Which of some games and seats fit a selection, and who sat there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import and_, null, select
from sqlmodel import Session

from db.models import Game
from db.queries.keyset import few_agents
from db.selection import Chosen, result_of, several

_AT_ONCE = 500
_TABLES = Game.metadata.tables
_GAMES, _SEATS, _AGENTS, _TOURNAMENTS = (
    _TABLES[name] for name in ("games", "game_players", "agents", "tournaments")
)
_OF_A_SEAT = ("agent", "kind", "model", "prompt", "role", "team", "result")


def bounds(session: Session, chosen: Chosen) -> tuple[int, int] | None:
    """The first and the last game of a selection, as far as an index tells at once; None where any
    game may be of it, (0, 0) where none is."""
    where = [
        column.in_(values)
        for column, values in (
            (_GAMES.c.tournament_id, [*chosen.named.get("tournament", ())]),
            (_GAMES.c.id, several(chosen.asked.game)),
        )
        if values
    ]
    if not where:
        return None
    ends = [
        session.execute(select(_GAMES.c.id).where(*where).order_by(order).limit(1)).scalar()
        for order in (_GAMES.c.id, _GAMES.c.id.desc())
    ]
    return ends[0] or 0, ends[1] or 0


def fitting_seats(
    session: Session, chosen: Chosen, seats: Collection[tuple[int, int]]
) -> set[tuple[int, int]]:
    """Those of some (game, player_index) that fit: every player of a game, where nothing is asked
    of a seat."""
    of_seat = any(several(getattr(chosen.asked, name)) for name in _OF_A_SEAT)
    games = sorted({game for game, _ in seats})
    agents = few_agents(session, chosen)
    if agents and games:
        # Of most hits the agent has not even played in the game.
        played = select(_SEATS.c.game_id).where(
            _SEATS.c.agent_id.in_(agents), _SEATS.c.game_id.between(games[0], games[-1])
        )
        games = sorted({*session.execute(played).scalars()}.intersection(games))
    fit: set[tuple[int, int | None]] = set()
    for start in range(0, len(games), _AT_ONCE):
        some = _GAMES.c.id.in_(games[start : start + _AT_ONCE])
        query: Any
        if of_seat:
            query = (
                select(_GAMES.c.id, _SEATS.c.player_index)
                .join(_SEATS, _SEATS.c.game_id == _GAMES.c.id)
                .where(some, *chosen.of_seats())
            )
        else:
            query = select(_GAMES.c.id, null()).where(some, *chosen.of_games())
        fit.update((game, seat) for game, seat in session.execute(query))
    return {(game, seat) for game, seat in seats if (game, seat if of_seat else None) in fit}


def fitting_calls(session: Session, chosen: Chosen, page: Sequence[int]) -> list[int]:
    """Those of some calls, of models or of tools, whose games and seats fit, in their order."""
    seats = {key: (key >> 32, key >> 8 & 0xFF) for key in page}
    fit = fitting_seats(session, chosen, {*seats.values()})
    return [key for key in page if seats[key] in fit]


def seats_of(
    session: Session, games: Sequence[int]
) -> dict[tuple[int, int | None], tuple[Any, ...]]:
    """(tournament, status, agent, role, team, result, teams of the game) by (game, player); by
    (game, None) the first two alone."""
    kinds, models, prompts = (_TABLES[name] for name in ("kinds", "models", "prompts"))
    query: Any = (
        select(
            _GAMES.c.id,
            _TOURNAMENTS.c.name,
            _GAMES.c.status,
            _SEATS.c.player_index,
            _AGENTS.c.alias,
            kinds.c.name,
            models.c.name,
            prompts.c.name,
            _SEATS.c.role,
            _SEATS.c.team,
            result_of(_SEATS),
        )
        .select_from(_GAMES)
        .outerjoin(_TOURNAMENTS, _TOURNAMENTS.c.id == _GAMES.c.tournament_id)
        .outerjoin(_SEATS, _SEATS.c.game_id == _GAMES.c.id)
        .outerjoin(_AGENTS, _AGENTS.c.id == _SEATS.c.agent_id)
        .outerjoin(kinds, kinds.c.id == _AGENTS.c.kind_id)
        .outerjoin(models, models.c.id == _AGENTS.c.model_id)
        .outerjoin(prompts, and_(prompts.c.id == _AGENTS.c.prompt_id))
        .where(_GAMES.c.id.in_(games))
    )
    found: dict[tuple[int, int | None], tuple[Any, ...]] = {}
    teams: dict[int, set[str]] = defaultdict(set)
    rows = session.execute(query).all()
    for row in rows:
        teams[row[0]].update([row[9]] if row[9] is not None else ())
    for game, tournament, status, player, alias, kind, model, prompt, *rest in rows:
        found[game, None] = (tournament, status)
        if player is not None:
            label = alias or f"{kind}/{model}/{prompt}"
            found[game, player] = (tournament, status, label, *rest, (*sorted(teams[game]),))
    return found
