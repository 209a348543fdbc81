"""What a subject of the record brings, and what it is given to write with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from db.codec import Codec, Known
from db.fold import Fold
from db.models.columns import clean_text, raw_text
from db.writer.connections import Connection, SqlRow

Rows = list[tuple[str, SqlRow]]
"""Statements, each with the values of one row."""


class Record(Protocol):
    """A frozen dataclass: one fact of a game, addressed by its key."""

    @property
    def game_id(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Ended:
    """A game of a tournament that has ended, in the transaction that ends it.

    `record` says how; `agents` are its agents by player_index, none where it has no result.
    `final` says that it is over for good; another attempt is made of one that is not. `again` says
    that it had ended before and is given up now.
    """

    record: Record
    tournament_id: int
    schedule_index: int | None
    agents: Mapping[int, int] = field(default_factory=dict)
    final: bool = True
    again: bool = False


class Chain:
    """What the rows of one game have said so far, so that the next ones store what is new.

    `observations` are the newest by player, `messages` by player and call number. `turn_id` is the
    newest turn, with what was `shown` and done (`action`) in it; `call_id` the newest call, whose
    messages were `written` as this text.
    """

    __slots__ = ("action", "call_id", "messages", "observations", "shown", "turn_id", "written")

    def __init__(self) -> None:
        self.observations: dict[int, Known] = {}
        self.messages: dict[tuple[int, int], tuple[Any, Known]] = {}
        self.turn_id = -1
        self.shown = ""
        self.action = ""
        self.call_id = -1
        self.written = ""


class Writing:
    """What subjects write with: one connection, and what they remember from row to row.

    Without `chained` every row stands for itself, and nothing is remembered.
    """

    def __init__(
        self, connection: Connection, fold: Fold | None = None, *, chained: bool = True
    ) -> None:
        self.connection = connection
        self.fold = fold
        self.time = connection.time
        self.moment = connection.moment
        self.codec = Codec()
        self.requests: dict[str, tuple[Mapping[str, Any], str]] = {}
        self.event_types: set[str] = set()
        self.chained = chained
        self._chains: dict[int, Chain] = {}

    def chain(self, game_id: int) -> Chain | None:
        """The game's chain; None where every row stands for itself."""
        if not self.chained:
            return None
        chain = self._chains.get(game_id)
        if chain is None:
            chain = self._chains[game_id] = Chain()
        return chain

    def forget(self, game_id: int) -> None:
        """Let the game's next rows stand for themselves: it has ended, or its rows may not have
        been written as they were made."""
        self._chains.pop(game_id, None)


R = TypeVar("R", bound=Record)

MakeRows = Callable[[Writing, R, Record | None], Rows]
"""make(writing, record, following): the rows of a record; `following` is the one after it in the
same append, None where rows stand for themselves."""

End = Callable[[Writing, R], Ended | None]
"""end(writing, record): write the end of a game; None when nothing more follows from it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One noun of the record: its statements in the order in which a batch runs them, the `rows`
    of its records, and what it `expects` of a record whose update changed nothing: it raises
    WriteFailed unless that was written before.

    `ends` are its records that end a game: they read before they write, so they are written one by
    one after the rows of their batch. Whatever `follows` from an end is written in the same
    transaction. Every statement can be run again by its key, and changes nothing then.
    """

    statements: tuple[str, ...] = ()
    rows: Mapping[type, MakeRows[Any]] = field(default_factory=dict)
    expects: Callable[[Connection, Any], None] | None = None
    ends: Mapping[type, End[Any]] = field(default_factory=dict)
    follows: Callable[[Writing, Ended], None] | None = None


def cleaned(text: str | None) -> tuple[str | None, bytes | None]:
    """A text as both databases can store it, and its bytes where that is not the whole of it."""
    if text is None:
        return None, None
    clean = clean_text(text)
    return clean, None if clean is text else raw_text(text, clean)
