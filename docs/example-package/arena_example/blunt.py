"""A reader: whoever is called a liar is accused, and nothing else is read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from arena.core import LLM
from arena.core.readers import Cast, Speech, SpeechReading

_LIAR = re.compile(r"\[(\d{1,3})\] is a liar\b", re.IGNORECASE)


class Blunt:
    """Its version goes up when it reads the same words differently. It asks no model."""

    version = 1
    asks = False

    async def read(self, speech: Speech, cast: Cast, llm: LLM) -> Sequence[SpeechReading]:
        named = dict.fromkeys(int(number) for number in _LIAR.findall(speech.text))
        return [
            SpeechReading("accusation", target)
            for target in named
            if target < len(cast.roles) and target != speech.player_index
        ]
