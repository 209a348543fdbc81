"""The recorder: durable, by its keys, one bad row alone, and never in the event loop's way."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

import db
from arena.core import CallAnswer, Usage
from db import DatabaseError, Recorder, get_engine, get_session
from db.errors import UnwritablePath, WriteFailed
from db.queries.games import game
from db.queries.transcript import TurnRow, transcript
from db.writer.calls import CallAnswered, CallIntended
from db.writer.connections import SQLiteConnection
from db.writer.games import GameStarted
from db.writer.subject import Record
from db.writer.turns import TurnActed, TurnOpened, TurnRefused
from tests.db.tournaments import FOLD, NOON, tournament, won

SYSTEM = {"role": "system", "content": "You are a careful player of Nim, and you think aloud."}


def opened(game_id: int, turn: int, player: int, seen: str) -> TurnOpened:
    return TurnOpened(game_id, turn, player, seen, NOON)


def intended(game_id: int, turn: int, player: int, seen: str, index: int = 0) -> CallIntended:
    return CallIntended(
        game_id,
        turn,
        player,
        index,
        0,
        index,
        "scripted/random",
        [SYSTEM, {"role": "user", "content": seen}],
        {"temperature": 0.5},
        "00112233445566ff",
    )


def answered(
    game_id: int, turn: int, player: int, said: str, index: int = 0, **changes: Any
) -> CallAnswered:
    answer = CallAnswer(
        index,
        NOON,
        NOON,
        12.5,
        text=said,
        response={"id": "x", "choices": [{"message": {"content": said}}], "usage": None},
        model_answered="random-1",
        finish_reason="stop",
        usage=Usage(20, 3, cost=0.25),
    )
    return CallAnswered(game_id, turn, player, replace(answer, **changes))


def acted(game_id: int, turn: int, player: int, did: str) -> TurnActed:
    return TurnActed(game_id, turn, player, did, NOON, response_time_ms=13.0, tokens_used=23)


async def play(recorder: Recorder, game_id: int, turns: int = 6, stop: bool = True) -> None:
    """A game of two players who see everything that is said."""
    seen = [f"[GAME] Welcome to Nim, Player {player}. Take one or two." for player in (0, 1)]
    await recorder.append(GameStarted(game_id, NOON))
    for turn in range(turns):
        player = turn % 2
        said = f"I take {turn % 2 + 1} of the sticks that are left in game {game_id}."
        await recorder.append(
            opened(game_id, turn, player, seen[player]),
            intended(game_id, turn, player, seen[player]),
        )
        await recorder.append(
            answered(game_id, turn, player, said), acted(game_id, turn, player, said)
        )
        seen = [f"{text}\n[Player {player}] {said}" for text in seen]
    if stop:
        await recorder.append(won(game_id))


def read(url: str, game_id: int) -> list[TurnRow]:
    with get_session(url) as session:
        return transcript(session, game_id)


def scalar(url: str, statement: str) -> Any:
    engine = get_engine(url)
    with engine.connect() as connection:
        found = connection.execute(text(statement)).scalar()
    engine.dispose()
    return found


def test_a_game_reads_back_as_it_was_played(database_url: str) -> None:
    first, *_ = tournament(database_url)

    async def main() -> None:
        async with Recorder(database_url, FOLD) as recorder:
            await play(recorder, first)
            assert recorder.stats.records == 2 + 6 * 4
            assert recorder.queued == 0

    asyncio.run(main())
    turns = read(database_url, first)
    assert [turn.player_index for turn in turns] == [0, 1, 0, 1, 0, 1]
    assert turns[0].observation == turns[0].new
    assert turns[0].observation == "[GAME] Welcome to Nim, Player 0. Take one or two."
    assert turns[2].new == (
        f"\n[Player 0] I take 1 of the sticks that are left in game {first}."
        f"\n[Player 1] I take 2 of the sticks that are left in game {first}."
    )
    assert turns[2].observation == turns[0].observation + turns[2].new
    for turn in turns:
        (call,) = turn.calls
        assert call.messages == [SYSTEM, {"role": "user", "content": turn.observation}]
        assert call.text == turn.action == turn.submitted
        assert call.response["choices"][0]["message"]["content"] == turn.action
        assert call.request == {"temperature": 0.5}
        assert (call.prompt_tokens, call.response_tokens, call.cost) == (20, 3, 0.25)
        assert call.request_sent_at == turn.acted_at == NOON
        assert call.answered
    with get_session(database_url) as session:
        row = game(session, first)
        assert row is not None
        assert (row.status, row.turn_count, row.termination) == ("completed", 12, "natural")
        assert [player.rank for player in row.players] == [0, 1]
        # One row at a time says the same as the whole.
        for key, turn in zip(session.exec(db_turn_keys(first)), turns, strict=True):
            one = session.get_one(db.GameTurn, key)
            assert one.observation == turn.observation
            assert one.calls[0].messages == turn.calls[0].messages
            assert one.calls[0].response == turn.calls[0].response


def db_turn_keys(game_id: int) -> Any:
    from sqlmodel import select

    return select(db.GameTurn.id).where(db.GameTurn.game_id == game_id).order_by(db.GameTurn.id)


def test_texts_are_stored_once(sqlite_url: str) -> None:
    first, *_ = tournament(sqlite_url)

    async def main() -> None:
        async with Recorder(sqlite_url) as recorder:
            await play(recorder, first, turns=40)

    asyncio.run(main())
    said = sum(len(turn.action or "") for turn in read(sqlite_url, first))
    shown = scalar(sqlite_url, "SELECT SUM(LENGTH(body)) FROM turn_payloads")
    sent = scalar(sqlite_url, "SELECT SUM(LENGTH(messages)) FROM call_payloads")
    assert shown < said
    assert sent < 600


def test_everything_may_be_written_again(database_url: str) -> None:
    first, *_ = tournament(database_url)

    async def main() -> None:
        async with Recorder(database_url, FOLD) as recorder:
            await play(recorder, first)

    asyncio.run(main())
    before = read(database_url, first)
    changes = scalar(database_url, "SELECT COUNT(*) FROM rating_changes")

    async def again() -> None:
        async with Recorder(database_url, FOLD) as recorder:
            seen = [turn.observation for turn in before]
            for turn in before:
                key = (first, turn.turn_number, turn.player_index)
                await recorder.append(
                    opened(*key, seen[turn.turn_number]),
                    intended(*key, seen[turn.turn_number]),
                    answered(*key, turn.action or ""),
                    acted(*key, turn.action or ""),
                )
            await asyncio.gather(recorder.append(won(first)), recorder.append(won(first)))

    asyncio.run(again())
    assert read(database_url, first) == before
    assert scalar(database_url, "SELECT COUNT(*) FROM rating_changes") == changes == 4


def test_a_resumed_game_goes_on_and_keeps_what_was_first(database_url: str) -> None:
    first, *_ = tournament(database_url)
    shown = "[GAME] Welcome to Nim, Player 0. Take one or two sticks when it is your turn."

    async def start() -> None:
        async with Recorder(database_url) as recorder:
            await recorder.append(opened(first, 0, 0, shown), intended(first, 0, 0, shown))

    async def resume() -> None:
        async with Recorder(database_url) as recorder:
            # The turn and its intent are there already: other words change nothing.
            await recorder.append(
                opened(first, 0, 0, "something else"), intended(first, 0, 0, shown, index=1)
            )
            await recorder.append(answered(first, 0, 0, "[2]", 1), acted(first, 0, 0, "[2]"))
            later = shown + "\nYou took two."
            await recorder.append(opened(first, 1, 0, later), intended(first, 1, 0, later))
            final = later + "\nIt took one."
            await recorder.append(opened(first, 2, 0, final), intended(first, 2, 0, final))

    asyncio.run(start())
    asyncio.run(resume())
    turns = read(database_url, first)
    assert [turn.observation for turn in turns] == [
        shown,
        shown + "\nYou took two.",
        shown + "\nYou took two.\nIt took one.",
    ]
    assert [call.answered for call in turns[0].calls] == [False, True]
    assert turns[0].calls[0].messages == turns[0].calls[1].messages
    assert turns[2].calls[0].messages[1]["content"] == turns[2].observation


def test_rows_that_come_out_of_order_stand_for_themselves(sqlite_url: str) -> None:
    first, *_ = tournament(sqlite_url)
    said = "[GAME] Everybody moves at the same time, in whatever order they answer."

    async def main() -> None:
        async with Recorder(sqlite_url) as recorder:
            for turn in range(3):
                for player in (1, 0):
                    seen = said + "\nNothing has happened in this long round." * turn
                    await recorder.append(
                        opened(first, turn, player, seen), intended(first, turn, player, seen)
                    )
                    await recorder.append(acted(first, turn, player, "I wait for all of you here."))

    asyncio.run(main())
    for turn in read(sqlite_url, first):
        assert turn.observation.count("Nothing") == turn.turn_number
        assert turn.calls[0].messages[1]["content"] == turn.observation


def test_an_agent_may_go_on_writing_to_what_it_sent(sqlite_url: str) -> None:
    first, *_ = tournament(sqlite_url)
    chat: list[dict[str, Any]] = [dict(SYSTEM)]

    async def main() -> None:
        async with Recorder(sqlite_url) as recorder:
            for turn in range(4):
                await recorder.append(
                    opened(first, turn, 0, f"turn {turn}"),
                    replace(intended(first, turn, 0, ""), messages=chat),
                )
                chat[0]["content"] += "!"
                chat.append({"role": "assistant", "content": f"I did {turn}."})

    asyncio.run(main())
    sent = [turn.calls[0].messages for turn in read(sqlite_url, first)]
    assert [len(messages) for messages in sent] == [1, 2, 3, 4]
    assert [messages[0]["content"][-4:] for messages in sent] == ["oud.", "ud.!", "d.!!", ".!!!"]


def test_a_bad_append_fails_alone(database_url: str) -> None:
    first, second, *_ = tournament(database_url)

    async def main() -> list[Any]:
        async with Recorder(database_url) as recorder:
            results = await asyncio.gather(
                recorder.append(opened(first, 0, 0, "good"), acted(first, 0, 0, "[1]")),
                recorder.append(opened(999, 0, 0, "no such game")),
                recorder.append(opened(first, 2**16, 0, "no such turn")),
                recorder.append(acted(first, 5, 0, "never opened")),
                recorder.append(answered(first, 0, 0, "never intended")),
                recorder.append(GameStarted(1234, NOON)),
                recorder.append(opened(second, 0, 0, "good"), acted(first, 9, 0, "bad")),
                recorder.append(won(second)),
                recorder.append(won(77)),
                recorder.append(replace(won(first), players=[])),
                recorder.append(opened(second, 1, 1, "good")),
                return_exceptions=True,
            )
            assert recorder.stats.refused == 8
            return list(results)

    results = asyncio.run(main())
    good = {0, 7, 10}
    assert {index for index, result in enumerate(results) if result is None} == good
    refused = [result for index, result in enumerate(results) if index not in good]
    assert all(isinstance(error, DatabaseError) for error in refused), refused
    assert "never opened" in str(results[3])
    assert "never intended" in str(results[4])
    assert "1234" in str(results[5])
    assert "there is no game 77" in str(results[8])
    assert "its result names 0" in str(results[9])
    assert [turn.observation for turn in read(database_url, first)] == ["good"]
    assert [turn.turn_number for turn in read(database_url, second)] == [1]


def test_a_bug_shows_itself_to_the_one_who_made_it(sqlite_url: str) -> None:
    first, *_ = tournament(sqlite_url)
    wrong: Any = 17

    async def main() -> list[Any]:
        async with Recorder(sqlite_url) as recorder:
            return await asyncio.gather(
                recorder.append(opened(first, 0, 0, wrong)),
                recorder.append(opened(first, 1, 0, "fine")),
                return_exceptions=True,
            )

    bug, fine = asyncio.run(main())
    assert isinstance(bug, AttributeError)
    assert fine is None


def test_refused_actions_are_marked_without_waiting(database_url: str) -> None:
    first, *_ = tournament(database_url)

    async def main() -> None:
        async with Recorder(database_url) as recorder:
            await recorder.append(opened(first, 0, 1, "go"), acted(first, 0, 1, "[9]"))
            recorder.post(TurnRefused(first, 0, 1))
            recorder.post(TurnRefused(first, 8, 1))
            with pytest.raises(WriteFailed, match="turn 8"):
                await recorder.flush()

    asyncio.run(main())
    assert [turn.invalid for turn in read(database_url, first)] == [True]


def test_what_is_queued_is_written_when_the_recorder_closes(sqlite_url: str) -> None:
    first, *_ = tournament(sqlite_url)

    async def main() -> None:
        async with Recorder(sqlite_url) as recorder:
            for turn in range(600):
                recorder.post(opened(first, turn, 0, f"turn {turn}"))
        with pytest.raises(DatabaseError, match="closed"):
            recorder.append(TurnRefused(first, 0, 0))
        await recorder.close()

    asyncio.run(main())
    assert len(read(sqlite_url, first)) == 600


def test_a_cancelled_waiter_takes_nothing_back(sqlite_url: str) -> None:
    first, *_ = tournament(sqlite_url)

    async def main() -> None:
        async with Recorder(sqlite_url) as recorder:

            async def write() -> None:
                await recorder.append(opened(first, 0, 0, "seen"))

            task = asyncio.create_task(write())
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await recorder.append(acted(first, 0, 0, "[1]"))

    asyncio.run(main())
    assert [turn.action for turn in read(sqlite_url, first)] == ["[1]"]


def test_the_event_loop_never_touches_the_disk(sqlite_url: str) -> None:
    """While another process holds the database, the loop goes round, and appends wait."""
    first, *_ = tournament(sqlite_url)
    path = sqlite_url.removeprefix("sqlite:///")

    async def main() -> None:
        async with Recorder(sqlite_url) as recorder:
            await recorder.flush()
            other = sqlite3.connect(path, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            waiting = asyncio.ensure_future(recorder.append(opened(first, 0, 0, "seen")))
            for _ in range(100):
                await asyncio.sleep(0)
            assert not waiting.done()
            assert threading.active_count() >= 2
            other.execute("COMMIT")
            other.close()
            await waiting

    asyncio.run(main())
    assert len(read(sqlite_url, first)) == 1


def test_a_locked_database_tells_every_waiter(sqlite_url: str) -> None:
    first, *_ = tournament(sqlite_url)
    path = sqlite_url.removeprefix("sqlite:///")

    async def main() -> None:
        async with Recorder(sqlite_url, busy_timeout_ms=20) as recorder:
            other = sqlite3.connect(path, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            results = await asyncio.gather(
                *(recorder.append(opened(first, turn, 0, "seen")) for turn in range(3)),
                return_exceptions=True,
            )
            assert [type(result) for result in results] == [WriteFailed] * 3
            assert "locked" in str(results[0])
            other.execute("ROLLBACK")
            other.close()
            await recorder.append(opened(first, 0, 0, "seen"))

    asyncio.run(main())
    assert len(read(sqlite_url, first)) == 1


def test_a_full_disk_tells_every_waiter(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *_ = tournament(sqlite_url)
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as connection:
        connection.execute("VACUUM")  # no page is free inside the file
    connection.close()
    begin = SQLiteConnection.begin

    def begin_without_room(self: Any) -> None:
        # SQLite reports a full disk when its file may have no further page.
        pages = self.query("PRAGMA page_count")[0][0]
        self.execute(f"PRAGMA max_page_count={pages}")
        begin(self)

    async def main() -> None:
        async with Recorder(sqlite_url) as recorder:
            await recorder.append(opened(first, 0, 0, "seen"))
            monkeypatch.setattr(SQLiteConnection, "begin", begin_without_room)
            noise = [chr(0x4E00 + (index * index) % 9973) for index in range(60_000)]
            results = await asyncio.gather(
                *(
                    recorder.append(opened(first, turn, 0, "".join(noise[turn:])))
                    for turn in range(1, 4)
                ),
                return_exceptions=True,
            )
            assert [type(result) for result in results] == [WriteFailed] * 3
            assert "full" in str(results[0])

    asyncio.run(main())
    assert len(read(sqlite_url, first)) == 1


def test_a_database_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    async def enter(path: str | Path) -> None:
        async with Recorder(path):
            pass

    for path, words in (
        (tmp_path / "no" / "such" / "a.db", "there is no folder"),
        (tmp_path, "is a folder"),
    ):
        with pytest.raises(UnwritablePath, match=words):
            asyncio.run(enter(path))
    with pytest.raises(DatabaseError, match="cannot be"):
        asyncio.run(enter(f"postgresql://nobody@127.0.0.1:1/{tmp_path.name}"))


KILLED = """
import asyncio, os, sys
from db import Recorder
from tests.db.test_recorder import play
from db.writer.connections import SQLiteConnection
from tests.db.tournaments import FOLD

