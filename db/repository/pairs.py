"""Who finished before whom: counted again from the games, and compared with what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import delete, func, insert, select
from sqlmodel import Session, col

from db.models import Environment, Game, GamePlayer, PairScope, PairTotal
from db.pairs import (
    BlockGame,
    PairCount,
    PairKey,
    PairSums,
    alike,
    block_counts,
    counting,
    scores,
    unit,
)
from db.queries.games import RATED
from db.queries.repeats import drawn_anew

_ROWS = 2_000


class ScopeKey(NamedTuple):
    """The games of an environment, or those of one tournament in it."""

    environment_id: int
    tournament_id: int | None


@dataclass(slots=True)
class _Scope:
    games: int = 0
    repeats: int = 0
    newest: int = 0
    counts: dict[PairKey, PairCount] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PairDifference:
    """Where the stored counts of a scope are not those of its games; `key` is None where that is
    the number of games or of repeats. None stands for a count that there is not."""

    scope: ScopeKey
    key: PairKey | None
    stored: tuple[int, ...] | None
    counted: tuple[int, ...] | None


class PairRepository:
    session: Session

    def compare_pairs(self, *, mend: bool = False) -> list[PairDifference]:
        """Where the stored counts differ from what the rated games say; empty when nowhere. To
        `mend` is to put what they say in the place of what differs: call it while no tournament is
        run. What holds a game whose teams have no single rank is not counted, and what was never
        counted (`uncounted_pairs`) is no difference. The counts of one tournament, or of an
        environment, are in memory at a time."""
        found = []
        stored = {
            ScopeKey(row.environment_id, row.tournament_id): row.id or 0
            for row in self.session.scalars(select(PairScope))
        }
        rated = self._rated() if mend else ()
        for key in sorted({*rated, *stored}, key=lambda key: (key[0], key[1] or 0)):
            mine, theirs = self._counted(key), self._stored(stored.get(key))
            differences = [] if theirs is None else [*_differences(key, theirs, mine)]
            found += differences
            if mend and (differences or theirs is None):
                self._replace(key, mine)
        return found

    def uncounted_pairs(self) -> int:
        """How many environments have rated games and no counts: games that an earlier release
        rated, or some whose teams have no single rank."""
        rated: Any = (
            select(col(Game.environment_id))
            .where(*RATED, col(Game.environment_id).is_not(None))
            .distinct()
        )
        known: Any = select(col(PairScope.environment_id)).where(
            col(PairScope.tournament_id).is_(None)
        )
        return len({*self.session.scalars(rated)} - {*self.session.scalars(known)})

    def _replace(self, key: ScopeKey, scope: _Scope | None) -> None:
        of_one = col(PairScope.tournament_id) == key.tournament_id
        if key.tournament_id is None:
            of_one = col(PairScope.tournament_id).is_(None)
        here = col(PairScope.environment_id) == key.environment_id
        self.session.execute(delete(PairScope).where(here, of_one))
        if scope is None:
            return
        row = PairScope(
            environment_id=key.environment_id,
            tournament_id=key.tournament_id,
            games=scope.games,
            repeats=scope.repeats,
            newest=scope.newest,
        )
        self.session.add(row)
        self.session.flush()
        names = [column.name for column in PairTotal.__table__.columns]  # type: ignore[attr-defined]
        counts = sorted(scope.counts.items())
        for at in range(0, len(counts), _ROWS):
            rows = [
                dict(zip(names, (row.id, *of, *count), strict=True))
                for of, count in counts[at : at + _ROWS]
            ]
            self.session.execute(insert(PairTotal), rows)

    def _stored(self, scope_id: int | None) -> _Scope | None:
        if scope_id is None:
            return None
        row = self.session.get_one(PairScope, scope_id)
        table: Any = PairTotal.__table__  # type: ignore[attr-defined]
        counts = self.session.execute(select(table).where(table.c.scope_id == scope_id))
        found = {PairKey(*each[1:6]): PairCount(*map(int, each[6:])) for each in counts}
        return _Scope(row.games, row.repeats, row.newest, found)

    def _rated(self) -> Iterator[ScopeKey]:
        """What has rated games."""
        query: Any = (
            select(col(Game.environment_id), col(Game.tournament_id))
            .where(*RATED, col(Game.environment_id).is_not(None))
            .distinct()
        )
        for environment_id, tournament_id in self.session.execute(query).all():
            yield ScopeKey(environment_id, None)
            if tournament_id is not None:
                yield ScopeKey(environment_id, tournament_id)

    def _counted(self, key: ScopeKey) -> _Scope | None:
        """None without games, and where a team has two ranks."""
        query: Any = select(col(Environment.num_players))
        of_one = query.where(col(Environment.id) == key.environment_id)
        whole = unit(self.session.execute(of_one).scalar_one())
        sums, scope = PairSums(), _Scope()
        for block in self._blocks(key):
            likely = [game for group in alike(block) if len(group) > 1 for game in group]
            now = counting(block, drawn_anew(self.session, likely) if likely else ())
            try:
                sums.add(block_counts([scores(game.seats, whole) for game in now], whole))
            except ValueError:
                return None
            scope.games += len(now)
            scope.repeats += sum(bool(game.seats) for game in block) - len(now)
            scope.newest = max(scope.newest, *(game.fold_index for game in block))
        scope.counts = sums.counts()
        return scope if scope.newest else None

    def _blocks(self, key: ScopeKey) -> Iterator[list[BlockGame]]:
        """The games of every block."""
        game, player = Game, GamePlayer
        query: Any = (
            select(
                col(game.seed),
                col(game.fold_index),
                col(game.id),
                col(game.tournament_id),
                func.coalesce(col(game.revision), 1),
                col(player.agent_id),
                col(player.role),
                col(player.team),
                col(player.rank),
            )
            .join(player, col(player.game_id) == col(game.id))
            .where(*RATED, col(game.environment_id) == key.environment_id)
            .order_by(col(game.seed), col(game.fold_index), col(player.player_index))
            .execution_options(yield_per=10_000)
        )
        if key.tournament_id is not None:
            query = query.where(col(game.tournament_id) == key.tournament_id)
        rows = self.session.execute(query)
        # Without a seed a game is a block of its own.
        for _, places in groupby(rows, lambda row: (row[0], row[2] if row[0] is None else None)):
            games = groupby(places, lambda row: tuple(row[1:5]))
            yield [BlockGame.read(of, (row[5:] for row in seats)) for of, seats in games]


def _differences(key: ScopeKey, theirs: _Scope, counted: _Scope | None) -> Iterator[PairDifference]:
    mine = counted or _Scope()
    sizes = [(each.games, each.repeats, each.newest) for each in (theirs, mine)]
    if sizes[0] != sizes[1] or counted is None:
        yield PairDifference(key, None, sizes[0], sizes[1])
    for of in sorted({*mine.counts, *theirs.counts}):
        pair = [scope.counts.get(of) for scope in (theirs, mine)]
        if pair[0] != pair[1]:
            told = [None if count is None else tuple(count) for count in pair]
            yield PairDifference(key, of, told[0], told[1])
