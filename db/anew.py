"""Which of several plays of the same game count: those with a reply that was drawn anew.

A scripted model's answer, one from the cache and a turn that a branch took from its parent follow
from what was on record already. A game in which every answer is one of these adds nothing to an
earlier game of the same rules, seed and seating. A game with any reply that a model drew anew, at
whatever temperature, is evidence of its own, also where it comes out the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

SCRIPTED = "scripted/%"
"""The models that programs answer for, by their name at the provider."""


def standing(alike: Sequence[int], anew: Collection[int]) -> list[int]:
    """Of games that are the same, in the order in which they were rated, those that count: all with
    replies drawn anew, or the first where there is none."""
    return [game for game in alike if game in anew] or [*alike[:1]]


def drawn_anew_query(games: Iterable[int], scripted: str) -> str:
    """SQL for those of the games with a reply that could have been another: neither scripted, nor
    cached, nor taken over from the game that it is a branch of. A game without turns on record is
    one of them, since nothing shows how its players were answered. `scripted` is how the statement
    names the parameter SCRIPTED, which stands in it twice."""
    # Most games without a drawn reply are of scripted models alone: their calls are not read.
    return (
        f"SELECT g.id FROM games g WHERE g.id IN ({', '.join(map(str, games))}) AND (NOT EXISTS ("  # noqa: S608
        "SELECT 1 FROM game_turns t WHERE t.game_id = g.id) OR (EXISTS (SELECT 1 FROM game_players "
        "p JOIN agents a ON a.id = p.agent_id JOIN models m ON m.id = a.model_id WHERE p.game_id = "
        f"g.id AND m.litellm_model_name NOT LIKE {scripted}) AND EXISTS (SELECT 1 FROM game_turns "
        "t JOIN llm_calls c ON c.game_turn_id = t.id WHERE t.game_id = g.id AND t.turn_number >= "
        f"COALESCE(g.parent_turn, 0) AND NOT c.cached AND c.model NOT LIKE {scripted})))"
    )
