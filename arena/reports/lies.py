"""Untrue claims: who made them, who heard them, and whether the next vote of a hearer followed.

A claim says what a player is, as it was read from its words. One about itself that is untrue is a
lie; one about another may be a mistake. Made again on the same day it is the same claim. It is
measured on the hearers of other teams than its maker's, by their next vote on that day. A claim
that puts a player on another team than the hearer's accuses it, and is followed by a vote for that
player; any other clears it, and is followed by a vote for somebody else. Beside that stands how
often a vote for any living player, each as likely, would have followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from arena.stats.proportions import Interval, wilson
from db.counts import holds
from db.queries.samples import SampledSeat
from db.writer.events import EventRow

KINDS = ("claim", "vote", "eliminate")
"""The kinds of event that untrue claims and their effect are read from."""


@dataclass(frozen=True, slots=True)
class VoteAfterClaim:
    """The next vote of a hearer: whether it followed the claim, and how likely that was by
    chance."""

    player: int
    followed: bool
    by_chance: float


@dataclass(frozen=True, slots=True)
class UntrueClaim:
    """What player `source` said that player `about` is, first in this turn, with the next votes of
    its hearers of other teams."""

    turn: int | None
    source: int
    about: int
    what: str
    votes: tuple[VoteAfterClaim, ...] = ()

    @property
    def lie(self) -> bool:
        """Whether it is about itself: everybody knows what it is itself."""
        return self.about == self.source


def untrue_claims(seats: Sequence[SampledSeat], events: Sequence[EventRow]) -> list[UntrueClaim]:
    """The untrue claims of a game, in order, from its events of `KINDS`."""
    parts = {seat.player_index: (seat.role, seat.team) for seat in seats}
    teams = {name: team for role, team in parts.values() for name in (role, team) if name}
    found: list[UntrueClaim] = []
    known: set[tuple[object, ...]] = set()
    out: set[int] = set()
    for at, event in enumerate(events):
        if event.kind == "eliminate" and event.target is not None:
            out.add(event.target)
        if event.kind != "claim" or event.source not in parts:
            continue
        about = event.source if event.target is None else event.target
        said = event.data.get("role", event.data.get("team"))
        denies = bool(event.data.get("denies"))
        key = (event.day, event.source, about, said, denies)
        truth = holds("claim", event.data, parts[event.source], parts.get(about, (None, None)))
        if key in known or truth is not False:
            continue
        known.add(key)
        living = len(parts) - len(out)
        votes = []
        for vote in _next_votes(events[at + 1 :], event.day):
            team = parts[vote.source][1] if vote.source in parts else None
            heard = (
                event.audience is None or vote.source is None or event.audience >> vote.source & 1
            )
            if vote.source in (None, about) or team in (None, parts[event.source][1]):
                continue
            if not heard or living < 2:
                continue
            # Seen from the hearer: on another side than its own.
            accuses = (teams.get(said) != team) != denies
            chance = 1 / (living - 1)
            followed = (vote.target == about) == accuses
            votes.append(VoteAfterClaim(vote.source, followed, chance if accuses else 1 - chance))
        what = f"not {said}" if denies else str(said)
        found.append(UntrueClaim(event.turn, event.source, about, what, tuple(votes)))
    return found


def _next_votes(events: Iterable[EventRow], day: int | None) -> Iterable[EventRow]:
    """The next vote of each player on that day, before anybody is put out."""
    voted: set[int | None] = set()
    for event in events:
        if event.day != day:
            return
        if event.kind == "vote" and event.source not in voted:
            voted.add(event.source)
            yield event


@dataclass(frozen=True, slots=True)
class ClaimsBelieved:
    """Untrue claims, `lies` of them about their maker; of the `votes` that came after them
    `followed` did what they ask for, and `by_chance` would have."""

    claims: int = 0
    lies: int = 0
    votes: int = 0
    followed: int = 0
    by_chance: float = 0.0

    @property
    def share(self) -> float | None:
        """The share of the votes that followed; None without any."""
        return self.followed / self.votes if self.votes else None

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of the share, in which the votes after one claim count as one; None
        without votes."""
        share = self.share
        return None if share is None else wilson(share, min(self.votes, self.claims))

    @property
    def chance(self) -> float | None:
        """The share that would have by chance; None without votes."""
        return self.by_chance / self.votes if self.votes else None


def believed(
    claims: Iterable[tuple[UntrueClaim, Sequence[VoteAfterClaim]]],
) -> ClaimsBelieved:
    """The sum of claims, each with those votes after it that count."""
    rows = list(claims)
    votes = [vote for _, after in rows for vote in after]
    return ClaimsBelieved(
        claims=len(rows),
        lies=sum(claim.lie for claim, _ in rows),
        votes=len(votes),
        followed=sum(vote.followed for vote in votes),
        by_chance=sum(vote.by_chance for vote in votes),
    )
