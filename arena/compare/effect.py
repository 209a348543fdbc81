"""What a comparison measured of a suggestion, written beside it."""

from __future__ import annotations

from datetime import UTC, datetime

from arena.compare.answer import Comparison
from db import Repository, Session


def record_effect(
    session: Session, suggestion_id: int, found: Comparison, by: str, where: str = ""
) -> None:
    """Write the score of A, its interval, the games and the conclusion beside a suggestion, in the
    place of what the same comparison said before: that of a tournament, or of the games on record
    that `where` names. Raises BadSuggestion for one that is not there,
    or was rejected."""
    verdict = found.verdict
    known = verdict is not None and verdict.estimate is not None
    low, high = verdict.interval if verdict is not None and known else (None, None)
    on_record = f"{found.a} against {found.b} in {found.environment}, {found.players} players"
    Repository(session).add_suggestion_effect(
        suggestion_id,
        {
            "comparison": found.tournament or f"{on_record}: games on record{where}",
            "at": datetime.now(UTC).isoformat(),
            "by": by,
            "a": found.a,
            "b": found.b,
            "environment": found.environment,
            "players": found.players,
            "estimate": verdict.estimate if verdict is not None else None,
            "low": low,
            "high": high,
            "games": found.games,
            "decided": found.decided,
            "conclusion": found.sentence,
        },
    )
