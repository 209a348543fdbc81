"""Where messages begin in what a player has seen: the rules first, then who said what."""

from __future__ import annotations

import re

# Where a message begins: the name of who speaks, and a blank.
MESSAGE_START = re.compile(r"\n\[(?:GAME|Player \d+|[A-Z][a-z][\w'-]*(?: [A-Z][\w'-]*){0,3})\] ")


def opening_of(text: str) -> str:
    """The first message of an observation: the rules, and who the player is."""
    following = MESSAGE_START.search(text, 1)
    return text if following is None else text[: following.start()]
