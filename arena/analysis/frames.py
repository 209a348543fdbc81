"""The facts as pandas frames: games, players, turns and calls; filters become SQL.

Every function takes the same filters. `source` is a database's URL, the path of an SQLite file,
an open session, or None: `ARENA_DATABASE_URL`, then `sqlite:///arena.db`. The others are the fields
of `db.selection.Selection`, each with one value or several: `tournament`, `environment`, `agent`,
`kind`, `model` and `prompt` are names (an agent's alias, or kind/model/prompt) or ids; `role`,
`team` and `result` (win, draw, loss) are those of a player; `status`, `termination`, `since` and
`until` of a game; `game` is ids, `parent` those whose branches are meant, `revision` how the
environment put its rules to the players. `limit` keeps the first rows in the order of the frame. A
game that `status="paused"` finds, because nobody runs its tournament, stands as running in the
column.

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
    FrameColumn,
    framed,
    selected,
    streamed,
)
from arena.analysis.payloads import add_messages, add_observations
from arena.analysis.source import (
    Catalogue,
    Filters,
    Readable,
    reading,
    table,
)
from db.models.games import COUNTS
from db.selection import Chosen, result_of


def games_df(
    source: Readable = None,
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
    parent_game_id, parent_turn (where it branched from) · revision (in which the rules were put to
    the players) · game_info (a dict or None) · created_at.

    Raises UsageError for a missing database and for a name that it does not hold.
    """
    games = table("games")
    with reading(source, limit=limit, **filters) as read:
        catalogue, chosen = read.catalogue, read.chosen
        columns = [
            FrameColumn("game_id", INTEGER, games.c.id),
            *_place(catalogue),
            FrameColumn("num_players", INTEGER, games.c.environment_id, names=catalogue.players),
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
            FrameColumn("turn_count", INTEGER, games.c.turn_count),
            FrameColumn("fold_index", INTEGER, games.c.fold_index),
            FrameColumn("parent_game_id", INTEGER, games.c.parent_game_id),
            FrameColumn("parent_turn", INTEGER, games.c.parent_turn),
            FrameColumn("revision", INTEGER, func.coalesce(games.c.revision, 1)),
            FrameColumn("game_info", OBJECT, games.c.game_info),
            FrameColumn("created_at", TIME, games.c.created_at),
        ]
        statement = selected(columns).where(*chosen.of_games()).order_by(games.c.id)
        return framed(columns, streamed(read.connection, read.limited(statement)))


