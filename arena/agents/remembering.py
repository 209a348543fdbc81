"""The kind `remembering`: keeps notes about the game, rewrites them, and acts from them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from arena.agents import version_1
from arena.agents.answers import answer_mode
from arena.agents.notes import FIELDS, SCHEMA, Notes, rewritten
from arena.agents.options import choice, count, refuse_unknown
from arena.core import LLM, Action, AgentKind, CallOptions, Message, Observation
from arena.core.openings import MESSAGE_START, opening_of
from arena.core.threads import read_aside
from arena.llm.lenient_json import FoundObject, find_object
from arena.llm.thoughts import read

NOTES = "# Your notes"
REWRITE = "# Your task: rewrite your notes"
ACT = "# Your task: act"

_MATTERS = f"""\
{REWRITE}
You will not be shown all of the game again. Rewrite your notes so that they hold everything that \
still matters, and nothing else. Answer with one JSON object"""

_REWRITE = f"""\
{_MATTERS} and no other text:
{{"suspicions": {{"<player>": <0 to 1>}}, "claims": {{"<player>": "<what it says it is>"}}, \
"facts": ["<what is certain>"], "plan": "<what to do next>"}}"""

# A provider that holds the model to the schema needs no form, which small models would repeat.
_REWRITE_BY_SCHEMA = f"""\
{_MATTERS}: suspicions, how likely each player is your enemy, from 0 to 1; claims, what each \
player says it is; facts, what is certain; plan, what to do next."""

_ACT = f"""\
{ACT}
It is your turn. Answer with what you say or do in the game, and with nothing else: the others \
read every word of it. Do not repeat your notes."""

_HEADING = re.compile(
    r"^(?:#+ *|\*\*)(?:your |my )?(?:notes|task)\b[^\n]{0,40}$\n?"
    r"|^your task: (?:act|rewrite)\b[^\n]{0,40}$\n?"
    r"|^(?:your |my |updated |rewritten )?notes\b[^\n]{0,20}:[ \t]*$\n?",
    re.MULTILINE | re.IGNORECASE,
)
_BEFORE_NOTES = re.compile(
    r"(?:^|\n)[^\n.!?]{0,40}\bnotes?\b[^\n.!?]{0,20}:\s*(?:```(?:json)?\s*)?$", re.IGNORECASE
)
_FENCE = re.compile(r"```(?:json)?\s*```")
_ACTIONS = frozenset({"action", "answer", "message", "response", "say", "speech"})
_LEFT_OUT = "\n[…] What came before is in your notes."


class Remembering:
    """Two calls a turn: one rewrites the notes where something is new, one acts. A first turn, or
    one that brought nothing new, takes the second call alone.

    Both calls begin alike: the prompt, the rules, the latest part of what was seen, the notes, and
    the task at the end, so that a provider's cache holds most of them. The latest part grows until
    it has `recent` characters, then it begins anew in its middle.

    Notes that cannot be read leave the old ones in place, and so does a field of them that came
    back in no shape of its own. The turn's reading tells what was lost, and whom the player
    suspects. The memory is a function of the observations and the replies, so that playing a record
    again rebuilds it.

    Options: `answer` (`arena.agents.answers`); `notes`, the characters that the notes may have
    (2000); `recent`, the characters of the latest part (8000); `notes_tokens`, the most tokens of
    an answer with notes (by default at least 700, or the model's `max_tokens` where that is more);
    `notes_form`, `text` (default) or `schema`, which asks the provider to hold the model to the
    schema of the notes (`response_format`).
    """

    version = 2
    earlier: ClassVar[Mapping[int, AgentKind]] = {1: version_1.RememberingV1}

    def __init__(self, *, prompt: str, options: Mapping[str, Any]) -> None:
        refuse_unknown(
            "remembering", options, ("answer", "notes", "notes_form", "notes_tokens", "recent")
        )
        self._answer = answer_mode("remembering", options)
        self.act_options = self._answer.options
        self._limit = count("remembering", options, "notes", 2000, least=200)
        self._recent = count("remembering", options, "recent", 8000, least=400)
        tokens = count("remembering", options, "notes_tokens", 700, least=16)
        form = choice("remembering", options, "notes_form", ("text", "schema"))
        self._noting = CallOptions(
            max_tokens=tokens,
            at_least="notes_tokens" not in options,
            response_format=SCHEMA if form == "schema" else None,
        )
        self._rewriting = _REWRITE_BY_SCHEMA if form == "schema" else _REWRITE
        self.reprompt(prompt)
        self._act = "\n\n".join(part for part in (_ACT, self._answer.instruction) if part)
        self._opening: str | None = None
        self._notes = Notes()
        self._start = 0

    def reprompt(self, prompt: str) -> None:
        """The prompt from this turn on."""
        self._system: list[Message] = [{"role": "system", "content": prompt}] if prompt else []

    async def act(self, observation: Observation, llm: LLM) -> Action:
        """Rewrites the notes where there is something new, then acts."""
        reading: dict[str, Any] = {}
        first = self._opening is None
        if self._opening is None:
            self._opening = opening_of(observation.text)
            self._start = len(self._opening)
        seen = self._seen(self._opening, observation)
        if observation.new.strip() and (not first or len(observation.text) > self._recent):
            reading["notes"] = await self._rewrite(seen, llm)
            if self._notes.suspicions:
                reading["suspects"] = dict(self._notes.suspicions)
        completion = await llm.complete(self._messages(seen, self._act), self.act_options)
        action = await read_aside(completion.text, lambda: self._answer.action(completion))
        spoken = without_notes(action.text)
        if spoken != action.text:
            reading["dropped"] = "notes"
        return replace(action, text=spoken, reading={**(action.reading or {}), **reading} or None)

    async def _rewrite(self, seen: str, llm: LLM) -> str:
        """Rewrites the notes, and says what became of it: `read`, `cut`, `partly` or `lost`."""
        completion = await llm.complete(self._messages(seen, self._rewriting), self._noting)
        said = await read_aside(completion.text, lambda: read(completion.text))
        found = rewritten(said.text, self._notes)
        if found is None:
            return "lost"
        self._notes = found.notes.within(self._limit)
        return "cut" if found.cut else "partly" if found.kept else "read"

    def _seen(self, opening: str, observation: Observation) -> str:
        """The rules and the latest part of what was seen, which holds all that is new."""
        text, new = observation.text, observation.new
        if not text.startswith(opening):
            # The environment shows the present only.
            return text if len(text) <= self._recent else recent_of(text, self._recent)
        if len(text) - self._start > self._recent:
            latest = len(text) - self._recent // 2
            if text.endswith(new):
                latest = min(latest, len(text) - len(new))
            label = MESSAGE_START.search(text, max(latest, len(opening)))
            self._start = max(self._start, latest if label is None else label.start())
        left_out = _LEFT_OUT if self._start > len(opening) else ""
        return f"{opening}{left_out}{text[self._start :]}"

    def _messages(self, seen: str, task: str) -> list[Message]:
        notes = "" if self._notes == Notes() else f"\n\n{NOTES}\n{self._notes.render()}"
        return [*self._system, {"role": "user", "content": f"{seen}{notes}\n\n{task}"}]


def recent_of(text: str, limit: int) -> str:
    """The last messages of an observation, whole where they fit into `limit` characters."""
    if len(text) <= limit:
        return text
    label = MESSAGE_START.search(text, len(text) - limit)
    return text[label.start() :] if label is not None else text[-limit:]


def _around(text: str, found: FoundObject) -> str:
    """What an answer says beside an object."""
    return _FENCE.sub("", text[: found.start] + text[found.end :]).strip()


def without_notes(action: str) -> str:
    """An action without the notes, or the headings around them, that a model repeats in it; and
    out of the object of JSON that it may be in, because the notes are."""
    rest = _HEADING.sub("", action)
    meant = find_object(rest, _ACTIONS)
    if meant is not None and not _around(rest, meant):
        said = next(value for name, value in meant.value.items() if name.lower() in _ACTIONS)
        if isinstance(said, str):
            return said.strip()
    found = find_object(rest, FIELDS)
    if found is not None:
        before = _BEFORE_NOTES.sub("", rest[: found.start])
        alone = not before.replace("```json", "").strip("` \n")
        if alone or len(FIELDS & found.value.keys()) > 1:
            rest = _FENCE.sub("", before + rest[found.end :])
    return action if rest == action else rest.strip()
