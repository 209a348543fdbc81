"""Asks a provider twice for each case, by the lean path and through LiteLLM itself, and tells every
difference in what left and in what was made of what came."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from arena import registry
from arena.core import Message, ModelSpec
from arena.llm.costs.prices import own_prices
from arena.llm.failures.classify import Fault, fault_of, said_in
from arena.llm.providers.lean.path import LeanPath
from arena.llm.providers.litellm import LiteLLM, LiteLLMEndpoint
from arena.llm.providers.litellm_lean import LeanRequests
from arena.llm.providers.protocol import Answer, ProviderSettings
from arena.llm.request import PER_CALL
from tests.llm.providers.conformance.cases import ProviderCases
from tests.servers.canned_server import Asked, CannedServer

KEY = "a-key-of-the-lean-path-qwv"
TITLE = "a title of the lean path"
SAID: tuple[Message, ...] = (
    {"role": "system", "content": "You are player 1. é \u2028"},
    {"role": "user", "content": 'Night.\n"Whom?" \U0001f43a'},
    {"role": "assistant", "content": "[2]"},
    {"role": "user", "content": "Day. <b>"},
)


@dataclass
class Compared:
    """What a comparison found: each difference in a line, and which cases LiteLLM had to read."""

    differences: list[str] = field(default_factory=list)
    handed_over: set[str] = field(default_factory=set)
    path: LeanPath | str = ""


async def compared(
    cases: ProviderCases, params: str, *, stream: bool, only: Iterable[str] | None = None
) -> Compared:
    """Compare all cases of a model, or only these."""
    found = Compared()
    litellm = LiteLLM(ProviderSettings(20.0, registry.policy))
    handed: list[Any] = []

    async def send(kwargs: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]) -> Answer:
        handed.append(kwargs)
        return await litellm.send(kwargs, messages)

    litellm.lean = LeanRequests(send)
    params_of = cases.params[params]
    seed = 7 if params_of.get("seed") == PER_CALL else None
    answers = cases.named(stream)
    try:
        with CannedServer() as server:
            spec = ModelSpec(
                "m",
                cases.model,
                params=params_of,
                api_base=server.url + cases.base,
                api_key_env="LEAN_KEY",
                stream=stream,
                input_price=1.0,
                output_price=2.0,
            )
            endpoint = litellm.prepare(spec)
            found.path = await endpoint.path()
            if server.requests:
                found.differences.append("learning sends a request")
            for case in answers if only is None else only:
                server.queue.extend([answers[case]] * 2)
                handed.clear()
                ours = await made(endpoint, seed, lean=True)
                if handed:
                    found.handed_over.add(case)
                theirs = await made(endpoint, seed, lean=False)
                for one in (ours, theirs):
                    _forget(one.get("stored", {}), cases.made_up)
                _compare(found.differences, case, ours, theirs)
                if len(server.requests) != 2 or server.queue:
                    sent = len(server.requests)
                    found.differences.append(f"{case}: {sent} requests were sent, not 2")
                    server.queue.clear()
                else:
                    mine, other = map(_plainly, server.requests)
                    _compare(found.differences, case, mine, other)
                server.requests.clear()
    finally:
        await litellm.aclose()
    return found


def _forget(stored: dict[str, Any], names: Iterable[str]) -> None:
    """Leave out what LiteLLM makes up; with the number of an answer that of its calls of tools."""
    for name in names:
        stored.pop(name, None)
        for choice in stored.get("choices", ()):
            for call in choice.get("tool_calls", ()):
                call.pop(name, None)


def _compare(
    differences: list[str], case: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]
) -> None:
    for name in {**ours, **theirs}:
        mine, other = ours.get(name), theirs.get(name)
        if mine != other or type(mine) is not type(other):
            differences.append(f"{case}: {name} is {mine!r}, of LiteLLM {other!r}")


def _plainly(request: Asked) -> dict[str, Any]:
    """A request to compare: its body as what the JSON says, since a library may space it otherwise,
    and so without its length."""
    headers = {n: v for n, v in request.headers.items() if n != "content-length"}
    return {
        "method": request.method,
        "target": request.target,
        "body": json.loads(request.body),
        **{f"header {name}": value for name, value in headers.items()},
    }


async def made(endpoint: LiteLLMEndpoint, seed: int | None, *, lean: bool) -> dict[str, Any]:
    """What becomes of one request, as the client sees it."""
    asked = endpoint if lean else replace(endpoint, _path=["LiteLLM itself is asked"])
    try:
        answer = await asked.ask(SAID, seed)
    except Exception as raised:
        fault = raised if isinstance(raised, Fault) else fault_of(raised, KEY)
        return {
            "fault": fault.kind,
            "status": fault.status,
            "code": fault.code,
            # Without the traceback of LiteLLM, whose lines tell the paths apart.
            "message": said_in(fault.message),
            "class": fault.error_class,
            "wait": fault.retry_after,
            "return": fault.returns,
            "billed": fault.billed,
        }
    said = answer.completion
    prices = own_prices(endpoint.model)
    assert prices is not None
    stored = dict(answer.response or {})
    if endpoint.model.stream:
        # Of a stream LiteLLM tells the name that was asked for and the time of the request.
        stored = {k: v for k, v in stored.items() if k not in ("model", "created")}
    return {
        "text": said.text,
        "thoughts": said.thoughts,
        "tool calls": said.tool_calls,
        "finish reason": said.finish_reason,
        "usage": said.usage,
        "cost": prices.cost(said.usage),
        "the completion": said,
        "stored": stored,
        "the name": None if endpoint.model.stream else answer.model_answered,
        "a first token": answer.first_token_ms is not None,
    }
