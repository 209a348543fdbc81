"""Adds a game to the counters of its agents when it ends, in the transaction that ends it."""

from __future__ import annotations

from collections.abc import Iterator

from db.counts import (
    CALL,
    COLUMNS,
    EVENT,
    EVENTS,
    KEY,
    SEAT,
    TOOL,
    TURN,
    CountsKey,
    GameCounts,
    GameRows,
    counts_of,
)
from db.keys import calls_of_game, turns_of_game
from db.models.tournaments import REFEREE_ID
from db.writer.connections import Connection
from db.writer.games import GameVoided
from db.writer.subject import Ended, Subject, Writing

_SEATS = f"SELECT {SEAT} FROM game_players p WHERE p.game_id = ? ORDER BY p.player_index"  # noqa: S608
_TURNS = f"SELECT {TURN} FROM game_turns t WHERE t.id >= ? AND t.id < ?"  # noqa: S608
_CALLS = f"SELECT {CALL} FROM llm_calls c WHERE c.id >= ? AND c.id < ?"  # noqa: S608
_TOOLS = f"SELECT {TOOL} FROM tool_calls u WHERE u.id >= ? AND u.id < ?"  # noqa: S608
_EVENTS = (
    f"SELECT {EVENT} FROM game_events e JOIN event_types k ON k.id = e.kind "  # noqa: S608
    f"WHERE e.game_id = ? AND k.name IN ({', '.join('?' * len(EVENTS))})"
)
_REFEREE = (
    f"SELECT {REFEREE_ID} FROM games g "  # noqa: S608
    "JOIN environments rules ON rules.id = g.environment_id WHERE g.id = ?"
)
_STORED = f"SELECT {', '.join((*KEY, *COLUMNS))} FROM counters WHERE tournament_id = ? AND "  # noqa: S608
_STORE = (
    f"INSERT INTO counters ({', '.join((*KEY, *COLUMNS))}) "  # noqa: S608
    f"VALUES ({', '.join('?' for _ in (*KEY, *COLUMNS))}) "
    f"ON CONFLICT ({', '.join(KEY)}) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS)
)


def _count(writing: Writing, ended: Ended) -> None:
    """Add the game once, whatever it ended as. What is read and written grows with the game's own
    turns and seats alone."""
    if ended.again:
        return
    connection = writing.connection
    # A rebuild counts what is committed: it and this one wait for each other.
    connection.lock_fold()
    game_id = ended.record.game_id
    game = GameRows(
        game_id,
        ended.tournament_id,
        isinstance(ended.record, GameVoided),
        connection.query(_SEATS, (game_id,)),
        connection.query(_TURNS, turns_of_game(game_id)),
        connection.query(_CALLS, calls_of_game(game_id)),
        connection.query(_TOOLS, calls_of_game(game_id)),
        connection.query(_EVENTS, (game_id, *EVENTS)),
    )
    if any(player >= len(game.seats) for player, *_ in game.turns):
        ((referee,),) = connection.query(_REFEREE, (game_id,))
        game.referee = None if referee is None else int(referee)
    found = counts_of(game)
    if not found:
        return
    for key, stored in _stored(connection, ended.tournament_id, found):
        found[key].add(stored)
    connection.run([(_STORE, [(*key, *counts.row()) for key, counts in found.items()])])


def _stored(
    connection: Connection, tournament_id: int, found: dict[CountsKey, GameCounts]
) -> Iterator[tuple[CountsKey, GameCounts]]:
    """What is stored of the keys that are found."""
    agents = sorted({key.agent_id for key in found})
    query = f"{_STORED}agent_id IN ({', '.join('?' * len(agents))})"
    size = len(KEY)
    for row in connection.query(query, (tournament_id, *agents)):
        key = CountsKey(row[0], row[1], bool(row[2]), row[3], row[4])
        if key in found:
            yield key, GameCounts.of_row(row[size:])


SUBJECT = Subject(follows=_count)
