"""Which games there are, and who played in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, text
from sqlmodel import Session, col

from db.models import (
    Agent,
    Environment,
    Game,
    GamePlayer,
    GameTurn,
    Kind,
    LLMCall,
    Model,
    Prompt,
    Tournament,
)
from db.queries.keyset import newest_games
from db.selection import Selection


@dataclass(frozen=True, slots=True)
class PlayerRow:
    """One player of a game: `rank` counts from 0, its turns are counted as in `GamePlayer`.
    `decided` says that a lapse or an invalid action of its own decided the game, `eliminated_turn`
    in which turn the rules threw it out for one."""

    player_index: int
    agent_id: int
    agent: str
    kind: str
    model: str
    prompt: str
    role: str | None
    team: str | None
    rank: int | None
    reward: float | None
    invalid_actions: int
    turns: int | None = None
    silences: int = 0
    refusals: int = 0
    overlongs: int = 0
    time_limits: int = 0
    malfunctions: int = 0
    targets: int = 0
    targets_several: int = 0
    targets_none: int = 0
    notes: int = 0
    notes_lost: int = 0
    decided: bool = False
    eliminated_turn: int | None = None


@dataclass(frozen=True, slots=True)
class GameRow:
    """One game as a list shows it, with its players in order of player_index; `revision` is how
    its environment put the rules to them, `referee` the agent that judged it, which is none of the
    players and whose turns have their number as player_index."""

    game_id: int
    tournament_id: int | None
    tournament: str | None
    environment_id: int | None
    environment: str | None
    schedule_index: int | None
    block: int | None
    seed: int | None
    attempt: int
    status: str
    started_at: datetime | None
    finished_at: datetime | None
    winning_team: str | None
    termination: str | None
    reason: str | None
    void_cause: str | None
    error: str | None
    environment_crashed: bool
    turn_count: int | None
    parent_game_id: int | None
    parent_turn: int | None
    fold_index: int | None
    revision: int | None
    players: tuple[PlayerRow, ...]
    referee: str | None = None


@dataclass(frozen=True, slots=True)
class GameSpent:
    """What a game took so far, a branch from its first turn of its own: `calls` are attempts, and
    `failed_calls` those that gave no answer; `cost` is in dollars, None where no call had a
    price."""

    calls: int = 0
    failed_calls: int = 0
    prompt_tokens: int = 0
    response_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost: float | None = None


_SEAT: list[Any] = [
    getattr(GamePlayer, name)
    for name in ("game_id", "player_index", "agent_id", *(f.name for f in fields(PlayerRow)[6:]))
]

RATED = (col(Game.status) == "completed", col(Game.fold_index).is_not(None))
"""The conditions on the table of games that those have which moved the ratings."""


_SPENT = text(
    "SELECT g.id, COUNT(*), SUM(CASE WHEN c.error_class IS NULL THEN 0 ELSE 1 END), "
    "COALESCE(SUM(c.prompt_tokens), 0), COALESCE(SUM(c.response_tokens), 0), "
    "COALESCE(SUM(c.cached_tokens), 0), COALESCE(SUM(c.reasoning_tokens), 0), SUM(c.cost) "
    "FROM games g JOIN llm_calls c "
    "ON c.id >= g.id * 4294967296 + COALESCE(g.parent_turn, 0) * 65536 "
    "AND c.id < (g.id + 1) * 4294967296 WHERE g.id IN :games GROUP BY g.id ORDER BY g.id"
).bindparams(bindparam("games", expanding=True))


def games(
    session: Session,
    selection: Selection | None = None,
    *,
    limit: int | None = None,
    before: int | None = None,
) -> list[GameRow]:
    """The games of a selection, the newest first, or those older than the game `before`: the last
    of a page leads to the next. Raises BadSelection for what is not on record."""
    chosen = (selection or Selection()).on(session)
    query = _games().order_by(col(Game.id).desc())
    if limit is not None:
        return _rows(
            session,
            query.where(col(Game.id).in_(newest_games(session, chosen, limit, before))),
        )
    if before is not None:
        query = query.where(col(Game.id) < before)
    return _rows(session, query.where(*chosen.of_games()))


def game_numbers(session: Session, selection: Selection) -> list[int]:
    """The games of a selection, and the branches of each, the oldest first. Raises BadSelection."""
    chosen = selection.on(session)
    numbers = select(col(Game.id)).where(*chosen.of_games())
    branches = select(col(Game.id)).where(col(Game.parent_game_id).in_(numbers))
    found = {key for query in (numbers, branches) for key in session.scalars(query)}
    return sorted(key for key in found if key is not None)


def games_of_both(
    session: Session, selection: Selection, first: int, second: int
) -> tuple[list[GameRow], list[GameRow], float | None]:
    """The rated games of a selection in which two agents sat, in the order in which they were
    rated, to which later games are only added; the void ones, every attempt, in the order in which
    they were made; and the dollars that the calls of the rated ones cost, None where none had a
    price. Branches, which share their turns with the game that they come from, are left out."""
    agents = (replace(selection, agent=number).on(session) for number in (first, second))
    both = [condition for chosen in agents for condition in chosen.of_games()]
    both.append(col(Game.parent_game_id).is_(None))
    found = _rows(session, _games().where(*RATED, *both).order_by(col(Game.fold_index)))
    void = _rows(session, _games().where(Game.status == "void", *both).order_by(col(Game.id)))
    spent: Any = (
        select(func.sum(col(LLMCall.cost)))
        .join(GameTurn, col(LLMCall.game_turn_id) == col(GameTurn.id))
        .join(Game, col(Game.id) == col(GameTurn.game_id))
        .where(*RATED, *both)
    )
    dollars = session.execute(spent).scalar()
    return found, void, None if dollars is None else float(dollars)


def game(session: Session, game_id: int) -> GameRow | None:
    """One game; None when there is no such game."""
    found = _rows(session, _games().where(Game.id == game_id))
    return found[0] if found else None


def spent(session: Session, game_ids: Sequence[int]) -> dict[int, GameSpent]:
    """What games took, by game_id."""
    found = {game_id: GameSpent() for game_id in game_ids}
    for start in range(0, len(game_ids), 500):
        # A call's key holds its game and its turn (`db.keys`): turns need not be read.
        query = _SPENT.bindparams(games=[*game_ids[start : start + 500]])
        for game_id, calls, failed, sent, got, cached, thought, cost in session.execute(query):
            found[int(game_id)] = GameSpent(
                int(calls),
                int(failed),
                int(sent),
                int(got),
                int(cached),
                int(thought),
                None if cost is None else float(cost),
            )
    return found


def shown_status(game: GameRow, live: Container[int]) -> str:
    """The status of a game for people: one that was begun in a tournament that nobody runs is
    paused, and resumes with the next run of it."""
    begun = game.status == "running" and game.tournament_id is not None
    return "paused" if begun and game.tournament_id not in live else game.status


def count_games(session: Session, selection: Selection | None = None) -> dict[str, int]:
    """How many games of a selection there are in each status."""
    chosen = (selection or Selection()).on(session)
    query = select(col(Game.status), func.count()).where(*chosen.of_games())
    return {status: int(count) for status, count in session.execute(query.group_by(Game.status))}


def _games() -> Any:
    return (
        select(Game, col(Tournament.name), col(Environment.name))
        .join(Tournament, col(Tournament.id) == Game.tournament_id, isouter=True)
        .join(Environment, col(Environment.id) == Game.environment_id, isouter=True)
    )


def _rows(session: Session, query: Any) -> list[GameRow]:
    found = session.execute(query).all()
    players = _players(session, [row.id for row, _, _ in found])
    referees = _referees(session, {row.environment_id for row, _, _ in found})
    return [
        GameRow(
            game_id=row.id,
            tournament_id=row.tournament_id,
            tournament=tournament,
            environment_id=row.environment_id,
            environment=environment,
            schedule_index=row.schedule_index,
            block=row.block,
            seed=row.seed,
            attempt=row.attempt,
            status=row.status,
            started_at=row.started_at,
            finished_at=row.finished_at,
            winning_team=row.winning_team,
            termination=row.termination,
            reason=row.reason,
            void_cause=row.void_cause,
            error=row.error,
            environment_crashed=row.environment_crashed,
            turn_count=row.turn_count,
            parent_game_id=row.parent_game_id,
            parent_turn=row.parent_turn,
            fold_index=row.fold_index,
            revision=row.revision,
            players=tuple(players[row.id]),
            referee=referees.get(row.environment_id),
        )
        for row, tournament, environment in found
    ]


def _referees(session: Session, environments: Iterable[int | None]) -> dict[int, str]:
    """The referees of environments, by environment_id: those that have one."""
    found: dict[int, str] = {}
    for key in environments:
        row = None if key is None else session.get(Environment, key)
        judge = None if row is None else session.get(Agent, row.referee_id or 0)
        if key is not None and judge is not None:
            found[key] = judge.label
    return found


def _players(session: Session, game_ids: list[int]) -> dict[int, list[PlayerRow]]:
    players: dict[int, list[PlayerRow]] = defaultdict(list)
    # Fewer keys at a time than the smallest limit on the values of a statement.
    for start in range(0, len(game_ids), 500):
        query: Any = (
            select(*_SEAT, col(Agent.alias), col(Kind.name), col(Model.name), col(Prompt.name))
            .join(Agent, col(Agent.id) == GamePlayer.agent_id)
            .join(Kind, col(Kind.id) == Agent.kind_id)
            .join(Model, col(Model.id) == Agent.model_id)
            .join(Prompt, col(Prompt.id) == Agent.prompt_id)
            .where(col(GamePlayer.game_id).in_(game_ids[start : start + 500]))
            .order_by(col(GamePlayer.game_id), col(GamePlayer.player_index))
        )
        for game_id, place, agent_id, *told, alias, kind, model, prompt in session.execute(query):
            named = alias or f"{kind}/{model}/{prompt}"
            parts = (place, agent_id, named, kind, model, prompt)
            players[game_id].append(PlayerRow(*parts, *told))
    return players
