"""Fills the `{{variables}}` of a prompt template, and refuses unknown ones.

A template is text with names in it and nothing that could be run. What a variable holds is the
agent's own or was shown to the player: nothing else is at hand where it is filled in.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from arena.core import UsageError

VARIABLES: Mapping[str, str] = {
    "player_index": "the agent's place in the game, from 0",
    "num_players": "how many players the game has",
    "players": "the names of all players, as the game calls them",
    "environment": "the name of the environment, as SecretMafia-v0",
    "agent": "the name of the agent",
    "role": "the role that the game has told the player",
    "team": "the team that the game has told the player",
    "phase": "the phase of the game that the player was last told of",
    "vars.NAME": "what the agent's own `vars` say",
}

TOLD = ("role", "team", "phase")
"""What a player knows once the game has told it, where it does."""

VARS = "vars"
"""Where the variables of an agent are in the options on record, beside those of its kind."""

BESIDE: Mapping[str, Callable[[], Any]] = {VARS: dict, "tools": list, "tool_limits": dict}
"""What an agent has in the options on record that is not its kind's, with what stands for none."""

_OWN = f"{VARS}."
_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][\w.-]*)\s*\}\}")


def used(template: str) -> dict[str, int]:
    """The variables of a template, in order, each with the line of its first place, from 1."""
    places: dict[str, int] = {}
    for found in _VARIABLE.finditer(template):
        places.setdefault(found[1], template.count("\n", 0, found.start()) + 1)
    return places


def check(template: str, own: Collection[str] | None = None) -> None:
    """Raises UsageError for a variable that is not known, with the nearest one that is; `own` are
    the names of the agent's `vars`, None where they may be any."""
    known = [name for name in VARIABLES if not name.startswith(_OWN)]
    known += [f"{_OWN}{name}" for name in own or ()]
    for name, line in used(template).items():
        if name not in known and not (own is None and name.startswith(_OWN)):
            raise _unknown(name, line, known)


def check_told(template: str, environment: str, tells: Collection[str]) -> None:
    """Raises UsageError for a variable of what the game tells its players, where it does not."""
    for name, line in used(template).items():
        if name in TOLD and name not in tells:
            listed = ", ".join(f"{{{{{told}}}}}" for told in tells) or "none of these"
            raise UsageError(
                f"the prompt uses {{{{{name}}}}} in line {line}, and {environment} does not tell "
                f"a player its {name}; it tells: {listed}"
            )


def render(template: str, variables: Mapping[str, object], own: Mapping[str, object]) -> str:
    """The template with its variables filled in, `own` being the agent's `vars`; what they hold is
    not looked at again.

    Raises UsageError for a variable that is not given.
    """
    values = {**variables, **{f"{_OWN}{name}": value for name, value in own.items()}}
    for name, line in used(template).items():
        if name not in values:
            raise _unknown(name, line, values)
    return _VARIABLE.sub(lambda found: str(values[found[1]]), template)


def stored(options: Mapping[str, Any], beside: Mapping[str, Any]) -> dict[str, Any]:
    """The options of an agent as they are on record: those of its kind, with what it has `BESIDE`
    them, as far as that says anything."""
    said = {name: beside[name] for name in BESIDE if beside.get(name)}
    return {**options, **said}


def parted(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options of the kind, and what the agent has `BESIDE` them, out of what is on record."""
    own = {name: value for name, value in options.items() if name not in BESIDE}
    return own, {name: options.get(name) or made() for name, made in BESIDE.items()}


def _unknown(name: str, line: int, known: Collection[str]) -> UsageError:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"did you mean {{{{{near[0]}}}}}? " if near else ""
    listed = ", ".join(f"{{{{{variable}}}}}" for variable in known)
    return UsageError(
        f"the prompt uses {{{{{name}}}}} in line {line}, which is not a variable; "
        f"{hint}Known: {listed}"
    )
