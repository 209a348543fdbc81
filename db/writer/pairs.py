"""Counts who finished before whom, in the transactions in which games move the ratings.

What is read for a game does not grow with the games on record, but with those that share its seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from db.anew import SCRIPTED, drawn_anew_query
from db.pairs import (
    BlockGame,
    PairCount,
    PairKey,
    alike,
    block_counts,
    counting,
    difference,
    scores,
    unit,
)
from db.writer.connections import Connection

_SEATS = (
    "SELECT g.fold_index, g.id, g.tournament_id, COALESCE(g.revision, 1), p.agent_id, p.role, "
    "p.team, p.rank FROM games g JOIN game_players p ON p.game_id = g.id WHERE "
)
_BLOCK = (
    "g.environment_id = ? AND g.seed = (SELECT seed FROM games WHERE id = ?) "
    "AND g.fold_index <= ? AND g.status = 'completed' "
)
_ORDER = "ORDER BY g.fold_index, p.player_index"
_SCOPES = (
    "SELECT e.num_players, s.tournament_id, s.id FROM environments e LEFT JOIN pair_scopes s "
    "ON s.environment_id = e.id AND (s.tournament_id IS NULL OR s.tournament_id = ?) WHERE e.id = ?"
)
_RATED = "SELECT COUNT(*) FROM rating_pools WHERE (games > 0 OR stopped_at IS NOT NULL) AND "
_NEW_SCOPE = (
    "INSERT INTO pair_scopes (environment_id, tournament_id, games, repeats, newest) "
    "VALUES (?, ?, 0, 0, 0) ON CONFLICT DO NOTHING"
)
_NOTHING = "DELETE FROM pair_counts WHERE scope_id = ? AND games = 0"
_FORGET = "DELETE FROM pair_scopes WHERE id = ?"
_COUNTED = (
    "UPDATE pair_scopes SET games = games + ?, repeats = repeats + ?, newest = ? WHERE id = ?"
)
_NUMBERS = (
    "games", "won", "drawn", "blocks", "score", "games_squared", "games_score", "score_squared",
)  # fmt: skip
_COUNT = (
    f"INSERT INTO pair_counts (scope_id, by, agent_id, part, other_id, other_part, "  # noqa: S608
    f"{', '.join(_NUMBERS)}) VALUES ({', '.join('?' * (6 + len(_NUMBERS)))}) "
    "ON CONFLICT (scope_id, by, agent_id, part, other_id, other_part) DO UPDATE SET "
    + ", ".join(f"{name} = pair_counts.{name} + excluded.{name}" for name in _NUMBERS)
)


PairChanges = list[tuple[PairKey, PairCount]]
"""What is to be added to counts."""


class CountedGame(NamedTuple):
    """A game that moved the ratings, with a `fold_index` of its own."""

    fold_index: int
    game_id: int


def count_pairs(
    connection: Connection, environment_id: int, tournament_id: int, games: Sequence[CountedGame]
) -> None:
    """Count these games, in order of fold_index: in their environment and in their tournament. To
    be called before they move the ratings.

    What has rated games and was not counted so far is left to a rebuild, and so is what holds a
    game whose teams have no single rank.
    """
    scopes, whole = _scopes(connection, environment_id, tournament_id)
    for game in games if scopes else ():
        block = _block(connection, environment_id, game)
        anew = _anew(connection, block)
        made: dict[tuple[tuple[int, ...], ...], PairChanges] = {}
        for of, scope_id in [*scopes.items()]:
            here = [each for each in block if of is None or each.tournament_id == of]
            before = [each for each in here if each.game_id != game.game_id]
            was, now = counting(before, anew), counting(here, anew)
            same = tuple(tuple(each.game_id for each in games) for games in (was, now))
            try:
                if same not in made:
                    made[same] = _changes(was, now, whole)
            except ValueError:
                connection.execute(_FORGET, (scope_id,))
                del scopes[of]
                continue
            if rows := [(scope_id, *key, *count) for key, count in made[same]]:
                connection.run([(_COUNT, rows)])
            if now[: len(was)] != was:
                # A game that counted so far gives way to one with replies drawn anew.
                connection.execute(_NOTHING, (scope_id,))
            grown = len(now) - len(was)
            repeats = sum(bool(each.seats) for each in here if each not in before) - grown
            connection.execute(_COUNTED, (grown, repeats, game.fold_index, scope_id))


def _scopes(
    connection: Connection, environment_id: int, tournament_id: int
) -> tuple[dict[int | None, int], int]:
    """The keys of the scopes, of the environment under None, and its unit; made where nothing of
    them was rated before, and left out where that was not counted."""
    rows = connection.query(_SCOPES, (tournament_id, environment_id))
    found = {tournament: int(key) for _, tournament, key in rows if key is not None}
    rated = ((None, _RATED + "environment_id = ?", environment_id),
             (tournament_id, _RATED + "tournament_id = ?", tournament_id))  # fmt: skip
    for tournament, query, place in rated:
        if tournament not in found and not connection.query(query, (place,))[0][0]:
            connection.execute(_NEW_SCOPE, (environment_id, tournament))
            rows = connection.query(_SCOPES, (tournament_id, environment_id))
            found |= {of: int(key) for _, of, key in rows if of == tournament and key is not None}
    return found, unit(int(rows[0][0]))


def _block(connection: Connection, environment_id: int, game: CountedGame) -> list[BlockGame]:
    """The game and those before it that share its seed, in order of fold_index."""
    values = (environment_id, game.game_id, game.fold_index)
    rows = connection.query(_SEATS + _BLOCK + _ORDER, values)
    if not rows:  # It has no seed.
        rows = connection.query(_SEATS + "g.id = ? " + _ORDER, (game.game_id,))
    return [
        BlockGame.read(key, (row[4:] for row in places))
        for key, places in groupby(rows, lambda row: tuple(row[:4]))
    ]


def _changes(was: Sequence[BlockGame], now: Sequence[BlockGame], whole: int) -> PairChanges:
    """What is to be added where these games of a block count in the place of those.

    Raises ValueError for a team with two ranks.
    """
    counts = block_counts([scores(each.seats, whole) for each in now], whole)
    if not was:
        return [*counts.items()]
    before = block_counts([scores(each.seats, whole) for each in was], whole)
    return [*difference(counts, before)]


def _anew(connection: Connection, block: Sequence[BlockGame]) -> set[int]:
    """Those of the games that have their like with a reply that was drawn anew."""
    likely = [game for group in alike(block) if len(group) > 1 for game in group]
    if not likely:
        return set()
    rows = connection.query(drawn_anew_query(likely, "?"), (SCRIPTED, SCRIPTED))
    return {int(row[0]) for row in rows}
