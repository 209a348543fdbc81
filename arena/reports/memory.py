"""What agents remember of their earlier games: what they bring to their next one, and what of it
they wrote and were shown in a game."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from arena.core.memory import LastGame, Memory, memory_given, memory_kept, writing_purpose
from arena.core.text import one_line
from arena.game.seating import remembering_kind
from db import Repository, Session
from db.errors import Damaged
from db.queries.memories import FinishedSeat, finished_seats, finished_tournaments
from db.queries.transcript import TurnRow, transcript

# Characters of a game that an agent is asked about: its end.
_SEEN = 8000
_REASON = 300


def memory_of(session: Session, tournament_id: int, agent_id: int, place: int) -> Memory:
    """What an agent brings to a game at this place of a tournament's schedule. Raises Damaged for
    rows that are not as they were written."""
    games: list[int] = []
    last: LastGame | None = None
    before = Memory()
    for seat in finished_seats(session, tournament_id, agent_id, place):
        if games and seat.game_id == games[-1]:
            continue
        games.append(seat.game_id)
        if last is not None:
            continue
        turns = [
            turn
            for turn in transcript(session, seat.game_id, calls=False)
            if turn.player_index == seat.player_index
        ]
        if turns and (kept := memory_kept(turns[0].reading)) is not None:
            before, last = kept, last_game(seat, turns)
    return Memory(len(games), before.points, last)


@dataclass(frozen=True, slots=True)
class RememberedPoint:
    """A key point (`arena.core.memory.KeyPoint`) with the game that it is about, by its `game_id`
    and its `place` in the schedule."""

    text: str
    importance: int
    game_id: int | None
    place: int
    written: int
    shown: int
    last_shown: int | None
    expires: int | None


@dataclass(frozen=True, slots=True)
class AgentMemory:
    """What an agent would bring to its next game of a tournament: `games` is how many it has
    finished there, `unwritten` the game about which it has not written yet, None for none. Points
    that are forgotten by then are left out."""

    tournament: str
    games: int
    unwritten: int | None
    points: tuple[RememberedPoint, ...]


def remembered(session: Session, agent_id: int, kind: str) -> list[AgentMemory]:
    """The memories of an agent of a kind; none for a kind that takes none. Raises Damaged for rows
    that are not as they were written."""
    return agent_memories(session, agent_id) if remembering_kind(kind) else []


def agent_memories(
    session: Session, agent_id: int, tournaments: Collection[int] | None = None
) -> list[AgentMemory]:
    """The memories of an agent in the tournaments in which it has finished games, or in some of
    them. Raises Damaged for rows that are not as they were written."""
    found = []
    for tournament_id, name, end in finished_tournaments(session, agent_id):
        if tournaments is not None and tournament_id not in tournaments:
            continue
        memory = memory_of(session, tournament_id, agent_id, end)
        seats = [*finished_seats(session, tournament_id, agent_id, end)]
        games = {seat.schedule_index: seat.game_id for seat in seats}
        if memory.last is not None:
            memory = written_last(session, seats[0]) or memory
        unwritten = None if memory.last is None else games.get(memory.last.place)
        points = tuple(
            RememberedPoint(
                point.text, point.importance, games.get(point.place), point.place, point.written,
                point.shown, point.last_shown, point.expires,
            )
            for point in memory.points
            if point.expires is None or point.expires > memory.games
        )  # fmt: skip
        found.append(AgentMemory(name, memory.games, unwritten, points))
    return found


def written_last(session: Session, seat: FinishedSeat) -> Memory | None:
    """What is known after the agent of a seat has written about its last game; None where it has
    not. Raises Damaged for a row that is not as it was written."""
    purpose = writing_purpose(seat.player_index)
    reading = Repository(session).side_reading(seat.game_id, purpose)
    try:
        return memory_kept(reading)
    except (KeyError, TypeError) as error:
        raise Damaged(
            f"what was read of `{purpose}` about game {seat.game_id} is damaged"
        ) from error


@dataclass(frozen=True, slots=True)
class TurnMemory:
    """What a turn has of earlier games: the key points that its player was shown (`recalled`), and
    those that it wrote about the game at `place` of the schedule (`learned`), None where it was
    asked about none."""

    games: int
    place: int | None
    learned: tuple[str, ...]
    recalled: tuple[str, ...]


def turn_memory(reading: Any) -> TurnMemory | None:
    """What the reading of a turn says of memory; None where it says nothing that can be read."""
    try:
        given, kept = memory_given(reading), memory_kept(reading)
    except (KeyError, TypeError):
        return None
    if given is None or kept is None:
        return None
    place = None if given.last is None else given.last.place
    return TurnMemory(
        games=given.games,
        place=place,
        learned=tuple(
            point.text
            for point in kept.points
            if place is not None and (point.place, point.written) == (place, given.games)
        ),
        recalled=tuple(point.text for point in kept.points if point.last_shown == given.games),
    )


def last_game(seat: FinishedSeat, turns: list[TurnRow]) -> LastGame:
    """A finished game as a seat saw it. `turns` are those of the seat."""
    seen, action = str(turns[-1].observation), turns[-1].action or ""
    shown = seen if len(seen) <= _SEEN else f"[…]\n{seen[-_SEEN:]}"
    did = f"{shown}\n\nYour last answer: {one_line(action, _REASON)}"
    return LastGame(seat.schedule_index, did, result_of(seat))


def result_of(seat: FinishedSeat) -> str:
    """How a game came out for a seat, in a sentence or two for its model."""
    who = f"You were player {seat.player_index}"
    if seat.role is not None:
        who += f", {one_line(seat.role, 80)}"
    if seat.team is not None:
        who += f" ({one_line(seat.team, 80)})"
    rank = "your rank is not known" if seat.rank is None else f"you finished {seat.rank + 1}."
    why = "" if not seat.reason else f" {one_line(seat.reason, _REASON)}"
    return f"The game has ended. {who}; {rank}{why}"
