"""Computes every rating and count again from the games alone, and compares with what is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from arena import registry
from arena.core import Games, OnlineRatingSystem, PluginError, UsageError
from arena.core.arrays import Integers
from arena.ratings.online.fold import Pool, fold
from db import Repository, Session, get_session
from db.database import Source
from db.errors import MissingDatabase
from db.fold import PoolKey, PoolStop, StoredPool, StoredStanding
from db.queries.folds import FoldedGames, Span, folded_games, spans
from db.queries.steps import Steps, stored_steps
from db.repository.pairs import PairDifference
from db.repository.ratings import RatingDifference


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What a rebuild found: `games` were folded into `pools`; `differences` are the places where
    what was stored was not, to the last bit, what the games say; `left` says which pools could not
    be computed to their end, and why. The pairs of `uncounted` environments are not counted: they
    are read from the games instead."""

    games: int
    pools: int
    differences: tuple[str, ...]
    checked_only: bool
    left: tuple[str, ...] = ()
    uncounted: int = 0

    @property
    def ok(self) -> bool:
        """Nothing is left to mend: all was the same, or was rewritten."""
        return not self.left and not (self.checked_only and self.differences)

    def __str__(self) -> str:
        lines = [self._found(), *self.left]
        if self.uncounted:
            lines.append(
                f"environments without counts of pairs: {self.uncounted}; `arena ratings rebuild` "
                "counts those that can be"
            )
        return "\n".join(lines)

    def _found(self) -> str:
        what = f"{self.games} games in {self.pools} pools"
        if not self.differences:
            return f"{what}: the stored ratings are those of the games, and the pairs, bit for bit"
        shown = "\n".join(self.differences[:10])
        more = f"\n... and {len(self.differences) - 10} more" if len(self.differences) > 10 else ""
        done = "differ from the games" if self.checked_only else "differed and were rewritten"
        return f"{what}: {len(self.differences)} stored values {done}\n{shown}{more}"


def rebuild(url: Source = None, *, check: bool = False) -> RebuildReport:
    """Fold all rated games again, in the order in which they were rated, each by the system of its
    tournament, count who finished before whom, and forget the boards that are stored; with `check`,
    only compare. One transaction: a rebuild that is stopped changes nothing. A stretch of games at
    a time is in memory, whatever their number.

    The pools of a system that is not installed are left as they are. Raises UsageError where there
    is no database, DatabaseError where it cannot be used.
    """
    try:
        with get_session(url, create=False) as session:
            return rebuild_on(session, check=check)
    except MissingDatabase as error:
        raise UsageError(str(error)) from error


def rebuild_on(session: Session, *, check: bool = False) -> RebuildReport:
    """The same in the caller's transaction, in which nothing may have been read before that others
    write."""
    repo = Repository(session)
    if check:
        repo.freeze()
    else:
        repo.lock_ratings()
    systems = _systems(repo)
    games, pools, found = _compare(session, repo, systems)
    if found and not check:
        _replace(session, repo, systems)
    counts = repo.compare_pairs(mend=not check)
    if not check:
        repo.forget_boards()
    stopped = [_stopped(key, pool.stop) for key, pool in pools.items() if pool.stop is not None]
    left = (*systems.missing, *stopped)
    differences = (*map(_said, found), *map(_counted, counts))
    uncounted = repo.uncounted_pairs()
    return RebuildReport(games, len(pools), differences, check, left, uncounted)


class _Systems(NamedTuple):
    """The systems that rate, by the name of their pools, and that name by tournament; `missing` are
    sentences about those that cannot be had."""

    rate: Mapping[str, OnlineRatingSystem]
    of_tournament: Mapping[int, str]
    missing: Sequence[str]


def _systems(repo: Repository) -> _Systems:
    written = repo.rating_systems()
    rate: dict[str, OnlineRatingSystem] = {}
    names: dict[str, str] = {}
    missing = []
    for name in sorted({*written.values(), *(key.system for key in repo.pool_ids())}):
        try:
            names[name], system = registry.online_rating(name)
            rate[names[name]] = system
        except (UsageError, PluginError) as error:
            missing.append(f"the ratings by {name} are left as they are: {error}")
    of_tournament = {key: names[name] for key, name in written.items() if name in names}
    return _Systems(rate, of_tournament, missing)


class _Stretch(NamedTuple):
    """A span of the fold order: how many games it has, the pools after them, and the steps that
    they make ratings take."""

    span: Span
    games: int
    pools: Mapping[PoolKey, StoredPool]
    steps: Mapping[PoolKey, Steps]


