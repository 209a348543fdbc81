"""Dollars: what a tournament has been charged per model, and what a game of it cost its agents."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import TextClause, text
from sqlmodel import Session, col, select

from db.counts import GameCounts, charges_of
from db.models import Agent, Game, GamePlayer, GameTurn, LLMCall, Model
from db.models.counters import MONEY
from db.models.tournaments import REFEREE_ID
from db.queries.counters import games_in, games_of, tournament_counts

# A call's key holds its game and its player (`db.keys`): its turn need not be read. The inner
# query adds up per player, so that the agents are looked up once for each.
#
# CROSS JOIN says the order in which SQLite reads the tables: from the few games that are asked for
# to their calls. By its statistics, or without any, it would begin with all calls there are.
_CALLS = "CROSS JOIN llm_calls c"
_OF_GAME = "c.id >= g.id * 4294967296 AND c.id < (g.id + 1) * 4294967296"
_AGENTS = (
    "CROSS JOIN games j LEFT JOIN game_players p "
    "ON p.game_id = s.game_id AND p.player_index = s.player_index "
    "LEFT JOIN environments rules ON rules.id = j.environment_id "
    "CROSS JOIN agents a CROSS JOIN models m "
    f"WHERE j.id = s.game_id AND a.id = COALESCE(p.agent_id, {REFEREE_ID}) AND m.id = a.model_id"
)


@dataclass(frozen=True, slots=True)
class ModelSpending:
    """The attempts at one model, by its name in the catalogue.

    `answered` ended, in an answer or in one of the `failed` errors; `orphans` were in flight when
    their process ended, `cached` were answered from the record. `charged` is dollars: the cost of
    what was answered, and the worst case of what may have been.
    """

    model: str
    calls: int
    answered: int
    failed: int
    orphans: int
    cached: int
    charged: float


def spending(session: Session, tournament_id: int) -> dict[str, ModelSpending]:
    """All attempts of all games of a tournament, void ones and those that are being played too, by
    the model's name. Of the games that have ended it reads the counters (`db.models.Counters`)."""
    return {
        name: ModelSpending(
            model=name,
            calls=counts.calls,
            answered=counts.answered,
            failed=counts.failed,
            orphans=counts.orphans,
            cached=counts.own_cache,
            charged=counts.charged / MONEY,
        )
        for name, counts in _model_counts(session, tournament_id).items()
        if counts.calls
    }


def dearest_calls(session: Session, tournament_id: int) -> dict[str, float]:
    """The most dollars that were reserved for a call in a tournament, by the model's name."""
    found = _model_counts(session, tournament_id)
    return {name: counts.largest / MONEY for name, counts in found.items()}


def _model_counts(session: Session, tournament_id: int) -> dict[str, GameCounts]:
    names = _model_names(session)
    found: dict[str, GameCounts] = {}
    for agent, counts in tournament_counts(session, tournament_id).items():
        found.setdefault(names[agent], GameCounts()).add(counts)
    return dict(sorted(found.items()))


def _model_names(session: Session) -> dict[int, str]:
    query: Any = select(Agent.id, Model.name).join(Model, col(Model.id) == col(Agent.model_id))
    return {int(agent): str(name) for agent, name in session.execute(query)}


def spent(session: Session, tournament_id: int) -> dict[str, float]:
    """Dollars charged by the model's name: what has been charged, and what is reserved for calls
    without an answer. Models that were never asked are not in it."""
    return {name: row.charged for name, row in spending(session, tournament_id).items()}


_OPEN = text(
    "SELECT g.tournament_id, SUM(COALESCE(c.charged, c.reserved, 0.0)) "  # noqa: S608
    f"FROM games g {_CALLS} WHERE g.status = 'running' AND g.tournament_id IS NOT NULL "
    f"AND {_OF_GAME} GROUP BY g.tournament_id"
)
_ENDED = text("SELECT tournament_id, SUM(charged) FROM counters GROUP BY tournament_id")


