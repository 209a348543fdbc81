"""Calibration: how well rating systems predicted the games of an environment before they were
played."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from arena.core import ArenaError, UsageError
from arena.core.arrays import Integers
from arena.leaderboard.query import LeaderboardQuery
from arena.leaderboard.scopes import Scope, scopes
from arena.ratings.prequential import base_rates, comparisons, points, predicted
from arena.record.rating_columns import rating_columns
from arena.registry import guarded, names, rating
from arena.stats.calibration import Calibration, calibration
from db import Session
from db.queries.played import NOTHING, PlayedGames

FEWEST = 20
"""Games of an environment below which nothing is predicted."""


@dataclass(frozen=True, slots=True)
class CalibrationBoard:
    """The rating systems by log loss on the same games of an environment, the best first.

    `predicted` of its `games` were predicted, those before them only learned from. A batch system
    was fitted to the games before each of `fitted_at`. `notes` are sentences for people.
    """

    environment: str | None
    num_players: int | None
    version: str | None
    tournament: str | None
    games: int
    predicted: int
    fitted_at: tuple[int, ...]
    systems: tuple[tuple[str, Calibration], ...]
    notes: tuple[str, ...] = ()


def calibrations(session: Session, query: LeaderboardQuery) -> list[CalibrationBoard]:
    """A board for each environment that has games: of every registered system, whatever the
    query's is.

    Raises UsageError for queries that make no sense, BadSelection for what is not on record.
    """
    query.check()
    if query.overall or query.role or query.team or query.by != "agent":
        raise UsageError(
            "--calibration is about whole games of one environment after another: leave out "
            "--overall, --role, --team and --by"
        )
    return [_board(scope) for scope in scopes(session, query) if len(scope.played)]


def _board(scope: Scope) -> CalibrationBoard:
    played = scope.played
    games = rating_columns(played, scope.rules)
    board = CalibrationBoard(
        environment=scope.environment,
        num_players=scope.num_players,
        version=scope.version,
        tournament=scope.tournament,
        games=len(played),
        predicted=0,
        fitted_at=(),
        systems=(),
    )
    asked = comparisons(games) if len(played) >= FEWEST else []
    if not asked:
        return replace(
            board,
            notes=(
                f"{len(played):,} games: too few to predict any of them from those before; "
                f"{FEWEST} are needed",
            ),
        )
    base = base_rates(asked)
    results = np.array([each.result for each in asked])
    weights = np.array([each.weight for each in asked])
    blocks = _blocks(played)[[each.game for each in asked]]
    found: list[tuple[str, Calibration]] = []
    notes: list[str] = []
    for name in names("ratings"):
        try:
            with guarded("ratings", name, "predicting games"):
                chances = predicted(rating(name), games, asked)
                found.append((name, calibration(chances, base, results, weights, blocks)))
        except ArenaError as error:
            # One that is broken, or lacks its library, hides no other.
            notes.append(f"{name} is left out: {error}")
    found.sort(key=lambda each: (each[1].loss, each[0]))
    notes += _said(found)
    return replace(
        board,
        predicted=len({each.game for each in asked}),
        fitted_at=tuple(points(len(played))),
        systems=tuple(found),
        notes=tuple(notes),
    )


def _blocks(played: PlayedGames) -> Integers:
    """Games with the same seed in the same environment share a block; one without stands alone."""
    keys = np.stack([played.environments, played.seeds], axis=1)
    _, number = np.unique(keys, axis=0, return_inverse=True)
    number = number.reshape(-1)
    alone = played.seeds == NOTHING
    return np.where(alone, len(played) + np.arange(len(played)), number)


def _said(found: Sequence[tuple[str, Calibration]]) -> Iterator[str]:
    for noun, which in (
        ("overconfident: favourites won less often than", [n for n, c in found if c.overconfident]),
        ("timid: favourites won more often than", [n for n, c in found if c.timid]),
    ):
        if which:
            yield f"{noun} predicted by {', '.join(which)}"
    blind = [name for name, each in found if each.difference > 0]
    if blind:
        yield (
            f"to know no agent and only the roles predicted these games better than "
            f"{', '.join(blind)}"
        )
