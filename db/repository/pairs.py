"""Who finished before whom: counted again from the games, and compared with what is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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

    def forget_pairs(self, environment_id: int) -> None:
        """Delete the counts of an environment, whose games are not what they were."""
        self.session.execute(
            delete(PairScope).where(col(PairScope.environment_id) == environment_id)
        )

    def compare_pairs(self, *, mend: bool = False) -> list[PairDifference]:
        """Where the stored counts differ from what the rated games say; empty when nowhere. To
        `mend` is to put what they say in the place of every count: call it while no tournament is
        run. What holds a game whose teams have no single rank is not counted, and what was never
        counted (`uncounted_pairs`) is no difference."""
        found = []
        counted, stored = self._counted(), self._stored()
        for key in sorted(stored, key=lambda key: (key[0], key[1] or 0)):
            mine, theirs = counted.get(key, _Scope()), stored.get(key, _Scope())
            sizes = [(each.games, each.repeats, each.newest) for each in (theirs, mine)]
            if sizes[0] != sizes[1] or key not in counted:
                found.append(PairDifference(key, None, sizes[0], sizes[1]))
            for of in sorted({*mine.counts, *theirs.counts}):
                pair = [scope.counts.get(of) for scope in (theirs, mine)]
                if pair[0] != pair[1]:
                    told = [None if count is None else tuple(count) for count in pair]
                    found.append(PairDifference(key, of, told[0], told[1]))
        if mend and (found or counted.keys() - stored.keys()):
            self._store(counted)
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

    def _store(self, counted: Mapping[ScopeKey, _Scope]) -> None:
        self.session.execute(delete(PairScope))
        names = [column.name for column in PairTotal.__table__.columns]  # type: ignore[attr-defined]
        for key, scope in counted.items():
            row = PairScope(
                environment_id=key.environment_id,
                tournament_id=key.tournament_id,
                games=scope.games,
                repeats=scope.repeats,
                newest=scope.newest,
            )
            self.session.add(row)
            self.session.flush()
            rows = [
                dict(zip(names, (row.id, *of, *count), strict=True))
                for of, count in sorted(scope.counts.items())
            ]
            for at in range(0, len(rows), _ROWS):
                self.session.execute(insert(PairTotal), rows[at : at + _ROWS])

    def _stored(self) -> dict[ScopeKey, _Scope]:
        found: dict[int, tuple[ScopeKey, _Scope]] = {}
        query: Any = select(PairScope).order_by(col(PairScope.id))
        for row in self.session.scalars(query):
            key = ScopeKey(row.environment_id, row.tournament_id)
            found[row.id] = key, _Scope(row.games, row.repeats, row.newest)
        counts: Any = select(PairTotal.__table__)  # type: ignore[attr-defined]
        for scope_id, *row in self.session.execute(counts):
            found[scope_id][1].counts[PairKey(*row[:5])] = PairCount(*map(int, row[5:]))
        return dict(found.values())

    def _counted(self) -> dict[ScopeKey, _Scope]:
        scopes: dict[ScopeKey, _Scope] = {}
        sums: dict[ScopeKey, PairSums] = {}
        uneven: set[ScopeKey] = set()
        query: Any = select(col(Environment.id), col(Environment.num_players))
        wholes = {key: unit(players) for key, players in self.session.execute(query)}
        for environment_id, block in self._blocks():
            likely = [game for group in alike(block) if len(group) > 1 for game in group]
            anew = drawn_anew(self.session, likely) if likely else set()
            cups = {game.tournament_id for game in block}
            whole = wholes[environment_id]
            made: dict[PairKey, PairCount] | None = None
            for tournament_id in {None, *cups}:
                key = ScopeKey(environment_id, tournament_id)
                here = [g for g in block if tournament_id in (None, g.tournament_id)]
                now = counting(here, anew)
                if made is None or len(cups) > 1:
                    try:
                        made = block_counts([scores(game.seats, whole) for game in now], whole)
                    except ValueError:
                        uneven.add(key)
                        continue
                sums.setdefault(key, PairSums()).add(made)
                scope = scopes.setdefault(key, _Scope())
                scope.games += len(now)
                scope.repeats += sum(bool(game.seats) for game in here) - len(now)
                scope.newest = max(scope.newest, *(game.fold_index for game in here))
        for key, scope in scopes.items():
            scope.counts = sums[key].counts()
        return {key: scope for key, scope in scopes.items() if key not in uneven}

    def _blocks(self) -> Iterator[tuple[int, list[BlockGame]]]:
        """The environment and the games of every block."""
        game, player = Game, GamePlayer
        query: Any = (
            select(
                col(game.environment_id),
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
            .where(*RATED, col(game.environment_id).is_not(None))
            .order_by(
                col(game.environment_id),
                col(game.seed),
                col(game.fold_index),
                col(player.player_index),
            )
            .execution_options(yield_per=10_000)
        )
        rows = self.session.execute(query)
        # Without a seed a game is a block of its own.
        for (environment_id, *_), places in groupby(
            rows, lambda row: (row[0], row[1], row[3] if row[1] is None else None)
        ):
            games = groupby(places, lambda row: tuple(row[2:6]))
            yield (
                environment_id,
                [BlockGame.read(key, (row[6:] for row in of)) for key, of in games],
            )
