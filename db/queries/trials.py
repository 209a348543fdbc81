"""Trials on record, added up by game: what a question of `db.queries.trial_texts` is answered by.

The statement that was run can be shown, and run again by anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from db.models import Environment, Game, Model, Prompt
from db.queries.agents import agent_names
from db.selection import Selection

ENDED = ("completed", "void")


class TrialSum(NamedTuple):
    """Of the trials of a game, in a stratum and of a part, `x` of `n` came true."""

    game: int
    stratum: str
    part: str
    x: float
    n: float


class GamesAsked(NamedTuple):
    """The games of a question: the statement that selects them, how many there are, and the newest;
    `more` says that older ones were left out."""

    sql: str
    games: int
    newest: int | None
    more: bool


def games_asked(session: Session, selection: Selection, most: int) -> GamesAsked:
    """The newest games of a selection that have ended, at most so many; branches are left out,
    which are other ends of one game. Raises BadSelection for what is not on record."""
    chosen = selection.on(session)
    query: Any = (
        select(col(Game.id), col(Game.environment_id), col(Game.status))
        .where(
            col(Game.status).in_(ENDED),
            col(Game.parent_game_id).is_(None),
            col(Game.environment_id).is_not(None),
            *chosen.of_games(),
        )
        .order_by(col(Game.id).desc())
    )
    found = [*session.execute(query.with_only_columns(col(Game.id)).limit(most + 1)).scalars()]
    dialect = session.get_bind().dialect
    sql = str(query.limit(most).compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    return GamesAsked(
        " ".join(sql.split()),
        len(found[:most]),
        found[0] if found else None,
        len(found) > most,
    )


def trial_sums(session: Session, asked: GamesAsked, trials: tuple[str, str]) -> list[TrialSum]:
    """The trials of these games by game, stratum and part."""
    rest = (
        "SELECT game, stratum, part, SUM(x), SUM(n) FROM trials GROUP BY game, stratum, part "
        "ORDER BY game, stratum, part"
    )
    rows = session.connection().exec_driver_sql(_statement(asked.sql, trials, rest))
    return [TrialSum(game, stratum, part, float(x), float(n)) for game, stratum, part, x, n in rows]


def shown_sql(asked: GamesAsked, trials: tuple[str, str]) -> str:
    """A statement that anybody can run: the shares by stratum and part."""
    return _statement(
        asked.sql,
        trials,
        "SELECT stratum, part, SUM(x) AS x, SUM(n) AS n, 100.0 * SUM(x) / SUM(n) AS percent\n"
        "  FROM trials GROUP BY stratum, part ORDER BY stratum, part;",
    )


def trial_places(
    session: Session,
    trials: tuple[str, str],
    games: Sequence[int],
    part: str,
    *,
    true: bool,
    limit: int,
) -> list[tuple[int, int | None]]:
    """(game, turn) of the newest trials of a part in some games that came true, or did not."""
    chosen = ", ".join(map(str, map(int, games)))
    sql = f"SELECT id, environment_id, status FROM games WHERE id IN ({chosen})"  # noqa: S608
    wanted = "x > 0" if true else "x < n"
    quoted = part.replace("'", "''")
    rest = (
        f"SELECT DISTINCT game, turn FROM trials WHERE part = '{quoted}' AND {wanted} "  # noqa: S608
        f"ORDER BY game DESC, turn DESC LIMIT {int(limit)}"
    )
    rows = session.connection().exec_driver_sql(_statement(sql, trials, rest))
    return [(game, turn) for game, turn in rows]


def seat_turns(
    session: Session, games: Sequence[int], agent: int, where: str, limit: int
) -> list[tuple[int, int | None]]:
    """(game, turn) of the newest turns of an agent in some games that fit a condition of
    `trial_texts` on `game_turns`."""
    chosen = ", ".join(map(str, map(int, games)))
    sql = (
        "SELECT d.game_id, d.turn_number FROM game_turns d JOIN game_players p "  # noqa: S608
        "ON p.game_id = d.game_id AND p.player_index = d.player_index "
        f"WHERE d.game_id IN ({chosen}) AND p.agent_id = {int(agent)} AND {where} "
        f"ORDER BY d.id DESC LIMIT {int(limit)}"
    )
    return [(game, turn) for game, turn in session.connection().exec_driver_sql(sql)]


def part_names(session: Session) -> dict[str, dict[str, str]]:
    """What parts are called, by what they are: agents, prompts and environments by number, models
    by the name that their provider is asked for."""
    return {
        "agent": {str(key): row.name for key, row in agent_names(session).items()},
        "prompt": {str(row.id): row.name for row in session.exec(select(Prompt))},
        "environment": {
            str(row.id): f"{row.name}, {row.num_players} players"
            for row in session.exec(select(Environment))
        },
        "model": {row.litellm_model_name: row.name for row in session.exec(select(Model))},
    }


def _statement(games: str, trials: tuple[str, str], rest: str) -> str:
    before, text = trials
    return f"WITH these AS (\n{games}),\n{before}trials AS (\n{text})\n{rest}"
