"""Exports logs that Inspect AI opens: a file for each environment and agent, a sample for each of
its places in a game.

The form is that of `inspect_ai` 0.3's `.eval` files, a zip of JSON; the package is not needed to
write them.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from statistics import fmean
from typing import Any, Unpack

from arena.analysis.chunks import in_chunks
from arena.analysis.export.card import ExportedFile
from arena.analysis.export.columns import SCORES, by_key, plain_rows
from arena.analysis.export.places import new_folder
from arena.analysis.export.texts import portable
from arena.analysis.frames import games_df, players_df
from arena.analysis.source import Filters, Readable, session_on
from arena.analysis.turns import calls_df, turns_df

_GAMES = 50  # in memory at a time
_EPOCH = (1980, 1, 1, 0, 0, 0)
_SCORE = "score"
_ABOUT = "a sample per game and place of an agent, its score 1 for a win, 0.5 for a draw"


def export_inspect(
    folder: str | Path, source: Readable = None, **filters: Unpack[Filters]
) -> tuple[ExportedFile, ...]:
    """Write a `.eval` file for each environment and agent of the completed games into a new folder:
    `inspect view --log-dir FOLDER` shows them.

    A sample's messages are what the player was newly shown and what it did, turn by turn; its
    score is 1, 0.5 or 0 by its result. Raises UsageError as `export_frames` does.
    """
    chosen: Filters = {**filters}
    if not chosen.get("status"):
        chosen["status"] = "completed"
    written = []
    with session_on(source, frozen=True) as session, new_folder(Path(folder)) as place:
        for environment, agent in _logs(session, chosen):
            name = _file_name(environment, agent["agent"], agent["agent_id"])
            path = place / name
            own: Filters = {**chosen, "environment": environment, "agent": agent["agent_id"]}
            samples = _write(path, session, environment, agent, own)
            written.append(ExportedFile(name, name, samples, path.stat().st_size, (), _ABOUT))
    return tuple(written)


def _logs(session: Readable, filters: Filters) -> list[tuple[str, Mapping[str, Any]]]:
    """The environments and agents of a selection, each pair once, in order."""
    columns = ["environment", "agent_id", "agent", "kind", "model", "prompt"]
    found: dict[tuple[str, int], Mapping[str, Any]] = {}
    for seats in in_chunks(_narrow(columns), session, **filters):
        for row in plain_rows(seats.drop_duplicates()):
            found.setdefault((row["environment"] or "", row["agent_id"]), row)
    return [(name, found[name, agent]) for name, agent in sorted(found)]


def _narrow(columns: Sequence[str]) -> Any:
    def read(source: Readable = None, **filters: Any) -> Any:
        return players_df(source, columns=columns, **filters)

    return read


def _file_name(environment: str, agent: str, number: int) -> str:
    words = (re.sub(r"[^A-Za-z0-9.]+", "-", word).strip("-.")[:60] for word in (environment, agent))
    return "_".join([*(word or "x" for word in words), f"{number}.eval"])


def _write(
    path: Path,
    session: Readable,
    environment: str,
    agent: Mapping[str, Any],
    filters: Filters,
) -> int:
    summaries: list[dict[str, Any]] = []
    used: dict[str, dict[str, int]] = {}
    times: list[str] = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as log:
        for sample, usage, (begun, ended) in _samples(session, filters):
            _put(log, f"samples/{sample['id']}_epoch_1.json", sample)
            summaries.append(_summary(sample))
            times += [time for time in (begun, ended) if time]
            for model, counts in usage.items():
                total = used.setdefault(model, dict.fromkeys(counts, 0))
                for name, count in counts.items():
                    total[name] += count
        spec = _spec(environment, agent, summaries, min(times, default=""), [*used])
        _put(log, "_journal/start.json", {"version": 2, "eval": spec, "plan": _PLAN})
        _put(log, "summaries.json", summaries)
        scores = [sample["scores"][_SCORE]["value"] for sample in summaries if sample["scores"]]
        mean = {"mean": {"name": "mean", "value": fmean(scores), "params": {}}} if scores else {}
        _put(
            log,
            "header.json",
            {
                "version": 2,
                "status": "success",
                "eval": spec,
                "plan": _PLAN,
                "results": {
                    "total_samples": len(summaries),
                    "completed_samples": len(summaries),
                    "scores": [{"name": _SCORE, "scorer": _SCORE, "params": {}, "metrics": mean}],
                },
                "stats": {
                    "started_at": min(times, default=""),
                    "completed_at": max(times, default=""),
                    "model_usage": used,
                },
            },
        )
    return len(summaries)


_PLAN = {"name": "plan", "steps": [], "config": {}}


def _spec(
    environment: str,
    agent: Mapping[str, Any],
    samples: Sequence[Mapping[str, Any]],
    created: str,
    models: Sequence[str],
) -> dict[str, Any]:
    named = _digest(environment, agent["agent_id"])
    return {
        "eval_id": named,
        "run_id": named,
        "task_id": named,
        "created": created,
        "task": portable(environment),
        "task_version": 0,
        "task_attribs": {},
        "task_args": {},
        "dataset": {
            "name": portable(environment),
            "samples": len(samples),
            "sample_ids": [sample["id"] for sample in samples],
            "shuffled": False,
        },
        "model": portable(models[0] if models else agent["model"] or "none"),
        "model_args": {},
        "config": {},
        "packages": {},
        "tags": [portable(agent["agent"])],
        "metadata": {name: agent[name] for name in ("agent", "kind", "model", "prompt")},
    }


def _samples(
    session: Readable, filters: Filters
) -> Iterator[tuple[dict[str, Any], dict[str, dict[str, int]], tuple[str, str]]]:
    """(sample, tokens by model, when its game began and ended)."""
    for seats in in_chunks(players_df, session, games=_GAMES, **filters):
        if not len(seats):
            continue
        numbers = sorted({*seats["game_id"].tolist()})
        own: Filters = {**filters, "game": numbers}
        games = by_key(games_df(session, game=numbers), "game_id")
        said = _grouped(
            turns_df(
                session,
                columns=["game_id", "player_index", "turn_number", "new", "action", "invalid"],
                **own,
            )
        )
        calls = _grouped(
            calls_df(
                session,
                columns=[
                    *("game_id", "player_index", "model_asked", "prompt_tokens"),
                    "response_tokens",
                ],
                **own,
            )
        )
        for seat in plain_rows(seats):
            key = (seat["game_id"], seat["player_index"])
            game = games[(seat["game_id"],)]
            usage = _usage(calls.get(key, ()))
            yield (
                _sample(seat, game, said.get(key, ()), usage),
                usage,
                (_moment(game["started_at"]), _moment(game["finished_at"])),
            )


def _grouped(frame: Any) -> dict[tuple[int, int], list[dict[str, Any]]]:
    found: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for row in plain_rows(frame):
        found.setdefault((row["game_id"], row["player_index"]), []).append(row)
    return found


def _sample(
    seat: Mapping[str, Any],
    game: Mapping[str, Any],
    turns: Sequence[Mapping[str, Any]],
    usage: Mapping[str, Mapping[str, int]],
) -> dict[str, Any]:
    name = f"{seat['game_id']}-{seat['player_index']}"
    messages: list[dict[str, Any]] = []
    for turn in turns:
        shown = turn["new"] if isinstance(turn["new"], str) else json.dumps(turn["new"])
        messages.append(_message(name, len(messages), "user", shown))
        if turn["action"] is not None:
            messages.append(_message(name, len(messages), "assistant", turn["action"]))
    score = SCORES.get(seat["result"])
    last = messages[-1]["content"] if messages and messages[-1]["role"] == "assistant" else ""
    facts = {
        "game": seat["game_id"], "player": seat["player_index"], "tournament": seat["tournament"],
        "role": seat["role"], "team": seat["team"], "result": seat["result"],
        "reward": seat["reward"], "seed": game["seed"], "block": game["block"],
        "termination": game["termination"], "winning_team": game["winning_team"],
    }  # fmt: skip
    return {
        "id": name,
        "epoch": 1,
        "input": messages[0]["content"] if messages else "",
        "target": "",
        "messages": messages,
        "output": {"model": next(iter(usage), ""), "choices": [], "completion": last},
        "scores": {}
        if score is None
        else {
            _SCORE: {
                "value": score,
                "answer": portable(seat["result"]),
                "explanation": portable(game["reason"] or ""),
            }
        },
        "metadata": facts,
        "store": {},
        "events": [],
        "model_usage": usage,
        "attachments": {},
    }


def _summary(sample: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("id", "epoch", "target", "scores", "metadata", "model_usage")
    return {
        **{name: sample[name] for name in kept},
        "input": sample["input"][:1000],
        "completed": True,
        "message_count": len(sample["messages"]),
    }


def _message(sample: str, number: int, role: str, text: str) -> dict[str, Any]:
    return {"id": _digest(sample, number)[:22], "role": role, "content": portable(text)}


def _usage(calls: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    used: dict[str, dict[str, int]] = {}
    for call in calls:
        sent, said = call["prompt_tokens"] or 0, call["response_tokens"] or 0
        model = portable(call["model_asked"])
        total = used.setdefault(model, {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0})
        total["input_tokens"] += sent
        total["output_tokens"] += said
        total["total_tokens"] += sent + said
    return used


def _moment(time: datetime | None) -> str:
    return "" if time is None else time.isoformat()


def _digest(*parts: Any) -> str:
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=11).hexdigest()


def _put(log: zipfile.ZipFile, name: str, value: Any) -> None:
    member = zipfile.ZipInfo(name, _EPOCH)
    member.compress_type = zipfile.ZIP_DEFLATED
    log.writestr(member, json.dumps(value, ensure_ascii=True, default=str))
