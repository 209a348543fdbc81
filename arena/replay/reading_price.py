"""What reading the speeches of games by a model would cost, before anything is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from arena.aside.readings import ReaderChoice, chosen_reader
from arena.core import ArenaError, Message, Usage, text_of
from arena.orchestrator.clients import client_for
from arena.replay.events import Readers, lacking_games, played_again
from db import Database, DatabaseError
from db.selection import Selection

# About as many tokens as an answer has that names a claim and two players.
_ANSWER_TOKENS = 60


@dataclass(frozen=True, slots=True)
class ReadingPrice:
    """What a reader would ask about the `speeches` of some games: `calls` that are not on record.
    `dollars` is about what they cost, `most` what they can cost; None where no price is known.
    `untold` are games that cannot be played again."""

    games: int
    speeches: int
    calls: int
    dollars: float | None
    most: float | None
    untold: int = 0


def price_of_reading(
    database: Database, selection: Selection, choice: ReaderChoice, *, everything: bool = False
) -> ReadingPrice:
    """The price of `rebuild_events` by a choice; nothing is sent and nothing written. A second
    question about the same speech, where an answer cannot be read, is not counted. Raises
    UsageError."""
    reader = chosen_reader(database, replace(choice, budget=None), asks=False)
    with Readers(database, choice, asks=False) as readers:
        games = lacking_games(database, selection, readers, everything=everything)
    client = client_for(None)
    speeches = calls = untold = 0
    dollars: float | None = 0.0
    most: float | None = 0.0
    sent: set[str | None] = set()
    with asyncio.Runner() as runner:
        for game_id in games:
            try:
                with database.session() as session:
                    played = played_again(session, game_id)
            except (ArenaError, DatabaseError):
                untold += 1
                continue
            speeches += len(played.speeches)
            for speech in played.speeches:
                asked = runner.run(reader.unasked(game_id, speech, played.cast))
                key = None if asked is None else "\n".join(map(text_of, asked.messages))
                if asked is None or key in sent:
                    continue
                sent.add(key)
                calls += 1
                worst = client.worst(asked.model, asked.messages)
                most = None if most is None or worst is None else most + worst
                prices = client.prices(asked.model)
                about = None if prices is None else prices.cost(_usage(asked.messages))
                about = 0.0 if worst == 0.0 else about
                dollars = None if dollars is None or about is None else dollars + about
    return ReadingPrice(len(games), speeches, calls, dollars, most, untold)


def _usage(messages: Sequence[Message]) -> Usage:
    """About what a question takes: four characters are a token."""
    return Usage(sum(len(text_of(message)) for message in messages) // 4 + 1, _ANSWER_TOKENS)
