"""How an intended target is read in the environments of TextArena, before the rules read it.

Where Secret Mafia asks for a player, the player whom the words clearly choose is put where the
rules look for one; what was said stays behind it, as the others are shown it. In every other
environment brackets in a form that the rules do not know become those that they do. Where the
intent is not clear the rules are given what they always were.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

from arena.core import ActionReading, Observation, TargetHow
from arena.environments.markup import vote_of
from arena.environments.targets import TargetQuestion, read_target

_ESCAPED = re.compile(r"\\+([\[\]])")
_WIDE = str.maketrans("［］【】〔〕", "[][][]")
# `[Vote: 3]` says what `[3]` does. No rules of TextArena know any of these words.
_LABEL = re.compile(
    r"\[\s*(?:my\s+)?(?:final\s+)?(?:vote|move|action|answer|choice|decision|response)\s*"
    r"(?::|=|->|→)\s*([^\[\]\n]{1,80}?)\s*\]",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"\[((?:player\s*)?(\d+))\]", re.IGNORECASE)
_ASKED = 4_000  # characters of what a player has seen that its question is in


def plain_brackets(action: str) -> str:
    r"""An action with brackets that the rules know: `\[3\]`, `［3］` and `[Vote: 3]` become
    `[3]`."""
    if "[" not in action and (action.isascii() or not _WIDE.keys() & set(map(ord, action))):
        return action
    return _LABEL.sub(r"[\1]", _ESCAPED.sub(r"\1", action).translate(_WIDE))


def read_action(
    action: str,
    question: TargetQuestion | None,
    prepare: Callable[[str], str],
) -> ActionReading:
    """The text that the rules are given for an action, and the player that it was read to choose
    where there is a question; `prepare` makes an action ready for the rules."""
    action = plain_brackets(action)
    prepared = prepare(action)
    if question is None:
        return ActionReading(prepared)
    found = read_target(action, question)
    chosen = vote_of(prepared)
    if found.player is not None and chosen != found.player:
        prepared = prepare(f"[{found.player}]\n{action}")
    elif found.player is None and chosen in found.void:
        prepared = prepare(_BRACKETED.sub(lambda name: _unless(name, found.void), action))
    chosen = vote_of(prepared)
    how = found.how
    if chosen is None and how is TargetHow.SEVERAL:
        how = TargetHow.NONE
    return ActionReading(prepared, None if chosen is None else str(chosen), how)


def _unless(name: re.Match[str], void: Collection[int]) -> str:
    """A player's name in brackets; in round ones if it was not named to be chosen."""
    return f"({name[1]})" if int(name[2]) in void else name[0]


def question_of(family: str, rules: Any, seen: Observation) -> TargetQuestion | None:
    """What the player to move is asked to choose; None where it is asked for no player."""
    if family != "SecretMafia" or rules.phase.name == "DAY_DISCUSSION":
        return None
    alive = rules.state.game_state["alive_players"]
    me: int = rules.state.current_player_id
    able = {
        "NIGHT_MAFIA": [p for p in alive if rules.player_roles[p] != "Mafia"],
        "DAY_VOTING": alive,
    }.get(rules.phase.name, [p for p in alive if p != me])
    return TargetQuestion(
        candidates=tuple(able),
        me=me,
        asked=_asked(seen.text),
        naming_chooses=rules.phase.name in {"NIGHT_DOCTOR", "NIGHT_DETECTIVE"},
    )


def _asked(text: str) -> str:
    """What the game itself said lately."""
    parts = text[-_ASKED:].split("\n[")
    return "\n".join(part.removeprefix("GAME] ") for part in parts if part.startswith("GAME] "))
