"""Which games are repeats: the same rules, seed and seating, and replies that could not differ."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from sqlalchemy import text
from sqlmodel import Session

from db.anew import SCRIPTED, drawn_anew_query, standing

_AT_ONCE = 500


def repeats(session: Session, games: Mapping[int, Hashable]) -> dict[int, int]:
    """The game_ids of the repeats, each with that of the game which counts in its place.

    `games` are in the order in which they were rated, by game_id, each with what makes two of them
    the same: rules, seed and seating. Only games that have their like are looked up, by the keys of
    their turns and calls.
    """
    alike: dict[Hashable, list[int]] = {}
    for game, same in games.items():
        alike.setdefault(same, []).append(game)
    groups = [group for group in alike.values() if len(group) > 1]
    anew = drawn_anew(session, [game for group in groups for game in group])
    found: dict[int, int] = {}
    for group in groups:
        counted = standing(group, anew)
        found |= {game: counted[0] for game in group if game not in counted}
    return found


def drawn_anew(session: Session, games: Sequence[int]) -> set[int]:
    """Those of the games with a reply that could have been another, see `db.anew`."""
    found: set[int] = set()
    for at in range(0, len(games), _AT_ONCE):
        query = drawn_anew_query(games[at : at + _AT_ONCE], ":scripted")
        rows = session.connection().execute(text(query), {"scripted": SCRIPTED})
        found.update(rows.scalars())
    return found
