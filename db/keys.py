"""The keys of turns and calls, derived from what they are: a write can be run again by its key.

A turn's key is `game_id * 2**24 + turn_number * 2**8 + player_index`, a call's is
`game_turn_id * 2**8 + call_index`; both fit a signed 64-bit integer, and their order is the order
of play inside a game.
"""

from __future__ import annotations

from db.errors import DatabaseError

MAX_GAME_ID = 2**31 - 1
MAX_TURN_NUMBER = 2**16 - 1
MAX_PLAYER_INDEX = 2**8 - 1
MAX_CALL_INDEX = 2**8 - 1


def turn_key(game_id: int, turn_number: int, player_index: int) -> int:
    """The key of a turn. Raises DatabaseError for a number that does not fit."""
    if not (
        0 <= game_id <= MAX_GAME_ID
        and 0 <= turn_number <= MAX_TURN_NUMBER
        and 0 <= player_index <= MAX_PLAYER_INDEX
    ):
        raise DatabaseError(
            f"game {game_id}, turn {turn_number}, player {player_index} has no key: expected "
            f"a turn up to {MAX_TURN_NUMBER} and a player up to {MAX_PLAYER_INDEX}"
        )
    return game_id << 24 | turn_number << 8 | player_index


def call_key(game_turn_id: int, call_index: int) -> int:
    """The key of a call in a turn. Raises DatabaseError for a number that does not fit."""
    if not 0 <= call_index <= MAX_CALL_INDEX:
        raise DatabaseError(
            f"call {call_index} of a turn has no key: expected at most {MAX_CALL_INDEX}"
        )
    return game_turn_id << 8 | call_index


def turn_of(turn_id: int) -> tuple[int, int, int]:
    """(game_id, turn_number, player_index) of a turn's key."""
    return turn_id >> 24, turn_id >> 8 & MAX_TURN_NUMBER, turn_id & MAX_PLAYER_INDEX


def turns_of_game(game_id: int) -> tuple[int, int]:
    """The first key of the game's turns and the first one after them."""
    return game_id << 24, game_id + 1 << 24


def calls_of_game(game_id: int) -> tuple[int, int]:
    """The first key of the game's calls and the first one after them."""
    return game_id << 32, game_id + 1 << 32
