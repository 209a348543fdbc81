"""How agents behave: what their turns were like, and how many games that decided."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from db.models.games import COUNTS
from db.queries.counters import AgentCounts, agent_counts
from db.selection import Selection


@dataclass(frozen=True, slots=True)
class ConductRow:
    """An agent's finished games and its turns in them, counted as in `GamePlayer`; `decided` counts
    the games that a lapse or an invalid action of its own decided, `eliminated` the places out of
    which the rules threw it for one. Rates are 0 without turns."""

    agent_id: int
    games: int
    turns: int
    invalid_actions: int
    silences: int
    refusals: int
    overlongs: int
    time_limits: int
    malfunctions: int
    targets: int
    targets_several: int
    targets_none: int
    notes: int
    notes_lost: int
    decided: int
    eliminated: int

    @classmethod
    def of(cls, agent_id: int, counts: AgentCounts) -> ConductRow:
        """What the counters of an agent say."""
        finished = counts.finished
        rest = {name: getattr(finished, name) for name in (*COUNTS, "decided", "eliminated")}
        return cls(agent_id=agent_id, games=counts.games, **rest)

    @property
    def lapses(self) -> int:
        """Turns with a lapse: silence, refusal, overlong output, a time limit or a malfunction."""
        said = self.silences + self.refusals + self.overlongs
        return said + self.time_limits + self.malfunctions

    @property
    def invalid_action_rate(self) -> float:
        """Invalid actions per turn."""
        return self._per_turn(self.invalid_actions)

    @property
    def silence_rate(self) -> float:
        """Silences per turn."""
        return self._per_turn(self.silences)

    @property
    def refusal_rate(self) -> float:
        """Refusals per turn."""
        return self._per_turn(self.refusals)

    @property
    def overlong_rate(self) -> float:
        """Overlong outputs per turn."""
        return self._per_turn(self.overlongs)

    @property
    def time_limit_rate(self) -> float:
        """Exceeded time limits per turn."""
        return self._per_turn(self.time_limits)

    @property
    def malfunction_rate(self) -> float:
        """Malfunctions of the program per turn."""
        return self._per_turn(self.malfunctions)

    @property
    def lapse_rate(self) -> float:
        """Lapses per turn."""
        return self._per_turn(self.lapses)

    @property
    def unclear_rate(self) -> float:
        """The share of the turns in which it was to choose a player that named several or none."""
        return (self.targets_several + self.targets_none) / self.targets if self.targets else 0.0

    @property
    def lost_notes_rate(self) -> float:
        """The share of its rewritten notes that could not be read."""
        return self.notes_lost / self.notes if self.notes else 0.0

    @property
    def decided_rate(self) -> float:
        """The share of its games that it decided by a lapse or an invalid action."""
        return self.decided / self.games if self.games else 0.0

    def _per_turn(self, count: int) -> float:
        return count / self.turns if self.turns else 0.0


def conduct(session: Session, selection: Selection | None = None) -> dict[int, ConductRow]:
    """Conduct by agent_id in the finished games of tournaments, of the seats of a selection; of
    agents that have any. Raises BadSelection for what is not on record."""
    counts = agent_counts(session, selection)
    return {key: ConductRow.of(key, each) for key, each in counts.items() if each.games}
