"""The facts as pandas frames: games, players, turns and calls; filters become SQL.

Every function takes the same filters. `source` is a database's URL, the path of an SQLite file,
an open session, or None: `ARENA_DATABASE_URL`, then `sqlite:///arena.db`. The others are the fields
of `db.selection.Selection`, each with one value or several: `tournament`, `environment`, `agent`,
`kind`, `model` and `prompt` are names (an agent's alias, or kind/model/prompt) or ids; `role`,
`team` and `result` (win, draw, loss) are those of a player; `status`, `termination`, `since` and
`until` of a game; `game` is ids, `parent` those whose branches are meant. `limit` keeps the first
rows in the order of the frame. A game that `status="paused"` finds, because nobody runs its
tournament, stands as running in the column.

Dtypes are the same on SQLite and PostgreSQL and for no rows at all: Int64, string, boolean,
float64, datetime64[us, UTC], and a category where the values are a fixed list. Texts come back as
they were written, control characters and lone surrogates included.
"""

from __future__ import annotations

from typing import Any, Unpack

import pandas as pd
from sqlalchemy import Select, and_, case, func

from arena.analysis.columns import (
    BOOLEAN,
    FLOAT,
    INTEGER,
    OBJECT,
    RESULT,
    STATUS,
    STRING,
    TIME,
    Column,
    framed,
    selected,
    streamed,
)
from arena.analysis.payloads import add_messages, add_observations
from arena.analysis.source import (
    Catalogue,
    Filters,
    Source,
    reading,
    table,
)
from db.selection import Chosen, result_of


