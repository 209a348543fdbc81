"""Fills the `{{variables}}` of a prompt template, and refuses unknown ones."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping

from arena.core import UsageError

VARIABLES: Mapping[str, str] = {
    "player_index": "the agent's place in the game, from 0",
    "num_players": "how many players the game has",
    "environment": "the name of the environment, as SecretMafia-v0",
    "agent": "the name of the agent",
}

_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][\w.-]*)\s*\}\}")


def check(template: str, known: Collection[str] = tuple(VARIABLES)) -> None:
    """Raises UsageError for a variable that is not known, with the nearest one that is."""
    for found in _VARIABLE.finditer(template):
        name = found[1]
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
            hint = f"did you mean {{{{{near[0]}}}}}? " if near else ""
            listed = ", ".join(f"{{{{{variable}}}}}" for variable in known)
            line = template.count("\n", 0, found.start()) + 1
            raise UsageError(
                f"the prompt uses {{{{{name}}}}} in line {line}, which is not a variable; "
                f"{hint}Known: {listed}"
            )


def render(template: str, variables: Mapping[str, object]) -> str:
    """The template with its variables filled in; what they hold is not looked at again.

    Raises UsageError for a variable that is not given.
    """
    check(template, tuple(variables))
    return _VARIABLE.sub(lambda found: str(variables[found[1]]), template)
