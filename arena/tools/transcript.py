"""The messages of what one seat has seen, for the tools that read them."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from arena.core.openings import MESSAGE_START

_LABEL = re.compile(r"\n?\[([^\]\n]{1,60})\] ?")


@dataclass(frozen=True, slots=True)
class SeenMessage:
    """One message: `number` counts them from 1; `speaker` is the name before it, empty for text
    that nobody is said to have spoken."""

    number: int
    speaker: str
    text: str


def messages_of(seen: str) -> list[SeenMessage]:
    """The messages of an observation, oldest first."""
    starts = [found.start() for found in MESSAGE_START.finditer(f"\n{seen}")]
    bounds = sorted({0, *(max(start - 1, 0) for start in starts), len(seen)})
    found: list[SeenMessage] = []
    for begin, end in itertools.pairwise(bounds):
        piece = seen[begin:end]
        label = _LABEL.match(piece)
        text = piece if label is None else piece[label.end() :]
        if text.strip():
            speaker = "" if label is None else label[1]
            found.append(SeenMessage(len(found) + 1, speaker, text.strip()))
    return found
