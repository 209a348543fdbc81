"""The kinds as they were in their first version: games that were played by them replay under it.

What they share with the present ones is imported; what has changed since stands here as it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from arena.agents.notes import FIELDS, Notes
from arena.agents.options import choice, count, refuse_unknown
from arena.core import LLM, Action, Message, Observation

_FORMS = ("whole", "last_line", "tag")

_THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_CLOSING = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_TAG = re.compile(r"<answer>(.*?)(?:</answer>|\Z)", re.DOTALL | re.IGNORECASE)

_ENTRY = 240
_ENTRIES = 24

_NOTES = """\
You keep notes about this game, because you will not be shown all of it again. Rewrite them so \
that they hold everything that still matters, and nothing else. Answer with one JSON object and \
no other text:
{"suspicions": {"<player>": <0 to 1>}, "claims": {"<player>": "<what it says it is>"}, \
"facts": ["<what is certain>"], "plan": "<what to do next>"}"""


class ThinkingV1:
    """The kind `thinking`, version 1."""

    version = 1

    def __init__(self, *, prompt: str, options: Mapping[str, Any]) -> None:
        refuse_unknown("thinking", options, ("answer",))
        self._answer = choice("thinking", options, "answer", _FORMS)
        self._system: list[Message] = [{"role": "system", "content": prompt}] if prompt else []

    async def act(self, observation: Observation, llm: LLM) -> Action:
        """One call."""
        completion = await llm.complete(
            [*self._system, {"role": "user", "content": observation.text}]
        )
        return Action(_action_of(completion.text, self._answer))


class RememberingV1:
    """The kind `remembering`, version 1."""

    version = 1

    def __init__(self, *, prompt: str, options: Mapping[str, Any]) -> None:
        refuse_unknown("remembering", options, ("answer", "notes", "recent"))
        self._answer = choice("remembering", options, "answer", _FORMS)
        self._limit = count("remembering", options, "notes", 2000, least=200)
        self._recent = count("remembering", options, "recent", 4000, least=200)
        self._prompt = prompt
        self._opening: str | None = None
        self._notes = Notes()

    async def act(self, observation: Observation, llm: LLM) -> Action:
        """Rewrites the notes where there is something new, then acts."""
        if self._opening is None:
            self._opening = _opening_of(observation.text)
        elif observation.new.strip():
            await self._rewrite(self._opening, observation.new, llm)
        completion = await llm.complete(self._acting(self._opening, observation.text))
        return Action(_action_of(completion.text, self._answer))

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
        notes = _parse(_without_thoughts(completion.text))
        if notes is not None:
            self._notes = notes.within(self._limit)

    def _acting(self, opening: str, text: str) -> list[Message]:
        recent = _recent_of(text[len(opening) :], self._recent)
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


def _without_thoughts(text: str) -> str:
    if "</" not in text and "<t" not in text.lower():
        return text
    rest = _THOUGHT.sub("", text)
    *_, last = _CLOSING.split(rest)
    return last.strip() if rest != text or last is not rest else text


def _action_of(text: str, form: str) -> str:
    said = _without_thoughts(text)
    if form == "last_line":
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        return lines[-1] if lines else ""
    if form == "tag":
        marked = _TAG.findall(said)
        return str(marked[-1]).strip() if marked else said
    return said


def _opening_of(text: str) -> str:
    end = text.find("\n[", 1)
    return text if end < 0 else text[:end]


def _recent_of(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    start = text.find("\n[", len(text) - limit)
    return text[start:] if start >= 0 else text[-limit:]


def _parse(text: str) -> Notes | None:
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        return None
    try:
        found = json.loads(text[start : end + 1])
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not found.keys() & FIELDS:
        return None
    return Notes(
        suspicions=_suspicions(found.get("suspicions")),
        claims=_claims(found.get("claims")),
        facts=_facts(found.get("facts")),
        plan=_text(found.get("plan")),
    )


def _suspicions(value: Any) -> dict[str, float]:
    if not isinstance(value, dict):
        return {}
    return {
        _text(player): min(1.0, max(0.0, float(much)))
        for player, much in list(value.items())[:_ENTRIES]
        if isinstance(much, int | float) and not isinstance(much, bool) and much == much
    }


def _claims(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    claims = {_text(player): _text(claim) for player, claim in list(value.items())[:_ENTRIES]}
    return {player: claim for player, claim in claims.items() if claim}


def _facts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(fact for fact in map(_text, value[-_ENTRIES:]) if fact)


def _text(value: Any) -> str:
    return value.strip()[:_ENTRY] if isinstance(value, str) else ""
