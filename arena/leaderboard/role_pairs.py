"""Who finished before whom in which roles, from what was counted when the games were rated."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from arena.core import UsageError
from arena.stats.head_to_head import cells_of
from db import Session
from db.pairs import unit
from db.queries.agents import agent_names
from db.queries.pairs import counted_scopes, pair_counts
from db.selection import Selection


@dataclass(frozen=True, slots=True)
class RolePair:
    """Two agents on different teams, each in a role, and their `games`: those in which the first
    one's team finished `before` the other's, `level` with it, or `after` it. In a game in which
    they had these roles on several teams and neither all came before nor all after, they are level.
    `score` is the share that the first one won, of 1 a game, with its 95 % interval from `low` to
    `high`."""

    environment: str
    num_players: int
    version: str | None
    tournament: str | None
    agent_id: int
    agent: str
    role: str
    against_id: int
    against: str
    against_role: str
    games: int
    before: int
    level: int
    after: int
    score: float
    low: float
    high: float


def role_pairs(
    session: Session, selection: Selection, agents: Collection[int] | None = None
) -> list[RolePair]:
    """Every pair of a selection both ways, an environment after another, in order of agent and
    role; of some `agents` only, where they are named.

    Raises UsageError where that was not counted, and for a selection by anything but one tournament
    and environments; BadSelection for what is not on record.
    """
    scopes = counted_scopes(session, selection)
    if scopes is None:
        raise UsageError(
            "who finished before whom in which role is counted for all games, by environment and "
            "for a tournament: ask for one of these; `arena ratings rebuild` counts the games of "
            "an earlier release"
        )
    tournament = next(iter(selection.on(session).named.get("tournament", {}).values()), None)
    names = {key: agent.name for key, agent in agent_names(session).items()}
    found = []
    for scope in scopes:
        whole = unit(scope.num_players)
        found_here = pair_counts(session, scope, "roles", agents)
        counts = {key: count for key, count in found_here.items() if key.by == "roles"}
        both = counts | {key.turned: count.turned(whole) for key, count in counts.items()}
        for key, count in sorted(both.items()):
            seen, _ = cells_of(count, whole)
            found.append(
                RolePair(
                    scope.environment,
                    scope.num_players,
                    scope.version,
                    tournament,
                    key.agent_id,
                    names.get(key.agent_id, f"agent {key.agent_id}"),
                    key.part,
                    key.other_id,
                    names.get(key.other_id, f"agent {key.other_id}"),
                    key.other_part,
                    count.games,
                    count.won,
                    count.drawn,
                    count.lost,
                    seen.score,
                    *seen.interval,
                )
            )
    return found
