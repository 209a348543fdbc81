"""What agents do wrong is counted when their game is finished, once, and can be counted again."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text

from db import Recorder, Repository, Session, get_session
from db.errors import WriteFailed
from db.queries.conduct import conduct
from db.queries.games import game
from db.queries.played import played_games
from db.queries.transcript import transcript
from db.selection import Selection
from db.writer.games import GameFinished, PlayerFinished
from db.writer.subject import Record
from tests.db.test_recorder import acted, opened
from tests.db.tournaments import FOLD, NOON, tournament, void, won


def write(url: str, *records: Record) -> None:
    async def main() -> None:
        async with Recorder(url, FOLD) as recorder:
            await asyncio.gather(*(recorder.append(record) for record in records))

    asyncio.run(main())


def checked(session: Session) -> bool:
    """What is stored is what the games say, and not nothing."""
    games, differences = Repository(session).check_counters(1)
    return games > 0 and differences == []


def finished(game_id: int, *players: PlayerFinished, termination: str = "natural") -> GameFinished:
    return replace(won(game_id), termination=termination, players=players)


CLEAN = PlayerFinished(0, None, None, 0, 1.0, turns=6)
SILENT = PlayerFinished(
    1, None, None, 1, -1.0, 2, turns=4, silences=3, overlongs=1, targets=4, targets_several=1,
    targets_none=1, notes=3, notes_lost=2, decided=True, eliminated_turn=9,
)  # fmt: skip
OUT = replace(CLEAN, eliminated_turn=4)


def test_counters_go_up_with_every_finished_game(database_url: str) -> None:
    # agents 1 and 2, then 2 and 3, then 3 and 1
    first, second, third, *_ = tournament(database_url)
    write(
        database_url,
        finished(first, CLEAN, SILENT, termination="silence"),
        finished(second, CLEAN, SILENT, termination="silence"),
        void(third),
    )
    with get_session(database_url) as session:
        rows = conduct(session, Selection(tournament=1))
        assert {key: (row.games, row.turns, row.decided) for key, row in rows.items()} == {
            1: (1, 6, 0),
            2: (2, 10, 1),
            3: (1, 4, 1),
        }
        both = rows[2]
        assert (both.invalid_actions, both.silences, both.overlongs, both.lapses) == (2, 3, 1, 4)
        assert (both.refusals, both.time_limits) == (0, 0)
        assert (both.silence_rate, both.overlong_rate, both.lapse_rate) == (0.3, 0.1, 0.4)
        assert (both.invalid_action_rate, both.decided_rate) == (0.2, 0.5)
        assert (both.targets, both.unclear_rate, both.notes) == (4, 0.5, 3)
        assert round(both.lost_notes_rate, 3) == 0.667
        assert rows == conduct(session) == conduct(session, Selection(environment=1))
        assert checked(session)
        shown = game(session, first)
        assert shown is not None
        silent = shown.players[1]
        assert (silent.turns, silent.silences, silent.refusals) == (4, 3, 0)
        assert (silent.overlongs, silent.time_limits, silent.decided) == (1, 0, True)
        assert (silent.targets, silent.targets_several, silent.notes_lost) == (4, 1, 2)


def test_a_game_is_counted_once(database_url: str) -> None:
    first, second, *_ = tournament(database_url)
    end = finished(first, CLEAN, SILENT)
    write(database_url, end, end, finished(second, CLEAN, SILENT))
    write(database_url, end)
    with get_session(database_url) as session:
        assert checked(session)
        assert [row.games for row in conduct(session).values()] == [1, 2, 1]


def test_an_agent_against_itself_plays_one_game(database_url: str) -> None:
    first, *_ = tournament(database_url, agents=1)
    write(database_url, finished(first, replace(CLEAN, decided=True), SILENT))
    with get_session(database_url) as session:
        (row,) = conduct(session).values()
        assert (row.games, row.turns, row.decided, row.decided_rate) == (1, 10, 1, 1.0)
        assert checked(session)


def test_counters_are_counted_again_from_the_games(database_url: str) -> None:
    first, second, *_ = tournament(database_url)
    write(database_url, finished(first, CLEAN, SILENT), finished(second, CLEAN, SILENT))
    with get_session(database_url) as session:
        before = conduct(session)
        session.connection().execute(text("UPDATE counters SET turns = 99 WHERE agent_id = 2"))
        session.connection().execute(text("DELETE FROM counters WHERE agent_id = 3"))
        games, (changed, gone) = Repository(session).check_counters(1)
        assert games == 2
        assert str(changed) == "agent 2: turns 99 stored, 10 from the games"
        assert str(gone) == "agent 3: none stored, there are games"
        assert Repository(session).recount(1) == 2
        assert checked(session)
        assert conduct(session) == before


def test_a_game_of_no_tournament_counts_for_nobody(database_url: str) -> None:
    tournament(database_url)
    with get_session(database_url) as session:
        repo = Repository(session)
        branch = repo.create_game(status="scheduled", environment_id=1).id or 0
        for player_index in range(2):
            repo.add_game_player(branch, 1, player_index)
    write(database_url, finished(branch, CLEAN, SILENT))
    with get_session(database_url) as session:
        assert conduct(session) == {}
        assert Repository(session).check_counters(1) == (0, [])


def test_games_decided_by_an_error_can_be_left_out(database_url: str) -> None:
    games = tournament(database_url)
    endings = ("natural", "silence", "turn_limit", "invalid_action")
    write(
        database_url,
        *(
            finished(key, CLEAN, SILENT, termination=end)
            for key, end in zip(games, endings, strict=True)
        ),
    )
    with get_session(database_url) as session:
        assert played_games(session).game_ids.tolist() == games
        played = played_games(session)
        kept = played.only(played.errors == 0)
        assert kept.game_ids.tolist() == [games[0], games[2]]


def test_a_lapse_stands_with_its_turn(database_url: str) -> None:
    first, *_ = tournament(database_url)
    write(database_url, opened(first, 0, 0, "go"), replace(acted(first, 0, 0, ""), lapse="silence"))
    write(database_url, opened(first, 1, 1, "go"), acted(first, 1, 1, "[1]"))
    with get_session(database_url) as session:
        assert [turn.lapse for turn in transcript(session, first)] == ["silence", None]
    with pytest.raises(WriteFailed, match="lapse"):
        write(
            database_url,
            opened(first, 2, 0, "go"),
            replace(acted(first, 2, 0, ""), lapse="boredom", acted_at=NOON),
        )
