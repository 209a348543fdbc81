"""Readers of speeches at work on games on record: by which reader a game's claims were read, and
how they are read by another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arena import registry
from arena.aside.together import together
from arena.core import LLM, CallOptions, Completion, Message, UsageError
from arena.core.readers import Cast, Reader, Speech, SpeechReading
from arena.events.readings import RULES
from arena.orchestrator.clients import client_for
from arena.orchestrator.side_calls import CONCURRENCY, NotOnRecord, SideCalls
from arena.orchestrator.specs import model_spec
from arena.registry import guarded
from db import Database, Repository


@dataclass(frozen=True, slots=True)
class ReaderUsed:
    """A reader in a version, with the model that it asked, by its name in the catalogue. As a text
    it stands in the game and in each of its claims; that of the rules is `rules` alone: their
    version is the projection's."""

    name: str
    version: int
    model: str | None = None

    def __str__(self) -> str:
        if self.name == RULES:
            return RULES
        return f"{self.name} {self.version}" + (f" {self.model}" if self.model else "")

    @classmethod
    def of(cls, text: str) -> ReaderUsed:
        """The reader of a text. Raises UsageError for one that is no reader's."""
        if text == RULES:
            return cls(RULES, 1)
        name, _, rest = text.partition(" ")
        version, _, model = rest.partition(" ")
        if not version.isdecimal():
            raise UsageError(f"the reader {text!r} on record is none: expected NAME VERSION MODEL")
        return cls(name, int(version), model or None)


@dataclass(frozen=True, slots=True)
class ReaderChoice:
    """The reader by which games are to be read: its registered `name`, the `model` that it asks,
    the `budget` in dollars, and how many calls are in flight at once."""

    name: str
    model: str | None = None
    budget: float | None = None
    concurrency: int = CONCURRENCY


class SpeechReader:
    """A reader with what it may ask, for any number of games."""

    def __init__(self, used: ReaderUsed, reader: Reader, calls: SideCalls | None) -> None:
        self.used = used
        self.calls = calls
        self._reader = reader

    async def read(
        self, game_id: int, speeches: Sequence[Speech], cast: Cast
    ) -> list[Sequence[SpeechReading]]:
        """What each speech is read to say. Raises PluginError for what the reader raises,
        NotOnRecord where nobody may be asked, and what the client raises."""
        if self.calls is None:
            return [await self._one(speech, cast, _Nobody()) for speech in speeches]
        purpose = f"reader {self.used.name} {self.used.version}"
        async with self.calls.open():
            return await together(
                self._one(speech, cast, self.calls.about(game_id, speech.turn, purpose))
                for speech in speeches
            )

    async def unasked(self, game_id: int, speech: Speech, cast: Cast) -> NotOnRecord | None:
        """The question about a speech whose answer is not on record; None where there is none.
        Raises what the reader does."""
        llm = _Nobody() if self.calls is None else self.calls.about(game_id, speech.turn, "")
        try:
            await self._one(speech, cast, llm)
        except NotOnRecord as question:
            return question
        return None

    async def _one(self, speech: Speech, cast: Cast, llm: LLM) -> Sequence[SpeechReading]:
        with guarded("readers", self.used.name, f"it read turn {speech.turn}"):
            return await self._reader.read(speech, cast, llm)

    async def aclose(self) -> None:
        """Close the connections to its model."""
        if self.calls is not None and self.calls.client is not None:
            await self.calls.client.aclose()


class _Nobody:
    async def complete(
        self, messages: Sequence[Message], options: CallOptions | None = None
    ) -> Completion:
        raise RuntimeError("a reader without `asks` asked a model")


def chosen_reader(database: Database, choice: ReaderChoice, *, asks: bool = True) -> SpeechReader:
    """The reader of a choice; without `asks` it takes answers on record alone. Raises UsageError
    for a name that is not registered, a model that it needs and is not in the catalogue, or one
    that it does not ask."""
    reader = registry.reader(choice.name)
    used = ReaderUsed(choice.name, reader.version, choice.model)
    if not reader.asks:
        if choice.model is not None or choice.budget is not None:
            raise UsageError(f"the reader {choice.name!r} asks no model: leave out --model")
        return SpeechReader(used, reader, None)
    if choice.model is None:
        raise UsageError(
            f"the reader {choice.name!r} asks a model: say which, as in --model NAME; "
            "`arena models list` lists them"
        )
    with database.session() as session:
        row = Repository(session).get_model_by_name(choice.model)
    if row is None:
        raise UsageError(
            f"there is no model {choice.model!r} in the catalogue: `arena models add` adds it"
        )
    model = model_spec(row)
    client = client_for(None) if asks else None
    calls = SideCalls(database, model, client, budget=choice.budget, concurrency=choice.concurrency)
    return SpeechReader(used, reader, calls)


def reader_on_record(database: Database, text: str) -> SpeechReader:
    """The reader that a game was read by, with the answers on record. Raises UsageError where it is
    not installed in that version."""
    used = ReaderUsed.of(text)
    found = chosen_reader(database, ReaderChoice(used.name, used.model), asks=False)
    if found.used.version != used.version:
        raise UsageError(
            f"its claims were read by {text}, installed is version {found.used.version} of that "
            f"reader: `arena events rebuild --reader {used.name}` reads them anew"
        )
    return found
