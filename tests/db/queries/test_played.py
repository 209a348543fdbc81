"""Rated games as packed columns: every seat with its role, its team and what its errors decided."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np

from db import get_session
from db.fold import numbered
from db.queries.conduct import conduct
from db.queries.played import NOTHING, _numbered, played_games
from db.selection import Selection
from tests.leaderboard.table import NOON, Sat, Table


def fill(url: str) -> tuple[int, int, int]:
    """Two games of Mafia, one decided by silence, then two duels in a tournament, one of them
    void; the keys of the environments and the tournament."""
    with get_session(url) as session:
        table = Table(session)
        ann, bob, cid = (table.agent(name, model=name) for name in ("Ann", "Bob", "Cid"))
        village, duel = table.environment("Mafia-v0", 3), table.environment("Duel-v0")
        cup = table.tournament("cup", duel)
        table.mafia(village, [ann], [bob, cid], village_won=True)
        table.play(
            village,
            Sat(bob, 1, "Mafia", "Mafia", decided=True),
            Sat(ann, 0, "Village", "Doctor"),
            Sat(cid, 0, "Village", "Villager"),
            termination="silence",
        )
        table.play(duel, Sat(ann, 0), Sat(cid, 0), tournament=cup, block=4)
        table.play(duel, Sat(ann, 0), Sat(cid, 1), tournament=cup, block=4, status="void")
    return village, duel, cup


def test_every_seat_has_its_role_team_and_error(database_url: str) -> None:
    village, duel, cup = fill(database_url)
    with get_session(database_url) as session:
        played = played_games(session)

    assert played.sizes.tolist() == [3, 3, 2]
    assert played.starts.tolist() == [0, 3, 6]
    assert played.environments.tolist() == [village, village, duel]
    assert played.tournaments.tolist() == [NOTHING, NOTHING, cup]
    assert played.blocks.tolist() == [NOTHING, NOTHING, 4]
    assert played.errors.tolist() == [0, 1, 0]
    assert played.decided.tolist() == [0, 0, 0, 1, 0, 0, 0, 0]
    assert played.agents.tolist() == [1, 2, 3, 2, 1, 3, 1, 3]
    assert played.teams.tolist() == [0, 1, 1, 0, 1, 1, 0, 1]
    assert played.ranks.tolist() == [1, 0, 0, 1, 0, 0, 0, 0]
    roles = [played.role_names[at] if at != NOTHING else None for at in played.roles]
    assert roles == ["Mafia", "Doctor", "Villager"] * 2 + [None] * 2
    assert [played.team_names[at] for at in played.sides[:3]] == ["Mafia", "Village", "Village"]
    assert played.seats().tolist() == [0, 0, 0, 1, 1, 1, 2, 2]


def test_games_are_chosen_by_place_time_and_ending(database_url: str) -> None:
    village, duel, _ = fill(database_url)

    def chosen(**asked: Any) -> list[int]:
        with get_session(database_url) as session:
            return played_games(session, Selection(**asked)).game_ids.tolist()

    assert chosen() == [1, 2, 3]
    assert chosen(environment="Mafia-v0") == [1, 2]
    assert chosen(environment=duel, tournament="cup") == [3]
    assert chosen(since=NOON + timedelta(hours=1)) == [2, 3]
    assert chosen(since=NOON + timedelta(hours=1, seconds=1)) == [3]
    assert chosen(until=NOON + timedelta(hours=1)) == [1]
    assert chosen(termination="silence") == [2]
    assert chosen(environment=village, agent="Ann", role="Doctor") == [2]
    assert chosen(status="void") == []


def test_a_game_is_read_whole_whatever_seat_was_asked_for(database_url: str) -> None:
    fill(database_url)
    with get_session(database_url) as session:
        played = played_games(session, Selection(agent="Ann", role="Doctor"))

    assert played.agents.tolist() == [2, 1, 3]


def test_a_part_of_the_games_is_a_whole_of_its_own(sqlite_url: str) -> None:
    fill(sqlite_url)
    with get_session(sqlite_url) as session:
        played = played_games(session)

    last = played.only(np.array([False, True, True]))

    assert last.game_ids.tolist() == [2, 3]
    assert last.starts.tolist() == [0, 3]
    assert last.agents.tolist() == [2, 1, 3, 1, 3]
    assert len(played.only(np.zeros(3, dtype=bool))) == 0


def test_a_game_with_a_rank_missing_is_left_out_and_counted(sqlite_url: str) -> None:
    fill(sqlite_url)
    with get_session(sqlite_url) as session:
        Table(session).session.connection().exec_driver_sql(
            "UPDATE game_players SET rank = NULL WHERE game_id = 1 AND player_index = 2"
        )
        played = played_games(session)

    assert played.game_ids.tolist() == [2, 3]
    assert played.unranked == 1


def test_team_numbers_are_those_of_the_fold() -> None:
    teams = [["b", "a", "b"], [None, None], ["a", None, "b", None, "a"], ["x"]]
    names = {None: NOTHING, "a": 0, "b": 1, "x": 2}
    sizes = np.array([len(game) for game in teams])
    sides = np.array([names[team] for game in teams for team in game])

    assert _numbered(sizes, sides).tolist() == [at for game in teams for at in numbered(game)]


def test_conduct_is_counted_in_any_set_of_games(database_url: str) -> None:
    fill(database_url)
    with get_session(database_url) as session:
        everywhere = conduct(session)
        as_mafia = conduct(session, Selection(role="Mafia"))
        late = conduct(session, Selection(since=NOON + timedelta(hours=2), team="Mafia"))

    assert {key: (row.games, row.turns, row.silences) for key, row in everywhere.items()} == {
        1: (3, 12, 0),
        2: (2, 8, 1),
        3: (3, 12, 0),
    }
    assert everywhere[2].decided_rate == 0.5
    assert {key: (row.games, row.decided) for key, row in as_mafia.items()} == {
        1: (1, 0),
        2: (1, 1),
    }
    assert late == {}
