"""Boards and matrices as plain data: a flat row per agent, part or cell."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from arena.reports.error_rates import error_rates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from arena.leaderboard.board import Board, BoardRow
    from arena.leaderboard.calibration import CalibrationBoard
    from arena.leaderboard.meetings import Meeting
    from arena.leaderboard.records import WinRecord


def flat(board: Board, row: BoardRow) -> dict[str, Any]:
    """The row with what its board is of; shares are from 0 to 1, seconds medians."""
    whole, spent = row.record.whole, row.spent
    rates = error_rates([row.conduct]) if row.conduct else None
    return {
        "environment": board.environment,
        "num_players": board.num_players,
        "version": board.version,
        "tournament": board.tournament,
        "system": board.system,
        "role": board.role,
        "team": board.team,
        "by": board.by,
        "anchor": board.anchor,
        "weights": dict(board.weights),
        "covariate": board.covariate,
        "variance_saved": board.saved,
        "noise_floor": board.noise.width if board.noise else None,
        "null_variants": dict(board.noise.variants) if board.noise else {},
        "rank": row.rank,
        "best_rank": row.best_rank,
        "worst_rank": row.worst_rank,
        "group": row.group,
        "agent_id": row.agent_id if board.by == "agent" else None,
        "name": row.name,
        "agents": row.agents,
        "rating": row.rating,
        "low": row.low,
        "high": row.high,
        "sigma": row.sigma,
        "at_best": row.at_best,
        "games": whole.games,
        "seats": whole.seats,
        "wins": whole.wins,
        "draws": whole.draws,
        "losses": whole.losses,
        "won": share(whole),
        "teams": shares(row.record.teams),
        "roles": shares(row.record.roles),
        "own_error": row.record.own / whole.games if whole.games else None,
        "others_error": row.record.others / whole.games if whole.games else None,
        "thrown_out": row.record.out / whole.games if whole.games else None,
        "decided": board.by_error,
        "touched": board.touched,
        "without_errors": row.without_errors,
        "errors_drawn": row.errors_drawn,
        "left_out": board.left_out,
        "repeats": board.repeats,
        "told_apart": board.told_apart,
        "pairs": board.pairs,
        "separability": board.separability,
        "lack_of_fit": board.additivity.p if board.additivity else None,
        "drift": board.drift.p if board.drift else None,
        "nash": row.equilibrium.value if row.equilibrium else None,
        "nash_low": row.equilibrium.low if row.equilibrium else None,
        "nash_high": row.equilibrium.high if row.equilibrium else None,
        "void_games": row.void_games,
        "void_own": row.void_own,
        "calls": spent.calls if spent else None,
        "failed_calls": spent.failed_calls if spent else None,
        "tool_calls": spent.tool_calls if spent else None,
        "tool_failures": spent.tool_failures if spent else None,
        "cost": spent.cost if spent else None,
        "cost_per_game": spent.cost_per_game if spent else None,
        "tokens_per_turn": spent.tokens_per_turn if spent else None,
        "cached_share": spent.cached_share if spent else None,
        "turn_seconds": spent.turn_seconds if spent else None,
        "call_seconds": spent.call_seconds if spent else None,
        "errors": asdict(rates) if rates else None,
    }


def reliability(board: CalibrationBoard) -> list[dict[str, Any]]:
    """A flat row for each system and bin, that of all games first; losses are in nats a game."""
    return [
        {
            "environment": board.environment,
            "num_players": board.num_players,
            "version": board.version,
            "tournament": board.tournament,
            "system": name,
            "games": found.games,
            "blocks": found.blocks,
            "log_loss": found.loss,
            "base_loss": found.base_loss,
            "difference": found.difference,
            "error": found.error,
            "above": span.low,
            "below": span.high,
            "games_in_bin": span.games,
            "predicted": span.predicted,
            "observed": span.observed,
            "low": span.interval[0],
            "high": span.interval[1],
        }
        for name, found in board.systems
        for span in (found.whole, *found.bins)
    ]


def shares(tallies: Mapping[str, WinRecord]) -> dict[str, Any]:
    """The shares won by role or team, with games, seats and intervals."""
    return {
        name: share(tally) | {"games": tally.games, "seats": tally.seats}
        for name, tally in tallies.items()
    }


def share(tally: WinRecord) -> dict[str, Any]:
    """The share of seats won, a draw counting half, with its 95 % interval."""
    low, high = tally.interval or (None, None)
    return {"share": tally.share, "low": low, "high": high}


def cells(meeting: Meeting) -> list[dict[str, Any]]:
    """A flat row for each cell that has games; scores are from 0 to 1."""
    matrix = meeting.matrix
    found = []
    for row in ordered(meeting):
        for column in ordered(meeting) if meeting.by == "agent" else matrix.columns:
            cell = matrix.cells.get((row, column))
            if cell is None:
                continue
            named = meeting.names[column] if isinstance(column, int) else column
            found.append(
                {
                    "environment": meeting.environment,
                    "num_players": meeting.num_players,
                    "version": meeting.version,
                    "tournament": meeting.tournament,
                    "agent_id": row,
                    "agent": meeting.names[row],
                    meeting.by if meeting.by != "agent" else "against": named,
                    **({"against_id": column} if meeting.by == "agent" else {}),
                    "score": cell.score,
                    "low": cell.interval[0],
                    "high": cell.interval[1],
                    "games": cell.games,
                    "blocks": cell.blocks,
                }
            )
    return found


def ordered(meeting: Meeting) -> list[int]:
    """The agents, the one with the best mean score over its columns first."""
    matrix = meeting.matrix

    def mean(row: int) -> float:
        scores = [
            matrix.cells[row, column].score
            for column in matrix.columns
            if (row, column) in matrix.cells
        ]
        return sum(scores) / len(scores) if scores else -1.0

    return sorted(matrix.rows, key=lambda row: (-mean(row), row))
