"""Hits as a page shows them: the words around what was found, in pieces, and who said them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arena.reports.search import excerpt, marked
from db.search.hits import SearchHit

CONTEXT = 180
"""Characters before the first match, and after the last that is shown."""
_RESULTS = {"win": "won", "loss": "lost", "draw": "drew"}


@dataclass(frozen=True, slots=True)
class ShownHit:
    """A hit: `pieces` of its text, each with whether it is what was found; `team` is the place of
    the player's team among those of its game, 9 for none; `nearness` is that of a similar text."""

    hit: SearchHit
    pieces: tuple[tuple[str, bool], ...]
    cut_before: bool
    cut_after: bool
    team: int
    outcome: str | None
    nearness: float | None = None


@dataclass(frozen=True, slots=True)
class HitGroup:
    """Hits of one game that follow each other."""

    game_id: int
    tournament: str | None
    hits: tuple[ShownHit, ...]


def by_game(hits: Sequence[ShownHit]) -> list[HitGroup]:
    """The hits under their games, in the order that they have."""
    groups: list[list[ShownHit]] = []
    for each in hits:
        if not groups or groups[-1][0].hit.game_id != each.hit.game_id:
            groups.append([])
        groups[-1].append(each)
    return [
        HitGroup(group[0].hit.game_id, group[0].hit.tournament, tuple(group)) for group in groups
    ]


def shown_hits(hits: Sequence[SearchHit], near: Sequence[float] = ()) -> list[ShownHit]:
    """The hits, in order; `near` are how near each is to what was asked for, if that was asked."""
    return [
        _shown(hit, near[place] if place < len(near) else None) for place, hit in enumerate(hits)
    ]


def _shown(hit: SearchHit, near: float | None) -> ShownHit:
    piece = excerpt(hit, CONTEXT)
    team = hit.teams.index(hit.team) if hit.team in hit.teams else 9
    return ShownHit(
        hit,
        tuple(marked(piece)),
        piece.cut_before,
        piece.cut_after,
        min(team, 5) if team != 9 else 9,
        _RESULTS.get(hit.result or ""),
        near,
    )
