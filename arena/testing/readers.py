"""The promises of `arena.core.readers.Reader`, as far as one alone can be held to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from arena.core import CallOptions, Completion, Event, Message
from arena.core.readers import Cast, Reader, Speech
from arena.events.readings import with_readings
from arena.testing.conformance import ConformanceError
from arena.testing.policies import HOSTILE_TEXTS

_CAST = Cast(
    ("Detective", "Doctor", "Mafia", "Mafia", "Villager", "Villager"),
    ("Village", "Village", "Mafia", "Mafia", "Village", "Village"),
)
_NOBODY = Cast((None,) * 6, (None,) * 6)
_SAID = (
    "I am the Detective, and player 3 is Mafia.",
    "I am not Mafia! Vote for [2].",
    "Is player 4 the Doctor?",
    "",
    *HOSTILE_TEXTS,
)


class _Answers:
    """Gives the same answer to whatever is asked."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.asked: list[Sequence[Message]] = []

    async def complete(
        self, messages: Sequence[Message], options: CallOptions | None = None
    ) -> Completion:
        self.asked.append(messages)
        return Completion(self.answer)


def check_reader(make: Callable[[], Reader], *, answers: Sequence[str] = ()) -> None:
    """What a speech can say in its game, the same of the same words whatever was read before, and
    hostile words too; a model is asked only by a reader that says so. `answers` are some that the
    model of one that `asks` may give. Raises ConformanceError."""
    reader = make()
    if not isinstance(reader.version, int) or reader.version < 1:
        raise ConformanceError(f"expected a version from 1, found {reader.version!r}")
    if reader.asks and not answers:
        raise ConformanceError("a reader that asks is checked with some `answers` of its model")
    for cast in (_CAST, _NOBODY):
        for answer in answers or ("",):
            found = [_read(make(), order, cast, answer) for order in (1, -1)]
            if found[0] != found[1]:
                raise ConformanceError(
                    "expected the same readings in any order of the speeches, found "
                    f"{found[0]} and {found[1]}"
                )


def _read(reader: Reader, order: int, cast: Cast, answer: str) -> dict[int, list[Event]]:
    llm = _Answers(answer)
    found = {}
    for turn, text in [*enumerate(_SAID)][::order]:
        said = Speech(turn, 1, text, day=1, phase="Day")
        read = asyncio.run(reader.read(said, cast, llm))
        event = Event("speech", 1, turn=turn)
        try:
            found[turn] = with_readings([event], [read], cast, "checked")
        except (TypeError, ValueError) as error:
            raise ConformanceError(f"of {text!r}: {error}") from error
    if llm.asked and not reader.asks:
        raise ConformanceError("expected no question to a model of a reader without `asks`")
    return found
