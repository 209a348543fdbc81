"""The provider `remote`: a model named `remote/NAME@VERSION` is a program that somebody else runs.

With an `api_base` it is called over HTTP, with a `command` in its params it is started here, with
`listen` it dials in. It says who it is before it plays, and what says another name or another
version than the model is not played: it would be rated as what it is not.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlsplit

from arena.core import Completion, Message, ModelSpec, ToolCall, Usage, UsageError
from arena.llm.costs.prices import Prices, PriceTable
from arena.llm.failures.classify import Fault, fault_of
from arena.llm.failures.kinds import FaultKind
from arena.llm.programs import check_allowed
from arena.llm.providers.protocol import Answer, ProviderSettings
from arena.llm.recorded import response_of
from arena.llm.secrets import key_of, scrub, secrets_of
from arena.remote import protocol
from arena.remote.dialled import DialledProgram
from arena.remote.http import HttpProgram
from arena.remote.protocol import MALFUNCTION, SESSION, Malfunction, ProgramAction, ProgramName
from arena.remote.stdio import StdioProgram

# Broken connections of one game from which on they are the program's own; games that are counted.
MOST_BREAKS = 3
_MOST_GAMES = 4096


class Program(Protocol):
    """A program, however it is reached."""

    async def hello(self) -> bytes:
        """Who it says it is."""
        ...

    async def ask(self, message: Mapping[str, Any]) -> bytes:
        """Its answer to a turn. Raises Malfunction where it failed by itself."""
        ...

    async def tell(self, message: Mapping[str, Any]) -> None:
        """Say something that needs no answer. Raises whatever went wrong."""
        ...

    async def aclose(self) -> None:
        """End or leave it."""
        ...


class RemoteProvider:
    """Keeps the connections to the programs of a run."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._settings = settings
        self._programs: list[Program] = []

    def load(self, models: Iterable[ModelSpec]) -> None:
        """Nothing takes long."""

    def check(self, model: ModelSpec) -> None:
        """Raises UsageError for a model that names no program, or none that can be asked."""
        _checked(model)

    def prepare(self, model: ModelSpec) -> RemoteEndpoint:
        """The program, ready to be asked. Raises UsageError as `check` does."""
        expected = _checked(model)
        limit = self._settings.timeout
        program: Program
        if "listen" in model.params:
            port = int(model.params["listen"].rpartition(":")[2])
            program = DialledProgram(port, expected.name, partial(_token_of, model), limit)
        elif model.api_base is None:
            command, processes = model.params["command"], model.params.get("processes", 1)
            program = StdioProgram(command, processes, limit)
        else:
            program = HttpProgram(model.api_base, partial(key_of, model), limit)
        self._programs.append(program)
        return RemoteEndpoint(model, expected, program)

    async def aclose(self) -> None:
        """Close the connections."""
        for program in self._programs:
            await program.aclose()


@dataclass(slots=True)
class RemoteEndpoint:
    """One program, ready to be asked (`arena.llm.providers.protocol.Endpoint`). It costs nothing,
    and is asked within limits as any other model is."""

    model: ModelSpec
    expected: ProgramName
    program: Program
    free: bool = False
    prices: PriceTable | None = field(default_factory=lambda: PriceTable((Prices(0.0, 0.0),)))
    longest_answer: int | None = 1
    _known: bool = False
    _ends: bool = False
    _breaks: Counter[str] = field(default_factory=Counter)
    _greeting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def ask(self, messages: Sequence[Message], seed: int | None) -> Answer:
        """One turn. What the program does wrong is its answer, marked as such; what the way to it
        does wrong is raised."""
        session = protocol.session_in(messages)
        try:
            message = protocol.observe(messages, session, secrets.token_hex(16))
        except ValueError as error:
            raise Fault(
                "NotRemote",
                f"{error}: an agent of this model is of `kind: remote`",
                kind=FaultKind.REQUEST,
                billed=False,
            ) from None
        if not self._known:
            await self._greet()
        wrong: str | None = None
        try:
            body = await self.program.ask(message)
            acted = protocol.read_act(body, message["turn"])
        except Malfunction as error:
            acted, wrong = ProgramAction(""), scrub(str(error), secrets_of(self.model))
        except Exception as error:
            if not self._breaks_too_often(session, error):
                raise
            acted, wrong = ProgramAction(""), f"it broke the connection {MOST_BREAKS} times"
        completion = Completion(
            acted.action,
            "stop" if wrong is None else MALFUNCTION,
            Usage(prompt_tokens=0, completion_tokens=0),
            # Where a person looks for what went on before an action.
            thoughts=acted.thoughts if wrong is None else f"{MALFUNCTION}: {wrong}",
            # With the first answer, so that the record holds it.
            tool_calls=() if session else (ToolCall(SESSION, message["session"]),),
        )
        stored: Mapping[str, Any] = {**response_of(completion), "turn": message["turn"]}
        if wrong is not None:
            stored = {**stored, MALFUNCTION: wrong}
        return Answer(completion, model_answered=str(self.expected), response=stored)

    def _breaks_too_often(self, session: str | None, error: Exception) -> bool:
        """Whether an error is one break too many. Whoever serves a program can break a connection,
        and a game that it is losing would be void; a first turn is no reason to."""
        if session is None or self.model.api_base is None:
            return False
        if isinstance(error, Fault) or fault_of(error).kind is not FaultKind.LOST:
            return False
        if len(self._breaks) >= _MOST_GAMES:
            self._breaks.clear()
        self._breaks[session] += 1
        return self._breaks[session] >= MOST_BREAKS

    async def end(self, messages: Sequence[Message]) -> None:
        """How a game has ended (`arena.llm.providers.protocol.HearsEnd`), if it wants to know."""
        self._breaks.pop(protocol.session_in(messages) or "", None)
        if self._ends:
            await self.program.tell(protocol.end(messages))

    async def _greet(self) -> None:
        async with self._greeting:
            if self._known:
                return
            body = await self.program.hello()
            try:
                found = protocol.read_hello(body)
            except Malfunction as error:
                raise Fault("NoHello", str(error), kind=FaultKind.MODEL, billed=False) from None
            if found != self.expected:
                raise Fault(
                    "AnotherProgram",
                    f"the program says that it is {found}, and the model names {self.expected}: "
                    f"write `litellm_model: {protocol.PREFIX}{found}` for a new one, which is "
                    "another agent",
                    kind=FaultKind.MODEL,
                    billed=False,
                )
            self._known, self._ends = True, found.ends


