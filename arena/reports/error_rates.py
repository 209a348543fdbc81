"""How agents err: the shares of their turns that went wrong, and of their games decided by it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from db.queries.conduct import ConductRow


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """How an agent's turns went wrong in finished games.

    `decided` is the share of its `games` that its own error decided, `thrown_out` of those out of
    which the rules threw it for one, whoever won; `unclear` of the turns in which it was to choose
    a player and named several or none, `notes_lost` of the notes that it rewrote; the others are
    shares of its `turns`, from 0 to 1. A turn that was silent, refused, overlong or over time may
    be `invalid` too.
    """

    games: int
    turns: int
    invalid: float
    silent: float
    refused: float
    overlong: float
    over_time: float
    malfunctioned: float
    unclear: float
    notes_lost: float
    decided: float
    thrown_out: float

    @property
    def by_name(self) -> dict[str, float]:
        """The shares by their names for people."""
        return {
            "invalid": self.invalid,
            "silent": self.silent,
            "refused": self.refused,
            "overlong": self.overlong,
            "over time": self.over_time,
            "malfunctioned": self.malfunctioned,
            "unclear": self.unclear,
            "notes lost": self.notes_lost,
            "decided": self.decided,
            "thrown out": self.thrown_out,
        }


def error_rates(rows: Iterable[ConductRow]) -> ErrorRates | None:
    """The rates of agents together; None when nothing is known of their turns."""
    rows = list(rows)
    games, turns = sum(row.games for row in rows), sum(row.turns for row in rows)
    if not games or not turns:
        return None
    asked, notes = sum(row.targets for row in rows), sum(row.notes for row in rows)
    unclear = sum(row.targets_several + row.targets_none for row in rows)
    return ErrorRates(
        games=games,
        turns=turns,
        invalid=sum(row.invalid_actions for row in rows) / turns,
        silent=sum(row.silences for row in rows) / turns,
        refused=sum(row.refusals for row in rows) / turns,
        overlong=sum(row.overlongs for row in rows) / turns,
        over_time=sum(row.time_limits for row in rows) / turns,
        malfunctioned=sum(row.malfunctions for row in rows) / turns,
        unclear=unclear / asked if asked else 0.0,
        notes_lost=sum(row.notes_lost for row in rows) / notes if notes else 0.0,
        decided=sum(row.decided for row in rows) / games,
        thrown_out=sum(row.eliminated for row in rows) / games,
    )
