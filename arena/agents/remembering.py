"""The kind `remembering`: keeps notes about the game, rewrites them, and acts from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arena.agents.answers import FORMS, action_of, without_thoughts
from arena.agents.notes import Notes, parse
from arena.agents.options import choice, count, refuse_unknown
from arena.core import LLM, Action, Message, Observation

_NOTES = """\
You keep notes about this game, because you will not be shown all of it again. Rewrite them so \
that they hold everything that still matters, and nothing else. Answer with one JSON object and \
no other text:
{"suspicions": {"<player>": <0 to 1>}, "claims": {"<player>": "<what it says it is>"}, \
"facts": ["<what is certain>"], "plan": "<what to do next>"}"""


class Remembering:
    """Two calls a turn: one rewrites the notes from what is new, one acts from the notes, the
    rules and the latest part of what was seen. A first turn, or one that brought nothing new,
    takes the second call alone.

    Notes that cannot be read leave the old ones in place. The memory is a function of the
    observations and the replies, so that playing a record again rebuilds it. Options: `answer` as
    in `thinking`; `notes`, the characters that the notes may have (2000); `recent`, the characters
    of the latest part (4000).
    """

    version = 1

    def __init__(self, *, prompt: str, options: Mapping[str, Any]) -> None:
        refuse_unknown("remembering", options, ("answer", "notes", "recent"))
        self._answer = choice("remembering", options, "answer", FORMS)
        self._limit = count("remembering", options, "notes", 2000, least=200)
        self._recent = count("remembering", options, "recent", 4000, least=200)
        self._prompt = prompt
        self._opening: str | None = None
        self._notes = Notes()

    async def act(self, observation: Observation, llm: LLM) -> Action:
        """Rewrites the notes where there is something new, then acts."""
        if self._opening is None:
            self._opening = opening_of(observation.text)
        elif observation.new.strip():
            await self._rewrite(self._opening, observation.new, llm)
        completion = await llm.complete(self._acting(self._opening, observation.text))
        return Action(action_of(completion.text, self._answer))

    async def _rewrite(self, opening: str, new: str, llm: LLM) -> None:
        completion = await llm.complete(
            [
                *self._system(_NOTES),
                {
                    "role": "user",
                    "content": f"{opening}\n\n# Your notes so far\n{self._notes.render()}"
                    f"\n\n# What is new\n{new}\n\n# Your notes, rewritten (JSON)",
                },
            ]
        )
        notes = parse(without_thoughts(completion.text))
        if notes is not None:
            self._notes = notes.within(self._limit)

    def _acting(self, opening: str, text: str) -> list[Message]:
        recent = recent_of(text[len(opening) :], self._recent)
        return [
            *self._system(""),
            {
                "role": "user",
                "content": f"{opening}\n\n# Your notes\n{self._notes.render()}"
                f"\n\n# What you have seen most recently\n{recent}",
            },
        ]

    def _system(self, task: str) -> list[Message]:
        content = "\n\n".join(part for part in (self._prompt, task) if part)
        return [{"role": "system", "content": content}] if content else []


def opening_of(text: str) -> str:
    """The first message of an observation: the rules, and who the player is."""
    end = text.find("\n[", 1)
    return text if end < 0 else text[:end]


def recent_of(text: str, limit: int) -> str:
    """The last messages of an observation, whole where they fit into `limit` characters."""
    if len(text) <= limit:
        return text
    start = text.find("\n[", len(text) - limit)
    return text[start:] if start >= 0 else text[-limit:]
