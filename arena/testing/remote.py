"""The protocol of remote agents (docs/remote-agents.md), as a check of anybody's program.

from arena.testing import check_remote

check_remote("http://127.0.0.1:8080")
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import orjson

from arena.core import ArenaError, Message, ModelSpec
from arena.llm.failures.classify import Fault, fault_of
from arena.llm.pacing.deadlines import within
from arena.llm.pacing.loop_lag import LoopLag
from arena.llm.providers.protocol import ProviderSettings
from arena.llm.providers.stopwatch import timed
from arena.llm.secrets import key_of
from arena.remote.http import HttpProgram
from arena.remote.protocol import Malfunction, end, read_act, read_hello
from arena.remote.provider import Program, RemoteProvider
from arena.testing.conformance import ConformanceError
from arena.testing.providers import no_policy

_TEXTS = (
    "[GAME] You are Player 0. It is your turn.\nAvailable Moves: '[0]', '[1]'",
    "",
    "Zoë said: \u201c[1]\u201d \U0001f600 \u202e\x00\x1b[31m <b>{{role}}</b>\n" + "x" * 100_000,
)
_AT_ONCE = 8
# Seconds for it to hear how a game has ended, as in a run.
_END = 5.0


def check_remote(address: str, *, secret: str | None = None, timeout: float = 30.0) -> str:
    """Asks the program at an address some twenty turns of games that nobody plays, eight of them at
    once, and returns what it says it is, NAME@VERSION. `secret` signs the requests; an answer may
    take `timeout` seconds. Raises ConformanceError with what was found and what was expected.
    """

    async def main() -> str:
        named = await _check(HttpProgram(address, lambda: secret, timeout))
        if secret is not None:
            await _check_signature(address, secret, timeout)
        return named

    return asyncio.run(main())


def check_program(model: ModelSpec, *, timeout: float = 30.0) -> str:
    """The same of the program that a model names, however it is reached: called, started here, or
    dialling in. Raises UsageError for a model that names none, ConformanceError besides where it
    says that it is another one.
    """

    async def main() -> str:
        provider = RemoteProvider(ProviderSettings(timeout, no_policy))
        try:
            endpoint = provider.prepare(model)
            named = await _check(endpoint.program)
            secret = None if model.api_base is None else key_of(model)
            if secret is not None:
                await _check_signature(model.api_base or "", secret, timeout)
        finally:
            await provider.aclose()
        if named != str(endpoint.expected):
            raise ConformanceError(f"it says it is {named}; the model names {endpoint.expected}")
        return named

    return asyncio.run(main())


async def _check(program: Program) -> str:
    try:
        named = [read_hello(await program.hello()) for _ in range(2)]
        if named[0] != named[1]:
            raise ConformanceError(f"it says it is {named[0]}, then {named[1]}; expected the same")
        for number, text in enumerate(_TEXTS):
            await _turn(program, _observe("a" * 32, number, text))
        # The same turn again, one of the middle of a game, and an earlier one of it.
        await _turn(program, _observe("a" * 32, 2, _TEXTS[0]))
        await _turn(program, _observe("b" * 32, 7, _TEXTS[0]))
        await _turn(program, _observe("b" * 32, 3, _TEXTS[0]))
        asked = (_observe(f"{n:032x}", 0, _TEXTS[0]) for n in range(_AT_ONCE))
        await asyncio.gather(*(_turn(program, each) for each in asked))
        if named[0].ends:
            await _end(program)
    except Malfunction as error:
        raise ConformanceError(f"its hello: {error}") from None
    except (ArenaError, ConformanceError):
        raise
    except Exception as error:
        fault = error if isinstance(error, Fault) else fault_of(error)
        raise ConformanceError(f"it cannot be played: {fault.message}") from None
    finally:
        await program.aclose()
    return str(named[0])


async def _end(program: Program) -> None:
    told = {"session": "a" * 32, "result": "draw", "rank": 0, "termination": "natural"}
    place = {"environment": "Nowhere-v0", "player_index": 0, "num_players": 2}
    said: Message = {"role": "system", "content": orjson.dumps({**told, **place}).decode()}
    try:
        async with within(_END):
            await program.tell(end([said]))
    except TimeoutError:
        raise ConformanceError(f"it was told `end`, and said nothing for {_END:g} s") from None
    except Malfunction as error:
        raise ConformanceError(f"it was told `end`: {error}") from None


async def _turn(program: Program, message: dict[str, Any]) -> None:
    shown = f"turn {message['turn_number']} ({len(message['observation'])} characters)"
    try:
        async with timed(LoopLag(), most=120.0):
            read_act(await program.ask(message), message["turn"])
    except Malfunction as error:
        raise ConformanceError(f"{shown}: {error}") from None
    except (OSError, TimeoutError) as error:
        raise ConformanceError(f"{shown}: {type(error).__name__}: {error}") from None


def _observe(session: str, number: int, text: str) -> dict[str, Any]:
    return {
        "type": "observe",
        "protocol": 1,
        "session": session,
        "turn": f"{number:016x}{session[:16]}",
        "environment": "Nowhere-v0",
        "player_index": 0,
        "num_players": 2,
        "turn_number": number,
        "observation": text,
        "new": text,
        "instructions": "",
    }


async def _check_signature(address: str, secret: str, limit: float) -> None:
    for wrong in (None, f"not {secret}"):
        program = HttpProgram(address, partial(_same, wrong), limit)
        try:
            await program.hello()
        except Fault:
            continue
        finally:
            await program.aclose()
        found = "no signature" if wrong is None else "a wrong signature"
        raise ConformanceError(f"it answers a request with {found}; expected status 401")


def _same(value: str | None) -> str | None:
    return value
