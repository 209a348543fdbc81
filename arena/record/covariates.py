"""Asks a covariate about games on record, and refuses one whose expectation is not kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from math import isfinite, nan

import numpy as np

from arena.core import Event, PluginError, UsageError
from arena.core.arrays import Floats
from arena.core.covariates import CHANCE, Covariate, SeatDealt, SeatScored
from arena.registry import covariate, described, guarded
from arena.stats.covariates import Kept, expectation_kept
from db import Session
from db.queries.played import PlayedGames
from db.queries.seat_facts import SeatFacts, games_without_events, seat_events, seat_facts
from db.selection import Selection
from db.writer.events import EventRow

DOUBTED = 0.005
"""A covariate that keeps its expectation is refused in one case of two hundred."""


def with_covariate(
    session: Session, played: PlayedGames, selection: Selection, name: str, names: Mapping[int, str]
) -> PlayedGames:
    """The games of a selection with what the covariate of this name says of their seats.

    Raises UsageError for a name that is not registered, a covariate that knows none of the games,
    one that wants events that players do or that are not on record, and one whose scores are not
    around what it expected; PluginError for what it raises, or makes that are no scores. `names`
    are the agents'.
    """
    asked = covariate(name)
    kinds = _kinds(name, asked)
    if kinds and (silent := games_without_events(session, selection)):
        raise UsageError(
            f"the covariate {name!r} needs events, and {silent:,} of these games have none on "
            "record: `arena events rebuild` tells them"
        )
    chance = seat_events(session, selection, kinds) if kinds else {}
    at = {int(game): place for place, game in enumerate(played.game_ids.tolist())}
    column = np.full(len(played.agents), nan)
    for game, seats in groupby(seat_facts(session, selection), key=lambda seat: seat.game_id):
        if (place := at.get(game)) is not None:
            start, size = int(played.starts[place]), int(played.sizes[place])
            column[start : start + size] = _asked(name, asked, [*seats], size, chance)
    if not np.isfinite(column).any():
        raise UsageError(f"the covariate {name!r} knows none of these games: leave out --covariate")
    kept = expectation_kept(column, played.agents, played.seats())
    if kept.p < DOUBTED:
        raise UsageError(_refusal(name, kept, names))
    return replace(played, covariates=column)


def _kinds(name: str, asked: Covariate) -> Sequence[str]:
    """The kinds of event that it wants. Raises UsageError for what chance alone does not do."""
    kinds = tuple(getattr(asked, "events", ()))
    for kind in kinds:
        if kind not in CHANCE:
            raise UsageError(
                f"the covariate {name!r} asks for the event {kind!r}, which depends on who plays: "
                f"expected what chance does, {' or '.join(CHANCE)}; a score that rises with skill "
                "takes skill out of ratings"
            )
    return kinds


def _asked(
    name: str,
    asked: Covariate,
    seats: Sequence[SeatFacts],
    size: int,
    chance: Mapping[tuple[int, int], Sequence[EventRow]],
) -> Floats:
    """Score less expectation, seat by seat; NaN where the score cannot be told."""
    dealt = [SeatDealt(seat.player_index, seat.role, seat.team) for seat in seats]
    environment = seats[0].environment
    with guarded("covariates", name, "it was asked about a game"):
        expected = [*asked.expected(environment, dealt)]
        scored = [
            *asked.scored(
                environment,
                [
                    SeatScored(
                        one,
                        seat.facts,
                        [
                            Event(row.kind, None, row.target, data=row.data, turn=row.turn)
                            for row in chance.get((seat.game_id, seat.player_index), ())
                        ],
                    )
                    for one, seat in zip(dealt, seats, strict=True)
                ],
            )
        ]
    for what, values in (("expected", expected), ("scored", scored)):
        numbers = [value for value in values if value is not None or what == "expected"]
        if len(values) != size or not all(_is_number(value) for value in numbers):
            raise PluginError(
                f"{described('covariates', name)} {what} {values!r}: expected {size} finite "
                "numbers, one for each seat"
            )
    return np.array(
        [
            nan if score is None else float(score) - float(mean)
            for score, mean in zip(scored, expected, strict=True)
        ]
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and isfinite(value)


def _refusal(name: str, kept: Kept, names: Mapping[int, str]) -> str:
    return (
        f"the covariate {name!r} does not keep to what it expected (p {kept.p:.2g} over all "
        f"agents): the scores of {names.get(kept.agent, kept.agent)} are {kept.mean:+.3g} ± "
        f"{1.96 * kept.error:.2g} off it. Its expectation must be fixed before the game whoever "
        "plays, or ratings adjusted by it are not those of skill: leave out --covariate"
    )