def players_df(
    source: Readable = None,
    *,
    limit: int | None = None,
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """One row per player of a game, by game_id and player_index; with a player's filters, those
    who fit.

    game_id, player_index (from 0) · tournament, environment · status (of the game) · agent_id,
    agent, kind, model, prompt · role, team · rank (finishing place of the team, from 0) · reward
    (the environment's own number) · result (win, draw or loss; NA without one): a team that is
    first alone wins, teams that share the first place draw · turns, and how many of them the rules
    refused (invalid_actions), were silent, refused, overlong or over time (silences, refusals,
    overlongs, time_limits), asked for a player (targets) and named several or none
    (targets_several, targets_none), rewrote notes (notes) and lost them (notes_lost) · decided
    (whether its own error decided the game), eliminated_turn (in which turn the rules threw it out
    for one).

    Raises UsageError for a missing database and for a name that it does not hold.
    """
    games, players = table("games"), table("game_players")
    with reading(source, limit=limit, **filters) as read:
        catalogue, chosen = read.catalogue, read.chosen
        columns = [
            FrameColumn("game_id", INTEGER, players.c.game_id),
            FrameColumn("player_index", INTEGER, players.c.player_index),
            *_place(catalogue),
            FrameColumn("status", STATUS, games.c.status),
            *_agent(catalogue),
            FrameColumn("role", STRING, players.c.role),
            FrameColumn("team", STRING, players.c.team),
            FrameColumn("rank", INTEGER, players.c.rank),
            FrameColumn("reward", FLOAT, players.c.reward),
            FrameColumn("result", RESULT, result_of(players)),
            *(FrameColumn(name, INTEGER, players.c[name]) for name in COUNTS),
            FrameColumn("decided", BOOLEAN, players.c.decided),
            FrameColumn("eliminated_turn", INTEGER, players.c.eliminated_turn),
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
    source: Readable = None,
    *,
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
    turns = table("game_turns")
    with reading(source, limit=limit, **filters) as read:
        catalogue, chosen = read.catalogue, read.chosen
        columns = [
            FrameColumn("turn_id", INTEGER, turns.c.id),
            FrameColumn("game_id", INTEGER, turns.c.game_id),
            FrameColumn("turn_number", INTEGER, turns.c.turn_number),
            FrameColumn("player_index", INTEGER, turns.c.player_index),
            *_place(catalogue),
            *_agent(catalogue),
            *_part(),
            FrameColumn("action", STRING, turns.c.action, turns.c.action_raw),
            FrameColumn(
                "submitted",
                STRING,
                func.coalesce(turns.c.submitted, turns.c.action),
                case(
                    (turns.c.submitted.is_(None), turns.c.action_raw), else_=turns.c.submitted_raw
                ),
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
        statement = read.limited(_of_turns(selected(columns), chosen).order_by(turns.c.id))
        frame = framed(columns, streamed(read.connection, statement))
        if observations:
            add_observations(read, frame)
        return frame


def calls_df(
    source: Readable = None,
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
    (of the answer), thoughts (in it and beside it), response (as recorded), shared (how much of the
    messages an earlier call of the same player began with, from 0 to 1), provider (behind a
    router), region and fingerprint (of who answered, where told); usually the largest by far.

    Raises UsageError for a missing database and for a name that it does not hold.
    """
    turns, calls = table("game_turns"), table("llm_calls")
    with reading(source, limit=limit, **filters) as read:
        catalogue, chosen = read.catalogue, read.chosen
        columns = [
            FrameColumn("call_id", INTEGER, calls.c.id),
            FrameColumn("turn_id", INTEGER, calls.c.game_turn_id),
            FrameColumn("game_id", INTEGER, turns.c.game_id),
            FrameColumn("turn_number", INTEGER, turns.c.turn_number),
            FrameColumn("player_index", INTEGER, turns.c.player_index),
            *_place(catalogue),
            *_agent(catalogue),
            *_part(),
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
            FrameColumn("prompt_tokens", INTEGER, calls.c.prompt_tokens),
            FrameColumn("response_tokens", INTEGER, calls.c.response_tokens),
            FrameColumn("cached_tokens", INTEGER, calls.c.cached_tokens),
            FrameColumn("reasoning_tokens", INTEGER, calls.c.reasoning_tokens),
            FrameColumn("total_tokens_consumed", INTEGER, calls.c.total_tokens_consumed),
            FrameColumn("cost", FLOAT, calls.c.cost),
            FrameColumn("finish_reason", STRING, calls.c.finish_reason),
            FrameColumn("error_class", STRING, calls.c.error_class),
            FrameColumn("error_message", STRING, calls.c.error_message, calls.c.error_message_raw),
            FrameColumn("error_status", INTEGER, calls.c.error_status),
            FrameColumn("request_hash", STRING, calls.c.request_hash),
        ]
        if messages:
            columns.append(FrameColumn("request", OBJECT, calls.c.request))
        statement = read.limited(
            _of_turns(selected(columns), chosen, calls=True).order_by(calls.c.id)
        )
        frame = framed(columns, streamed(read.connection, statement))
        if messages:
            add_messages(read, frame)
        return frame


def _place(catalogue: Catalogue) -> list[FrameColumn]:
    games = table("games")
    return [
        FrameColumn("tournament", STRING, games.c.tournament_id, names=catalogue.tournaments),
        FrameColumn("environment", STRING, games.c.environment_id, names=catalogue.environments),
    ]


def _agent(catalogue: Catalogue) -> list[FrameColumn]:
    agent_id = table("game_players").c.agent_id
    return [
        FrameColumn("agent_id", INTEGER, agent_id),
        FrameColumn("agent", STRING, agent_id, names=catalogue.agents),
        FrameColumn("kind", STRING, agent_id, names=catalogue.kinds),
        FrameColumn("model", STRING, agent_id, names=catalogue.models),
        FrameColumn("prompt", STRING, agent_id, names=catalogue.prompts),
    ]


def _part() -> list[FrameColumn]:
    players = table("game_players")
    return [
        FrameColumn("role", STRING, players.c.role),
        FrameColumn("team", STRING, players.c.team),
    ]


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
