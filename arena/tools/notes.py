"""The tool `notes`: what an agent writes down for itself, for the length of one game."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arena.core import Observation
from arena.core.tools import ToolError, ToolFunction
from arena.tools.options import whole

_WRITE = ToolFunction(
    "write_note",
    "Write a note for yourself. Only you can read it, in this turn and in later ones.",
    {
        "type": "object",
        "properties": {"text": {"type": "string", "description": "what to remember"}},
        "required": ["text"],
    },
)
_READ = ToolFunction("read_notes", "Read all your notes, with the turn of each.")
_ERASE = ToolFunction(
    "erase_note",
    "Erase one of your notes.",
    {
        "type": "object",
        "properties": {"number": {"type": "integer", "description": "as read_notes numbers it"}},
        "required": ["number"],
    },
)


class NotesTool:
    """Own to one seat of one game. `most` is how many notes there may be, `characters` how long
    each."""

    version = 1
    repeatable = True
    functions: Sequence[ToolFunction] = (_WRITE, _READ, _ERASE)

    def __init__(self, *, most: int = 50, characters: int = 1000) -> None:
        self._most = whole("notes", "most", most, 1, 1000)
        self._characters = whole("notes", "characters", characters, 1, 10_000)
        self._notes: list[tuple[str, str]] = []

    async def call(
        self, function: str, arguments: Mapping[str, Any], observation: Observation
    ) -> str:
        if function == "write_note":
            text = arguments["text"].strip()
            if not text:
                raise ToolError("the note is empty")
            if len(text) > self._characters:
                raise ToolError(f"the note has {len(text)} characters, at most {self._characters}")
            if len(self._notes) >= self._most:
                raise ToolError(f"there are {len(self._notes)} notes, as many as fit: erase one")
            self._notes.append((str(observation.turn_number), text))
            return f"written as note {len(self._notes)}, of turn {observation.turn_number}"
        if function == "erase_note":
            number = arguments["number"]
            if not 1 <= number <= len(self._notes):
                raise ToolError(f"there is no note {number}: there are {len(self._notes)}")
            del self._notes[number - 1]
            return f"erased note {number}"
        if not self._notes:
            return "no notes yet"
        return "\n".join(
            f"{number}. (turn {turn}) {text}"
            for number, (turn, text) in enumerate(self._notes, start=1)
        )

    def recall(self, function: str, arguments: Mapping[str, Any], result: str) -> None:
        """What was written and erased is so again."""
        if function == "write_note":
            self._notes.append((result.rpartition(" ")[2], arguments["text"].strip()))
        elif function == "erase_note":
            del self._notes[arguments["number"] - 1]