def _checked(model: ModelSpec) -> ProgramName:
    found = protocol.program_of(model.litellm_model)
    if found is None:
        raise UsageError(
            f"model {model.name!r} has the litellm_model {model.litellm_model!r}; expected "
            f"{protocol.PREFIX}NAME@VERSION, as the program says in its hello"
        )
    if model.stream:
        raise UsageError(f"model {model.name!r} is a program, which does not stream")
    ways = [model.api_base is not None, "command" in model.params, "listen" in model.params]
    if sum(ways) != 1:
        raise UsageError(
            f"model {model.name!r} is a program: expected either `api_base: https://HOST/PATH`, "
            "where it is called, or `params: {command: [python3, bot.py]}`, which starts it, or "
            "`params: {listen: 127.0.0.1:8700}`, where it dials in"
        )
    if "listen" in model.params:
        _check_listen(model)
        return found
    if model.api_base is None:
        _check_command(model)
        return found
    for name in model.params:
        raise UsageError(
            f"model {model.name!r} is a program, and has {name!r} in its params; remove it"
        )
    parts = urlsplit(model.api_base or "")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            f"model {model.name!r} has the api_base {model.api_base!r}; expected an address such "
            "as https://bob.example/arena"
        )
    return found


def _token_of(model: ModelSpec) -> str:
    return key_of(model) or ""


def _check_listen(model: ModelSpec) -> None:
    listen, whose = model.params["listen"], f"model {model.name!r}"
    found = re.fullmatch(r"(?:127\.0\.0\.1|localhost):(\d{1,5})", str(listen), re.ASCII)
    if found is None or not 1 <= int(found[1]) <= 65_535:
        raise UsageError(
            f"{whose} has listen: {listen!r}; expected a port of this machine: 127.0.0.1:8700"
        )
    if unknown := model.params.keys() - {"listen"}:
        raise UsageError(f"{whose} is a program, and has {min(unknown)!r} in its params; remove it")
    if not model.keyed:
        raise UsageError(
            f"{whose} dials in: expected `api_key_env`, with the name of the variable that holds "
            "its token, or `api_key_file`"
        )


def _check_command(model: ModelSpec) -> None:
    command, processes = model.params["command"], model.params.get("processes", 1)
    whose = f"model {model.name!r}"
    words = isinstance(command, list | tuple) and all(isinstance(word, str) for word in command)
    if not words or not command or not command[0] or any("\0" in word for word in command):
        raise UsageError(f"{whose} has the command {command!r}; expected a list of words")
    if isinstance(processes, bool) or not isinstance(processes, int) or not 1 <= processes <= 64:
        raise UsageError(f"{whose} has processes: {processes!r}; expected a number from 1 to 64")
    if unknown := model.params.keys() - {"command", "processes"}:
        raise UsageError(f"{whose} is a program, and has {min(unknown)!r} in its params; remove it")
    if model.keyed:
        raise UsageError(f"{whose} is started here, and nothing is signed: remove its key")
    check_allowed(command, whose)
