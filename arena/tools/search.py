"""The tool `search`: finds words in what its own seat has seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arena.core import Observation
from arena.core.tools import ToolError, ToolFunction
from arena.tools.options import whole
from arena.tools.transcript import messages_of

_LONGEST_QUERY = 200
_LONGEST_MESSAGE = 600


class SearchTool:
    """`most` is how many messages are shown, the latest ones."""

    version = 1
    repeatable = True
    functions: Sequence[ToolFunction] = (
        ToolFunction(
            "search_transcript",
            "Find the messages that hold all of these words, in everything that you have seen.",
            {
                "type": "object",
                "properties": {
                    "words": {"type": "string", "description": "words, in any order"},
                    "speaker": {
                        "type": "string",
                        "description": "only messages of this one, such as Player 3 or GAME",
                    },
                },
                "required": ["words"],
            },
        ),
    )

    def __init__(self, *, most: int = 10) -> None:
        self._most = whole("search", "most", most, 1, 100)

    async def call(
        self, function: str, arguments: Mapping[str, Any], observation: Observation
    ) -> str:
        words = arguments["words"].casefold().split()
        speaker = arguments.get("speaker", "").strip().casefold()
        if not words and not speaker:
            raise ToolError("no words to look for")
        if len(arguments["words"]) > _LONGEST_QUERY:
            raise ToolError(f"at most {_LONGEST_QUERY} characters of words")
        found = [
            message
            for message in messages_of(observation.text)
            if (not speaker or message.speaker.casefold() == speaker)
            and all(word in message.text.casefold() for word in words)
        ]
        if not found:
            return "nothing found"
        shown = found[-self._most :]
        head = f"{len(found)} found" + (
            f", the latest {len(shown)}:" if len(shown) < len(found) else ":"
        )
        lines = [
            f"{message.number}. [{message.speaker or 'GAME'}] {_shortened(message.text)}"
            for message in shown
        ]
        return "\n".join([head, *lines])


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]} […]"
