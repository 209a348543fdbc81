"""Exports games as traces: OTLP JSON with the names of OpenTelemetry's GenAI conventions.

A line is a game, as the Collector's file receiver reads it. Its spans are the game, in it the turns
(`invoke_agent`), and in each its calls (`chat`). Their ids follow from the numbers of game, turn
and call, so that the same record gives the same traces.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, Unpack

from arena.analysis.chunks import in_chunks
from arena.analysis.export.card import ExportedFile
from arena.analysis.export.columns import as_json, by_key, chat, plain_rows
from arena.analysis.export.places import new_folder
from arena.analysis.export.texts import portable
from arena.analysis.frames import games_df
from arena.analysis.source import Filters, Readable, session_on
from arena.analysis.turns import calls_df, turns_df
from arena.llm.genai_names import message_parts, named, request_attributes

_GAMES = 10  # in memory at a time, with all that was said in them
_INTERNAL, _CLIENT = 1, 3
_OK, _ERROR = 1, 2
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_ABOUT = "a line per game: its spans"


def export_otlp(
    folder: str | Path, source: Readable = None, **filters: Unpack[Filters]
) -> tuple[ExportedFile, ...]:
    """Write `traces.jsonl` of a new folder: the games of a selection that were begun, with the
    turns and calls of the seats that it chooses. Raises UsageError as `export_frames` does."""
    with session_on(source, frozen=True) as session, new_folder(Path(folder)) as place:
        path = place / "traces.jsonl"
        rows = 0
        with path.open("w", encoding="ascii", newline="\n") as file:
            for spans in _traces(session, filters):
                file.write(json.dumps(_line(spans), separators=(",", ":")) + "\n")
                rows += 1
        size = path.stat().st_size
    return (ExportedFile("traces", path.name, rows, size, (), _ABOUT),)


def _line(spans: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    scope = {"name": "llm-arena", "version": version("llm-arena")}
    resource = {"attributes": _attributes({"service.name": "llm-arena"})}
    return {
        "resourceSpans": [
            {"resource": resource, "scopeSpans": [{"scope": scope, "spans": [*spans]}]}
        ]
    }


def _traces(session: Readable, filters: Filters) -> Iterator[list[dict[str, Any]]]:
    for games in in_chunks(games_df, session, games=_GAMES, **filters):
        numbers = games["game_id"].tolist()
        own: Filters = {**filters, "game": numbers}
        of_game: dict[int, list[dict[str, Any]]] = {number: [] for number in numbers}
        turns = by_key(
            turns_df(
                session,
                columns=[
                    *("turn_id", "game_id", "turn_number", "player_index", "agent_id", "agent"),
                    *("role", "team", "invalid", "lapse", "observed_at", "acted_at"),
                ],
                **own,
            ),
            "turn_id",
        )
        for turn in turns.values():
            of_game[turn["game_id"]].append(_of_turn(turn))
        for call in plain_rows(calls_df(session, messages=True, **own)):
            of_game[call["game_id"]].append(_of_call(call))
        for game in plain_rows(games):
            if game["status"] != "scheduled":
                yield [_of_game(game), *of_game[game["game_id"]]]


def _of_game(game: Mapping[str, Any]) -> dict[str, Any]:
    return _span(
        game["game_id"],
        _id("game", game["game_id"]),
        None,
        f"invoke_workflow {game['environment']}",
        _INTERNAL,
        (game["started_at"], game["finished_at"]),
        {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.workflow.name": game["environment"],
            "gen_ai.conversation.id": str(game["game_id"]),
            **_own("game", game, "tournament", "status", "seed", "block", "winning_team",
                   "termination", "void_cause"),
        },
        error=game["void_cause"],
    )  # fmt: skip


def _of_turn(turn: Mapping[str, Any]) -> dict[str, Any]:
    return _span(
        turn["game_id"],
        _id("turn", turn["turn_id"]),
        _id("game", turn["game_id"]),
        f"invoke_agent {turn['agent']}",
        _INTERNAL,
        (turn["observed_at"], turn["acted_at"]),
        {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": turn["agent"],
            "gen_ai.agent.id": None if turn["agent_id"] is None else str(turn["agent_id"]),
            "gen_ai.conversation.id": str(turn["game_id"]),
            **_own("turn", turn, "turn_number", "player_index", "role", "team", "invalid", "lapse"),
        },
    )


def _of_call(call: Mapping[str, Any]) -> dict[str, Any]:
    provider, model = named(str(call["model_asked"]))
    request = call["request"] if isinstance(call["request"], Mapping) else {}
    response = call["response"] if isinstance(call["response"], Mapping) else {}
    return _span(
        call["game_id"],
        _id("call", call["call_id"]),
        _id("turn", call["turn_id"]),
        f"chat {model}",
        _CLIENT,
        (call["request_sent_at"], call["response_received_at"]),
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model,
            "gen_ai.conversation.id": str(call["game_id"]),
            "gen_ai.agent.name": call["agent"],
            **request_attributes(request),
            "gen_ai.response.id": response.get("id"),
            "gen_ai.response.model": call["model_answered"],
            "gen_ai.response.finish_reasons": None
            if call["finish_reason"] is None
            else [call["finish_reason"]],
            "gen_ai.usage.input_tokens": call["prompt_tokens"],
            "gen_ai.usage.output_tokens": call["response_tokens"],
            "gen_ai.usage.cache_read.input_tokens": call["cached_tokens"],
            "gen_ai.input.messages": as_json(message_parts(chat(call["messages"] or ()))),
            "gen_ai.output.messages": None
            if call["text"] is None
            else as_json(message_parts(chat([{"role": "assistant", "content": call["text"]}]))),
            "error.type": call["error_class"],
            **_own(
                "call",
                call,
                *("attempt", "call_number", "cost", "cached", "first_token_ms", "lag_ms"),
            ),
        },
        error=call["error_message"] or call["error_class"],
    )


def _own(noun: str, row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {f"arena.{noun}.{name}": row[name] for name in names}


def _span(
    game: int,
    span: str,
    parent: str | None,
    name: str,
    kind: int,
    times: tuple[datetime | None, datetime | None],
    attributes: Mapping[str, Any],
    *,
    error: str | None = None,
) -> dict[str, Any]:
    begun = times[0] or times[1] or _BEGINNING
    found = {
        "traceId": hashlib.blake2b(f"game {game}".encode(), digest_size=16).hexdigest(),
        "spanId": span,
        "name": portable(name),
        "kind": kind,
        "startTimeUnixNano": _nanoseconds(begun),
        "endTimeUnixNano": _nanoseconds(times[1] or begun),
        "attributes": _attributes(attributes),
        "status": {"code": _OK}
        if error is None
        else {"code": _ERROR, "message": portable(str(error))},
    }
    return found if parent is None else {**found, "parentSpanId": parent}


def _id(noun: str, number: int) -> str:
    return hashlib.blake2b(f"{noun} {number}".encode(), digest_size=8).hexdigest()


def _nanoseconds(time: datetime) -> str:
    return str((time - _BEGINNING) // timedelta(microseconds=1) * 1000)


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"key": name, "value": _value(value)} for name, value in values.items() if value is not None
    ]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(each) for each in value]}}
    return {"stringValue": portable(str(value))}
