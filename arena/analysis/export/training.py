"""Exports answers as training data: a row per answered call, or a pair of answers to one prompt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, Unpack, get_args

import pandas as pd

from arena.analysis.chunks import in_chunks
from arena.analysis.export.card import ExportedFile, dataset_card
from arena.analysis.export.columns import (
    SCORES,
    ExportedColumn,
    Holds,
    as_json,
    by_key,
    chat,
    plain_rows,
)
from arena.analysis.export.files import FORMATS, Format, arrow, table_file
from arena.analysis.export.places import new_folder
from arena.analysis.frames import games_df, players_df
from arena.analysis.source import Filters, Readable, session_on
from arena.analysis.turns import calls_df, turns_df
from arena.core import UsageError
from arena.registry import unknown

Purpose = Literal["sft", "kto", "dpo", "rl"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)

_GAMES = 20  # in memory at a time, with all that was said in them
_ABOUT: Mapping[Purpose, str] = {
    "sft": "a row per answered call: the conversation, the answer as its last message",
    "kto": "a row per answered call of a player who won or lost: prompt, completion, and label, "
    "whether it won; draws are left out",
    "rl": "a row per answered call: prompt, completion, and reward, what the environment gave the "
    "player when the game ended; score is 1 for a win, 0.5 for a draw, 0 for a loss",
    "dpo": "a row per pair of answers to one prompt, in branches of the same turn with the same "
    "agents: chosen in the games that its player scored more in, on average",
}
_CALL: tuple[tuple[str, Holds], ...] = (
    *((name, "integer") for name in ("call_id", "game_id", "turn_number", "player_index")),
    ("call_number", "integer"),
    *((name, "text") for name in ("tournament", "environment", "agent", "kind", "model")),
    *((name, "text") for name in ("prompt_name", "role", "team", "result")),
    *((name, "number") for name in ("score", "reward")),
    *((name, "integer") for name in ("seed", "block")),
    *((name, "text") for name in ("termination", "lapse", "finish_reason", "thoughts")),
    ("invalid", "boolean"),
    *((name, "json") for name in ("tokens", "token_ids", "logprobs")),
)  # fmt: skip
_PAIR: tuple[tuple[str, Holds], ...] = (
    *((name, "integer") for name in ("parent_game_id", "turn_number", "player_index")),
    ("call_number", "integer"),
    *((name, "text") for name in ("environment", "agent", "kind", "model")),
    *((name, "text") for name in ("prompt_name", "role", "team")),
    *((name, "number") for name in ("chosen_score", "rejected_score")),
    *((name, "json") for name in ("chosen_games", "rejected_games")),
)  # fmt: skip
_OWN: Mapping[Purpose, tuple[tuple[str, Holds], ...]] = {
    "sft": (("messages", "messages"), *_CALL),
    "kto": (("prompt", "messages"), ("completion", "messages"), ("label", "boolean"), *_CALL),
    "rl": (("prompt", "messages"), ("completion", "messages"), *_CALL),
    "dpo": (
        *((name, "messages") for name in ("prompt", "chosen", "rejected")),
        *_PAIR,
    ),
}  # fmt: skip


def export_training(
    folder: str | Path,
    source: Readable = None,
    *,
    purpose: Purpose,
    form: Format = "jsonl",
    **filters: Unpack[Filters],
) -> tuple[ExportedFile, ...]:
    """Write the file `PURPOSE.FORM` of a new folder, with a dataset card: chat messages in the
    columns that trainers look for (`messages`; `prompt`, `completion`, `label`; `prompt`,
    `chosen`, `rejected`), and beside them where each answer comes from.

    Only answers in completed games. The filters choose the seats, as in every frame. Raises
    UsageError as `export_frames` does.
    """
    for noun, name, known in (("purpose", purpose, PURPOSES), ("format", form, FORMATS)):
        if name not in known:
            raise UsageError(unknown(noun, name, [*known]))
    if form == "parquet":
        arrow()
    columns = tuple(ExportedColumn(name, holds) for name, holds in _OWN[purpose])
    with session_on(source, frozen=True) as session, new_folder(Path(folder)) as place:
        path = place / f"{purpose}.{form}"
        found = _pairs(session, filters) if purpose == "dpo" else _answers(session, filters)
        rows = 0
        with table_file(path, form, columns) as file:
            for batch in found:
                shown = [row for each in batch if (row := _shaped(purpose, each)) is not None]
                if shown:
                    file.write([[row[column.name] for row in shown] for column in columns])
                    rows += len(shown)
        written = ExportedFile(
            purpose, path.name, rows, path.stat().st_size, columns, _ABOUT[purpose]
        )
        card = dataset_card([written], form, filters)
        (place / "README.md").write_text(card, encoding="utf-8", newline="\n")
    return (written,)


def _shaped(purpose: Purpose, row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """A row as its purpose has it; None for one that is not for it."""
    if purpose == "sft":
        return {**row, "messages": [*row["prompt"], *row["completion"]]}
    if purpose == "kto":
        won = {"win": True, "loss": False}.get(row["result"])
        return None if won is None else {**row, "label": won}
    return row


def _answers(session: Readable, filters: Filters) -> Iterator[list[dict[str, Any]]]:
    """The answered calls of completed games, some games at a time."""
    chosen: Filters = {**filters}
    if not chosen.get("status"):
        chosen["status"] = "completed"
    for calls in in_chunks(_said, session, games=_GAMES, **chosen):
        yield [*_with_places(session, calls)]


def _said(source: Readable = None, **filters: Any) -> pd.DataFrame:
    frame = calls_df(
        source,
        **filters,
        columns=[
            *("call_id", "turn_id", "game_id", "turn_number", "player_index", "call_number"),
            *("tournament", "environment", "agent", "kind", "model", "prompt", "role", "team"),
            *("finish_reason", "error_class", "messages", "text", "thoughts", "response"),
        ],
    )
    return frame[frame["error_class"].isna() & (frame["text"].fillna("") != "")]


def _with_places(session: Readable, calls: pd.DataFrame) -> Iterator[dict[str, Any]]:
    if not len(calls):
        return
    numbers = sorted({*calls["game_id"].tolist()})
    games = by_key(games_df(session, game=numbers), "game_id")
    seats = by_key(players_df(session, game=numbers), "game_id", "player_index")
    turns = by_key(
        turns_df(session, game=numbers, columns=["turn_id", "lapse", "invalid"]), "turn_id"
    )
    for row in plain_rows(calls):
        game = games[(row["game_id"],)]
        if game["status"] != "completed":
            continue
        seat = seats.get((row["game_id"], row["player_index"]), {})
        response = row["response"] if isinstance(row["response"], Mapping) else {}
        yield {
            **row,
            "prompt_name": row["prompt"],
            "prompt": chat(row["messages"] or ()),
            "completion": chat([{"role": "assistant", "content": row["text"]}]),
            "result": seat.get("result"),
            "score": SCORES.get(seat.get("result")),
            "reward": seat.get("reward"),
            **{name: game[name] for name in ("seed", "block", "termination")},
            **{name: turns[(row["turn_id"],)][name] for name in ("lapse", "invalid")},
            "tokens": None,
            "token_ids": None,
            "logprobs": None,
            **_tokens(response),
        }


def _tokens(response: Mapping[str, Any]) -> dict[str, str]:
    """What the answer was made of, where it was recorded (`record: {logprobs: true}`)."""
    found = {}
    logs = response.get("logprobs")
    if isinstance(logs, Mapping):
        found = {"tokens": as_json(logs["tokens"]), "logprobs": as_json(logs["token_logprobs"])}
    ids = response.get("token_ids")
    return found if ids is None else {**found, "token_ids": as_json(ids)}


class _Place(NamedTuple):
    """What the answers of a pair have in common: the game and turn that was branched from, the
    agents that played on, and whose call it was, by its number."""

    parent: int
    turn: int
    agents: tuple[Any, ...]
    player: int
    call: int


@dataclass(slots=True)
class _Candidate:
    """An answer, with what its player scored in the games in which it was given."""

    row: Mapping[str, Any]
    scores: dict[int, float]

    @property
    def mean(self) -> float:
        return sum(self.scores.values()) / len(self.scores)


def _pairs(session: Readable, filters: Filters) -> Iterator[list[dict[str, Any]]]:
    """Pairs of answers, a branched turn at a time.

    The games of a turn are the same up to it, to the last word. Where the agents that play on are
    the same too, the answer alone tells them apart. Each answer is in one pair at most: the best
    with the worst, the second best with the second worst.
    """
    wanted = ["game_id", "parent_game_id", "parent_turn", "status"]
    siblings: dict[tuple[int, int], list[int]] = defaultdict(list)
    for games in in_chunks(partial(games_df, columns=wanted), session, **filters):
        for row in plain_rows(games[games["parent_game_id"].notna()]):
            if row["status"] == "completed":
                siblings[row["parent_game_id"], row["parent_turn"]].append(row["game_id"])
    for (parent, turn), numbers in siblings.items():
        places: dict[_Place, dict[tuple[str, str], _Candidate]] = defaultdict(dict)
        for at in range(0, len(numbers), _GAMES):
            _gather(session, parent, turn, numbers[at : at + _GAMES], filters, places)
        for place, candidates in places.items():
            prompts: dict[str, list[_Candidate]] = defaultdict(list)
            for (asked, _), candidate in candidates.items():
                prompts[asked].append(candidate)
            yield [pair for each in prompts.values() for pair in _paired(place, each)]


def _gather(
    session: Readable,
    parent: int,
    turn: int,
    numbers: Sequence[int],
    filters: Filters,
    places: Mapping[_Place, dict[tuple[str, str], _Candidate]],
) -> None:
    seated = players_df(session, game=numbers, columns=["game_id", "player_index", "agent_id"])
    agents = {game: tuple(seats["agent_id"].tolist()) for game, seats in seated.groupby("game_id")}
    calls = _said(session, **{**filters, "game": numbers})
    for row in _with_places(session, calls[calls["turn_number"] == turn]):
        if row["score"] is None:
            continue
        place = _Place(
            parent, turn, agents[row["game_id"]], row["player_index"], row["call_number"]
        )
        key = (as_json(row["prompt"]), row["text"])
        found = places[place].setdefault(key, _Candidate(row, {}))
        found.scores[row["game_id"]] = row["score"]


def _paired(place: _Place, candidates: Sequence[_Candidate]) -> Iterator[dict[str, Any]]:
    ranked = sorted(candidates, key=lambda each: (-each.mean, min(each.scores)))
    for best, worst in zip(ranked, reversed(ranked), strict=True):
        if best.mean <= worst.mean:
            return
        yield {
            **best.row,
            "chosen": best.row["completion"],
            "rejected": worst.row["completion"],
            "parent_game_id": place.parent,
            "chosen_score": best.mean,
            "rejected_score": worst.mean,
            "chosen_games": as_json(sorted(best.scores)),
            "rejected_games": as_json(sorted(worst.scores)),
        }