async def main():
    async with Recorder(sys.argv[1], FOLD) as recorder:
        async def one(game_id):
            await play(recorder, game_id, turns=200, stop=False)
        async def watch():
            while recorder.stats.records < int(sys.argv[3]):
                await asyncio.sleep(0)
            print(recorder.stats.records, flush=True)
            os.kill(os.getpid(), 9)
        await asyncio.gather(watch(), *(one(int(key)) for key in sys.argv[2].split(",")))

asyncio.run(main())
"""


@pytest.mark.slow
def test_no_acknowledged_row_is_lost_by_a_kill(database_url: str) -> None:
    keys = tournament(database_url, games=8)
    root = str(Path(db.__file__).parent.parent)
    for number, kill_after in enumerate((50, 700)):
        argument = ",".join(map(str, keys[number * 4 : number * 4 + 4]))
        command = [sys.executable, "-c", KILLED, database_url, argument, str(kill_after)]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        assert done.returncode == -9, done.stderr
        acknowledged = int(done.stdout)
        stored = 0
        for key in keys[number * 4 : number * 4 + 4]:
            for turn in read(database_url, key):
                stored += 1 + len(turn.calls) + sum(call.answered for call in turn.calls)
                stored += turn.action is not None
                (call,) = turn.calls
                assert call.messages[1]["content"] == turn.observation
            stored += scalar(database_url, f"SELECT status FROM games WHERE id = {key}") == (
                "running"
            )
        assert stored >= acknowledged


def test_a_lost_server_is_found_again(postgresql_url: str) -> None:
    first, *_ = tournament(postgresql_url)

    async def main() -> None:
        async with Recorder(postgresql_url, FOLD) as recorder:
            await play(recorder, first, turns=2, stop=False)
            hang_up(postgresql_url)
            shown = "[GAME] What is new after the break, for player 0 alone."
            await recorder.append(opened(first, 2, 0, shown), intended(first, 2, 0, shown))
            hang_up(postgresql_url)
            await recorder.append(won(first))

    asyncio.run(main())
    assert len(read(postgresql_url, first)) == 3
    assert scalar(postgresql_url, "SELECT COUNT(*) FROM rating_changes") == 4


def hang_up(url: str) -> None:
    engine = get_engine(url)
    with engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    engine.dispose()


def test_records_are_frozen() -> None:
    record: Record = TurnRefused(1, 2, 3)
    with pytest.raises(AttributeError):
        record.game_id = 2  # type: ignore[misc]
