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
    alike,
    block_counts,
    counting,
    difference,
    scores,
    unit,
)
from db.writer.connections import Connection

_PLAYERS = "SELECT num_players FROM environments WHERE id = ?"
_GAME = "SELECT seed FROM games WHERE id = ?"
_SEATS = (
    "SELECT g.fold_index, g.id, g.tournament_id, COALESCE(g.revision, 1), p.agent_id, p.role, "
    "p.team, p.rank FROM games g JOIN game_players p ON p.game_id = g.id WHERE "
)
_BLOCK = "g.environment_id = ? AND g.seed = ? AND g.fold_index <= ? AND g.status = 'completed' "
_ORDER = "ORDER BY g.fold_index, p.player_index"
_SCOPE = "SELECT id FROM pair_scopes WHERE environment_id = ? AND tournament_id "
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
    found = [_scope(connection, environment_id, each) for each in (None, tournament_id)]
    if found == [None, None]:
        return
    whole = unit(int(connection.query(_PLAYERS, (environment_id,))[0][0]))
    for game in games:
        block = _block(connection, environment_id, game)
        for scope_id, of in zip(found, (None, tournament_id), strict=True):
            if scope_id is None:
                continue
            here = [each for each in block if of is None or each.tournament_id == of]
            try:
                _add(connection, scope_id, game, here, whole)
            except ValueError:
                connection.execute(_FORGET, (scope_id,))
                found[0 if of is None else 1] = None


def _scope(connection: Connection, environment_id: int, tournament_id: int | None) -> int | None:
    """The key of a scope, made where nothing of it was rated before; None where that was not
    counted."""
    if tournament_id is None:
        query, values = _SCOPE + "IS NULL", [environment_id]
        rated, place = _RATED + "environment_id = ?", environment_id
    else:
        query, values = _SCOPE + "= ?", [environment_id, tournament_id]
        rated, place = _RATED + "tournament_id = ?", tournament_id
    found = connection.query(query, values)
    if not found:
        if connection.query(rated, (place,))[0][0]:
            return None
        connection.execute(_NEW_SCOPE, (environment_id, tournament_id))
        found = connection.query(query, values)
    return int(found[0][0])


def _block(connection: Connection, environment_id: int, game: CountedGame) -> list[BlockGame]:
    """The game and those before it that share its seed, in order of fold_index."""
    (seed,) = connection.query(_GAME, (game.game_id,))[0]
    if seed is None:
        rows = connection.query(_SEATS + "g.id = ? " + _ORDER, (game.game_id,))
    else:
        values = (environment_id, seed, game.fold_index)
        rows = connection.query(_SEATS + _BLOCK + _ORDER, values)
    return [
        BlockGame.read(key, (row[4:] for row in places))
        for key, places in groupby(rows, lambda row: tuple(row[:4]))
    ]


def _add(
    connection: Connection,
    scope_id: int,
    game: CountedGame,
    block: Sequence[BlockGame],
    whole: int,
) -> None:
    """Add what the newest of a block's games makes of it."""
    before = [each for each in block if each.game_id != game.game_id]
    anew = _anew(connection, block)
    was, now = counting(before, anew), counting(block, anew)
    changes = difference(
        block_counts([scores(each.seats, whole) for each in now], whole),
        block_counts([scores(each.seats, whole) for each in was], whole),
    )
    rows = [(scope_id, *key, *count) for key, count in changes]
    grown = len(now) - len(was)
    repeats = sum(bool(each.seats) for each in block if each not in before) - grown
    counted = (grown, repeats, game.fold_index, scope_id)
    connection.run([(_COUNT, rows)] if rows else [])
    if now[: len(was)] != was:
        # A game that counted so far gives way to one with replies drawn anew.
        connection.execute(_NOTHING, (scope_id,))
    connection.execute(_COUNTED, counted)


def _anew(connection: Connection, block: Sequence[BlockGame]) -> set[int]:
    """Those of the games that have their like with a reply that was drawn anew."""
    likely = [game for group in alike(block) if len(group) > 1 for game in group]
    if not likely:
        return set()
    rows = connection.query(drawn_anew_query(likely, "?"), (SCRIPTED, SCRIPTED))
    return {int(row[0]) for row in rows}
