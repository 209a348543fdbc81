"""Reads what TextArena's games tell a player of itself: its role, its team, the phase.

Everything comes out of the text that the player was shown, and nothing out of the rules: what is
not said there cannot be known here. Roles and teams stand in the opening message, before anything
that a player has said; the phase is in the last message of the game that names one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from arena.core import PlayerKnows


@dataclass(frozen=True, slots=True)
class ToldWords:
    """How a family of games tells it. `opening` matches at the beginning of an observation, with
    the groups `role` and `team`; `phase` matches the beginning of a message of the game, its only
    group being the phase. `names` are the players', where they are not Player 0, Player 1, ..."""

    opening: str = ""
    phase: str = ""
    names: tuple[str, ...] = ()

    @property
    def tells(self) -> tuple[str, ...]:
        """Which of role, team and phase are told."""
        groups = re.compile(self.opening).groupindex
        told = [name for name in ("role", "team") if name in groups]
        return (*told, "phase") if self.phase else tuple(told)


_LABEL = r"\s*\[GAME\]\s+"
_COLOURED = _LABEL + r"You are playing (?P<role>\w+)(?: in a game of|\.)"

WORDS: Mapping[str, ToldWords] = MappingProxyType(
    {
        "Breakthrough": ToldWords(_COLOURED, names=("White", "Black")),
        "Checkers": ToldWords(
            _LABEL + r"You are Player \d+ playing a game of Checkers as (?P<role>\w+)\.",
            names=("Red", "Black"),
        ),
        "Chess": ToldWords(_COLOURED, names=("White", "Black")),
        "ColonelBlotto": ToldWords(
            _LABEL + r"You are (?P<role>Commander \w+) in a game of ColonelBlotto",
            names=("Commander Alpha", "Commander Beta"),
        ),
        "NewRecruit": ToldWords(_LABEL + r"You are the (?P<role>Recruiter|Candidate) in the "),
        "Othello": ToldWords(
            _LABEL + r"You are Player \d+ playing (?P<role>Black|White) \(\w\)",
            names=("Black", "White"),
        ),
        "SantoriniBaseFixed": ToldWords(_COLOURED, names=("Navy", "White", "Grey")),
        "SecretMafia": ToldWords(
            _LABEL + r"Welcome to Secret Mafia! You are Player \d+\.\n"
            r"Your role: (?P<role>[^\n]+)\nTeam: (?P<team>[^\n]+)\n",
            r"(Night|Day|Voting) (?:has fallen\.|phase - |breaks\.)",
        ),
        "SettlersOfCatan": ToldWords(
            _LABEL + r"You are playing Settlers of Catan as (?P<role>\w+)\.",
            names=("Red", "White", "Blue", "Orange"),
        ),
        "Taboo": ToldWords(
            _LABEL + r"You are Player \d+, the (?P<role>Clue Giver|Guesser) for (?P<team>Team \d+) "
        ),
        "TruthAndDeception": ToldWords(
            _LABEL + r"You are Player \d+, and you are the (?P<role>Deceiver|Guesser) in the "
        ),
    }
)
"""By family, all environments whose name begins alike."""


def words_of(family: str) -> ToldWords:
    """How a family tells what a player knows; nothing is told where it is not among `WORDS`."""
    return WORDS.get(family, ToldWords())


def read_known(words: ToldWords, observation: str) -> PlayerKnows:
    """What stands in an observation."""
    opening = re.match(words.opening, observation)
    said = opening.groupdict() if opening is not None else {}
    phase = None
    if words.phase:
        for found in re.finditer(rf"^\[GAME\] {words.phase}", observation, re.MULTILINE):
            phase = found[1]
    return PlayerKnows(said.get("role"), said.get("team"), phase)


def names_of(words: ToldWords, num_players: int) -> Sequence[str]:
    """The names of the players, in order of player_index."""
    return words.names[:num_players] or [f"Player {index}" for index in range(num_players)]