def _stretches(session: Session, systems: _Systems) -> Iterator[_Stretch]:
    pools: dict[PoolKey, Pool] = {}
    stored: dict[PoolKey, StoredPool] = {}
    for span in spans(session):
        games = folded_games(session, span)
        steps = {}
        for key, chosen in games.by_pool(systems.of_tournament).items():
            start = pools.get(key)
            if start is not None and start.failure is not None:
                continue
            pool, changes = fold(_columns(games, chosen), systems.rate[key.system], start)
            pools[key], stored[key] = pool, _as_stored(pool, games, chosen)
            values = (
                changes.mu_before,
                changes.sigma_before,
                changes.mu_after,
                changes.sigma_after,
            )
            ids = games.game_ids[chosen[changes.game]]
            steps[key] = Steps(ids, changes.agent, np.stack(values, axis=1))
        yield _Stretch(span, len(games), stored, steps)


def _compare(
    session: Session, repo: Repository, systems: _Systems
) -> tuple[int, Mapping[PoolKey, StoredPool], list[RatingDifference]]:
    """How many games there are, the pools that they make, and where what is stored is not that."""
    ids = {key: pool_id for key, pool_id in repo.pool_ids().items() if key.system in systems.rate}
    games = 0
    pools: Mapping[PoolKey, StoredPool] = {}
    computed, equal = Counter[PoolKey](), Counter[PoolKey]()
    for stretch in _stretches(session, systems):
        games, pools = games + stretch.games, stretch.pools
        stored = stored_steps(session, stretch.span)
        for key, steps in stretch.steps.items():
            computed[key] += len(steps)
            mine = stored.get(ids.get(key, 0))
            equal[key] += 0 if mine is None else steps.equal(mine)
    found = repo.compare_ratings(pools, ids)
    counts = repo.count_steps()
    for key in dict.fromkeys([*ids, *pools]):
        ours, theirs = counts.get(ids.get(key, 0), 0), computed[key]
        if not ours == theirs == equal[key]:
            said = [f"{steps} steps, {equal[key]} of them equal" for steps in (ours, theirs)]
            found.append(RatingDifference(key, None, *said))
    return games, pools, found


def _replace(session: Session, repo: Repository, systems: _Systems) -> None:
    """Rewrite all of it."""
    repo.clear_ratings(systems.rate.keys())
    pools: Mapping[PoolKey, StoredPool] = {}
    for stretch in _stretches(session, systems):
        pools = stretch.pools
        for key, steps in stretch.steps.items():
            repo.store_steps(key, steps)
    for key, pool in pools.items():
        repo.store_pool(key, pool)


def _as_stored(pool: Pool, games: FoldedGames, chosen: Integers) -> StoredPool:
    """A pool after a fold of the chosen games."""
    standings = {
        agent: StoredStanding(
            row.rating.mu, row.rating.sigma, row.games, row.wins, row.draws, row.losses
        )
        for agent, row in pool.standings.items()
    }
    stop = None
    if pool.failure is not None:
        at = chosen[pool.failure.game]
        stop = PoolStop.at(int(games.places[at]), int(games.game_ids[at]), pool.failure.error)
    return StoredPool(pool.games, pool.draws, standings, stop)


def _columns(games: FoldedGames, chosen: Integers) -> Games:
    if len(chosen) == len(games):
        return Games(games.sizes, games.agents, games.teams, games.ranks)
    sizes = games.sizes[chosen]
    starts = games.starts[chosen]
    seats = np.repeat(starts - (np.cumsum(sizes) - sizes), sizes) + np.arange(sizes.sum())
    return Games(sizes, games.agents[seats], games.teams[seats], games.ranks[seats])


def _said(difference: RatingDifference) -> str:
    who = "" if difference.agent_id is None else f", agent {difference.agent_id}"
    return (
        f"{_named(difference.pool)}{who}: {difference.stored} stored, {difference.computed} from "
        "the games"
    )


def _counted(difference: PairDifference) -> str:
    environment, tournament = difference.scope
    where = f"environment {environment}" + (f", tournament {tournament}" if tournament else "")
    stored, counted = (
        "nothing" if numbers is None else " ".join(map(str, numbers))
        for numbers in (difference.stored, difference.counted)
    )
    if difference.key is None:
        return f"{where}, games, repeats, newest: {stored} stored, {counted} from the games"
    by, agent, part, other, other_part = difference.key
    names = f"agent {agent} {part}".strip()
    if other:
        names += f" against agent {other} {other_part}".rstrip()
    return f"{where}, pairs by {by}, {names}: {stored} stored, {counted} from the games"


def _stopped(key: PoolKey, stop: PoolStop) -> str:
    return (
        f"{_named(key)}: {key.system} raised an error at {stop.reason}; this game and those after "
        "it are not rated: mend the rating system, then `arena ratings rebuild`"
    )


def _named(key: PoolKey) -> str:
    tournament = "" if key.tournament_id is None else f", tournament {key.tournament_id}"
    return f"environment {key.environment_id}{tournament}, by {key.system}"
