"""The tool `votes`: counts who named whom last, in what its own seat has seen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from arena.core import Observation
from arena.core.tools import ToolFunction
from arena.tools.transcript import messages_of

# So a vote is cast in games of TextArena: [3], [Player 3].
_VOTE = re.compile(r"\[\s*(?:player\s*)?(\d{1,3})\s*\]", re.IGNORECASE)
_SPOKEN = "GAME"


class VotesTool:
    """A vote is a message of a player with a number in brackets; of several the last counts, since
    the game itself last spoke of a vote."""

    version = 1
    repeatable = True
    functions: Sequence[ToolFunction] = (
        ToolFunction(
            "count_votes",
            "Count the votes of the latest round that you have seen: who named whom in brackets.",
        ),
    )

    async def call(
        self, function: str, arguments: Mapping[str, Any], observation: Observation
    ) -> str:
        votes: dict[str, str] = {}
        for message in messages_of(observation.text):
            if message.speaker in ("", _SPOKEN):
                if "vot" in message.text.lower():
                    votes.clear()
                continue
            if found := _VOTE.findall(message.text):
                votes.pop(message.speaker, None)
                votes[message.speaker] = f"Player {int(found[-1])}"
        if not votes:
            return "no votes seen in this round"
        tally: dict[str, list[str]] = {}
        for voter, target in votes.items():
            tally.setdefault(target, []).append(voter)
        counted = sorted(tally.items(), key=lambda each: (-len(each[1]), each[0]))
        return "\n".join(
            f"{target}: {len(voters)} ({', '.join(voters)})" for target, voters in counted
        )
