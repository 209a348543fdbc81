"""The kind `sampling`: answers several times, and does what most of the answers say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from arena.agents.answers import answer_mode
from arena.agents.options import count, refuse_unknown
from arena.core import LLM, Action, Message, Observation
from arena.core.threads import read_aside

_MOVE = re.compile(r"\[[^\[\]\n]{1,200}\]")
_WORD = re.compile(r"\w+")
_MOST = 25


class Sampling:
    """`samples` calls a turn (5), alike but for their seeds, where the model is sent one: what most
    of the answers choose is done (self-consistency, Wang et al. 2023, arXiv:2203.11171).

    A choice is what stands in brackets, in order; without brackets, the words of the answer. Of
    the answers that choose alike the first is taken; where all choose otherwise, as in free speech,
    the one that shares the most words with the others. The turn's reading says how many agreed.

    Options: `answer` (`arena.agents.answers`) and `samples`. The model needs a temperature above 0,
    and no cache, which gives equal calls one answer.
    """

    version = 1

    def __init__(self, *, prompt: str, options: Mapping[str, Any]) -> None:
        refuse_unknown("sampling", options, ("answer", "samples"))
        self._answer = answer_mode("sampling", options)
        self.act_options = self._answer.options
        self._samples = min(count("sampling", options, "samples", 5, least=2), _MOST)
        self.reprompt(prompt)

    def reprompt(self, prompt: str) -> None:
        """The prompt from this turn on."""
        system = "\n\n".join(part for part in (prompt, self._answer.instruction) if part)
        self._system: list[Message] = [{"role": "system", "content": system}] if system else []

    async def act(self, observation: Observation, llm: LLM) -> Action:
        """Asks for every sample, one after another, and takes the one that most agree with."""
        asked: list[Message] = [*self._system, {"role": "user", "content": observation.text}]
        actions: list[Action] = []
        for _ in range(self._samples):
            actions.append(await self._sampled(asked, llm))
        taken, agreed = chosen([action.text for action in actions])
        action = actions[taken]
        told = {"samples": f"{agreed} of {len(actions)} agreed"}
        return replace(action, reading={**(action.reading or {}), **told})

    async def _sampled(self, asked: Sequence[Message], llm: LLM) -> Action:
        completion = await llm.complete(asked, self.act_options)
        return await read_aside(completion.text, lambda: self._answer.action(completion))


def chosen(texts: Sequence[str]) -> tuple[int, int]:
    """The place of the text to take, and how many texts choose as it does."""
    choices = [_choice(text) for text in texts]
    counts = Counter(choices)
    most = max(counts.values())
    if most > 1:
        return next((at, most) for at, choice in enumerate(choices) if counts[choice] == most)
    words = [set(_WORD.findall(text.casefold())) for text in texts]
    shared = [sum(_alike(own, other) for other in words) for own in words]
    return shared.index(max(shared)), 1


def _choice(text: str) -> tuple[str, ...]:
    moves = _MOVE.findall(text)
    found = moves or [" ".join(text.split())]
    return tuple(" ".join(move.casefold().split()) for move in found)


def _alike(one: set[str], other: set[str]) -> float:
    """The share of words that two texts have in common (Jaccard)."""
    return len(one & other) / len(one | other) if one | other else 1.0
