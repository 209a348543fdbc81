"""What an agent did in each role: how it voted, and what it claimed."""

from __future__ import annotations

from dataclasses import dataclass

from arena.stats.proportions import wilson
from db import Session
from db.counts import GameCounts
from db.queries.counters import role_counts


@dataclass(frozen=True, slots=True)
class ShareEstimate:
    """`count` of `of`, with the 95 % interval of the share: those of one game count as one."""

    count: int
    of: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class AgentInRole:
    """An agent's finished games in a role and team; each is None where the rules define none.

    `right` are its votes for a player of another team, `survived` its places that nobody put out of
    those in games in which somebody was; None without any. Claims and accusations are those that
    were read from its words; an accusation is true where the accused is of another team.
    """

    role: str | None
    team: str | None
    games: int
    right: ShareEstimate | None
    survived: ShareEstimate | None
    claims_true: int
    claims_false: int
    accusations_true: int
    accusations_false: int


def agent_in_roles(session: Session, agent_id: int) -> list[AgentInRole]:
    """Each role and team of an agent, from the counters, by team and role."""
    return [
        _in_role(role, team, counts)
        for (role, team), counts in sorted(
            role_counts(session, agent_id).items(), key=lambda each: each[0][::-1]
        )
    ]


def _in_role(role: str, team: str, counts: GameCounts) -> AgentInRole:
    return AgentInRole(
        role=role or None,
        team=team or None,
        games=counts.games,
        right=estimated(counts.votes_against, counts.votes, counts.games),
        survived=estimated(counts.survived, counts.mortal, counts.games),
        claims_true=counts.claims_true,
        claims_false=counts.claims_false,
        accusations_true=counts.accusations_true,
        accusations_false=counts.accusations_false,
    )


def estimated(count: int, of: int, games: int) -> ShareEstimate | None:
    """The share of `count` in `of`, counted in `games` games; None where `of` is 0."""
    if not of:
        return None
    low, high = wilson(count / of, max(min(of, games), 1))
    return ShareEstimate(count, of, count / of, low, high)
