"""A library's own rewriting of messages for a provider, called again for each conversation.

What is kept is one call of its function, with the arguments as they were; a conversation takes the
place of the messages. It is used only where it gives, to the byte, what the library sent.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from arena.llm.providers.lean.template import SentRequest
from arena.llm.providers.litellm_transport import one_attempt

Encode = Callable[[Any], bytes]


class NotRewritten(Exception):
    """A library's function cannot be called again so that it gives what was sent: why."""


@dataclass(frozen=True, slots=True)
class LibraryCall:
    """One call of a library's function, with its arguments as they were before it."""

    function: Callable[..., Any]
    args: tuple[Any, ...] = field(repr=False)
    named: Mapping[str, Any] = field(repr=False)

    def again(self, **others: Any) -> Any:
        """Make it once more, with some of its arguments changed; it may write into all of them."""
        return self.function(*self.args, **copied(self.named), **others)


@dataclass(frozen=True, slots=True)
class Rewriting:
    """How messages become the body of a request: `call` rewrites them, `added` are the fields that
    the library adds, `seeds` the parameters that hold the seed of a call."""

    call: LibraryCall
    added: Mapping[str, Any]
    encode: Encode
    seeds: Sequence[str] = ()

    async def body(self, messages: Sequence[Mapping[str, Any]], seed: int | None) -> bytes:
        """The bytes of a request with these messages. Whatever the library raises, and TypeError
        for a text that is not Unicode."""
        made = await _rewritten(self.call, messages, dict.fromkeys(self.seeds, seed))
        return self.encode({**made, **self.added})


async def rewriting_of(
    sent: Sequence[tuple[Sequence[Mapping[str, Any]], Sequence[LibraryCall], SentRequest]],
    seed: int | None,
) -> Rewriting:
    """The rewriting that made these requests of these messages by these calls.

    Raises NotRewritten where there is none that makes all of them.
    """
    found: Rewriting | None = None
    for messages, calls, request in sent:
        call = _only(calls)
        if call.named["messages"] != [*messages]:
            raise NotRewritten("LiteLLM rewrites messages before its provider does")
        held = call.named.get("optional_params") or {}
        seeds = [name for name, value in held.items() if seed is not None and value == seed]
        kept = LibraryCall(call.function, call.args, _without(call.named, "messages"))
        if found is None:
            found = await _first(kept, messages, request, seeds, seed)
        elif (kept.function, tuple(seeds)) != (found.call.function, found.seeds):
            raise NotRewritten("LiteLLM rewrites messages in more than one way")
        if await found.body(messages, seed) != request.body:
            raise NotRewritten("LiteLLM sends something else than its rewriting gives")
    if found is None:
        raise NotRewritten("LiteLLM sent no request")
    return found


async def _first(
    call: LibraryCall,
    messages: Sequence[Mapping[str, Any]],
    request: SentRequest,
    seeds: Sequence[str],
    seed: int | None,
) -> Rewriting:
    made = await _rewritten(call, messages, {})
    body = json.loads(request.body)
    added = {name: value for name, value in body.items() if name not in made}
    if seed is not None and len(seeds) != 1:
        raise NotRewritten("its requests do not name the seed of a call")
    whole = {**made, **added}
    encode = next((one for one in (orjson.dumps, _spaced) if one(whole) == request.body), None)
    if encode is None:
        raise NotRewritten("LiteLLM sends something else than its rewriting gives")
    return Rewriting(call, added, encode, tuple(seeds))


async def _rewritten(
    call: LibraryCall, messages: Sequence[Mapping[str, Any]], seeds: Mapping[str, int | None]
) -> dict[str, Any]:
    others: dict[str, Any] = {"messages": copied([*messages])}
    if seeds:
        others["optional_params"] = {**copied(call.named["optional_params"]), **seeds}
        call = LibraryCall(call.function, call.args, _without(call.named, "optional_params"))
    # Of what is ours it logs nothing.
    with one_attempt():
        made = call.again(**others)
        made = await made if isinstance(made, Awaitable) else made
    if not isinstance(made, dict):
        raise NotRewritten("LiteLLM's rewriting gives no object")
    return made


def _only(calls: Sequence[LibraryCall]) -> LibraryCall:
    if len(calls) != 1 or "messages" not in calls[0].named:
        raise NotRewritten(
            "LiteLLM rewrites messages for its provider, by no function that is known"
        )
    return calls[0]


def _without(named: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {other: value for other, value in named.items() if other != name}


def _spaced(value: Any) -> bytes:
    return json.dumps(value).encode()


def copied(value: Any) -> Any:
    """A value of plain data that may be written into; all else is the same object."""
    if type(value) is dict:
        return {name: copied(one) for name, one in value.items()}
    return [copied(one) for one in value] if type(value) is list else value
