"""The facts as pandas frames: games, players, turns and calls; filters become SQL.

Every function takes the same filters. `source` is a database's URL, the path of an SQLite file,
an open session, or None: `ARENA_DATABASE_URL`, then `sqlite:///arena.db`; or a list of them, whose
rows come one after the other under a column `database`, where numbers (`game_id`, `agent_id`) mean
something inside of one database only and agents are told apart by their names. `columns` chooses
columns by name, in this order: what is not asked for is not read. The others are the fields
of `db.selection.Selection`, each with one value or several: `tournament`, `environment`, `agent`,
`kind`, `model` and `prompt` are names (an agent's alias, or kind/model/prompt) or ids; `role`,
`team` and `result` (win, draw, loss) are those of a player; `status`, `termination`, `since` and
`until` of a game; `game` is ids, `parent` those whose branches are meant, `revision` how the
environment put its rules to the players, `tag` what somebody tagged the game or a turn of it with.
`limit` keeps the first rows in the order of the frame. A game that `status="paused"` finds, because
nobody runs its tournament, stands as running in the column.

Dtypes are the same on SQLite and PostgreSQL and for no rows at all: Int64, string, boolean,
float64, datetime64[us, UTC], and a category where the values are a fixed list. Texts come back as
they were written, control characters and lone surrogates included.
"""

from __future__ import annotations

from typing import Any, Unpack

import pandas as pd
from sqlalchemy import Select, func

from arena.analysis.columns import (
    BOOLEAN,
    FLOAT,
    INTEGER,
    OBJECT,
    RESULT,
    STATUS,
    STRING,
    TIME,
    FrameColumn,
)
from arena.analysis.frame_query import Columns, FrameQuery, Sources, read_frame
from arena.analysis.source import Filters, Reading, agent_columns, place_columns, table
from db.models.games import COUNTS
from db.selection import result_of


def games_df(
    source: Sources = None,
    *,
    columns: Columns = None,
    limit: int | None = None,
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """One row per game, by game_id; with a player's filters (`agent`, `role`, ...), the games that
    such a player plays in.

    game_id · tournament · environment · num_players · schedule_index (place in the schedule, from
    0), block, seed, attempt (from 0) · status · started_at, finished_at · winning_team,
    termination (for machines), reason (for people) · void_cause, environment_crashed, error (of a
    void game), final (no further attempt at its place is made) · turn_count · fold_index (position
    in which the game moved the ratings) · parent_game_id, parent_turn (where it branched from) ·
    revision (in which the rules were put to the players) · game_info (a dict or None) ·
    events_version, events_reader, events_error (of its events: which version tells them, NA where
    they were never told, who read claims from speech, and why it has none) · positions (that it
    stood in, as JSON, NA where they were not told) · created_at.

    Raises UsageError for a missing database and for a name that it does not hold.
    """
    return read_frame(source, _games, columns=columns, limit=limit, **filters)


def _games(read: Reading) -> FrameQuery:
    games = table("games")
    columns = [
        FrameColumn("game_id", INTEGER, games.c.id),
        *place_columns(read.catalogue),
        FrameColumn("num_players", INTEGER, games.c.environment_id, names=read.catalogue.players),
        FrameColumn("schedule_index", INTEGER, games.c.schedule_index),
        FrameColumn("block", INTEGER, games.c.block),
        FrameColumn("seed", INTEGER, games.c.seed),
        FrameColumn("attempt", INTEGER, games.c.attempt),
        FrameColumn("status", STATUS, games.c.status),
        FrameColumn("started_at", TIME, games.c.started_at),
        FrameColumn("finished_at", TIME, games.c.finished_at),
        FrameColumn("winning_team", STRING, games.c.winning_team),
        FrameColumn("termination", STRING, games.c.termination),
        FrameColumn("reason", STRING, games.c.reason, games.c.reason_raw),
        FrameColumn("void_cause", STRING, games.c.void_cause),
        FrameColumn("environment_crashed", BOOLEAN, games.c.environment_crashed),
        FrameColumn("error", STRING, games.c.error, games.c.error_raw),
        FrameColumn("final", BOOLEAN, games.c.final),
        FrameColumn("turn_count", INTEGER, games.c.turn_count),
        FrameColumn("fold_index", INTEGER, games.c.fold_index),
        FrameColumn("parent_game_id", INTEGER, games.c.parent_game_id),
        FrameColumn("parent_turn", INTEGER, games.c.parent_turn),
        FrameColumn("revision", INTEGER, func.coalesce(games.c.revision, 1)),
        FrameColumn("game_info", OBJECT, games.c.game_info),
        FrameColumn("events_version", INTEGER, games.c.events_version),
        FrameColumn("events_reader", STRING, games.c.events_reader),
        FrameColumn("events_error", STRING, games.c.events_error),
        FrameColumn("positions", STRING, games.c.positions),
        FrameColumn("created_at", TIME, games.c.created_at),
    ]

    def rows(statement: Select[Any]) -> Select[Any]:
        # Said, because a column alone may be of no other table than the players'.
        return statement.select_from(games).where(*read.chosen.of_games()).order_by(games.c.id)

    return FrameQuery(columns, rows)


def players_df(
    source: Sources = None,
    *,
    columns: Columns = None,
    limit: int | None = None,
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """One row per player of a game, by game_id and player_index; with a player's filters, those
    who fit.

    game_id, player_index (from 0) · tournament, environment · status (of the game) · agent_id,
    agent, kind, model, prompt · role, team · rank (finishing place of the team, from 0) · reward
    (the environment's own number) · result (win, draw or loss; NA without one): a team that is
    first alone wins, teams that share the first place draw · turns, and how many of them the rules
    refused (invalid_actions), were silent, refused, overlong, over time or malfunctions of its
    program (silences, refusals, overlongs, time_limits, malfunctions), asked for a player (targets)
    and named several or none
    (targets_several, targets_none), rewrote notes (notes) and lost them (notes_lost) · decided
    (whether its own error decided the game), eliminated_turn (in which turn the rules threw it out
    for one).

    Raises UsageError for a missing database and for a name that it does not hold.
    """
    return read_frame(source, _players, columns=columns, limit=limit, **filters)


def _players(read: Reading) -> FrameQuery:
    games, players = table("games"), table("game_players")
    columns = [
        FrameColumn("game_id", INTEGER, players.c.game_id),
        FrameColumn("player_index", INTEGER, players.c.player_index),
        *place_columns(read.catalogue),
        FrameColumn("status", STATUS, games.c.status),
        *agent_columns(read.catalogue, players.c.agent_id),
        FrameColumn("role", STRING, players.c.role),
        FrameColumn("team", STRING, players.c.team),
        FrameColumn("rank", INTEGER, players.c.rank),
        FrameColumn("reward", FLOAT, players.c.reward),
        FrameColumn("result", RESULT, result_of(players)),
        *(FrameColumn(name, INTEGER, players.c[name]) for name in COUNTS),
        FrameColumn("decided", BOOLEAN, players.c.decided),
        FrameColumn("eliminated_turn", INTEGER, players.c.eliminated_turn),
    ]

    def rows(statement: Select[Any]) -> Select[Any]:
        return (
            statement.select_from(players)
            .join(games, games.c.id == players.c.game_id)
            .where(*read.chosen.of_seats())
            .order_by(players.c.game_id, players.c.player_index)
        )

    return FrameQuery(columns, rows)
