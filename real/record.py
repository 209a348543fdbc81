"""Compares what the arena has on record with what the servers themselves saw and gave."""

from __future__ import annotations

import json
import urllib.request
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db import Database, Repository
from db.models.aside import SideCall
from db.queries.games import games
from db.queries.transcript import CallRow, TurnRow, transcript
from db.repository.aside import messages_of, response_of
from real.wire import Exchange


def turns_of(database: Path) -> list[list[TurnRow]]:
    """The turns of every game on record, with their calls."""
    with Database(database) as opened, opened.session(create=False) as session:
        return [transcript(session, row.game_id) for row in games(session)]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A call that a provider answered, in a turn or beside a game; `tokens` are those of the
    prompt, of the response and from the provider's cache."""

    model: str
    messages: Any
    request: Mapping[str, Any]
    text: str | None
    finish_reason: str | None
    tokens: tuple[int | None, int | None, int | None]


def calls_of(games: Iterable[list[TurnRow]], database: Path) -> list[Recorded]:
    """The calls that a provider answered."""
    found = []
    with Database(database) as opened, opened.session(create=False) as session:
        for turns in games:
            for call in (call for turn in turns for call in turn.calls):
                if call.error_class is None and call.answered:
                    found.append(_of(call.model_asked, call.messages, call.text, call))
            for game_id in {turn.game_id for turn in turns}:
                for beside in Repository(session).get_game_side_calls(game_id, ""):
                    if beside.error_class is None:
                        text, _ = response_of(beside) or (None, None)
                        found.append(_of(beside.model, messages_of(beside), text, beside))
    return found


def _of(model: str, messages: Any, text: str | None, row: CallRow | SideCall) -> Recorded:
    tokens = (row.prompt_tokens, row.response_tokens, row.cached_tokens)
    return Recorded(model, messages, row.request or {}, text, row.finish_reason, tokens)


def differing(calls: Iterable[Recorded], exchanges: Iterable[Exchange]) -> int:
    """How many calls are on one side only: another message or parameter, text, reason or number of
    tokens makes it another call."""
    ours = Counter(map(_recorded, calls))
    theirs = Counter(_exchanged(seen) for seen in exchanges if seen.status == 200)
    return max(sum((ours - theirs).values()), sum((theirs - ours).values()))


def unlike_prompts(calls: Iterable[Recorded], servers: Mapping[str, str], folder: Path) -> int:
    """How many prompts differ between the record, put through each server's own template, and the
    files that the server wrote when it gave them to the model. `servers` are URLs by model. Equal
    prompts count once: the server writes one file for some of them."""
    logged = {
        file.read_bytes().decode(errors="replace")
        for model in servers
        for file in (folder / f"{model}-prompts").iterdir()
    }
    told = {_rendered(servers[call.model.rpartition("/")[2]], call) for call in calls}
    return max(len(told - logged), len(logged - told))


def _rendered(server: str, call: Recorded) -> str:
    asked = {"messages": call.messages}
    asked |= {key: value for key, value in (call.request or {}).items() if key in _TEMPLATED}
    request = urllib.request.Request(
        f"{server}/apply-template",
        json.dumps(asked).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return str(json.load(answer)["prompt"])


_TEMPLATED = {"tools", "tool_choice", "response_format"}
_PARAMS = ("temperature", "max_tokens", "seed", "response_format", "tools", "tool_choice")


def _recorded(call: Recorded) -> str:
    return _key(
        call.messages,
        {name: call.request[name] for name in _PARAMS if name in call.request},
        call.text,
        call.finish_reason,
        call.tokens,
    )


def _exchanged(seen: Exchange) -> str:
    choice, usage = seen.response["choices"][0], seen.response["usage"]
    return _key(
        seen.request["messages"],
        {name: seen.request[name] for name in _PARAMS if name in seen.request},
        choice["message"].get("content"),
        choice["finish_reason"],
        (
            usage["prompt_tokens"],
            usage["completion_tokens"],
            usage["prompt_tokens_details"]["cached_tokens"],
        ),
    )


def _key(*parts: Any) -> str:
    return json.dumps(parts, sort_keys=True)
