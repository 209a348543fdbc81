"""What a model may write as a call of a tool, and what it is told: nothing of it ends the game."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from arena import registry
from arena.core import Observation, UsageError
from arena.core.threads import in_thread
from arena.core.tools import ToolError, ToolFunction, ToolLimits
from arena.llm.toolbox import CUT, Toolbox, echoed

SEEN = Observation(
    1,
    4,
    "Welcome.\n[GAME] Voting phase: vote now.\n[Player 0] [2]\n[Player 3] I vote [Player 2]\n"
    "[Player 1] [0]",
    "",
)


class Odd:
    """Does whatever its function is called."""

    version = 1
    repeatable = False
    functions: Sequence[ToolFunction] = tuple(
        ToolFunction(name, name)
        for name in ("hang", "deaf", "raise", "refuse", "long", "number", "exit", "own")
    )

    async def call(
        self, function: str, arguments: Mapping[str, Any], observation: Observation
    ) -> str:
        match function:
            case "hang":
                await asyncio.sleep(600)
            case "deaf":
                for _ in range(3):
                    try:
                        await asyncio.sleep(0.3)
                    except asyncio.CancelledError:
                        continue
            case "raise":
                raise KeyError("heap")
            case "refuse":
                raise ToolError("not at night")
            case "long":
                return "x" * 100_000
            case "number":
                return 3  # type: ignore[return-value]
            case "exit":
                raise SystemExit(3)
        return observation.text


def told(box: Toolbox, function: str, written: str = "{}", seconds: float = 0.1) -> Any:
    async def main() -> Any:
        answer = await box.run(function, written, SEEN, seconds)
        await box.aclose()
        return answer.error, answer.result

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("function", "error", "said"),
    [
        ("hang", "timeout", "no result within 0.1 s; the call was given up"),
        ("deaf", "timeout", "no result within 0.1 s; the call was given up"),
        ("raise", "failed", "the tool failed: KeyError: 'heap'"),
        ("refuse", "refused", "not at night"),
        ("number", "failed", "the tool failed: it gave int, expected text"),
        ("exit", "failed", "the tool failed: SystemExit: 3"),
        ("own", None, SEEN.text),
        ("nothing", "unknown", "there is no tool 'nothing'; there are: hang, deaf"),
    ],
)
def test_what_a_tool_does_is_told_to_the_model(function: str, error: str | None, said: str) -> None:
    began = time.monotonic()
    found = told(Toolbox([("odd", Odd())]), function)

    assert found[0] == error
    assert found[1].startswith(said)
    assert time.monotonic() - began < 60


class Blocking:
    """A plain function, which returns once it is let go; and a coroutine that does the same."""

    version = 1
    repeatable = True
    functions: Sequence[ToolFunction] = (ToolFunction("wait", "Wait."),)

    def __init__(self) -> None:
        self.let_go = threading.Event()

    def call(self, function: str, arguments: Mapping[str, Any], observation: Observation) -> str:
        self.let_go.wait(60)
        return f"waited in {threading.current_thread().name}"


class HoldsTheLoop(Blocking):
    async def call(  # type: ignore[override]
        self, function: str, arguments: Mapping[str, Any], observation: Observation
    ) -> str:
        await asyncio.sleep(0)
        time.sleep(0.6)  # noqa: ASYNC251 - which is what is wrong with it
        return "slept"


def test_a_plain_function_that_blocks_is_given_up_while_others_go_on() -> None:
    tool = Blocking()
    box = Toolbox([("slow", tool)])
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.001)

    async def main() -> list[Any]:
        ticking = asyncio.create_task(tick())
        said = [await box.run("wait", "{}", SEEN, 0.2), await box.run("wait", "{}", SEEN, 60)]
        assert ticks > 10
        ticking.cancel()
        tool.let_go.set()
        for thread in threading.enumerate():
            if thread.name == "tool slow":
                await in_thread(thread.join, 60)
        last = await box.run("wait", "{}", SEEN, 60)
        await box.aclose()
        return [*said, last]

    assert [(each.error, each.result) for each in asyncio.run(main())] == [
        ("timeout", "no result within 0.2 s; the call was given up"),
        ("timeout", "the tool 'slow' is still at the call before, which was given up"),
        (None, "waited in tool slow"),
    ]


def test_a_process_ends_though_a_tool_never_does() -> None:
    program = (
        "import asyncio\n"
        "from arena.llm.toolbox import Toolbox\n"
        "from tests.tools.test_toolbox import SEEN, Blocking\n"
        "box = Toolbox([('slow', Blocking())])\n"
        "print(asyncio.run(box.run('wait', '{}', SEEN, 0.1)).error)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=False
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "timeout\n", "")


def test_a_coroutine_that_holds_the_loop_is_named_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert told(Toolbox([("greedy", HoldsTheLoop())]), "wait", seconds=60) == (None, "slept")
    assert told(Toolbox([("odd", Odd())]), "own", seconds=60) == (None, SEEN.text)

    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith("the tool 'greedy' held the event loop for 0.6 s in wait(): all games")


def test_a_result_is_cut_at_its_limit() -> None:
    box = Toolbox([("odd", Odd())], ToolLimits(result_characters=100))

    assert told(box, "long") == (None, "x" * 100 + CUT)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{", "the arguments are no JSON"),
        ("[1]", "the arguments are no JSON object"),
        ('{"expression": NaN}', "the arguments are no JSON: NaN is no number"),
        ("{}", "the argument 'expression' is missing"),
        ('{"expression": 3}', "the argument 'expression' is 3; expected string"),
        ('{"expression": "1", "x": 1}', "there is no argument 'x'; there are: expression"),
        ("[" * 20_000, "the arguments are no JSON"),
        (json.dumps({"expression": "1" * 2**20}), "the arguments have 1,048,594 characters"),
    ],
)
def test_arguments_that_do_not_fit_are_told(written: str, said: str) -> None:
    box = registry.toolbox(({"calculator": {}},), ToolLimits())

    error, result = told(box, "calculate", written)

    assert error == "arguments"
    assert result.startswith(said)


def test_arguments_that_no_provider_takes_are_sent_back_empty() -> None:
    assert echoed('{"a": 1}', 100) == '{"a": 1}'
    assert [echoed(written, 100) for written in ("{", "[1]", '{"a": "' + "x" * 99 + '"}')] == (
        ["{}"] * 3
    )


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("3/8 * comb(7, 2)", "7.875"),
        ("2**100 - 1", "1267650600228229401496703205375"),
        ("-sqrt(16) + max(1, 2, 3)", "-1.0"),
        ("2**9**9**9", "more than 40 digits"),
        ("9" * 60, "more than 40 digits"),
        ("__import__('os').system('true')", "no part of arithmetic"),
        ("(1).__class__", "no part of arithmetic"),
        ("[x for x in (1,)]", "no part of arithmetic"),
        ("'a' * 9", "no part of arithmetic"),
        ("1/0", "divides by zero"),
        ("(-1) ** 0.5", "no real number"),
        ("1e308 * 10", "no finite number"),
        ("round(5, -999999999)", "at most 30 places"),
        ("perm(999999999, 99999)", "numbers up to 1000"),
        ("(" * 240 + "1" + ")" * 240, "no arithmetic"),
        ("-" * 300 + "1", "nested too deeply"),
        ("True", "no part of arithmetic"),
        ("", "no arithmetic"),
    ],
)
def test_the_calculator_calculates_and_nothing_else(expression: str, found: str) -> None:
    box = registry.toolbox(({"calculator": {}},), ToolLimits())

    assert found in told(box, "calculate", json.dumps({"expression": expression}), 10)[1]


def test_votes_and_words_are_those_of_what_its_own_seat_has_seen() -> None:
    box = registry.toolbox(({"votes": {}}, {"search": {}}), ToolLimits())

    assert told(box, "count_votes") == (
        None,
        "Player 2: 2 (Player 0, Player 3)\nPlayer 0: 1 (Player 1)",
    )
    assert told(box, "search_transcript", '{"words": "VOTE player"}') == (
        None,
        "1 found:\n4. [Player 3] I vote [Player 2]",
    )
    assert told(box, "search_transcript", '{"words": "mafia"}') == (None, "nothing found")


def test_notes_are_remembered_from_the_record_as_from_the_calls() -> None:
    played = registry.toolbox(({"notes": {}},), ToolLimits())
    recalled = registry.toolbox(({"notes": {}},), ToolLimits())
    for function, written in (
        ("write_note", '{"text": "3 lies"}'),
        ("write_note", '{"text": "2 is quiet"}'),
        ("erase_note", '{"number": 1}'),
        ("erase_note", '{"number": 9}'),
    ):
        error, result = told(played, function, written)
        recalled.recall(function, written, result, error)

    assert told(played, "read_notes") == (None, "1. (turn 4) 2 is quiet")
    assert told(recalled, "read_notes") == told(played, "read_notes")


def test_tools_that_cannot_be_offered_together_are_refused() -> None:
    with pytest.raises(UsageError, match="both offer the function 'write_note'"):
        registry.toolbox(({"notes": {}}, {"notes": {"most": 3}}), ToolLimits())
    with pytest.raises(UsageError, match="did you mean 'notes'"):
        registry.pinned_tools(({"note": {}},))
    with pytest.raises(UsageError, match="'most' of the tool 'notes' is 0; expected a whole"):
        registry.pinned_tools(({"notes": {"most": 0}},))
    with pytest.raises(UsageError, match="version 9 of the tool 'notes', installed is version 1"):
        registry.toolbox(({"notes": {"version": 9}},), ToolLimits())
