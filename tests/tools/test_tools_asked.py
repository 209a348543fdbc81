"""Tools through a provider: what is offered and sent back, several calls in one answer, streamed in
pieces and not, and a model that never stops calling."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from arena.config import TournamentConfig, loads
from arena.orchestrator import run
from arena.replay.check import check
from db import get_session
from db.queries.transcript import ToolCallRow, TurnRow, transcript
from tests.servers.openai_server import OpenAIServer, Reply

TOURNAMENT = """
name: asked
environment: {{name: TicTacToe-v0, players: 2}}
games: 1
matchmaker: {{name: round-robin}}
models:
  - {{name: far, litellm_model: openai/far, api_base: "{url}", stream: {stream}}}
prompts:
  - {{name: plain, text: "Play."}}
  - {{name: calm, text: "Stay calm."}}
agents:
  - name: Ann
    model: far
    prompt: plain
    tools: [calculator, notes]
    tool_limits: {{calls: 3, argument_characters: 200}}
    options: {options}
  - {{name: Bob, model: far, prompt: calm}}
"""


def asked(server: OpenAIServer, *, stream: bool = False, options: str = "{}") -> TournamentConfig:
    said = str(stream).lower()
    return loads(TOURNAMENT.format(url=server.url, stream=said, options=options), source="asked")


def move(body: dict[str, Any]) -> str:
    """The first free cell of the last board that was shown."""
    shown = [str(m["content"]) for m in body["messages"] if "Available Moves:" in str(m)]
    cell = shown[-1].rpartition("Available Moves:")[2].partition("[")[2].partition("]")[0]
    return f"[{cell.strip(chr(39))}]"


def calling(*calls: tuple[str, str], text: str = "") -> Reply:
    made = [
        {"id": f"x{n}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for n, (name, arguments) in enumerate(calls)
    ]
    return Reply(text=text, tool_calls=made, finish_reason="tool_calls")


def two_at_once(body: dict[str, Any]) -> Reply | str:
    if "tools" not in body or body["messages"][-1]["role"] == "tool":
        return move(body)
    note = ("write_note", '{"text": "centre"}')
    return calling(("calculate", '{"expression": "6*7"}'), note, text="Let me see.")


def turns(url: str) -> list[TurnRow]:
    with get_session(url) as session:
        return transcript(session, 1)


def used(url: str) -> list[ToolCallRow]:
    return [tool for turn in turns(url) for tool in turn.tools]


@pytest.mark.slow
@pytest.mark.parametrize("stream", [False, True])
def test_several_calls_of_one_answer_are_run_and_sent_back(sqlite_url: str, stream: bool) -> None:
    with OpenAIServer(two_at_once) as server:
        asyncio.run(run(asked(server, stream=stream), url=sqlite_url))
        sent = [request.body for request in server.requests if "tools" in request.body]
    first = turns(sqlite_url)[0] if turns(sqlite_url)[0].tools else turns(sqlite_url)[1]

    offered = [tool["function"]["name"] for tool in sent[0]["tools"]]
    assert offered == ["calculate", "write_note", "read_notes", "erase_note"]
    asking, *results = sent[1]["messages"][-3:]
    assert asking["content"] == "Let me see."
    ids = [call["id"] for call in asking["tool_calls"]]
    assert ids == [result["tool_call_id"] for result in results] == ["call00000", "call00001"]
    assert results[0]["content"] == "42"
    assert (first.tools[0].function, first.tools[0].result) == ("calculate", "42")
    assert [call.call_number for call in first.calls] == [0, 1]
    assert {tool.call_number for tool in first.tools} == {0}
    assert check(1, sqlite_url).first_difference is None


@pytest.mark.slow
def test_a_model_that_never_stops_calling_comes_to_nothing(sqlite_url: str) -> None:
    written = [("calculate", '{"expression": '), ("\x00no such", "{}"), ("write_note", "x" * 2**20)]

    def never_stops(body: dict[str, Any]) -> Reply | str:
        return calling(*written) if "tools" in body else move(body)

    with OpenAIServer(never_stops) as server:
        asyncio.run(run(asked(server), url=sqlite_url))
        sent = [request.body for request in server.requests if "tools" in request.body]
    mine = next(turn for turn in turns(sqlite_url) if turn.tools)

    # Three of its questions: one within the limit, and two of which every call is refused.
    assert [tool.error for tool in mine.tools] == ["arguments", "unknown", "arguments"] + (
        ["limit"] * 3
    )
    assert (mine.action, mine.lapse) == ("", "silence")
    assert all(len(json.dumps(body)) < 20_000 for body in sent)
    echoed = [call["function"] for call in sent[1]["messages"][-4]["tool_calls"]]
    assert [(each["name"], each["arguments"]) for each in echoed] == [
        ("calculate", "{}"), ("_no_such", "{}"), ("write_note", "{}"),
    ]  # fmt: skip
    assert all(len(tool.arguments) <= 201 for tool in mine.tools)
    assert check(1, sqlite_url).first_difference is None


@pytest.mark.slow
def test_an_agent_that_acts_by_a_tool_of_its_own_may_call_others_first(sqlite_url: str) -> None:
    def acts(body: dict[str, Any]) -> Reply | str:
        if "tools" not in body:
            return move(body)
        if body["messages"][-1]["role"] == "tool":
            return calling(("act", json.dumps({"action": move(body)})))
        return calling(("calculate", '{"expression": "1+1"}'))

    with OpenAIServer(acts) as server:
        asyncio.run(run(asked(server, options="{answer: tool}"), url=sqlite_url))
        sent = [request.body for request in server.requests if "tools" in request.body]
    mine = next(turn for turn in turns(sqlite_url) if turn.tools)

    assert sent[0]["tool_choice"] == "required"
    assert [tool.function for tool in mine.tools] == ["calculate"]
    assert (mine.action or "").startswith("[")


def test_tools_see_what_the_own_seat_is_shown_and_nothing_else(tmp_path: Path) -> None:
    from tests.orchestrator.test_tools_run import tooled

    url = f"sqlite:///{tmp_path}/seen.db"
    config = tooled(("games: 2", "games: 1"), ("{search: {most: 3}}", "{search: {most: 100}}"))
    asyncio.run(run(config, url=url))
    for turn in turns(url):
        for tool in turn.tools:
            if tool.function != "search_transcript" or tool.error:
                continue
            for line in (tool.result or "").splitlines()[1:]:
                said = line.partition("] ")[2].removesuffix(" […]")
                assert said in turn.observation
