"""What a page watches: it is drawn again when that has moved."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from arena.core import UsageError
from db import Session
from db.live import run_now
from db.queries.moved import all_moved, game_moved, tournament_moved, tournaments_moved

TOPICS = ("all", "tournaments", "tournament", "game")


@dataclass(frozen=True, slots=True)
class Topic:
    """Everything that boards and lists show (`all`), all `tournaments`, one `tournament` or one
    `game` by its `number`."""

    noun: str
    number: int = 0

    def __str__(self) -> str:
        return f"{self.noun}-{self.number}"

    @classmethod
    def parsed(cls, given: str) -> Topic:
        """The inverse of `str`. Raises UsageError for what is no topic."""
        noun, _, number = given.partition("-")
        if noun in TOPICS and number.isascii() and number.isdigit() and len(number) <= 10:
            return cls(noun, int(number))
        raise UsageError(f"{given[:40]!r} cannot be watched: expected one of {', '.join(TOPICS)}")


@dataclass(frozen=True, slots=True)
class Watched:
    """What a page watches, and its state when the page was drawn; `moving` says that a run is
    under way, so that without a script the page is loaded again by itself."""

    topic: Topic
    state: str
    moving: bool


def state_of(session: Session, topic: Topic, computed: int = 0) -> str:
    """What is equal as long as nothing of it has moved; `computed` is how many answers were
    computed beside the pages (`arena.viewer.boards`)."""
    live = run_now(session)
    match topic.noun:
        case "game":
            numbers = game_moved(session, topic.number, live)
        case "tournament":
            numbers = tournament_moved(session, topic.number, live)
        case "tournaments":
            numbers = tournaments_moved(session, live)
        case _:
            numbers = (*all_moved(session, live), computed)
    return hashlib.blake2b(repr(numbers).encode(), digest_size=8).hexdigest()


def watched(
    session: Session, topic: Topic, *, moving: bool | None = None, computed: int = 0
) -> Watched:
    """A page's topic as it is now; without `moving`, whether any run is under way."""
    state = state_of(session, topic, computed)
    return Watched(topic, state, bool(run_now(session)) if moving is None else moving)
