"""What every scripted model shares: its name, its random numbers and its tokens.

A reply is a function of the request alone: the messages and the `seed`. Tokens are an estimate,
four characters each; they cost nothing.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, cast

from arena.core import Message, ModelSpec, Policy, ToolCall
from arena.core.agents import ToolPolicy
from arena.llm.request_hash import content_bytes, feed

PREFIX = "scripted/"


def is_scripted(model: ModelSpec) -> bool:
    """Whether a program answers in the model's place; only such a model is sent the call's seed."""
    return model.litellm_model.startswith(PREFIX)


def rng_of(messages: Sequence[Message], seed: int | None) -> random.Random:
    """The generator of one reply, from the seed and the conversation."""
    digest = blake2b(b"%d" % (seed or 0), digest_size=8)
    for message in messages:
        feed(digest, content_bytes(message["content"]))
    return random.Random(int.from_bytes(digest.digest(), "big"))


def answer_of(
    policy: Policy | ToolPolicy,
    messages: Sequence[Message],
    rng: random.Random,
    tools: Sequence[Mapping[str, Any]],
) -> tuple[str, Sequence[ToolCall]]:
    """What a policy says: a text, or calls of the tools that it is offered. Raises TypeError for
    anything else."""
    if tools and _takes_tools(cast(Hashable, policy)):
        said: object = cast(ToolPolicy, policy)(messages, rng, tools=tools)
    else:
        said = cast(Policy, policy)(messages, rng)
    if isinstance(said, str):
        return said, ()
    if isinstance(said, Sequence) and all(isinstance(call, ToolCall) for call in said):
        return "", [*said]
    raise TypeError(f"it answered with {type(said).__name__}; expected text")


@lru_cache(maxsize=64)
def _takes_tools(policy: Hashable) -> bool:
    return callable(policy) and "tools" in inspect.signature(policy).parameters


def tokens(text: str) -> int:
    """About how many tokens a text has: a quarter of its characters, rounded up."""
    return -(-len(text) // 4)
