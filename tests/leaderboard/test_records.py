"""Records count seats, in how many games they are, and errors by game."""

from __future__ import annotations

import numpy as np
import pytest
from sqlmodel import Session

from arena.leaderboard.records import AgentRecord, WinRecord, records
from db import get_session
from db.queries.played import PlayedGames, played_games
from tests.leaderboard.table import Sat, Table


def played_by(session: Session) -> PlayedGames:
    table = Table(session)
    ann, bob, cid = (table.agent(name, model=name) for name in ("Ann", "Bob", "Cid"))
    village, duel = table.environment("Mafia-v0", 4), table.environment("Duel-v0")
    # Ann sits on both sides; then twice in the village.
    table.mafia(village, [ann], [ann, bob, cid], village_won=True)
    table.mafia(village, [bob], [ann, ann, cid], village_won=True)
    table.duel(duel, ann, bob)
    table.play(duel, Sat(ann, 0), Sat(bob, 0))
    table.play(duel, Sat(ann, 1, decided=True), Sat(bob, 0), termination="invalid_action")
    return played_games(session)


@pytest.fixture
def found(sqlite_url: str) -> dict[int, AgentRecord]:
    with get_session(sqlite_url) as session:
        return records(played_by(session))


def test_a_game_both_won_and_lost_is_no_draw(found: dict[int, AgentRecord]) -> None:
    ann, bob, cid = found[1], found[2], found[3]

    assert ann.whole == WinRecord(wins=4, draws=1, losses=2, games=5, squared=4 + 4 + 1 + 1 + 1)
    assert bob.whole == WinRecord.of_games(wins=2, draws=1, losses=2)
    assert cid.whole == WinRecord.of_games(wins=2)
    assert ann.whole.seats == 7
    assert ann.whole.share == 4.5 / 7


def test_a_role_counts_the_seats_in_it_and_only_where_it_is_known(
    found: dict[int, AgentRecord],
) -> None:
    lost = WinRecord.of_games(losses=1)
    assert found[1].teams == {
        "Mafia": lost,
        "Village": WinRecord(wins=3, games=2, squared=1 + 4),
    }
    assert found[1].roles == {
        "Mafia": lost,
        "Doctor": WinRecord.of_games(wins=2),
        "Villager": WinRecord.of_games(wins=1),
    }
    assert found[3].roles == {"Villager": WinRecord.of_games(wins=2)}


def test_the_share_of_all_seats_lies_between_those_of_the_roles(sqlite_url: str) -> None:
    with get_session(sqlite_url) as session:
        played = played_by(session)
    with_roles = played.only(np.array([True, True, False, False, False]))

    for record in records(with_roles).values():
        for parts in (record.teams, record.roles):
            assert sum(part.wins for part in parts.values()) == record.whole.wins
            assert sum(part.seats for part in parts.values()) == record.whole.seats


def test_errors_are_its_own_or_anothers(found: dict[int, AgentRecord]) -> None:
    assert (found[1].own, found[1].others) == (1, 0)
    assert (found[2].own, found[2].others) == (0, 1)
    assert (found[3].own, found[3].others) == (0, 0)


def test_seats_and_owners_can_be_chosen(sqlite_url: str) -> None:
    with get_session(sqlite_url) as session:
        played = played_by(session)

    mafia = played.sides == played.team_names.index("Mafia")
    assert {key: row.whole for key, row in records(played, seats=mafia).items()} == {
        1: WinRecord.of_games(losses=1),
        2: WinRecord.of_games(losses=1),
    }
    everybody = records(played, np.zeros(len(played.agents), dtype=np.int64))
    # Two games of four seats on two teams, three duels.
    assert everybody[0].whole == WinRecord(
        wins=3 + 3 + 1 + 0 + 1, draws=2, losses=1 + 1 + 1 + 0 + 1, games=5, squared=2 * 16 + 3 * 4
    )
    assert records(played.only(np.zeros(5, dtype=bool))) == {}


def test_shares_have_the_interval_of_their_games() -> None:
    assert WinRecord().share is None
    assert WinRecord().interval is None
    low, high = WinRecord.of_games(wins=10).interval or (0.0, 0.0)
    assert high == 1.0
    assert low == pytest.approx(0.722, abs=1e-3)


def test_seats_of_one_game_are_no_more_games() -> None:
    """Ten games with three seats each say what ten games say; one with many weighs more, and then
    all of them say less."""
    alone = WinRecord.of_games(wins=6, losses=4).interval
    assert WinRecord(wins=18, losses=12, games=10, squared=10 * 9).interval == alone
    low, high = WinRecord(wins=18, losses=12, games=10, squared=9 * 4 + 144).interval or (0, 0)
    assert alone is not None
    assert low < alone[0] < alone[1] < high
