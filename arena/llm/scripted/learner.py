"""`scripted/learner`: writes key points when it is asked what it learned from a game, and else
plays as `scripted/mafia-naive`, so that memory across games is played without a provider."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

from arena.core import Message
from arena.llm.scripted import naive

_ASKED = '{"key_points":'
_LEARNED = (
    "Who speaks first is believed least.",
    "Keep the middle for as long as you can.",
    "Votes follow the last accusation.",
    "An open threat must be answered at once.",
    "Nobody changes a plan that works.",
    "Say little on the first day.",
)


def reply(messages: Sequence[Message], rng: random.Random) -> str:
    """One to three key points, or a move."""
    content = messages[-1]["content"]
    if not isinstance(content, str) or _ASKED not in content:
        return naive.reply(messages, rng)
    learned = rng.sample(_LEARNED, rng.randint(1, 3))
    return json.dumps(
        {"key_points": [{"text": text, "importance": rng.randint(1, 10)} for text in learned]}
    )
