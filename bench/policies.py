"""Scripted models for measuring: they answer Secret Mafia legally and cost next to nothing.

They are registered like a stranger's, by a package's metadata on the path.
"""

from __future__ import annotations

import importlib
import random
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from arena.core import Message

FIXED_TALK = (
    "I have listened to everyone and one thing does not fit: the vote was split yesterday, and the "
    "player who asked for calm was the one who gained from it. I would like to hear two reasons "
    "from each of you before we vote, and I will say mine first, because silence only helps those "
    "who know the truth."
)

# Drawn evenly: about as hard to compress as what people write.
_WORDS = """
about above accuse action actually after again against agree all almost alone already also always
another answer anyone argue around ask away bad balance because been before began behind believe
best better between bluff both brave calm came care careful case cast certain chance change choose
claim clear close clue come consider convince could count cover crowd day dead deal decide defend
detective did different doctor does doubt down early easy either else enough even evening every
everyone evidence explain eyes fact fair false far fast few final find first follow found friend
from game gave give goes good group guess guilty had half hand happened hard hear help here hide
honest hope how hunch idea if innocent instead into join just keep kill kind knew know last late
lead least left less let lie like likely line listen little live logic long look lose lost loud
made mafia make many maybe mean member might mind mistake moment more morning most move much must
name near need nervous never next night nobody none nothing now number obvious odd once only open
opinion order other our out over pair part pattern people perhaps pick place plan play point
possible pressure pretend promise proof protect prove push question quick quiet quite rather read
real reason remember right risk role round rush safe said same saved saw say second seem seen
sense serious shift should show side silent simple since slow small some soon speak stay steady
stick still stop story strange strong sudden sure suspect suspicion switch table take talk target
team tell than that their them then there these they thing think this those though thought three
time today together told tonight too took toward town tried true trust truth try turn twice two
under unless until usual very village villager vote wait want was watch way weak well went were
what when where whether which while who whole why will wish with without wonder word work worry
would wrong yes yesterday yet you
"""

WORDS = tuple(_WORDS.split())

_CHOICE = re.compile(r"\[(\d+)\]")
_LENGTH = 300

_METADATA = "Metadata-Version: 2.1\nName: arena-bench\nVersion: 0\n"
_ENTRY_POINTS = (
    "[arena.scripted]\nbench-fixed = bench.policies:fixed\nbench-talk = bench.policies:talk\n"
    "[arena.providers]\nbench-instant = bench.instant:InstantProvider\n"
)


def register(folder: Path) -> None:
    """Make `scripted/bench-fixed`, `scripted/bench-talk` and `bench.instant` known, here and in the
    processes that this one starts; `folder` must live as long as they do."""
    package = folder / "arena_bench-0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text(_METADATA)
    (package / "entry_points.txt").write_text(_ENTRY_POINTS)
    sys.path.append(str(folder))
    importlib.invalidate_caches()


def choices(text: str) -> list[str]:
    """The players that may be chosen now, as the last word of the game lists them; none when it
    asks for talk. Works on plain text and on the text inside JSON alike."""
    said = text.rfind("[GAME] ")
    end = text.find("[Player ", said)
    return _CHOICE.findall(text, said, len(text) if end < 0 else end)


def answer_to(text: str) -> str:
    """What `fixed` says to the last message's text."""
    able = choices(text)
    return f"[{able[len(text) % len(able)]}]" if able else FIXED_TALK


def fixed(messages: Sequence[Message], rng: random.Random) -> str:
    """The same 300 characters in every discussion; a choice takes microseconds."""
    return answer_to(str(messages[-1]["content"]))


def talk(messages: Sequence[Message], rng: random.Random) -> str:
    """About 300 characters, never the same twice."""
    able = choices(str(messages[-1]["content"]))
    if able:
        return f"[{rng.choice(able)}]"
    return prose(rng, _LENGTH)


def prose(rng: random.Random, length: int) -> str:
    """Sentences of random words, about `length` characters."""
    words: list[str] = []
    left, until = length, 0
    while left > 0:
        if until == 0:
            until = rng.randint(6, 16)
            word = rng.choice(WORDS).capitalize()
        elif rng.random() < 0.06:
            word = f"Player {rng.randrange(6)}"
        else:
            word = rng.choice(WORDS)
        until -= 1
        word += "." if until == 0 else "," if rng.random() < 0.1 else ""
        words.append(word)
        left -= len(word) + 1
    return " ".join(words)


def response(model: str, text: str, prompt_tokens: int, response_tokens: int) -> dict[str, Any]:
    """An answer as providers send it."""
    return {
        "id": "chatcmpl-0123456789abcdef",
        "object": "chat.completion",
        "created": 1700000000,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": response_tokens,
            "total_tokens": prompt_tokens + response_tokens,
        },
    }
