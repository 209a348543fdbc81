"""Prints the sessions of an agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from arena.cli.output import Column, print_table

if TYPE_CHECKING:
    from db.queries.sessions import AgentSession


def print_sessions(sessions: Sequence[AgentSession]) -> None:
    """A line for each of an agent's sessions within games."""
    print_table(
        [
            Column("game", "right"),
            Column("status"),
            Column("turns", "right"),
            Column("calls", "right"),
            Column("mean ms", "right"),
            Column("errors", "right"),
            Column("lapses", "right"),
        ],
        [
            [
                str(each.game_id),
                each.status,
                f"{each.turns:,}",
                f"{each.calls:,}",
                "" if each.mean_ms is None else f"{each.mean_ms:,.0f}",
                f"{each.errors:,}",
                f"{each.lapses:,}",
            ]
            for each in sessions
        ],
    )
