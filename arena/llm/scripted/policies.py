"""What every scripted model shares: its name, its random numbers and its tokens.

A reply is a function of the request alone: the messages and the `seed`. Tokens are an estimate,
four characters each; they cost nothing.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from hashlib import blake2b

from arena.core import Message, ModelSpec
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


def tokens(text: str) -> int:
    """About how many tokens a text has: a quarter of its characters, rounded up."""
    return -(-len(text) // 4)