def spent_by_tournament(session: Session) -> dict[int, float]:
    """Dollars charged for the games of each tournament that anything was charged for, by its
    number: of games that have ended as the counters say, of those that have not by their calls."""
    connection = session.connection()
    found = {int(key): int(charged) / MONEY for key, charged in connection.execute(_ENDED)}
    for key, charged in connection.execute(_OPEN):
        found[int(key)] = found.get(int(key), 0.0) + float(charged)
    return found


# By the games of a table `branches`.
_CHARGED = f"""
SELECT m.name, SUM(s.charged)
FROM (
  SELECT g.id AS game_id, c.game_turn_id & 255 AS player_index,
    SUM(COALESCE(c.charged, c.reserved, 0.0)) AS charged
  FROM branches g {_CALLS} WHERE {_OF_GAME} GROUP BY g.id, c.game_turn_id & 255
) s {_AGENTS}
GROUP BY m.name ORDER BY m.name
"""  # noqa: S608
_OF_RUN = (
    "g.parent_game_id = r.game_id AND g.parent_turn = r.turn AND g.attempt >= r.first "
    "AND g.attempt < r.first + r.times * (CASE WHEN r.control THEN 2 ELSE 1 END)"
)
_RUN = f"branch_runs r CROSS JOIN games g WHERE r.id = :run AND {_OF_RUN}"
_BY_RUN = text(f"WITH branches AS (SELECT g.id FROM {_RUN}) {_CHARGED}")  # noqa: S608
_OF_NO_RUN = f"NOT EXISTS (SELECT 1 FROM branch_runs r WHERE {_OF_RUN})"  # noqa: S608
# Branches, and branches of branches.
_ALL_BRANCHES = """
WITH RECURSIVE found(id) AS (
  SELECT b.id FROM games g CROSS JOIN games b
  WHERE g.tournament_id = :tournament AND b.parent_game_id = g.id
  UNION SELECT b.id FROM found p CROSS JOIN games b WHERE b.parent_game_id = p.id
), branches AS (SELECT g.id FROM found f CROSS JOIN games g WHERE g.id = f.id AND {which})
"""
_BY_BRANCHES = text(_ALL_BRANCHES.format(which="1 = 1") + _CHARGED)
_BY_NO_RUN = text(_ALL_BRANCHES.format(which=_OF_NO_RUN) + _CHARGED)


def spent_by_branches(session: Session, tournament_id: int) -> dict[str, float]:
    """Dollars charged for the branches of a tournament's games, by the model's name."""
    return _charged(session, _BY_BRANCHES, tournament=tournament_id)


def spent_by_no_run(session: Session, tournament_id: int) -> dict[str, float]:
    """The same, of branches that no run of branches on record has made."""
    return _charged(session, _BY_NO_RUN, tournament=tournament_id)


def spent_by_run(session: Session, run_id: int) -> dict[str, float]:
    """Dollars charged for the games of a run of branches, by the model's name."""
    return _charged(session, _BY_RUN, run=run_id)


def _charged(session: Session, query: TextClause, **of: int) -> dict[str, float]:
    found = session.connection().execute(query, of)
    return {str(name): float(charged) for name, charged in found}