def games_df(
    source: Source = None,
    *,
    limit: int | None = None,
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """One row per game, by game_id; with a player's filters (`agent`, `role`, ...), the games that
    such a player plays in.

    game_id · tournament · environment · num_players · schedule_index (place in the schedule, from
    0), block, seed, attempt (from 0) · status · started_at, finished_at · winning_team,
    termination (for machines), reason (for people) · void_cause, environment_crashed, error (of a
    void game) · turn_count · fold_index (position in which the game moved the ratings) ·
    parent_game_id, parent_turn (where it branched from) · game_info (a dict or None) · created_at.

    Raises UsageError for a missing database and for a name that it does not hold.
    """
    games = table("games")
    with reading(source, limit=limit, **filters) as read:
        catalogue, chosen = read.catalogue, read.chosen
        columns = [
            Column("game_id", INTEGER, games.c.id),
            *_place(catalogue),
            Column("num_players", INTEGER, games.c.environment_id, names=catalogue.players),
            Column("schedule_index", INTEGER, games.c.schedule_index),
            Column("block", INTEGER, games.c.block),
            Column("seed", INTEGER, games.c.seed),
            Column("attempt", INTEGER, games.c.attempt),
            Column("status", STATUS, games.c.status),
            Column("started_at", TIME, games.c.started_at),
            Column("finished_at", TIME, games.c.finished_at),
            Column("winning_team", STRING, games.c.winning_team),
            Column("termination", STRING, games.c.termination),
            Column("reason", STRING, games.c.reason, games.c.reason_raw),
            Column("void_cause", STRING, games.c.void_cause),
            Column("environment_crashed", BOOLEAN, games.c.environment_crashed),
            Column("error", STRING, games.c.error, games.c.error_raw),
            Column("turn_count", INTEGER, games.c.turn_count),
            Column("fold_index", INTEGER, games.c.fold_index),
            Column("parent_game_id", INTEGER, games.c.parent_game_id),
            Column("parent_turn", INTEGER, games.c.parent_turn),
            Column("game_info", OBJECT, games.c.game_info),
            Column("created_at", TIME, games.c.created_at),
        ]
        statement = selected(columns).where(*chosen.of_games()).order_by(games.c.id)
        return framed(columns, streamed(read.connection, read.limited(statement)))


def players_df(
    source: Source = None,
    *,
    limit: int | None = None,
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """One row per player of a game, by game_id and player_index; with a player's filters, those
    who fit.

    game_id, player_index (from 0) · tournament, environment · status (of the game) · agent_id,
    agent, kind, model, prompt · role, team · rank (finishing place of the team, from 0) · reward
    (the environment's own number) · result (win, draw or loss; NA without one): a team that is
    first alone wins, teams that share the first place draw · invalid_actions (how many the rules
    refused).

    Raises UsageError for a missing database and for a name that it does not hold.
    """
    games, players = table("games"), table("game_players")
    with reading(source, limit=limit, **filters) as read:
        catalogue, chosen = read.catalogue, read.chosen
        columns = [
            Column("game_id", INTEGER, players.c.game_id),
            Column("player_index", INTEGER, players.c.player_index),
            *_place(catalogue),
            Column("status", STATUS, games.c.status),
            *_agent(catalogue),
            Column("role", STRING, players.c.role),
            Column("team", STRING, players.c.team),
            Column("rank", INTEGER, players.c.rank),
            Column("reward", FLOAT, players.c.reward),
            Column("result", RESULT, result_of(players)),
            Column("invalid_actions", INTEGER, players.c.invalid_actions),
        ]
        statement = (
            selected(columns)
            .select_from(players)
            .join(games, games.c.id == players.c.game_id)
            .where(*chosen.of_seats())
            .order_by(players.c.game_id, players.c.player_index)
        )
        return framed(columns, streamed(read.connection, read.limited(statement)))


def turns_df(
    source: Source = None,
    *,
    limit: int | None = None,
    observations: bool = False,
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """One row per turn, in order of play inside each game; with a player's filters, only its own.

    turn_id, game_id, turn_number (from 0), player_index · tournament, environment · agent_id,
    agent, kind, model, prompt · role, team · action (what the agent did, NA until it has acted),
    submitted (what the environment was given) · invalid (the rules refused it) · observed_at,
    acted_at · response_time_ms (milliseconds from the one to the other) · tokens_used.

    With `observations` also observation (all that the player has been shown, whole) and new (the
    part that was not there at its previous turn); object columns, usually the largest by far.

    Raises UsageError for a missing database and for a name that it does not hold.
    """
    turns = table("game_turns")
    with reading(source, limit=limit, **filters) as read:
        catalogue, chosen = read.catalogue, read.chosen
        columns = [
            Column("turn_id", INTEGER, turns.c.id),
            Column("game_id", INTEGER, turns.c.game_id),
            Column("turn_number", INTEGER, turns.c.turn_number),
            Column("player_index", INTEGER, turns.c.player_index),
            *_place(catalogue),
            *_agent(catalogue),
            *_part(),
            Column("action", STRING, turns.c.action, turns.c.action_raw),
            Column(
                "submitted",
                STRING,
                func.coalesce(turns.c.submitted, turns.c.action),
                case(
                    (turns.c.submitted.is_(None), turns.c.action_raw), else_=turns.c.submitted_raw
                ),
            ),
            Column("invalid", BOOLEAN, turns.c.invalid),
            Column("observed_at", TIME, turns.c.observed_at),
            Column("acted_at", TIME, turns.c.acted_at),
            Column("response_time_ms", FLOAT, turns.c.response_time_ms),
            Column("tokens_used", INTEGER, turns.c.tokens_used),
        ]
        statement = read.limited(_of_turns(selected(columns), chosen).order_by(turns.c.id))
        frame = framed(columns, streamed(read.connection, statement))
        if observations:
            add_observations(read, frame)
        return frame


def calls_df(
    source: Source = None,
    *,
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
    request_sent_at, response_received_at · first_token_ms, total_response_time_ms (milliseconds) ·
    prompt_tokens, response_tokens, cached_tokens, reasoning_tokens, total_tokens_consumed · cost
    (dollars) · finish_reason · error_class, error_message, error_status (HTTP) · request_hash.

    With `messages` also request (the parameters sent), messages (a list of dicts, whole), text
    (of the answer) and response (as recorded); usually the largest by far.

    Raises UsageError for a missing database and for a name that it does not hold.
    """
    turns, calls = table("game_turns"), table("llm_calls")
    with reading(source, limit=limit, **filters) as read:
        catalogue, chosen = read.catalogue, read.chosen
        columns = [
            Column("call_id", INTEGER, calls.c.id),
            Column("turn_id", INTEGER, calls.c.game_turn_id),
            Column("game_id", INTEGER, turns.c.game_id),
            Column("turn_number", INTEGER, turns.c.turn_number),
            Column("player_index", INTEGER, turns.c.player_index),
            *_place(catalogue),
            *_agent(catalogue),
            *_part(),
            Column("call_index", INTEGER, calls.c.call_index),
            Column("call_number", INTEGER, calls.c.call_number),
            Column("attempt", INTEGER, calls.c.attempt),
            Column("model_asked", STRING, calls.c.model),
            Column("model_answered", STRING, calls.c.model_answered),
            Column("answered", BOOLEAN, calls.c.response_received_at.is_not(None)),
            Column("request_sent_at", TIME, calls.c.request_sent_at),
            Column("response_received_at", TIME, calls.c.response_received_at),
            Column("first_token_ms", FLOAT, calls.c.first_token_ms),
            Column("total_response_time_ms", FLOAT, calls.c.total_response_time_ms),
            Column("prompt_tokens", INTEGER, calls.c.prompt_tokens),
            Column("response_tokens", INTEGER, calls.c.response_tokens),
            Column("cached_tokens", INTEGER, calls.c.cached_tokens),
            Column("reasoning_tokens", INTEGER, calls.c.reasoning_tokens),
            Column("total_tokens_consumed", INTEGER, calls.c.total_tokens_consumed),
            Column("cost", FLOAT, calls.c.cost),
            Column("finish_reason", STRING, calls.c.finish_reason),
            Column("error_class", STRING, calls.c.error_class),
            Column("error_message", STRING, calls.c.error_message, calls.c.error_message_raw),
            Column("error_status", INTEGER, calls.c.error_status),
            Column("request_hash", STRING, calls.c.request_hash),
        ]
        if messages:
            columns.append(Column("request", OBJECT, calls.c.request))
        statement = read.limited(
            _of_turns(selected(columns), chosen, calls=True).order_by(calls.c.id)
        )
        frame = framed(columns, streamed(read.connection, statement))
        if messages:
            add_messages(read, frame)
        return frame


def _place(catalogue: Catalogue) -> list[Column]:
    games = table("games")
    return [
        Column("tournament", STRING, games.c.tournament_id, names=catalogue.tournaments),
        Column("environment", STRING, games.c.environment_id, names=catalogue.environments),
    ]


def _agent(catalogue: Catalogue) -> list[Column]:
    agent_id = table("game_players").c.agent_id
    return [
        Column("agent_id", INTEGER, agent_id),
        Column("agent", STRING, agent_id, names=catalogue.agents),
        Column("kind", STRING, agent_id, names=catalogue.kinds),
        Column("model", STRING, agent_id, names=catalogue.models),
        Column("prompt", STRING, agent_id, names=catalogue.prompts),
    ]


def _part() -> list[Column]:
    players = table("game_players")
    return [Column("role", STRING, players.c.role), Column("team", STRING, players.c.team)]


def _of_turns(statement: Select[Any], chosen: Chosen, *, calls: bool = False) -> Select[Any]:
    """A statement over turns and, where asked for, their calls, with the game and the player."""
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
    if calls:
        attempts = table("llm_calls")
        joined = joined.join(attempts, attempts.c.game_turn_id == turns.c.id)
    return joined.where(*chosen.of_seats())
