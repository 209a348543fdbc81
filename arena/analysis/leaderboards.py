"""Leaderboards and head-to-head matrices as pandas frames: any set of games, any rating system.

`ratings_df` reads the live ratings; these are computed from the games when somebody asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Unpack

import pandas as pd
from sqlalchemy.orm import Session as OpenSession
from sqlmodel import Session

from arena.analysis.columns import FLOAT, INTEGER, OBJECT, STRING, Dtype, series
from arena.analysis.frame_query import Columns, Sources, chosen_columns, of_each
from arena.analysis.source import Filters, Readable, connected
from arena.leaderboard import LeaderboardQuery
from arena.leaderboard.calibration import calibrations
from arena.leaderboard.meetings import MeetingBy, meetings
from arena.leaderboard.query import By, Errors, ErrorsAs
from arena.leaderboard.role_pairs import role_pairs
from arena.leaderboard.rows import cells, flat, reliability
from arena.leaderboard.stored import BoardAnswer, answered, keep
from arena.leaderboard.weights import Weights
from db.selection import Names, Selection

_PLACE: Mapping[str, Dtype] = {
    "environment": STRING,
    "num_players": INTEGER,
    "version": STRING,
    "tournament": STRING,
}
_BOARD: Mapping[str, Dtype] = {
    "rank": INTEGER,
    "name": STRING,
    "rating": FLOAT,
    "low": FLOAT,
    "high": FLOAT,
    "group": STRING,
    "best_rank": INTEGER,
    "worst_rank": INTEGER,
    "sigma": FLOAT,
    **_PLACE,
    "system": STRING,
    "pool": INTEGER,
    "anchor": STRING,
    "weights": OBJECT,
    "covariate": STRING,
    "variance_saved": FLOAT,
    "noise_floor": FLOAT,
    "null_variants": OBJECT,
    "agent_id": INTEGER,
    "agents": INTEGER,
    "at_best": FLOAT,
    "without_errors": FLOAT,
    "errors_drawn": FLOAT,
    "teams": OBJECT,
    "roles": OBJECT,
    "own_error": FLOAT,
    "others_error": FLOAT,
    "thrown_out": FLOAT,
    "decided": INTEGER,
    "touched": INTEGER,
    "repeats": INTEGER,
    "told_apart": INTEGER,
    "pairs": INTEGER,
    "separability": FLOAT,
    "lack_of_fit": FLOAT,
    "drift": FLOAT,
    "nash": FLOAT,
    "nash_low": FLOAT,
    "nash_high": FLOAT,
    "void_games": INTEGER,
    "void_own": INTEGER,
    "calls": INTEGER,
    "failed_calls": INTEGER,
    "tool_calls": INTEGER,
    "tool_failures": INTEGER,
    "cost": FLOAT,
    "cost_per_game": FLOAT,
    "tokens_per_turn": FLOAT,
    "cached_share": FLOAT,
    "turn_seconds": FLOAT,
    "call_seconds": FLOAT,
    "games": INTEGER,
    "seats": INTEGER,
    "wins": INTEGER,
    "draws": INTEGER,
    "losses": INTEGER,
}
_BINS: Mapping[str, Dtype] = {
    **_PLACE,
    "system": STRING,
    "games": INTEGER,
    "blocks": INTEGER,
    "log_loss": FLOAT,
    "base_loss": FLOAT,
    "difference": FLOAT,
    "error": FLOAT,
    "above": FLOAT,
    "below": FLOAT,
    "games_in_bin": FLOAT,
    "predicted": FLOAT,
    "observed": FLOAT,
    "low": FLOAT,
    "high": FLOAT,
}
_PAIRS: Mapping[str, Dtype] = {
    "agent": STRING,
    "role": STRING,
    "against": STRING,
    "against_role": STRING,
    "games": INTEGER,
    "before": INTEGER,
    "level": INTEGER,
    "after": INTEGER,
    "score": FLOAT,
    "low": FLOAT,
    "high": FLOAT,
    "agent_id": INTEGER,
    "against_id": INTEGER,
    **_PLACE,
}
_CELLS: Mapping[str, Dtype] = {
    "agent": STRING,
    "against": STRING,
    "score": FLOAT,
    "low": FLOAT,
    "high": FLOAT,
    "games": INTEGER,
    "blocks": INTEGER,
    "agent_id": INTEGER,
    "against_id": INTEGER,
    **_PLACE,
}


def leaderboard_df(
    source: Sources = None,
    *,
    columns: Columns = None,
    system: str = "probit",
    exclude_errors: Errors | None = None,
    errors_as: ErrorsAs = "loss",
    overall: bool = False,
    by: By = "agent",
    anchor: str | int | None = None,
    nash: bool = False,
    weights: Weights | None = None,
    covariate: str | None = None,
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """One row per agent (or model, prompt, kind) of a pool of agents that met, best first; the
    same queries as `arena leaderboard` answers, from the same store: what is computed stays there
    until something changes, unless the source is a session. The filters `tournament`,
    `environment`, `termination`, `since` and `until` say of which games, `role` or `team` in which
    seats.

    environment, num_players, version, tournament · system · pool (from 1: ratings of two pools
    cannot be compared) · anchor · weights (with `overall`, a dict: what each environment counts
    for) · covariate, variance_saved (the share of the ratings' variance that it saved) ·
    noise_floor (what two agents differ by at most, 95 % of the time, whose prompts say the same),
    null_variants (a dict: how many such prompts there are of which agent) · rank, best_rank,
    worst_rank (the tenable ones), group (rows that share a letter cannot be told apart at the 5 %
    level, all pairs tested together; nothing beyond a dozen rows) · agent_id, name, agents (how
    many the row is of) · rating (25: the pool's mean, which moves when other agents join, or the
    `anchor`), low, high (95 % interval of the difference to it), sigma · at_best (of a part: half
    of the interval after endless games) · without_errors (rating without the games that an error
    decided, which chooses them by their result), errors_drawn (with `errors_as` range: rating with
    these as draws) · games, seats (more where an agent had several in a game), wins, draws, losses
    (of its seats) · teams, roles (dicts of shares of its seats won) · own_error, others_error
    (shares of its games that an error decided), thrown_out (share of its games out of which the
    rules threw it for an error) · decided, touched (of the board's games, how many an error
    decided, and out of how many somebody was thrown for one: what `exclude_errors` leaves out) ·
    repeats (games left out because they are another of the board's again) · told_apart, pairs,
    separability (of the board's pairs, how many are told apart, and their share) · lack_of_fit (the
    probability of residuals as large as these if skills add up) · drift (of trends as large if no
    skill changed while the games were played) · nash, nash_low, nash_high (with `nash`: what an
    agent wins by against the equilibrium, at most 0) · void_games, void_own (attempts without a
    result, and those of them that ended in the agent's own turn), calls, failed_calls, tool_calls,
    tool_failures · cost
    (dollars), cost_per_game, tokens_per_turn, cached_share (of the tokens sent, how many the
    provider had cached) · turn_seconds, call_seconds (medians). `notes` in the frame's attrs are
    sentences that belong beside the numbers.

    Raises UsageError for a missing database, a name that it does not hold, and a query that makes
    no sense.
    """

    def read(session: Session) -> _Computed:
        query = LeaderboardQuery(
            Selection(**filters),
            system=system,
            exclude_errors=exclude_errors,
            errors_as=errors_as,
            overall=overall,
            by=by,
            anchor=anchor,
            nash=nash,
            weights=weights,
            covariate=covariate,
        )
        answer = answered(session, query)
        answers.append(answer)
        found = answer.boards
        rows = [
            flat(board, row) | {"pool": pool}
            for pool, board in enumerate(found, start=1)
            for row in board.rows
        ]
        return rows, [note for board in found for note in board.notes]

    def store(each: Readable) -> None:
        if not isinstance(each, OpenSession):
            keep(each, answers[-1])

    answers: list[BoardAnswer] = []
    return _computed(source, read, _BOARD, columns, store)


def head_to_head_df(
    source: Sources = None,
    *,
    columns: Columns = None,
    by: MeetingBy = "agent",
    exclude_errors: Errors | None = None,
    errors_as: ErrorsAs = "loss",
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """One row per agent and opponent (or role, or team) that met, an environment after another.

    environment, num_players, version, tournament · agent_id, agent · against_id, against (the
    opponent; with `by`, against is the role or team that the agent had) · score (the mean result,
    a draw is half a win), low, high (its 95 % interval) · games · blocks (groups of games that
    share a seed; the interval knows of them). `notes` in the frame's attrs are sentences that
    belong beside the numbers.

    Raises UsageError for a missing database, a name that it does not hold, and for roles or teams
    where none are known.
    """

    def read(session: Session) -> _Computed:
        query = LeaderboardQuery(
            Selection(**filters), exclude_errors=exclude_errors, errors_as=errors_as
        )
        found = meetings(session, query, by)
        rows = [cell for meeting in found for cell in cells(meeting)]
        if by != "agent":
            rows = [row | {"against": row[by]} for row in rows]
        return rows, [note for meeting in found for note in meeting.notes]

    return _computed(source, read, _CELLS, columns)


def calibration_df(
    source: Sources = None,
    *,
    columns: Columns = None,
    exclude_errors: Errors | None = None,
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """How well every rating system predicted the games before they were played: a row for each
    environment, system and bin of favourites' chances, the systems with the least log loss first.

    environment, num_players, version, tournament · system · games (that were predicted), blocks
    (groups of them that share a seed) · log_loss, base_loss (of somebody who knows the roles and no
    agent), difference (below 0: better than that), error (its standard error), in nats a game ·
    above, below (the bin's edges; 0.5 and 1: all games) · games_in_bin · predicted (the mean chance
    of the favourites), observed (what they won, a draw is half a win), low, high (its 95 %
    interval). `notes` in the frame's attrs are sentences that belong beside the numbers.

    Raises UsageError for a missing database, a name that it does not hold, and a query that makes
    no sense.
    """

    def read(session: Session) -> _Computed:
        query = LeaderboardQuery(Selection(**filters), exclude_errors=exclude_errors)
        found = calibrations(session, query)
        rows = [row for board in found for row in reliability(board)]
        return rows, [note for board in found for note in board.notes]

    return _computed(source, read, _BINS, columns)


def pairs_df(
    source: Sources = None,
    *,
    columns: Columns = None,
    tournament: Names = None,
    environment: Names = None,
) -> pd.DataFrame:
    """One row per agent in a role and opponent in a role that met on different teams, both ways, an
    environment after another: who finished before whom.

    agent, role · against, against_role · games, of which its team finished before (the other's),
    level (with it, or now before and now after, of several teams), after · score (the share that it
    won, a draw is half a win), low, high (its 95 % interval) · agent_id, against_id · environment,
    num_players, version, tournament. It is read from counts, at the same cost whatever the number
    of games.

    Raises UsageError for a missing database, a name that it does not hold, several tournaments, and
    games that were not counted.
    """

    def read(session: Session) -> _Computed:
        found = role_pairs(session, Selection(tournament=tournament, environment=environment))
        return [asdict(pair) for pair in found], []

    return _computed(source, read, _PAIRS, columns)


_Computed = tuple[list[dict[str, Any]], list[str]]
"""Rows, and the sentences that belong beside them."""


def _computed(
    source: Sources,
    read: Callable[[Session], _Computed],
    dtypes: Mapping[str, Dtype],
    columns: Columns,
    done: Callable[[Readable], None] = lambda each: None,
) -> pd.DataFrame:
    """The frame of what `read` computes; the notes in its attrs are those of all databases. `done`
    is called with each of them when it has been read."""
    wanted = chosen_columns([*dtypes], columns) or [*dtypes]
    notes: list[str] = []

    def one(each: Readable) -> pd.DataFrame:
        with connected(each) as connection, Session(connection) as session:
            rows, said = read(session)
        done(each)
        notes.extend(said)
        return pd.DataFrame(
            {name: series(tuple(row.get(name) for row in rows), dtypes[name]) for name in wanted}
        )

    frame = of_each(source, one)
    frame.attrs["notes"] = [*dict.fromkeys(notes)]
    return frame
