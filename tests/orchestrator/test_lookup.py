"""The environment of a question that names none is the only one that is possible."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from arena.core import UsageError
from arena.orchestrator.lookup import rules_of, rules_of_games
from db import Repository, get_session
from db.models import AgentTrueSkill, RatingPool
from db.selection import Selection
from tests.leaderboard.table import Table

ANN, BOB, CID, DOT = 1, 2, 3, 4
# Who has rated games where, of how many players.
PLAYED = {
    ("TicTacToe-v0", 2): (ANN, BOB),
    ("SecretMafia-v0", 6): (BOB, CID),
    ("LiarsDice-v0", 3): (ANN, BOB, CID),
}


@pytest.fixture
def repo(sqlite_url: str) -> Iterator[Repository]:
    with get_session(sqlite_url) as session:
        table = Table(session)
        for name in ("Ann", "Bob", "Cid", "Dot"):
            table.agent(name, model=name)
        for (name, players), agents in PLAYED.items():
            key = table.environment(name, players)
            session.add(pool := RatingPool(environment_id=key, games=1))
            session.flush()
            for agent in agents:
                session.add(
                    AgentTrueSkill(agent_id=agent, pool_id=pool.id, mu=25, sigma=8, games=1, wins=1)
                )
            table.tournament(f"cup of {name}", key)
        session.flush()
        yield Repository(session)


@pytest.mark.parametrize(
    ("agents", "players", "chosen"),
    [
        ((ANN, BOB), 2, "TicTacToe-v0"),
        ((ANN, CID), None, "LiarsDice-v0"),
        ((ANN, BOB, CID), None, "LiarsDice-v0"),
        ((CID, DOT), 6, "SecretMafia-v0"),
        ((), 2, "TicTacToe-v0"),
        ((DOT,), 6, "SecretMafia-v0"),
    ],
)
def test_the_only_possible_environment_is_taken_and_said(
    repo: Repository, agents: tuple[int, ...], players: int | None, chosen: str
) -> None:
    rules = rules_of(repo, None, players, agents)

    assert rules.name == chosen
    (why,) = rules.notes()
    assert why.startswith(f"{chosen} is the only environment ")
    assert rules_of(repo, chosen, players, agents).notes() == []


@pytest.mark.parametrize(
    ("agents", "players", "said"),
    [
        ((ANN, BOB), None, "LiarsDice-v0, TicTacToe-v0"),
        ((CID, DOT), None, "LiarsDice-v0, SecretMafia-v0"),
        ((DOT, 99), None, "LiarsDice-v0, SecretMafia-v0, TicTacToe-v0"),
        ((), None, "LiarsDice-v0, SecretMafia-v0, TicTacToe-v0"),
    ],
)
def test_of_several_possible_ones_is_asked(
    repo: Repository, agents: tuple[int, ...], players: int | None, said: str
) -> None:
    with pytest.raises(UsageError, match=rf"in which environment\?.*were played: {said}\)"):
        rules_of(repo, None, players, agents)


def test_a_tournament_says_its_environment(repo: Repository) -> None:
    cup = Selection(tournament="cup of SecretMafia-v0")
    assert rules_of_games(repo, cup, None, None).name == "SecretMafia-v0"
    with pytest.raises(UsageError, match="is of SecretMafia-v0: leave out --environment"):
        rules_of_games(repo, cup, "TicTacToe-v0", None)
    assert rules_of_games(repo, Selection(), None, None, (ANN, CID)).name == "LiarsDice-v0"
