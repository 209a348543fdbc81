"""Turns, the calls of each, and the messages of each call, as pandas frames.

Source, filters and dtypes are those of `arena.analysis.frames`.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Unpack

import pandas as pd
from sqlalchemy import Select, and_, case, func

from arena.analysis.columns import BOOLEAN, FLOAT, INTEGER, OBJECT, STRING, TIME, FrameColumn
from arena.analysis.frame_query import Columns, FrameQuery, Sources, read_frame
from arena.analysis.payloads import (
    MESSAGES,
    OBSERVATIONS,
    add_archived_actions,
    add_messages,
    add_observations,
)
from arena.analysis.source import Filters, Reading, agent_columns, place_columns, table
from db.queries.archived_games import archived_games


def turns_df(
    source: Sources = None,
    *,
    columns: Columns = None,
    limit: int | None = None,
    observations: bool = False,
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """One row per turn, in order of play inside each game; with a player's filters, only its own.

    turn_id, game_id, turn_number (from 0), player_index · tournament, environment · agent_id,
    agent, kind, model, prompt · role, team · action (what the agent did, NA until it has acted),
    submitted (what the environment was given) · invalid (the rules refused it) · lapse (what was
    wrong with the turn whatever the rules made of it) · target (whom the action was read to choose,
    where the rules asked for one), target_how (how that was told) · observed_at, acted_at ·
    response_time_ms (milliseconds from the one to the other) · tokens_used.

    With `observations` also observation (all that the player has been shown, whole), new (the
    part that was not there at its previous turn) and reading (how the action was read from what
    the model said, and what became of its notes; None for nothing to tell); object columns,
    usually the largest by far.

    Raises UsageError for a missing database and for a name that it does not hold.
    """
    without = () if observations else OBSERVATIONS
    query = partial(_turns, without=without)
    return read_frame(source, query, columns=columns, limit=limit, **filters)


def _turns(read: Reading, without: tuple[str, ...]) -> FrameQuery:
    turns, players = table("game_turns"), table("game_players")
    columns = [
        FrameColumn("turn_id", INTEGER, turns.c.id),
        FrameColumn("game_id", INTEGER, turns.c.game_id),
        FrameColumn("turn_number", INTEGER, turns.c.turn_number),
        FrameColumn("player_index", INTEGER, turns.c.player_index),
        *place_columns(read.catalogue),
        *agent_columns(read.catalogue, players.c.agent_id),
        *part_columns(),
        FrameColumn("action", STRING, turns.c.action, turns.c.action_raw),
        FrameColumn(
            "submitted",
            STRING,
            func.coalesce(turns.c.submitted, turns.c.action),
            case((turns.c.submitted.is_(None), turns.c.action_raw), else_=turns.c.submitted_raw),
        ),
        FrameColumn("invalid", BOOLEAN, turns.c.invalid),
        FrameColumn("lapse", STRING, turns.c.lapse),
        FrameColumn("target", STRING, turns.c.target),
        FrameColumn("target_how", STRING, turns.c.target_how),
        FrameColumn("observed_at", TIME, turns.c.observed_at),
        FrameColumn("acted_at", TIME, turns.c.acted_at),
        FrameColumn("response_time_ms", FLOAT, turns.c.response_time_ms),
        FrameColumn("tokens_used", INTEGER, turns.c.tokens_used),
    ]

    def rows(statement: Select[Any]) -> Select[Any]:
        return of_turns(statement, read).order_by(turns.c.id)

    archived = archived_games(read.connection, read.chosen.of_games())
    return FrameQuery(
        columns,
        rows,
        partial(add_observations, read),
        OBSERVATIONS,
        without,
        partial(add_archived_actions, read, archived),
        ("action", "submitted") if archived else (),
    )


def calls_df(
    source: Sources = None,
    *,
    columns: Columns = None,
    limit: int | None = None,
    messages: bool = False,
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """One row per attempt at a provider, in order inside each game; with a player's filters, only
    its own.

    call_id, turn_id, game_id, turn_number, player_index · tournament, environment · agent_id,
    agent, kind, model, prompt · role, team · call_index (attempts of the turn, from 0),
    call_number (the agent's questions in it), attempt (tries of that question) · model_asked (as
    LiteLLM was), model_answered · answered (False: in flight, or it was when the process died) ·
    request_sent_at, response_received_at · first_token_ms, total_response_time_ms (milliseconds),
    lag_ms (for which it waited for the process that made it) · prompt_tokens, response_tokens,
    cached_tokens, reasoning_tokens, total_tokens_consumed · cost
    (dollars), reserved (the most that it could have cost), charged (what it counted against a
    budget), cached (its answer was on record already) · finish_reason · error_class,
    error_message, error_status (HTTP) · request_hash.

    With `messages` also request (the parameters sent), messages (a list of dicts, whole), text
    (of the answer), thoughts (in it and beside it), response (as recorded), shared (how much of the
    messages an earlier call of the same player began with, from 0 to 1), provider (behind a
    router), region and fingerprint (of who answered, where told); usually the largest by far.

    Raises UsageError for a missing database and for a name that it does not hold.
    """
    without = () if messages else ("request", *MESSAGES)
    query = partial(_calls, without=without)
    return read_frame(source, query, columns=columns, limit=limit, **filters)


def _calls(read: Reading, without: tuple[str, ...]) -> FrameQuery:
    turns, players, calls = table("game_turns"), table("game_players"), table("llm_calls")
    columns = [
        FrameColumn("call_id", INTEGER, calls.c.id),
        FrameColumn("turn_id", INTEGER, calls.c.game_turn_id),
        FrameColumn("game_id", INTEGER, turns.c.game_id),
        FrameColumn("turn_number", INTEGER, turns.c.turn_number),
        FrameColumn("player_index", INTEGER, turns.c.player_index),
        *place_columns(read.catalogue),
        *agent_columns(read.catalogue, players.c.agent_id),
        *part_columns(),
        FrameColumn("call_index", INTEGER, calls.c.call_index),
        FrameColumn("call_number", INTEGER, calls.c.call_number),
        FrameColumn("attempt", INTEGER, calls.c.attempt),
        FrameColumn("model_asked", STRING, calls.c.model),
        FrameColumn("model_answered", STRING, calls.c.model_answered),
        FrameColumn("answered", BOOLEAN, calls.c.response_received_at.is_not(None)),
        FrameColumn("request_sent_at", TIME, calls.c.request_sent_at),
        FrameColumn("response_received_at", TIME, calls.c.response_received_at),
        FrameColumn("first_token_ms", FLOAT, calls.c.first_token_ms),
        FrameColumn("total_response_time_ms", FLOAT, calls.c.total_response_time_ms),
        FrameColumn("lag_ms", FLOAT, calls.c.lag_ms),
        FrameColumn("prompt_tokens", INTEGER, calls.c.prompt_tokens),
        FrameColumn("response_tokens", INTEGER, calls.c.response_tokens),
        FrameColumn("cached_tokens", INTEGER, calls.c.cached_tokens),
        FrameColumn("reasoning_tokens", INTEGER, calls.c.reasoning_tokens),
        FrameColumn("total_tokens_consumed", INTEGER, calls.c.total_tokens_consumed),
        FrameColumn("cost", FLOAT, calls.c.cost),
        FrameColumn("reserved", FLOAT, calls.c.reserved),
        FrameColumn("charged", FLOAT, calls.c.charged),
        FrameColumn("cached", BOOLEAN, calls.c.cached),
        FrameColumn("finish_reason", STRING, calls.c.finish_reason),
        FrameColumn("error_class", STRING, calls.c.error_class),
        FrameColumn("error_message", STRING, calls.c.error_message, calls.c.error_message_raw),
        FrameColumn("error_status", INTEGER, calls.c.error_status),
        FrameColumn("request_hash", STRING, calls.c.request_hash),
        FrameColumn("request", OBJECT, calls.c.request),
    ]

    def rows(statement: Select[Any]) -> Select[Any]:
        joined = of_turns(statement, read, made="llm_calls")
        return joined.order_by(calls.c.id)

    return FrameQuery(columns, rows, partial(add_messages, read), MESSAGES, without)


def part_columns() -> list[FrameColumn]:
    """The columns of the part that a turn's player had."""
    players = table("game_players")
    return [
        FrameColumn("role", STRING, players.c.role),
        FrameColumn("team", STRING, players.c.team),
    ]


def of_turns(statement: Select[Any], read: Reading, *, made: str | None = None) -> Select[Any]:
    """A statement over turns and, where a table is named, the calls that were `made` in them, with
    the game and the player."""
    games, players, turns = table("games"), table("game_players"), table("game_turns")
    joined = (
        statement.select_from(turns)
        .join(games, games.c.id == turns.c.game_id)
        .outerjoin(
            players,
            and_(
                players.c.game_id == turns.c.game_id,
                players.c.player_index == turns.c.player_index,
            ),
        )
    )
    if made is not None:
        attempts = table(made)
        joined = joined.join(attempts, attempts.c.game_turn_id == turns.c.id)
    return joined.where(*read.chosen.of_seats())
