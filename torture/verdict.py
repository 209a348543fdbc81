"""Holds a tournament's record against the server's books and against a run that was left alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from torture.facts import Census, Facts, differences
from torture.service import Books


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with a tournament that was disturbed and finished; all zero when nothing is.

    `unknown` requests of the server's books without a row; `repaid` answers that were on record
    and were asked for again; `doubled` turns, over all attempts; `rated_twice` games; `lost`
    places of the schedule without a result; `different` facts, with `where` they differ first.
    """

    unknown: int
    repaid: int
    doubled: int
    rated_twice: int
    lost: int
    different: int
    where: str = ""

    @property
    def clean(self) -> bool:
        return not any(
            (self.unknown, self.repaid, self.doubled, self.rated_twice, self.lost, self.different)
        )


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """A run that was left alone: what the others must come to."""

    facts: Facts
    census: Census
    startup: float
    playing: float

    @property
    def places(self) -> int:
        return len(self.facts.games)


def judge(alone: Undisturbed, facts: Facts, census: Census, books: Books) -> Verdict:
    """The verdict on the facts and the census of a tournament, and the books of its lane.

    Requests are matched by the digest of their messages, and counted, because two games may ask
    the same. Every digest has to be answered exactly as often as in the undisturbed run: an
    answer more was paid for twice. The same is asked of the books: what the server was asked more
    often than there, an unanswered or failed row has to explain.
    """
    asked = books.digests()
    needed = alone.census.answered
    explained = needed + census.unanswered + census.failed
    found = differences(_plain(alone.facts), _plain(facts))
    return Verdict(
        unknown=(asked - census.calls).total(),
        repaid=max((census.answered - needed).total(), (asked - explained).total()),
        doubled=(census.turns - alone.census.turns).total(),
        rated_twice=_rated_twice(facts, alone),
        lost=sum(1 for place in alone.facts.games if not census.finished[place]),
        different=len(found),
        where=found[0] if found else "",
    )


def lost_in_flight(books: Books, until: float, before: Census, after: Census) -> int:
    """Answers that the server had written by `until`, when the run was killed, and that the
    database does not have. `books` are those of this run; `before` and `after` count its rows."""
    kept = after.answered - before.answered
    return (books.answered(until) - kept).total()


def _plain(facts: Facts) -> dict[str, object]:
    return {
        "games": facts.games,
        "ratings": facts.ratings,
        "changes": facts.changes,
        "counters": facts.counters,
    }


def _rated_twice(facts: Facts, alone: Undisturbed) -> int:
    """Places of the schedule that moved an agent's rating in a pool more often than one game
    does."""
    again = _steps(facts) - _steps(alone.facts)
    return len({(pool, place) for pool, place, _ in again})


def _steps(facts: Facts) -> Counter[tuple[str, int, str]]:
    return Counter((row["pool"]["of"], row["place"], row["agent"]) for row in facts.changes)
