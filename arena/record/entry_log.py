"""Logs what is worth a line of a game's record: turns that lapsed, calls that failed.

They are logged by the process that has the run, whichever plays the game.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from arena.core.log_scope import said_of
from arena.game.journal import Answered, JournalEntry, TurnTaken

_log = logging.getLogger(__name__)
_TOO_MANY_REQUESTS = 429


def log_entry(game_id: int, agents: Sequence[int], entry: JournalEntry) -> None:
    """Log an entry, where it is worth that; `agents` are those of the game by player_index."""
    match entry:
        case TurnTaken(acted=acted) if acted.lapse is not None:
            _log.warning(
                "turn %d, player %d: %s",
                entry.turn_number,
                entry.player_index,
                acted.lapse.value.replace("_", " "),
                extra=_extra(game_id, agents, entry.player_index),
            )
        case Answered(answer=answer) if answer.error_class is not None:
            # To be told to wait is no fault.
            slowed = answer.error_status == _TOO_MANY_REQUESTS
            _log.log(
                logging.INFO if slowed else logging.WARNING,
                "turn %d, player %d, attempt %d: %s%s: %s",
                entry.turn_number,
                entry.player_index,
                answer.call_index + 1,
                answer.error_class,
                f" {answer.error_status}" if answer.error_status else "",
                (answer.error_message or "").strip(),
                extra=_extra(game_id, agents, entry.player_index),
            )
        case _:
            pass


def _extra(game_id: int, agents: Sequence[int], player: int) -> dict[str, object]:
    agent = agents[player] if player < len(agents) else None
    return {**said_of(game_id=game_id, agent_id=agent)}
