"""What can be said of a move before it is made, from what its text says alone."""

from __future__ import annotations

from arena import registry
from arena.core import ArenaError, TargetHow
from arena.game.lapses import is_silent
from arena.game.rules import GuardedRules
from arena.replay.lineage import own_options
from db import Repository, Session
from db.errors import DatabaseError
from db.queries.transcript import transcript


def doubts(session: Session, game_id: int, turn: int, text: str) -> list[str]:
    """What is doubtful about a move in a game that waits at this turn, a sentence each: nothing is
    said, more than the rules read, or nobody is named where they ask for somebody. Whether the
    rules take it is not tried: that may tell what the seat does not know."""
    if is_silent(text):
        return ["nothing is said in it"]
    try:
        rules, longest = rules_at(session, game_id, turn)
        if longest is not None and len(text) > longest:
            return [f"it has {len(text):,} characters, and the rules read {longest:,}"]
        reading = rules.read(text)
    except (ArenaError, DatabaseError):
        # The rules are not here as they were, or cannot read it.
        return []
    match reading.how:
        case TargetHow.NONE:
            return ["it names nobody, and the rules ask for somebody"]
        case TargetHow.SEVERAL:
            return [f"it names several, of which the rules take {reading.target}"]
        case _:
            return []


def rules_at(session: Session, game_id: int, turn: int) -> tuple[GuardedRules, int | None]:
    """The rules of a game as they stand at a turn, and the most characters of a move that they
    read. Raises ArenaError or DatabaseError where they are not here as they were."""
    game = Repository(session).get_game_by_id(game_id)
    if game is None or game.environment is None or game.seed is None:
        raise DatabaseError(f"game {game_id} cannot be played again")
    stored = game.environment
    make = registry.environment(stored.name, own_options(stored))
    rules = GuardedRules(make, stored.num_players)
    rules.reset(game.seed)
    for played in transcript(session, game_id, calls=False)[:turn]:
        rules.observe(played.turn_number)
        rules.step(played.submitted or "")
    rules.observe(turn)
    return rules, rules.max_characters
