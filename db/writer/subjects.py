"""Every subject of the record: the one list that the writer walks.

The order is that of a batch's statements, where what is pointed to comes first, and of what follows
from the end of a game.
"""

from __future__ import annotations

from db.writer import (
    calls,
    counters,
    events,
    execution_logs,
    game_states,
    games,
    granted_chunks,
    live_states,
    positions,
    ratings,
    run_status,
    tools,
    turns,
)
from db.writer.subject import Subject

SUBJECTS: tuple[Subject, ...] = (
    games.SUBJECT,
    game_states.SUBJECT,
    turns.SUBJECT,
    calls.SUBJECT,
    tools.SUBJECT,
    events.SUBJECT,
    counters.SUBJECT,
    positions.SUBJECT,
    ratings.SUBJECT,
    live_states.SUBJECT,
    run_status.SUBJECT,
    granted_chunks.SUBJECT,
    execution_logs.SUBJECT,
)
