"""Computes every rating again from the games alone, and says whether it is what was stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sqlmodel import Session

from arena.core import Games, UsageError
from arena.ratings.online.columns import Integers
from arena.ratings.online.fold import Pool, fold
from arena.ratings.trueskill import TrueSkill
from db import Repository, get_session
from db.errors import MissingDatabase
from db.fold import Pool as StoredPool
from db.fold import Standing
from db.queries.folds import FoldedGames, Span, folded_games, spans
from db.queries.steps import Steps, stored_steps
from db.repository.ratings import Place, RatingDifference


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What a rebuild found: `games` were folded into `pools`; `differences` are the places where
    what was stored was not, to the last bit, what the games say."""

    games: int
    pools: int
    differences: tuple[str, ...]
    checked_only: bool

    @property
    def ok(self) -> bool:
        """Nothing is left to mend: all was the same, or was written anew."""
        return not (self.checked_only and self.differences)

    def __str__(self) -> str:
        what = f"{self.games} games in {self.pools} pools"
        if not self.differences:
            return f"{what}: the stored ratings are those of the games, bit for bit"
        shown = "\n".join(self.differences[:10])
        more = f"\n... and {len(self.differences) - 10} more" if len(self.differences) > 10 else ""
        done = "differ from the games" if self.checked_only else "differed and were written anew"
        return f"{what}: {len(self.differences)} stored values {done}\n{shown}{more}"


def rebuild(url: str | Path | None = None, *, check: bool = False) -> RebuildReport:
    """Fold all rated games again, in the order in which they were rated; with `check`, only
    compare. One transaction: a rebuild that is stopped changes nothing. A stretch of games at a
    time is in memory, whatever their number.

    Raises UsageError where there is no database, DatabaseError where it cannot be used.
    """
    try:
        with get_session(url, create=False) as session:
            repo = Repository(session)
            if check:
                repo.freeze()
            else:
                repo.lock_ratings()
            games, pools, found = _compare(session, repo)
            if found and not check:
                _replace(session, repo)
    except MissingDatabase as error:
        raise UsageError(str(error)) from error
    return RebuildReport(games, pools, tuple(map(_said, found)), check)


class _Stretch(NamedTuple):
    """A span of the fold order: how many games it has, the pools after them, and the steps that
    they make ratings take."""

    span: Span
    games: int
    pools: Mapping[Place, Pool]
    steps: Mapping[Place, Steps]


def _stretches(session: Session) -> Iterator[_Stretch]:
    system = TrueSkill()
    pools: dict[Place, Pool] = {}
    for span in spans(session):
        games = folded_games(session, span)
        steps = {}
        for place, chosen in games.by_place().items():
            pools[place], changes = fold(_columns(games, chosen), system, pools.get(place))
            values = (
                changes.mu_before,
                changes.sigma_before,
                changes.mu_after,
                changes.sigma_after,
            )
            ids = games.game_ids[chosen[changes.game]]
            steps[place] = Steps(ids, changes.agent, np.stack(values, axis=1))
        yield _Stretch(span, len(games), pools, steps)


def _compare(session: Session, repo: Repository) -> tuple[int, int, list[RatingDifference]]:
    """How many games and pools there are, and where what is stored is not what they say."""
    keys = repo.pool_keys()
    games = 0
    pools: Mapping[Place, Pool] = {}
    computed, equal = Counter[Place](), Counter[Place]()
    for stretch in _stretches(session):
        games, pools = games + stretch.games, stretch.pools
        stored = stored_steps(session, stretch.span)
        for place, steps in stretch.steps.items():
            computed[place] += len(steps)
            mine = stored.get(keys.get(place, 0))
            equal[place] += 0 if mine is None else steps.equal(mine)
    found = repo.compare_ratings({place: _as_stored(pool) for place, pool in pools.items()})
    counts = repo.count_steps()
    for place in dict.fromkeys([*keys, *pools]):
        ours, theirs = counts.get(keys.get(place, 0), 0), computed[place]
        if not ours == theirs == equal[place]:
            said = [f"{steps} steps, {equal[place]} of them equal" for steps in (ours, theirs)]
            found.append(RatingDifference(place, None, *said))
    return games, len(pools), found


def _replace(session: Session, repo: Repository) -> None:
    """Write all of it anew."""
    repo.clear_ratings()
    pools: Mapping[Place, Pool] = {}
    for stretch in _stretches(session):
        pools = stretch.pools
        for place, steps in stretch.steps.items():
            repo.store_steps(place, steps)
    for place, pool in pools.items():
        repo.store_pool(place, _as_stored(pool))


def _as_stored(pool: Pool) -> StoredPool:
    standings = {
        agent: Standing(row.rating.mu, row.rating.sigma, row.games, row.wins, row.draws, row.losses)
        for agent, row in pool.standings.items()
    }
    return StoredPool(pool.games, pool.draws, standings)


def _columns(games: FoldedGames, chosen: Integers) -> Games:
    if len(chosen) == len(games):
        return Games(games.sizes, games.agents, games.teams, games.ranks)
    sizes = games.sizes[chosen]
    starts = games.starts[chosen]
    seats = np.repeat(starts - (np.cumsum(sizes) - sizes), sizes) + np.arange(sizes.sum())
    return Games(sizes, games.agents[seats], games.teams[seats], games.ranks[seats])


def _said(difference: RatingDifference) -> str:
    environment, tournament = difference.place
    where = f"environment {environment}" + (f", tournament {tournament}" if tournament else "")
    who = "" if difference.agent_id is None else f", agent {difference.agent_id}"
    return f"{where}{who}: {difference.stored} stored, {difference.computed} from the games"
