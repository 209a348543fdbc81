"""The kind `reviewing`: drafts its move, holds it against the rules and its notes, then answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from arena.agents.answers import answer_mode
from arena.agents.options import count, refuse_unknown
from arena.core import LLM, Action, Message, Observation
from arena.core.inert import without_end_tokens
from arena.core.threads import read_aside
from arena.llm.thoughts import read

DRAFT = "# Your draft"
NOTES = "# Your notes"
REVIEW = """\
# Your task: review
Nobody has read your draft. Is it a legal move by the rules above, in the form that they ask for? \
Does it give away what others must not know, contradict what you have said, or your notes? Answer \
with at most three sentences of notes to yourself: what is wrong with it, and what you want to \
remember."""
ACT = """\
# Your task: act
It is your turn. Answer with what you say or do in the game, mended as your notes ask, and with \
nothing else: the others read every word of it."""


class Reviewing:
    """Three calls a turn: a draft of the move, a review of the draft, and the move. The latest
    reviews are kept as notes, `notes` characters of them (1200), and shown in later turns. The
    turn's reading says whether the draft was changed.

    Options: `answer` (`arena.agents.answers`) and `notes`.
    """

    version = 1

    def __init__(self, *, prompt: str, options: Mapping[str, Any]) -> None:
        refuse_unknown("reviewing", options, ("answer", "notes"))
        self._answer = answer_mode("reviewing", options)
        self.act_options = self._answer.options
        self._limit = count("reviewing", options, "notes", 1200, least=200)
        self._notes: list[str] = []
        self.reprompt(prompt)

    def reprompt(self, prompt: str) -> None:
        """The prompt from this turn on."""
        self._system: list[Message] = [{"role": "system", "content": prompt}] if prompt else []

    async def act(self, observation: Observation, llm: LLM) -> Action:
        """Drafts, reviews, and acts."""
        form = self._answer.instruction
        drafted = await llm.complete(self._asked(observation, "", form), self.act_options)
        draft = await read_aside(drafted.text, lambda: self._answer.action(drafted))
        shown = f"{DRAFT}\n{draft.text}"
        review = await llm.complete(self._asked(observation, shown, REVIEW))
        said = await read_aside(review.text, lambda: read(review.text))
        self._note(without_end_tokens(said.text))
        task = "\n\n".join(part for part in (ACT, form) if part)
        answered = await llm.complete(self._asked(observation, shown, task), self.act_options)
        action = await read_aside(answered.text, lambda: self._answer.action(answered))
        changed = "changed" if action.text.strip() != draft.text.strip() else "kept"
        return replace(action, reading={**(action.reading or {}), "draft": changed})

    def _note(self, said: str) -> None:
        """Add a note, and leave out the oldest as far as there are too many characters."""
        self._notes.append(" ".join(said.split())[: self._limit])
        while sum(map(len, self._notes)) > self._limit and len(self._notes) > 1:
            self._notes.pop(0)

    def _asked(self, observation: Observation, shown: str, task: str) -> list[Message]:
        notes = "\n".join(f"- {note}" for note in self._notes if note)
        parts = [observation.text, f"{NOTES}\n{notes}" if notes else "", shown, task]
        content = "\n\n".join(part for part in parts if part)
        return [*self._system, {"role": "user", "content": content}]
