"""What a player believes of the others: how likely each has each role. Asked for, read, scored.

Beliefs are plain data, a mapping of players to roles to chances: `{"3": {"Mafia": 0.7, ...}}`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.llm.lenient_json import find_object

TASK = "# Your task: say what you believe"

_ASKED = f"""\
{TASK}
Do not act now. For every other player, whether it is still in the game or not, say how likely it \
is that it has each of the roles{{roles}}. Answer with one JSON object and no other text:
{{{{"beliefs": {{{{"<number of the player>": {{{{"<role>": <0 to 1>}}}}}}}}}}}}"""

_FIELDS = frozenset({"beliefs"})
_NUMBER = re.compile(r"-?\d{1,20}")
_MOST_ROLES = 24
_LONGEST_ROLE = 60


def question(roles: Iterable[str] = ()) -> str:
    """What a model is asked; of the roles of the game, if they are known, else of any."""
    known = ", ".join(sorted(set(roles)))
    return _ASKED.format(roles=f": {known}" if known else " of this game")


def read_beliefs(
    text: str, players: int, own: int, roles: Iterable[str] = ()
) -> dict[int, dict[str, float]]:
    """The beliefs in an answer, of the others among `players` places, each adding up to 1; empty
    where there are none to be read.

    A player may be called by its number or by a name with one in it; a role is known in any case.
    With `roles`, others are left out. What is said of a player is left out where it adds up to
    nothing.
    """
    found = find_object(text, _FIELDS)
    said = None if found is None else _value(found.value, "beliefs")
    if not isinstance(said, Mapping):
        return {}
    spelt = {role.casefold(): role for role in roles}
    beliefs: dict[int, dict[str, float]] = {}
    for name, chances in said.items():
        number = _NUMBER.search(str(name))
        target = int(number[0]) if number else -1
        if target == own or not 0 <= target < players or not isinstance(chances, Mapping):
            continue
        read = _chances(chances, spelt)
        if read:
            beliefs[target] = read
    return dict(sorted(beliefs.items()))


def _value(found: Mapping[str, Any], name: str) -> Any:
    return next((value for key, value in found.items() if key.lower() == name), None)


def _chances(said: Mapping[str, Any], spelt: Mapping[str, str]) -> dict[str, float]:
    """What is said of one player, in order of the roles' names, adding up to 1."""
    chances: dict[str, float] = {}
    for name, value in list(said.items())[:_MOST_ROLES]:
        role = str(name).strip()[:_LONGEST_ROLE]
        if spelt:
            role = spelt.get(role.casefold(), "")
        if isinstance(value, str):
            value = _percent(value)
        if not role or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if math.isfinite(value) and value >= 0:
            chances[role] = chances.get(role, 0.0) + float(value)
    total = math.fsum(chances.values())
    if not 0 < total < math.inf:
        return {}
    return {role: chances[role] / total for role in sorted(chances)}


def _percent(text: str) -> float | None:
    """A number that was said as a text, as "0.7" or "70%"."""
    number = text.strip()
    try:
        return float(number.removesuffix("%")) / (100 if number.endswith("%") else 1)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class BeliefScore:
    """A belief about one player beside the truth: the chance given to its `true` role, whether that
    was the likeliest (`identified`; a tie of n counts 1/n), and the Brier score, 0 to 2, lower is
    better: the sum over the roles of (chance - truth)^2 (Brier 1950, Monthly Weather Review 78).
    `prior` and `prior_brier` are those of somebody who knows the cast and the own role, and nothing
    else."""

    true: float
    identified: float
    brier: float
    prior: float
    prior_brier: float


def score(chances: Mapping[str, float], role: str, cast: Sequence[str]) -> BeliefScore:
    """Of a belief about a player with the `role`; `cast` are the roles of all others than the one
    who believes, with repetitions."""
    roles = {*chances, *cast, role}
    prior = {name: cast.count(name) / len(cast) for name in roles} if cast else {}
    highest = max(chances.values(), default=0.0)
    likeliest = [name for name, chance in chances.items() if chance == highest]
    return BeliefScore(
        true=chances.get(role, 0.0),
        identified=1 / len(likeliest) if role in likeliest else 0.0,
        brier=_brier(chances, role, roles),
        prior=prior.get(role, 0.0),
        prior_brier=_brier(prior, role, roles),
    )


def _brier(chances: Mapping[str, float], role: str, roles: Iterable[str]) -> float:
    return math.fsum((chances.get(name, 0.0) - (name == role)) ** 2 for name in roles)
