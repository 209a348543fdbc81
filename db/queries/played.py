"""Any set of rated games as packed columns, with everything that a rating or a record needs.

A game that has finished but waits for its predecessors in the schedule is not among them: short
games finish first, and would count for more than they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, or_, select
from sqlmodel import Session, col

from db.models import Game, GamePlayer
from db.queries.folds import ERRORS

Integers = NDArray[np.int64]
_ROWS_AT_A_TIME = 20_000
NOTHING = -1
"""What a column of keys or positions holds where there is none."""


@dataclass(frozen=True, slots=True)
class Which:
    """The games that are asked for: None asks for all. `since` is the earliest time at which a
    game may have finished; without `errors`, games that an agent's error decided (ERRORS) are
    left out."""

    environment_ids: tuple[int, ...] | None = None
    tournament_id: int | None = None
    since: datetime | None = None
    errors: bool = True

    def place(self) -> list[ColumnElement[bool]]:
        """The conditions on the table of games that do not depend on how they ended."""
        found: list[ColumnElement[bool]] = []
        if self.environment_ids is not None:
            found.append(col(Game.environment_id).in_(self.environment_ids))
        if self.tournament_id is not None:
            found.append(col(Game.tournament_id) == self.tournament_id)
        if self.since is not None:
            found.append(col(Game.finished_at) >= self.since)
        return found

    def rated(self) -> list[ColumnElement[bool]]:
        """The conditions on the table of games: finished, rated, and what is asked."""
        found = [
            col(Game.status) == "completed",
            col(Game.fold_index).is_not(None),
            *self.place(),
        ]
        if not self.errors:
            ended = col(Game.termination)
            found.append(or_(ended.is_(None), ended.not_in(ERRORS)))
        return found


@dataclass(frozen=True, slots=True)
class PlayedGames:
    """Games in the order in which they moved the stored ratings.

    One number per game: `game_ids`, `environments`, `tournaments`, `seeds`, `blocks`, `errors` (1
    where an agent's error decided it), `sizes` (its seats) and `starts` (where they begin). One
    per seat, game after game in order of player_index: `agents`, `teams` (team numbers as a rating
    system sees them), `ranks`, `roles` (position in `role_names`), `sides` (position in
    `team_names`) and `decided` (1 where this player's own error decided the game). NOTHING stands
    where a game has no tournament, seed or block, and a seat no role or team. `unranked` games
    were left out because a rank is missing.
    """

    game_ids: Integers
    environments: Integers
    tournaments: Integers
    seeds: Integers
    blocks: Integers
    errors: Integers
    sizes: Integers
    starts: Integers
    agents: Integers
    teams: Integers
    ranks: Integers
    roles: Integers
    sides: Integers
    decided: Integers
    role_names: tuple[str, ...]
    team_names: tuple[str, ...]
    unranked: int = 0

    def __len__(self) -> int:
        return len(self.game_ids)

    def seats(self) -> Integers:
        """The position of its game for each seat."""
        return np.repeat(np.arange(len(self), dtype=np.int64), self.sizes)

    def only(self, chosen: NDArray[np.bool_]) -> PlayedGames:
        """The games for which `chosen`, one truth value per game, holds."""
        if bool(chosen.all()):
            return self
        seats = np.repeat(chosen, self.sizes)
        sizes = self.sizes[chosen]
        return replace(
            self,
            game_ids=self.game_ids[chosen],
            environments=self.environments[chosen],
            tournaments=self.tournaments[chosen],
            seeds=self.seeds[chosen],
            blocks=self.blocks[chosen],
            errors=self.errors[chosen],
            sizes=sizes,
            starts=_starts(sizes),
            agents=self.agents[seats],
            teams=self.teams[seats],
            ranks=self.ranks[seats],
            roles=self.roles[seats],
            sides=self.sides[seats],
            decided=self.decided[seats],
        )


def played_games(session: Session, which: Which | None = None) -> PlayedGames:
    """The rated games that are asked for, read in one pass a few thousand rows at a time."""
    which = which or Which()
    game, player = Game, GamePlayer
    query: Any = (
        select(
            col(game.id),
            col(game.environment_id),
            col(game.tournament_id),
            col(game.seed),
            col(game.block),
            col(game.termination),
            col(player.agent_id),
            col(player.rank),
            col(player.role),
            col(player.team),
            col(player.decided),
        )
        .join(player, col(player.game_id) == col(game.id))
        .where(*which.rated())
        .order_by(col(game.fold_index), col(player.player_index))
    )
    roles, teams = _Names(), _Names()
    parts: list[tuple[Integers, ...]] = []
    options = {"yield_per": _ROWS_AT_A_TIME}
    with session.connection().execute(query, execution_options=options) as result:
        for rows in result.partitions():
            facts = [*zip(*rows, strict=True)]
            parts.append(
                (
                    *map(_column, facts[:5]),
                    np.fromiter((end in ERRORS for end in facts[5]), np.int64, len(rows)),
                    *map(_column, facts[6:8]),
                    roles.of(facts[8]),
                    teams.of(facts[9]),
                    _column(facts[10]),
                )
            )
    if parts:
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    else:
        columns = [np.empty(0, dtype=np.int64)] * 11
    ids, rules, cups, seeds, blocks, errors, agents, ranks, seat_roles, sides, decided = columns
    first = np.ones(len(ids), dtype=bool)
    first[1:] = ids[1:] != ids[:-1]
    starts = np.flatnonzero(first)
    sizes = np.diff(starts, append=len(ids))
    played = PlayedGames(
        game_ids=ids[first],
        environments=rules[first],
        tournaments=cups[first],
        seeds=seeds[first],
        blocks=blocks[first],
        errors=errors[first],
        sizes=sizes,
        starts=starts,
        agents=agents,
        teams=_numbered(sizes, sides),
        ranks=ranks,
        roles=seat_roles,
        sides=sides,
        decided=decided,
        role_names=roles.names(),
        team_names=teams.names(),
    )
    if not len(played):
        return played
    ranked = np.minimum.reduceat(ranks, starts) >= 0
    if ranked.all():
        return played
    return replace(played.only(ranked), unranked=int((~ranked).sum()))


class _Names:
    """Gives every name that comes up a position, in order of appearance."""

    def __init__(self) -> None:
        self._positions: dict[str | None, int] = {None: NOTHING}

    def of(self, values: Sequence[str | None]) -> Integers:
        known = self._positions
        for value in dict.fromkeys(values):
            if value not in known:
                known[value] = len(known) - 1
        return np.fromiter((known[value] for value in values), np.int64, len(values))

    def names(self) -> tuple[str, ...]:
        return tuple(name for name in self._positions if name is not None)


def _column(values: Sequence[int | None]) -> Integers:
    if None in values:
        filled: Iterable[int] = (NOTHING if value is None else value for value in values)
    else:
        filled = values  # type: ignore[assignment]
    return np.fromiter(filled, np.int64, len(values))


def _starts(sizes: Integers) -> Integers:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)[:-1]])[: len(sizes)]


def _numbered(sizes: Integers, sides: Integers) -> Integers:
    """Team numbers in order of first seat, as `db.fold.numbered` gives them: a player without a
    team is a team of its own."""
    if not len(sides):
        return sides
    game = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
    place = np.arange(len(sides), dtype=np.int64) - np.repeat(_starts(sizes), sizes)
    named = int(sides.max()) + 1
    label = np.where(sides == NOTHING, named + place, sides)
    key = game * (named + int(sizes.max())) + label
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    order = np.argsort(first)
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.arange(len(order), dtype=np.int64)
    teams = position[inverse]
    return teams - np.repeat(teams[_starts(sizes)], sizes)
