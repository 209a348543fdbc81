"""What players claim and whom they accuse, read from what they say, and who reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from arena.core.agents import LLM
from arena.core.environments import Outcome


@dataclass(frozen=True, slots=True)
class Speech:
    """What a player said in a turn; `day` and `phase` as in its event."""

    turn: int
    player_index: int
    text: str
    day: int | None = None
    phase: str | None = None


@dataclass(frozen=True, slots=True)
class Cast:
    """The roles and teams of a game, a pair for each player; None where the game names none. Who
    has which is not told: the pairs of a finished game are sorted."""

    roles: tuple[str | None, ...]
    teams: tuple[str | None, ...]

    @classmethod
    def of(cls, outcome: Outcome) -> Cast:
        """The cast of a finished game."""
        pairs = sorted(
            ((player.role, player.team) for player in outcome.players),
            key=lambda pair: (pair[0] or "", pair[1] or ""),
        )
        return cls(tuple(role for role, _ in pairs), tuple(team for _, team in pairs))

    @property
    def role_names(self) -> frozenset[str]:
        """The roles and teams that can be claimed; none in a game without roles."""
        return frozenset(name for name in (*self.roles, *self.teams) if name)


@dataclass(frozen=True, slots=True)
class SpeechReading:
    """One thing that a speech says. A claim is of its `target`, or of the speaker without one: that
    it has a `role` or is of a `team`, or with `denies` that it has not. An accusation has a target
    and nothing else."""

    kind: Literal["claim", "accusation"]
    target: int | None = None
    role: str | None = None
    team: str | None = None
    denies: bool = False


class Reader(Protocol):
    """A plug-in of the group `arena.readers`: a factory without arguments makes it.

    `version` goes up when it reads the same words differently. `asks` says that it asks a model:
    what it is given as `llm` then asks the one that was named, and everything is recorded as any
    other call is; a reader that asks none is given one that refuses. One speech is read at a time,
    and several at once: what is read of one must not hang on the others.
    """

    version: int
    asks: bool

    async def read(self, speech: Speech, cast: Cast, llm: LLM) -> Sequence[SpeechReading]:
        """What is claimed, and who is accused. Raises what it likes: the events of the game are
        then missing, and said to be."""
        ...
