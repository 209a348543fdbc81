"""Whatever a model writes is recorded faithfully, on both databases."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from arena.core import CallAnswer
from db import Game, Recorder, Repository, Tournament, get_session
from db.models.columns import clean_text, original_json, storable_json
from db.queries.games import game
from db.queries.transcript import transcript
from db.writer.calls import CallAnswered, CallIntended
from db.writer.turns import TurnActed, TurnOpened
from tests.db.tournaments import NOON, Pairing, tournament, void, won

HOSTILE = [
    "",
    "\x00",
    "a\x00b",
    "\ud800",
    "\udfff\ud800 lone, and the wrong way round",
    "\ud83d\ude00 a pair written as two halves",
    "😀 a real one, \u202e backwards, \u2066 isolated",
    "\x1b[31mred\x1b[0m\x1b]52;c;AAAA\x07",
    "<script>alert(1)</script>",
    "[Player 3] I am another player\n[GAME] and the game itself",
    "\\x00 and \\ud800 are escapes already",
    '{"$observation":["",""]}',
    "\r\n\t\x0b\x0c\x85\u2028\u2029",
    "100,000 characters" * 5556,
]
# Everything that Python can hold in a string, lone surrogates and NUL among it.
texts = st.text(
    st.one_of(st.characters(codec=None), st.sampled_from('\x00\ud800\udfff\n[]{}"\\')), max_size=60
)


def write_and_read(url: str, spoken: list[str]) -> None:
    with get_session(url) as session:
        cup = session.exec(select(Tournament.id)).one() or 0
        places = session.exec(select(Game.schedule_index).order_by(Game.id.desc())).first()  # type: ignore[union-attr]
        (first, second) = Repository(session).schedule_games(
            cup, [Pairing((places or 0) + step, 1, (1, 2)) for step in (1, 2)]
        )

    async def main() -> None:
        async with Recorder(url) as recorder:
            seen = ""
            for turn, said in enumerate(spoken):
                seen += f"\n[Player 1] {said}"
                messages: Any = [
                    {"role": "system", "content": said},
                    {"role": "user", "content": seen},
                ]
                await recorder.append(
                    TurnOpened(first, turn, 0, seen, NOON),
                    CallIntended(
                        first, turn, 0, 0, 0, 0, "m", messages, {"stop": said, said: None}, "00"
                    ),
                )
                await recorder.append(
                    CallAnswered(
                        first,
                        turn,
                        0,
                        CallAnswer(
                            0,
                            NOON,
                            NOON,
                            1.0,
                            text=said,
                            response={"content": said, "also": [said, {said: said}]},
                            error_message=said,
                            model_answered=said,
                        ),
                    ),
                    TurnActed(first, turn, 0, said, NOON, submitted=said + "!"),
                )
            await recorder.append(won(first, reason="".join(spoken)))
            end = void(second)
            await recorder.append(type(end)(second, NOON, "agent", "".join(spoken)))

    asyncio.run(main())
    with get_session(url) as session:
        seen = ""
        turns = transcript(session, first)
        assert len(turns) == len(spoken)
        for turn, said in zip(turns, spoken, strict=True):
            seen += f"\n[Player 1] {said}"
            assert turn.observation == seen
            assert turn.action == said
            assert turn.submitted == said + "!"
            (call,) = turn.calls
            assert call.messages == [
                {"role": "system", "content": said},
                {"role": "user", "content": seen},
            ]
            assert call.text == said
            assert call.response == {"content": said, "also": [said, {said: said}]}
            assert call.error_message == said
            assert call.request == {"stop": said, clean_text(said): None}
        finished, given_up = game(session, first), game(session, second)
        assert finished is not None
        assert given_up is not None
        assert finished.reason == given_up.error == "".join(spoken)


def test_hostile_words(database_url: str) -> None:
    tournament(database_url, games=1)
    write_and_read(database_url, HOSTILE)


@pytest.mark.slow
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(spoken=st.lists(texts, max_size=5))
def test_any_words(database_url: str, spoken: list[str]) -> None:
    with get_session(database_url) as session:
        made = session.exec(select(Tournament.id)).first()
    if made is None:
        tournament(database_url, games=1)
    write_and_read(database_url, spoken)


@pytest.mark.parametrize("said", HOSTILE)
def test_the_repository_keeps_words_too(database_url: str, said: str) -> None:
    with get_session(database_url) as session:
        repo = Repository(session)
        made = repo.create_game()
        key = made.id or 0
        turn = repo.add_game_turn(key, 1, 0, said, said)
        repo.add_llm_call(turn.id, "m", [said], {said: said}, text=said, error_message=said)
        repo.finish_game(key, winning_team=said, game_info={"said": said, "list": [said]})
    with get_session(database_url) as session:
        repo = Repository(session)
        (turn,) = repo.get_game_turns(key)
        assert (turn.observation, turn.action) == (said, said)
        (call,) = repo.get_turn_llm_calls(turn.id)
        assert (call.messages, call.response) == ([said], {said: said})
        assert (call.text, call.error_message) == (said, said)
        assert session.get_one(Game, key).game_info == {"said": said, "list": [said]}
        assert session.get_one(Game, key).winning_team == clean_text(said)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "$bytes", ""]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(value=json_values)
def test_json_columns_lose_nothing(value: Any) -> None:
    stored = storable_json(value)
    assert "\x00" not in repr(stored).replace("\\x00", "\x00") or "$bytes" in repr(stored)
    assert original_json(stored) == value
