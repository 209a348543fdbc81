"""Computes every rating again from the games alone, and says whether it is what was stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from arena.core import UsageError
from arena.ratings.fold import Standing as Fitted
from arena.ratings.fold import fold
from arena.ratings.games import Games
from arena.ratings.trueskill import TrueSkill
from db import RatingPool, Repository, get_session
from db.errors import MissingDatabase
from db.fold import Change, Pool, Standing
from db.queries.folds import FoldedGames, folded_games
from db.queries.leaderboard import LeaderboardRow, leaderboard
from db.repository.ratings import RatingDifference, Rebuilt


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
    compare. One transaction: a rebuild that is stopped changes nothing.

    Raises UsageError where there is no database, DatabaseError where it cannot be used.
    """
    try:
        with get_session(url, create=False) as session:
            repo = Repository(session)
            if not check:
                repo.lock_ratings()
            games = folded_games(session)
            pools = list(rebuilt(games))
            found = repo.compare_ratings({entry.place: entry.pool for entry in pools})
            found += repo.compare_changes(pools)
            if found and not check:
                repo.replace_ratings(pools)
    except MissingDatabase as error:
        raise UsageError(str(error)) from error
    return RebuildReport(len(games.sizes), len(pools), tuple(map(_said, found)), check)


def refit(
    url: str | Path | None = None, *, pool_id: int, decided: bool = False
) -> list[LeaderboardRow]:
    """A pool's agents, best first, rated from its games again: without those that an agent's own
    error decided, or, with `decided`, from all. Nothing is written.

    Raises UsageError where there is no database, DatabaseError where it cannot be used.
    """
    try:
        with get_session(url, create=False) as session:
            pool = session.get(RatingPool, pool_id)
            stored = leaderboard(session, pool_id)
            games = folded_games(session, decided=decided)
    except MissingDatabase as error:
        raise UsageError(str(error)) from error
    chosen: Sequence[int] = ()
    if pool is not None and pool.environment_id is not None:
        chosen = games.by_place().get((pool.environment_id, pool.tournament_id), ())
    fitted = fold(_columns(games, chosen), TrueSkill())[0].standings if chosen else {}
    rows = []
    for row in stored:
        now = _standing(fitted[row.agent_id]) if row.agent_id in fitted else Standing()
        rows.append(
            replace(
                row,
                mu=now.mu,
                sigma=now.sigma,
                games=now.games,
                wins=now.wins,
                draws=now.draws,
                losses=now.losses,
            )
        )
    return sorted(rows, key=lambda row: (-row.mu, row.agent_id))


def rebuilt(games: FoldedGames) -> Iterator[Rebuilt]:
    """Every pool, from packed columns of the games in fold order."""
    system = TrueSkill()
    for place, chosen in games.by_place().items():
        pool, changes = fold(_columns(games, chosen), system)
        standings = {agent: _standing(row) for agent, row in pool.standings.items()}
        rows = [
            (games.game_ids[chosen[game]], Change(agent, *floats))
            for game, agent, *floats in changes.rows()
        ]
        yield Rebuilt(place, Pool(pool.games, pool.draws, standings), rows)


def _standing(row: Fitted) -> Standing:
    return Standing(row.rating.mu, row.rating.sigma, row.games, row.wins, row.draws, row.losses)


def _columns(games: FoldedGames, chosen: Sequence[int]) -> Games:
    if len(chosen) == len(games.sizes):
        return Games(games.sizes, games.agents, games.teams, games.ranks)
    sizes = np.asarray(games.sizes)[chosen]
    starts = np.asarray(games.starts)[chosen]
    seats = np.fromiter(
        chain.from_iterable(range(s, s + n) for s, n in zip(starts, sizes, strict=True)), np.int64
    )
    columns = (np.asarray(column)[seats] for column in (games.agents, games.teams, games.ranks))
    return Games(sizes, *columns)


def _said(difference: RatingDifference) -> str:
    environment, tournament = difference.place
    where = f"environment {environment}" + (f", tournament {tournament}" if tournament else "")
    who = "" if difference.agent_id is None else f", agent {difference.agent_id}"
    return f"{where}{who}: {difference.stored} stored, {difference.computed} from the games"