def spent_in_all(
    session: Session, tournament_id: int, own: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Dollars charged for a tournament's games and their branches, by the model's name: what its
    budget has paid. `own` is what `spent` says, where it has been asked."""
    all_ = dict(spent(session, tournament_id) if own is None else own)
    for model, dollars in spent_by_branches(session, tournament_id).items():
        all_[model] = all_.get(model, 0.0) + dollars
    return all_


_OF_GAMES = f"""
WITH chosen AS ({{games}}), seated AS (
  SELECT p.game_id, p.player_index, p.agent_id
  FROM chosen g CROSS JOIN game_players p WHERE p.game_id = g.id
  UNION ALL SELECT j.id, rules.num_players, {REFEREE_ID}
  FROM chosen g CROSS JOIN games j CROSS JOIN environments rules
  WHERE j.id = g.id AND rules.id = j.environment_id AND {REFEREE_ID} IS NOT NULL
)
SELECT g.id, g.status, m.name, COALESCE(s.charged, 0.0), COALESCE(s.largest, 0.0)
FROM chosen g CROSS JOIN seated p CROSS JOIN agents a CROSS JOIN models m
LEFT JOIN (
  SELECT g.id AS game_id, c.game_turn_id & 255 AS player_index,
    SUM(COALESCE(c.charged, c.reserved, 0.0)) AS charged, MAX(COALESCE(c.reserved, 0.0)) AS largest
  FROM chosen g {_CALLS} WHERE {_OF_GAME} GROUP BY g.id, c.game_turn_id & 255
) s ON s.game_id = g.id AND s.player_index = p.player_index
WHERE p.game_id = g.id AND a.id = p.agent_id AND m.id = a.model_id
ORDER BY g.id, p.player_index
"""  # noqa: S608
_PER_BRANCH = text(
    _OF_GAMES.format(games=f"SELECT g.id, g.status FROM {_RUN} AND g.status <> 'scheduled'")  # noqa: S608
)


class SeatSpending(NamedTuple):
    """One seat of a game that was begun: the game's status, the model's name, the dollars charged
    for it there, and those that were reserved at most for one call."""

    game_id: int
    status: str
    model: str
    charged: float
    largest: float


def spent_by_seat(session: Session, tournament_id: int, latest: int) -> list[SeatSpending]:
    """Every seat of a tournament's games that are being played and of the `latest` finished ones,
    by game and player_index."""
    names = _model_names(session)
    read = games_in(session, tournament_id, ("completed",), latest)
    read += games_in(session, tournament_id, ("running",))
    found = []
    for game in games_of(session, sorted(read)):
        charged = charges_of(game)
        seats = [(int(player), int(agent)) for player, agent, *_ in game.seats]
        if game.referee is not None:
            seats.append((len(seats), game.referee))
        for player, agent in seats:
            dollars, largest = (each / MONEY for each in charged.get(player, (0, 0)))
            status = "running" if game.running else "completed"
            found.append(SeatSpending(game.game_id, status, names[agent], dollars, largest))
    return found


def spent_by_branch_seat(session: Session, run_id: int) -> list[SeatSpending]:
    """Every seat of the games of a run of branches that were begun."""
    return _seats(session, _PER_BRANCH, run=run_id)


def _seats(session: Session, query: TextClause, **of: int) -> list[SeatSpending]:
    rows = session.connection().execute(query, of)
    return [
        SeatSpending(int(g), str(s), str(m), float(c), float(most)) for g, s, m, c, most in rows
    ]


def costs_of_place(session: Session, tournament_id: int, schedule_index: int) -> dict[int, float]:
    """Dollars by agent_id, of the completed game at a place of a tournament's schedule; an agent
    none of whose calls has a known cost is left out."""
    rows = session.exec(
        select(GamePlayer.agent_id, LLMCall.cost)
        .join(Game, col(Game.id) == col(GamePlayer.game_id))
        .join(
            GameTurn,
            (col(GameTurn.game_id) == col(Game.id))
            & (col(GameTurn.player_index) == col(GamePlayer.player_index)),
        )
        .join(LLMCall, col(LLMCall.game_turn_id) == col(GameTurn.id))
        .where(
            Game.tournament_id == tournament_id,
            Game.schedule_index == schedule_index,
            Game.status == "completed",
            col(LLMCall.cost).is_not(None),
        )
    )
    costs: dict[int, list[float]] = {}
    for agent, dollars in rows:
        costs.setdefault(agent, []).append(dollars or 0.0)
    # Correctly rounded, whatever order a database gives the rows in.
    return {agent: math.fsum(dollars) for agent, dollars in costs.items()}
