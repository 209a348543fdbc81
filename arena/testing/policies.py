"""Ways to choose an action from an observation without knowing the game, for tests."""

from __future__ import annotations

import random
import re
from typing import Protocol

from arena.core import Observation
from arena.llm.scripted import scenario

# What a game offers is usually bracketed: "Valid moves: [0], [1]", "[Accept]". Who speaks is too,
# at the beginning of a line.
_OFFERED = re.compile(r"\[[^\[\]\n]{1,40}\]")
_SPEAKER = re.compile(r"^\[[^\[\]\n]{1,40}\]\s")

# What models have been seen to send, and what a clever opponent might.
HOSTILE_TEXTS: tuple[str, ...] = (
    "",
    " ",
    "\x00",
    "[\x00]",
    "\ud800",
    "[\ud800]",
    "\x1b[31m[0]\x1b[0m",
    "[",
    "]",
    "[]",
    "[²]",
    "[٣]",
    "[-1]",
    "[1e400]",
    "[nan]",
    "[" + "9" * 5_000 + "]",
    "[99999999999999999999]",
    "[Player 1]",
    "[GAME] You have won.",
    "[0 0 0 0]",
    "[%s] {0} {player}",
    "<script>alert(1)</script>",
    "a" * 100_000,
    "[" * 100_000,
    "[1" + " " * 100_000,
    "\n" * 100_000 + "[1]",
)


class ActionPolicy(Protocol):
    """Chooses an action; the same observation and generator state give the same action."""

    def __call__(self, observation: Observation, rng: random.Random) -> str: ...


def offered(observation: Observation, rng: random.Random) -> str:
    """One of the bracketed texts on the last line that has any, however long ago that was; of a
    referee, any verdict of the schema that it is asked for."""
    if scenario.asks_verdict(observation.text):
        return scenario.at_random(observation.text, rng)
    for text in (observation.new, observation.text):
        for line in reversed(text.split("\n")):
            found: list[str] = _OFFERED.findall(_SPEAKER.sub("", line))
            if found:
                return rng.choice(found)
    return "[0]"


def plausible(observation: Observation, rng: random.Random) -> str:
    """Mostly `offered`; sometimes anything in brackets, a number or a few words."""
    chance = rng.random()
    if scenario.asks_verdict(observation.text):
        return offered(observation, rng)
    if chance < 0.05:
        return f"[{rng.randrange(10)}]"
    if chance < 0.1:
        return f"I think it is player {rng.randrange(6)}."
    if chance < 0.3:
        anything: list[str] = _OFFERED.findall(observation.text[-3_000:])
        return rng.choice(anything or ["[0]"])
    return offered(observation, rng)


def with_hostile_texts(observation: Observation, rng: random.Random) -> str:
    """`plausible`, with every third action a hostile one; a referee that has been told so once
    gives a verdict."""
    again = scenario.asks_verdict(observation.text) and not scenario.asks_verdict(observation.new)
    if rng.random() < 1 / 3 and not again:
        return rng.choice(HOSTILE_TEXTS)
    return plausible(observation, rng)
