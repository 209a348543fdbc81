"""A game that another process goes on with reads back whole."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import Any

import pytest

import db
from db import Recorder, get_session
from db.queries.transcript import TurnRow
from db.writer.calls import CallAnswered, CallIntended
from db.writer.games import GameStarted
from db.writer.subject import Record
from tests.db.test_recorder import acted, answered, db_turn_keys, intended, opened, read
from tests.db.tournaments import FOLD, NOON, tournament, won

PLAYERS = 2


class Script:
    """Every turn of a game as records, made from its number alone: what replay would give."""

    def __init__(self, game_id: int, turns: int = 14) -> None:
        rng = random.Random(game_id)
        seen = [f"[GAME] Welcome to Nim, Player {player}. Take one or two." for player in (0, 1)]
        notes: list[list[dict[str, Any]]] = [[], []]
        self.turns: list[tuple[list[Record], list[Record]]] = []
        self.observations = []
        for turn in range(turns):
            player = turn % PLAYERS
            said = f"I take {rng.randrange(1, 3)} of what is left, says {rng.random()}."
            key = (game_id, turn, player)
            intent = intended(*key, seen[player])
            messages = [*intent.messages, *notes[player]]
            self.observations.append(seen[player])
            self.turns.append(
                (
                    [opened(*key, seen[player]), replace(intent, messages=messages)],
                    [answered(*key, said), acted(*key, said)],
                )
            )
            notes[player].append({"role": "assistant", "content": said})
            seen = [f"{text}\n[Player {player}] {said}" for text in seen]


async def play(recorder: Recorder, script: Script, begin: int, end: int) -> None:
    for before, after in script.turns[begin:end]:
        await recorder.append(*before)
        await recorder.append(*after)


def check(turns: list[TurnRow], script: Script) -> None:
    assert [turn.observation for turn in turns] == script.observations
    for turn, (before, _) in zip(turns, script.turns, strict=True):
        intent = before[1]
        assert isinstance(intent, CallIntended)
        assert turn.calls[-1].messages == intent.messages
        assert turn.calls[-1].text == turn.action
        assert turn.calls[-1].response["choices"][0]["message"]["content"] == turn.action
        assert turn.observation.endswith(turn.new)


@pytest.mark.parametrize("stop", [1, 2, 7])
def test_a_game_stopped_between_two_turns(database_url: str, stop: int) -> None:
    first, *_ = tournament(database_url)
    script = Script(first)

    async def process(begin: int, end: int) -> None:
        async with Recorder(database_url, FOLD) as recorder:
            await recorder.append(GameStarted(first, NOON))
            await play(recorder, script, begin, end)

    asyncio.run(process(0, stop))
    asyncio.run(process(stop, stop + 4))
    asyncio.run(process(stop + 4, len(script.turns)))
    check(read(database_url, first), script)
    with get_session(database_url) as session:
        for key, seen in zip(session.exec(db_turn_keys(first)), script.observations, strict=True):
            one = session.get_one(db.GameTurn, key)
            assert one.observation == seen
            assert one.calls[0].messages == read_messages(script, one.turn_number)


def read_messages(script: Script, turn: int) -> Any:
    intent = script.turns[turn][0][1]
    assert isinstance(intent, CallIntended)
    return intent.messages


def test_a_game_stopped_while_a_call_was_in_flight(database_url: str) -> None:
    first, *_ = tournament(database_url)
    script = Script(first)
    stop = 5

    async def start() -> None:
        async with Recorder(database_url) as recorder:
            await play(recorder, script, 0, stop)
            await recorder.append(*script.turns[stop][0])

    async def go_on(*again: Record) -> None:
        async with Recorder(database_url, FOLD) as recorder:
            before, after = script.turns[stop]
            intent, answer, act = before[1], after[0], after[1]
            # The turn may be opened again or not: it is there already.
            await recorder.append(*again, replace(intent, call_index=1, attempt=0))  # type: ignore[call-arg]
            assert isinstance(answer, CallAnswered)
            late = replace(answer.answer, call_index=1)  # type: ignore[type-var]
            await recorder.append(replace(answer, answer=late), act)
            await play(recorder, script, stop + 1, len(script.turns))
            await recorder.append(won(first))

    asyncio.run(start())
    asyncio.run(go_on(*(script.turns[stop][0][:1] if "sqlite" in database_url else ())))
    turns = read(database_url, first)
    check(turns, script)
    assert [call.answered for call in turns[stop].calls] == [False, True]
    assert turns[stop].calls[0].messages == turns[stop].calls[1].messages


def test_a_whole_record_written_again_by_another_process(database_url: str) -> None:
    """What a replay that records too would do: it changes nothing, and the game goes on."""
    first, second, *_ = tournament(database_url)
    scripts = [Script(first), Script(second)]

    async def process(begin: int, end: int) -> None:
        async with Recorder(database_url) as recorder:
            await asyncio.gather(*(play(recorder, script, begin, end) for script in scripts))

    asyncio.run(process(0, 6))
    asyncio.run(process(0, 10))
    asyncio.run(process(3, 14))
    for game, script in zip((first, second), scripts, strict=True):
        check(read(database_url, game), script)
