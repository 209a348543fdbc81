"""The model reader asks once a speech, tells nobody's role, and takes nothing that is not there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from arena import registry
from arena.core import CallOptions, Completion, Message
from arena.core.readers import Cast, Speech, SpeechReading
from arena.readers.model import ModelReader
from arena.testing import ConformanceError, check_reader

CAST = Cast(
    ("Detective", "Doctor", "Mafia", "Mafia", "Villager", "Villager"),
    ("Village", "Village", "Mafia", "Mafia", "Village", "Village"),
)
CLAIMED = '{"claims": [{"player": "self", "role": "detective"}], "accuses": [3]}'


class Says:
    """A model that gives these answers, one after the other."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[list[Message]] = []

    async def complete(
        self, messages: Sequence[Message], options: CallOptions | None = None
    ) -> Completion:
        self.asked.append(list(messages))
        return Completion(self.answers.pop(0))


def read(*answers: str, text: str = "I am the Detective!") -> tuple[list[SpeechReading], Says]:
    llm = Says(*answers)
    speech = Speech(7, 1, text)
    return [*asyncio.run(ModelReader().read(speech, CAST, llm))], llm


def test_a_claim_and_an_accusation() -> None:
    found, llm = read(CLAIMED)

    assert found == [
        SpeechReading("claim", role="Detective"),
        SpeechReading("accusation", target=3),
    ]
    assert [message["role"] for message in llm.asked[0]] == ["system", "user"]
    assert llm.asked[0][1]["content"] == (
        "Players: 0 to 5.\nRoles by team: Mafia: Mafia; Village: Detective, Doctor, Villager.\n"
        'Player 1 says: "I am the Detective!"'
    )


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ('{"claims": [{"player": 9, "role": "Mafia"}], "accuses": [1, 9, "x", null]}', []),
        ('{"claims": [{"player": "self", "role": "Emperor"}]}', []),
        ('{"claims": ["I am", 3, null], "accuses": 3}', []),
        ('{"accuses": ["Player 3", "[3]", 3]}', [SpeechReading("accusation", 3)]),
        (
            '{"claims": [{"player": 4, "team": "mafia", "denies": true}]}',
            [SpeechReading("claim", 4, team="Mafia", denies=True)],
        ),
        ('{"claims": [{"player": 1, "role": "Doctor"}]}', [SpeechReading("claim", role="Doctor")]),
    ],
)
def test_what_the_game_does_not_have_is_left_out(answer: str, found: list[SpeechReading]) -> None:
    assert read(answer)[0] == found


def test_an_answer_without_json_is_asked_for_once_more() -> None:
    found, llm = read("It claims to be the Detective.", CLAIMED)
    assert len(found) == 2
    assert [message["role"] for message in llm.asked[1]][2:] == ["assistant", "user"]

    with pytest.raises(ValueError, match="turn 7: the model answered twice without the JSON"):
        read("no", "never")


def test_nothing_is_asked_of_silence() -> None:
    found, llm = read(text=" \n")
    assert (found, llm.asked) == ([], [])


@pytest.mark.parametrize("name", registry.names("readers"))
def test_every_registered_reader_keeps_the_protocol(name: str) -> None:
    check_reader(lambda: registry.reader(name), answers=(CLAIMED, '{"claims": []}'))


def test_the_kit_finds_what_breaks_a_promise() -> None:
    class Asks(ModelReader):
        asks = False

    class Invents(ModelReader):
        asks = False

        async def read(self, speech, cast, llm):  # type: ignore[no-untyped-def]
            return [SpeechReading("claim", role="Emperor")]

    class Remembers(ModelReader):
        asks = False

        def __init__(self) -> None:
            self.heard: list[str] = []

        async def read(self, speech, cast, llm):  # type: ignore[no-untyped-def]
            self.heard.append(speech.text)
            return [SpeechReading("accusation", target=len(self.heard) % 2 * 2)]

    for broken, said in ((Asks, "no question to a model"), (Invents, "no such role")):
        with pytest.raises(ConformanceError, match=said):
            check_reader(broken, answers=(CLAIMED,))
    with pytest.raises(ConformanceError, match="in any order"):
        check_reader(Remembers, answers=(CLAIMED,))
