"""Head to head: who scored what against whom, in which role and on which team."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from arena.core import UsageError
from arena.leaderboard.query import LeaderboardQuery
from arena.leaderboard.scopes import Scope, chosen_by_result, scopes
from arena.reports.voids import told, void_by_name
from arena.stats.head_to_head import Cell, HeadToHead, cells_of
from db import Session
from db.pairs import Counts, PairKey, PairSeat, PairSums, block_counts, scores, unit
from db.queries.agents import agent_names
from db.queries.pairs import CountedScope, counted_scopes, pair_counts
from db.queries.played import NOTHING, PlayedGames
from db.selection import Selection

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
    """One matrix for each environment that has games: from what was counted when they were rated,
    or, where a query leaves games out, from the games.

    Raises UsageError for names that are not there, and when no game has roles, or teams, and they
    are asked for.
    """
    query.check()
    if query.errors_as == "range":
        raise UsageError("--errors-as range is of ratings: ask twice, with loss and with draw")
    found = _counted(session, query, by)
    return _scanned(session, query, by) if found is None else found


def counted_matrix(
    session: Session,
    scope: CountedScope,
    by: MeetingBy = "agent",
    agents: Collection[int] | None = None,
) -> HeadToHead:
    """The matrix of a counted scope, of some `agents` only where they are named. No game is read,
    so that it costs the same however many there are."""
    return head_to_head(pair_counts(session, scope, by, agents), by, unit(scope.num_players))


def head_to_head(counts: Counts, by: MeetingBy, whole: int) -> HeadToHead:
    """The matrix of these counts, in which a won game scores `whole`.

    By agent: the row's score against the column in the games in which they were on different teams;
    an agent has no cell against itself. By role or team: the agent's score in it, over the other
    teams of the game on which it does not sit itself."""
    rows = sorted({key.agent_id for key in counts if key.by == "agent" and key.alone})
    cells: dict[tuple[int, int | str], Cell] = {}
    for key, count in counts.items():
        if key.by != by or key.alone:
            continue
        if by == "agent":
            ours, theirs = cells_of(count, whole)
            cells[key.agent_id, key.other_id] = ours
            cells[key.other_id, key.agent_id] = theirs
        else:
            cells[key.agent_id, key.part], _ = cells_of(count, whole)
    columns = rows if by == "agent" else sorted({key.part for key in counts if key.by == by})
    return HeadToHead(tuple(rows), tuple(columns), dict(sorted(cells.items())))


def _counted(session: Session, query: LeaderboardQuery, by: MeetingBy) -> list[Meeting] | None:
    """From the counts; None where these do not answer the query."""
    if query.exclude_errors or query.errors_as != "loss" or query.overall or query.covariate:
        return None
    chosen = counted_scopes(session, query.selection)
    if chosen is None:
        return None
    known = [scope for scope in chosen if scope.games]
    found = [(scope, pair_counts(session, scope, by)) for scope in known]
    with_parts = [(scope, counts) for scope, counts in found if any(key.by == by for key in counts)]
    if found and not with_parts:
        return None  # The games say whether they have roles and teams.
    tournaments = query.selection.on(session).named.get("tournament", {})
    names = {key: agent.name for key, agent in agent_names(session).items()}
    return [
        _meeting(session, query, by, scope, counts, names, ", ".join(tournaments.values()) or None)
        for scope, counts in with_parts
    ]


def _meeting(
    session: Session,
    query: LeaderboardQuery,
    by: MeetingBy,
    scope: CountedScope,
    counts: Counts,
    names: Mapping[int, str],
    tournament: str | None,
) -> Meeting:
    matrix = head_to_head(counts, by, unit(scope.num_players))
    selection = Selection(tournament=query.selection.tournament, environment=scope.environment_id)
    return Meeting(
        environment=scope.environment,
        num_players=scope.num_players,
        version=scope.version,
        tournament=tournament,
        by=by,
        games=scope.games,
        left_out=0,
        repeats=scope.repeats,
        matrix=matrix,
        names={agent: names.get(agent, f"agent {agent}") for agent in matrix.rows},
        notes=(*told(void_by_name(session, selection)),),
    )


def _scanned(session: Session, query: LeaderboardQuery, by: MeetingBy) -> list[Meeting]:
    found = scopes(session, query)
    with_parts = [scope for scope in found if by == "agent" or _has(scope.played, by)]
    if found and not with_parts:
        where = ", ".join(sorted({scope.environment or "these games" for scope in found}))
        raise UsageError(f"{where}: no {by}s are known; leave out --by {by}")
    names = {key: agent.name for key, agent in agent_names(session).items()}
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
            matrix=_matrix(scope.played, by),
            names=_named(scope, names),
            notes=(
                *chosen_by_result(scope, query),
                *told(void_by_name(session, scope.selection)),
            ),
        )
        for scope in with_parts
        if len(scope.played)
    ]


def _matrix(played: PlayedGames, by: MeetingBy) -> HeadToHead:
    """From the games; those of one environment and seed are a block."""
    whole = unit(int(played.sizes.max()))
    blocks: dict[tuple[int, ...], list[Mapping[PairKey, int]]] = {}
    for game_id, key, game in _games(played):
        try:
            made = scores(game, whole, ("agent", by))
        except ValueError as error:
            raise UsageError(f"game {game_id} {error}") from error
        blocks.setdefault(key, []).append(made)
    sums = PairSums()
    for games in blocks.values():
        sums.add(block_counts(games, whole))
    return head_to_head(sums.counts(), by, whole)


def _games(played: PlayedGames) -> Iterator[tuple[int, tuple[int, ...], list[PairSeat]]]:
    """The game_id, what its block is, and the seats of every game."""
    roles, teams = (*played.role_names, None), (*played.team_names, None)
    per_seat = zip(
        played.agents.tolist(),
        played.roles.tolist(),
        played.sides.tolist(),
        played.ranks.tolist(),
        strict=True,
    )
    for game_id, size, environment, seed in zip(
        played.game_ids.tolist(),
        played.sizes.tolist(),
        played.environments.tolist(),
        played.seeds.tolist(),
        strict=True,
    ):
        seats = []
        for _ in range(size):
            agent, role, side, rank = next(per_seat)
            seats.append(PairSeat(agent, roles[role], teams[side], rank))
        yield game_id, (game_id,) if seed == NOTHING else (environment, seed), seats


def _has(played: PlayedGames, by: MeetingBy) -> bool:
    column = played.roles if by == "role" else played.sides
    return bool((column != NOTHING).any())


def _named(scope: Scope, names: dict[int, str]) -> dict[int, str]:
    return {
        agent: names.get(agent, f"agent {agent}")
        for agent in np.unique(scope.played.agents).tolist()
    }
