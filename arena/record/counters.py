"""Counts again what agents used and how they behaved, tournament by tournament."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from db import Database, Repository
from db.queries.counters import tournaments_to_count
from db.repository.counters import CounterDifference, OnGames
from db.selection import Selection


@dataclass(frozen=True, slots=True)
class CountedTournament:
    """A tournament whose `games` that have ended were counted; `differences` are rows of stored
    counters that were not what the games say, where they were compared."""

    tournament: str
    games: int
    differences: tuple[CounterDifference, ...] = ()


def rebuild_counters(
    database: Database,
    selection: Selection | None = None,
    *,
    check: bool = False,
    everything: bool = False,
    on_games: OnGames | None = None,
) -> Iterator[tuple[int, CountedTournament]]:
    """Count the games of tournaments again and store that, each tournament in a transaction of its
    own: (tournaments left, what was counted), the oldest first.

    Without `everything`, those whose counters are of an earlier version or were never counted; with
    `check`, all that are up to date, which are compared, and nothing is written. One that is
    interrupted keeps what it had. `on_games` hears how many games of a tournament are counted.
    Raises BadSelection for anything but tournaments and environments, DatabaseError.
    """
    current = True if check else None if everything else False
    with database.session() as session:
        wanted = tournaments_to_count(session, selection or Selection(), current=current)
    for left, (key, name) in zip(range(len(wanted) - 1, -1, -1), wanted, strict=True):
        with database.session() as session:
            repo = Repository(session)
            if check:
                repo.freeze()
                games, found = repo.check_counters(key, on_games)
                report = CountedTournament(name, games, tuple(found))
            else:
                repo.lock_ratings()
                report = CountedTournament(name, repo.recount(key, on_games))
        yield left, report
