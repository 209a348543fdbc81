"""Any set of rated games as packed columns, with everything that a rating or a record needs.

A game that has finished but waits for its predecessors in the schedule is not among them: short
games finish first, and would count for more than they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlmodel import Session, col

from db.models import Game, GamePlayer
from db.queries.folds import ERRORS, spans
from db.queries.games import RATED
from db.queries.repeats import repeats
from db.selection import Selection

Integers = NDArray[np.int64]
NOTHING = -1
"""What a column of keys or positions holds where there is none."""

_ODD = np.int64(6364136223846793005)


@dataclass(frozen=True, slots=True)
class PlayedGames:
    """Games in the order in which they moved the stored ratings.

    One number per game: `game_ids`, `environments`, `tournaments`, `seeds`, `blocks`, `errors` (1
    where an agent's error decided it), `touched` (1 where the rules threw a player out for one,
    whoever won), `repeats` (games that were left out because they are the same game again, see
    `db.queries.repeats`), `sizes` (its seats) and `starts` (where they begin). One per seat,
    game after game in order of player_index: `agents`, `teams` (team numbers as a rating system
    sees them), `ranks`, `roles` (position in `role_names`), `sides` (position in `team_names`),
    `decided` (1 where this player's own error decided the game) and `thrown_out` (1 where the rules
    threw it out for one); `rewards` are the rules' own numbers, NaN where there is none. NOTHING
    stands where a game has no tournament, seed or block, and a seat no role or team. `unranked`
    games were left out because a rank is missing. `covariates` are per seat too, where somebody has
    asked for them, else empty.
    """

    game_ids: Integers
    environments: Integers
    tournaments: Integers
    seeds: Integers
    blocks: Integers
    errors: Integers
    touched: Integers
    repeats: Integers
    sizes: Integers
    starts: Integers
    agents: Integers
    teams: Integers
    ranks: Integers
    roles: Integers
    sides: Integers
    decided: Integers
    thrown_out: Integers
    rewards: NDArray[np.float64]
    role_names: tuple[str, ...]
    team_names: tuple[str, ...]
    unranked: int = 0
    covariates: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

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
            touched=self.touched[chosen],
            repeats=self.repeats[chosen],
            sizes=sizes,
            starts=_starts(sizes),
            agents=self.agents[seats],
            teams=self.teams[seats],
            ranks=self.ranks[seats],
            roles=self.roles[seats],
            sides=self.sides[seats],
            decided=self.decided[seats],
            thrown_out=self.thrown_out[seats],
            rewards=self.rewards[seats],
            covariates=self.covariates[seats] if len(self.covariates) else self.covariates,
        )


def played_games(session: Session, selection: Selection | None = None) -> PlayedGames:
    """The rated games of a selection, read in one pass, a stretch of them at a time: whole games,
    also where a selection is of some of their seats. A game that is another of them again is left
    out and counted in `repeats`."""
    chosen = (selection or Selection()).on(session)
    game, player = Game, GamePlayer
    query: Any = (
        select(
            col(game.id),
            col(game.environment_id),
            col(game.tournament_id),
            col(game.seed),
            col(game.block),
            col(game.termination),
            func.coalesce(col(game.revision), 1),
            col(player.agent_id),
            col(player.rank),
            col(player.role),
            col(player.team),
            col(player.decided),
            col(player.eliminated_turn).is_not(None),
            col(player.reward),
        )
        .join(player, col(player.game_id) == col(game.id))
        .where(*RATED, *chosen.of_games())
        .order_by(col(game.fold_index), col(player.player_index))
    )
    roles, teams = _Names(), _Names()
    facts: list[tuple[Integers, ...]] = []
    seats: list[tuple[Integers, ...]] = []
    for after, upto in spans(session):
        position = col(Game.fold_index)
        # As the driver makes them: rows that know their columns' names take several times as long.
        result = session.connection().execute(query.where(position > after, position <= upto))
        cursor: Any = result.cursor
        rows = cursor.fetchall()
        result.close()
        if not rows:
            continue
        (
            ids,
            rules,
            cups,
            seeds,
            blocks,
            ends,
            versions,
            agents,
            ranks,
            role,
            team,
            own,
            out,
            reward,
        ) = zip(*rows, strict=True)
        number = np.fromiter(ids, np.int64, len(ids))
        first = np.ones(len(ids), dtype=bool)
        first[1:] = number[1:] != number[:-1]
        at_first = first.tolist()
        facts.append(
            (
                number[first],
                *(
                    _column([*compress(column, at_first)])
                    for column in (rules, cups, seeds, blocks, versions)
                ),
                np.array([end in ERRORS for end in compress(ends, at_first)], np.int64),
            )
        )
        seats.append(
            (
                first,
                *map(_column, (agents, ranks, own, out)),
                roles.of(role),
                teams.of(team),
                np.array(reward, np.float64),
            )
        )
    if not facts:
        return no_games()
    game_ids, environments, tournaments, game_seeds, game_blocks, revisions, errors = map(
        np.concatenate, zip(*facts, strict=True)
    )
    opening, sitting, ranking, decided, thrown_out, seat_roles, sides, rewards = map(
        np.concatenate, zip(*seats, strict=True)
    )
    starts = np.flatnonzero(opening)
    sizes = np.diff(starts, append=len(opening))
    played = PlayedGames(
        game_ids=game_ids,
        environments=environments,
        tournaments=tournaments,
        seeds=game_seeds,
        blocks=game_blocks,
        errors=errors,
        touched=np.maximum(errors, np.maximum.reduceat(thrown_out, starts)),
        repeats=np.zeros(len(game_ids), np.int64),
        sizes=sizes,
        starts=starts,
        agents=sitting,
        teams=_numbered(sizes, sides),
        ranks=ranking,
        roles=seat_roles,
        sides=sides,
        decided=decided,
        thrown_out=thrown_out,
        rewards=rewards,
        role_names=roles.names(),
        team_names=teams.names(),
    )
    ranked = np.minimum.reduceat(ranking, starts) >= 0
    if not ranked.all():
        revisions = revisions[ranked]
        played = replace(played.only(ranked), unranked=int((~ranked).sum()))
    return _without_repeats(session, played, revisions)


def _without_repeats(session: Session, played: PlayedGames, revisions: Integers) -> PlayedGames:
    """The games without those that are the same again, which are counted where they belong."""
    if not len(played):
        return played
    # Multiplied by odd numbers that differ from place to place: what is equal stays equal, and
    # only what is equal in this is looked at closely.
    with np.errstate(over="ignore"):
        place = np.arange(len(played.agents)) - np.repeat(played.starts, played.sizes)
        seats = np.add.reduceat(played.agents * (_ODD ** (place + 4)), played.starts)
        mixed = seats + sum(
            column * _ODD**power
            for power, column in enumerate((played.environments, revisions, played.seeds), 1)
        )
    _, kind, times = np.unique(mixed, return_inverse=True, return_counts=True)
    likely = np.flatnonzero((times[kind] > 1) & (played.seeds != NOTHING)).tolist()
    games = {
        int(played.game_ids[at]): (
            int(played.environments[at]),
            int(revisions[at]),
            int(played.seeds[at]),
            *played.agents[played.starts[at] : played.starts[at] + played.sizes[at]].tolist(),
        )
        for at in likely
    }
    again = repeats(session, games)
    if not again:
        return played
    position = {int(played.game_ids[at]): at for at in likely}
    counts = np.zeros(len(played), np.int64)
    np.add.at(counts, [position[counted] for counted in again.values()], 1)
    kept = np.ones(len(played), dtype=bool)
    kept[[position[game] for game in again]] = False
    return replace(played, repeats=counts).only(kept)


def revisions(session: Session, selection: Selection) -> dict[int, dict[int, int]]:
    """How many rated games of a selection there are of each revision, by environment: in which
    their rules were put to the players."""
    revision = func.coalesce(col(Game.revision), 1)
    query: Any = (
        select(col(Game.environment_id), revision, func.count())
        .where(*RATED, *selection.on(session).of_games())
        .group_by(col(Game.environment_id), revision)
        .order_by(col(Game.environment_id), revision)
    )
    found: dict[int, dict[int, int]] = {}
    for environment, number, games in session.execute(query):
        found.setdefault(int(environment), {})[int(number)] = int(games)
    return found


def game_at(session: Session, fold_index: int | None) -> int | None:
    """The game_id of the rated game at this place of the order; None where there is none."""
    if fold_index is None:
        return None
    query: Any = select(col(Game.id)).where(col(Game.fold_index) == fold_index)
    found = session.execute(query).scalar()
    return None if found is None else int(found)


def waiting_games(session: Session, selection: Selection) -> int:
    """How many finished games are not rated yet, because a game before them in the schedule is
    still open."""
    query: Any = select(func.count(col(Game.id))).where(
        col(Game.status) == "completed",
        col(Game.fold_index).is_(None),
        col(Game.tournament_id).is_not(None),
        col(Game.parent_game_id).is_(None),
        *selection.on(session).of_games(),
    )
    return int(session.execute(query).scalar_one())


def no_games() -> PlayedGames:
    """The games of an empty selection."""
    columns = (each.name for each in fields(PlayedGames) if not each.name.endswith("_names"))
    empty: dict[str, Any] = {
        name: np.empty(0, dtype=np.int64)
        for name in columns
        if name not in ("unranked", "covariates")
    }
    empty["rewards"] = np.empty(0, dtype=np.float64)
    return PlayedGames(**empty, role_names=(), team_names=())


class _Names:
    """Gives every name that comes up a position, in order of appearance."""

    def __init__(self) -> None:
        self._positions: dict[str | None, int] = {None: NOTHING}

    def of(self, values: Sequence[str | None]) -> Integers:
        known = self._positions
        for value in dict.fromkeys(values):
            if value not in known:
                known[value] = len(known) - 1
        return np.fromiter(map(known.__getitem__, values), np.int64, len(values))

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
