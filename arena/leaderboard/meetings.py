"""Head to head: who scored what against whom, in which role and on which team."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from arena.core import UsageError
from arena.leaderboard.query import LeaderboardQuery
from arena.leaderboard.scopes import Scope, chosen_by_result, scopes
from arena.reports.voids import told, void_by_name
from arena.stats.head_to_head import HeadToHead, SeatResult, against, by_role, by_team
from db import Session
from db.queries.agents import agent_names
from db.queries.played import NOTHING, PlayedGames

MeetingBy = Literal["agent", "role", "team"]


@dataclass(frozen=True, slots=True)
class Meeting:
    """The matrix of an environment's games, without the `repeats` among them; `names` are
    those of its agents, by agent_id, `notes` sentences for people."""

    environment: str | None
    num_players: int | None
    version: str | None
    tournament: str | None
    by: MeetingBy
    games: int
    left_out: int
    repeats: int
    matrix: HeadToHead
    names: dict[int, str]
    notes: tuple[str, ...] = ()


def meetings(session: Session, query: LeaderboardQuery, by: MeetingBy = "agent") -> list[Meeting]:
    """One matrix for each environment that has games.

    Raises UsageError for names that are not there, and when no game has roles, or teams, and they
    are asked for.
    """
    query.check()
    if query.errors_as == "range":
        raise UsageError("--errors-as range is of ratings: ask twice, with loss and with draw")
    found = scopes(session, query)
    with_parts = [scope for scope in found if by == "agent" or _has(scope.played, by)]
    if found and not with_parts:
        where = ", ".join(sorted({scope.environment or "these games" for scope in found}))
        raise UsageError(f"{where}: no {by}s are known; leave out --by {by}")
    names = {key: agent.name for key, agent in agent_names(session).items()}
    matrices = {"agent": against, "role": by_role, "team": by_team}
    return [
        Meeting(
            environment=scope.environment,
            num_players=scope.num_players,
            version=scope.version,
            tournament=scope.tournament,
            by=by,
            games=len(scope.played),
            left_out=scope.left_out,
            repeats=int(scope.played.repeats.sum()),
            matrix=matrices[by](seats(scope.played)),
            names=_named(scope, names),
            notes=(
                *chosen_by_result(scope, query),
                *told(void_by_name(session, scope.selection)),
            ),
        )
        for scope in with_parts
        if len(scope.played)
    ]


def seats(played: PlayedGames) -> Iterator[SeatResult]:
    """Every seat of the games; those of one environment and seed are a block."""
    keys = np.stack([played.environments, played.seeds], axis=1)
    alone = (played.seeds == NOTHING).tolist()
    numbers = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1).tolist()
    roles, teams = (*played.role_names, None), (*played.team_names, None)
    per_seat = zip(
        played.agents.tolist(),
        played.roles.tolist(),
        played.sides.tolist(),
        played.teams.tolist(),
        played.ranks.tolist(),
        strict=True,
    )
    for game_id, size, block, single in zip(
        played.game_ids.tolist(), played.sizes.tolist(), numbers, alone, strict=True
    ):
        for index in range(size):
            agent, role, side, number, rank = next(per_seat)
            yield SeatResult(
                game_id,
                agent,
                index,
                roles[role],
                teams[side],
                number,
                rank,
                None if single else block,
            )


def _has(played: PlayedGames, by: MeetingBy) -> bool:
    column = played.roles if by == "role" else played.sides
    return bool((column != NOTHING).any())


def _named(scope: Scope, names: dict[int, str]) -> dict[int, str]:
    return {
        agent: names.get(agent, f"agent {agent}")
        for agent in np.unique(scope.played.agents).tolist()
    }
