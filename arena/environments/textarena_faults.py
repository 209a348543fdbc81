"""Known faults of TextArena's rules, and which of them the mended twins are without.

Upstream stays what a name means. Where a mend is small the environment has a twin beside it, of
the same name with `-mended` behind it, whose games are rated in a pool of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

MENDED = "-mended"
"""What the name of a twin ends in."""

MENDS = 1
"""The version of the mends: part of the version of the twins, so that a change of them opens new
rating pools."""


@dataclass(frozen=True, slots=True)
class RulesFault:
    """What is wrong with some rules, in a sentence; `mended` in the twin."""

    what: str
    mended: bool = False


_RAISES = RulesFault("Some texts of players make the rules raise: the game is void.")
_ASKED_AGAIN = RulesFault("Who was thrown out for errors may be asked to act again.")
_PASSED_ON = RulesFault(_ASKED_AGAIN.what, mended=True)

FAULTS: Mapping[str, tuple[RulesFault, ...]] = MappingProxyType(
    {
        "Chess": (_RAISES,),
        "HighSociety": (
            RulesFault(
                "The prompt counts remaining cash and prestige, the rules count prestige alone.",
                mended=True,
            ),
        ),
        "IndianPoker": (
            RulesFault(
                "After a round that two checks ended, the first check ends the next one, before "
                "the other player has acted.",
                mended=True,
            ),
            RulesFault(
                "Who has no chips left pays for the next round, and plays on with less than none.",
                mended=True,
            ),
        ),
        "KuhnPoker": (
            RulesFault(
                "Bets cost nothing: bet and fold, bet and call, check and check all move one chip.",
                mended=True,
            ),
            RulesFault(
                "Both players pay for a round after the last, so that their chips add up to -2.",
                mended=True,
            ),
        ),
        "MarketEntryGame": (_PASSED_ON,),
        "Poker": (
            RulesFault("The chips of who is thrown out for errors are lost."),
            RulesFault("A game of two goes on when one of them is thrown out for errors."),
        ),
        "PublicGoodsGame": (_PASSED_ON,),
        "SantoriniBaseFixed": (_ASKED_AGAIN,),
        "SecretMafia": (
            RulesFault(
                "With Doctor and Detective dead, nobody dies at night, whomever the Mafia chooses.",
                mended=True,
            ),
            RulesFault(
                "A game that is over goes on in the same step, and may end with another winner.",
                mended=True,
            ),
            RulesFault(
                "Players who died for an invalid action can still be chosen, and die again in "
                "the place of a living one.",
                mended=True,
            ),
            RulesFault(
                "At night players may choose whom they are not offered: Mafia kills Mafia, Doctor "
                "and Detective choose themselves.",
                mended=True,
            ),
            RulesFault(
                "Without discussion (`discussion_rounds: 0`) the rules raise on the first day."
            ),
        ),
        "SettlersOfCatan": (_ASKED_AGAIN,),
        "Stratego": (_RAISES,),
        "Tak": (_RAISES,),
    }
)
"""By family, all environments whose name begins alike."""


def upstream_of(name: str) -> str:
    """TextArena's own name of an environment: that of which it is the twin, or its own."""
    return name.removesuffix(MENDED)


def twin_of(name: str) -> str | None:
    """The mended twin of an environment, or what it is the twin of; None where there is neither."""
    upstream = upstream_of(name)
    if name != upstream:
        return upstream
    return name + MENDED if any(fault.mended for fault in _faults(name)) else None


def faults_of(name: str) -> tuple[str, ...]:
    """The known faults of an environment; of a twin, those that it still has."""
    mended = name.endswith(MENDED)
    return tuple(fault.what for fault in _faults(name) if not (mended and fault.mended))


def _faults(name: str) -> tuple[RulesFault, ...]:
    return FAULTS.get(name.partition("-v0")[0], ())
