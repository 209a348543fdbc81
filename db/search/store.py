"""What an index is asked and told, and where it is kept: apart from the record, which it never
slows down, and from which it can be filled again at any time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Literal, Protocol, Self

IndexName = Literal["words", "parts"]
"""`words` finds whole words, `parts` pieces of them, at several times the size."""

# What the rows of an index mean: another number, and it is filled anew.
VERSION = 1

# Ranking looks at the newest hits; those of a word that everybody says are without number.
RANKED = 20_000


@dataclass(frozen=True, slots=True)
class FilledTo:
    """How far an index is filled: every game up to `last` is in it except the `waiting` ones, which
    were not over when they were looked at. `stamp` tells the game `last` from another that has its
    number later."""

    last: int = 0
    stamp: str = ""
    waiting: tuple[int, ...] = ()

    def at(self, last: int, stamp: str) -> FilledTo:
        """The same, up to another game."""
        return replace(self, last=last, stamp=stamp)


class SearchStore(Protocol):
    """An index of texts by key; keys are in the order of play (`db.search.documents`)."""

    def progress(self, name: IndexName) -> FilledTo:
        """How far an index is filled."""
        ...

    def is_current(self, name: IndexName) -> bool:
        """Whether an index was made, and its rows mean what they mean now."""
        ...

    def add(
        self,
        name: IndexName,
        texts: Sequence[tuple[int, Sequence[str]]],
        before: FilledTo,
        after: FilledTo,
    ) -> bool:
        """Add texts, (key, their words), in one transaction; False, and nothing is added, when
        somebody else has filled the index since `before` was read."""
        ...

    def clear(self, name: IndexName) -> None:
        """Empty an index."""
        ...

    def newest(
        self,
        name: IndexName,
        phrases: Sequence[Sequence[str]],
        limit: int,
        *,
        since: int,
        below: int,
        kinds: Sequence[int],
    ) -> list[int]:
        """The largest keys from `since` to before `below` of texts in which every phrase stands,
        the largest first; `kinds` are the last two bits that a key may have."""
        ...

    def ranked(
        self,
        name: IndexName,
        phrases: Sequence[Sequence[str]],
        *,
        since: int,
        below: int,
        kinds: Sequence[int],
        most: int = RANKED,
    ) -> tuple[list[int], bool]:
        """Such keys by relevance, the best first, of the `most` newest texts; whether there are
        older ones."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
