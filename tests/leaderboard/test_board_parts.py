"""Parts in one fit: what a model, a prompt or a kind adds, and what was never played would be."""

from __future__ import annotations

import random

import numpy as np
import pytest

from arena.core import UsageError
from arena.leaderboard import Board, LeaderboardQuery, boards
from arena.leaderboard.lineage import PromptLineage, lineages
from arena.leaderboard.parts import Prediction, predictions
from db import get_session
from db.selection import Selection
from tests.leaderboard.table import Table

MODELS = {"strong": 1.0, "weak": -1.0}
PROMPTS = {"plain": 0.0, "bold": 0.7, "timid": -0.7}


def fill(url: str) -> None:
    """Every model with every prompt but one, in duels that the better parts tend to win."""
    draw = random.Random(5)
    with get_session(url) as session:
        table = Table(session)
        table.prompt("plain")
        table.prompt("bold", "plain")
        table.prompt("timid", "bold")
        table.prompt("spare", "timid")
        skill = {
            table.agent(f"{model} {prompt}", model=model, prompt=prompt): worth + more
            for model, worth in MODELS.items()
            for prompt, more in PROMPTS.items()
            if (model, prompt) != ("strong", "timid")
        }
        duel = table.environment("Duel-v0")
        for _ in range(300):
            one, two = draw.sample([*skill], 2)
            first = draw.random() < 1 / (1 + np.exp(skill[two] - skill[one]))
            table.duel(duel, *((one, two) if first else (two, one)))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('parts') / 'parts.db'}"
    fill(url)
    return url


def by(url: str, part: str) -> Board:
    with get_session(url) as session:
        (board,) = boards(session, LeaderboardQuery(by=part))  # type: ignore[arg-type]
    return board


def test_a_part_is_rated_by_what_it_adds(filled: str) -> None:
    models, prompts = by(filled, "model"), by(filled, "prompt")

    assert [row.name for row in models.rows] == ["strong", "weak"]
    assert [row.name for row in prompts.rows] == ["bold", "plain", "timid"]
    for board in (models, prompts):
        assert np.mean([row.rating for row in board.rows]) == pytest.approx(25)
        assert board.system == "composite"
    assert {row.name: row.agents for row in models.rows} == {"strong": 2, "weak": 3}
    assert {row.agent_id for row in models.rows} == {None}
    # A game of two agents with the same model counts once for it.
    games = {row.name: row.record.whole.games for row in models.rows}
    assert max(games.values()) <= 300 < sum(games.values())


def test_what_endless_games_would_leave_is_less_than_there_is(filled: str) -> None:
    for row in by(filled, "prompt").rows:
        assert row.at_best is not None
        assert 0 < row.at_best < (row.high - row.low) / 2


def test_few_combinations_limit_what_games_can_tell(sqlite_url: str) -> None:
    with get_session(sqlite_url) as session:
        table = Table(session)
        one, two = table.agent("one", model="one"), table.agent("two", model="two")
        duel = table.environment("Duel-v0")
        for _ in range(40):
            table.duel(duel, one, two, 6)
            table.duel(duel, two, one, 4)

    (note,) = [text for text in by(sqlite_url, "model").notes if "combinations" in text]
    assert note.startswith("combinations, not games, limit what is known of each model")


def test_combinations_that_never_played_are_predicted(filled: str) -> None:
    with get_session(filled) as session:
        ((scope, (found,)),) = predictions(session, LeaderboardQuery(by="prompt"))

    assert scope.environment == "Duel-v0"
    assert isinstance(found, Prediction)
    assert (found.kind, found.model, found.prompt) == ("thinking", "strong", "timid")
    assert found.low < found.rating < found.high
    weak = next(row for row in _agents(filled).rows if row.name == "weak timid")
    assert found.rating > weak.rating
    assert found.sigma > weak.sigma


def test_when_everything_has_played_nothing_is_predicted(sqlite_url: str) -> None:
    with get_session(sqlite_url) as session:
        table = Table(session)
        table.duel(table.environment("Duel-v0"), table.agent("a"), table.agent("b", model="b"))
    with get_session(sqlite_url) as session:
        with pytest.raises(UsageError, match=r"every combination .* has played"):
            predictions(session, LeaderboardQuery(by="model"))
        assert (
            predictions(session, LeaderboardQuery(Selection(since="2999-01-01"), by="model")) == []
        )


def test_a_fork_is_rated_beside_its_parent(filled: str) -> None:
    (tree,) = _trees(filled)
    twigs = {twig.name: twig for twig in tree.twigs}

    assert [(twig.name, twig.parent, twig.depth) for twig in tree.twigs] == [
        ("plain", None, 0),
        ("bold", "plain", 1),
        ("timid", "bold", 2),
        ("spare", "timid", 3),
    ]
    change = twigs["timid"].change
    assert change is not None
    assert change.low < change.mean < change.high
    assert change.mean < -1
    assert change.mean == pytest.approx((twigs["timid"].rating or 0) - (twigs["bold"].rating or 0))
    assert twigs["plain"].change is None
    assert (twigs["spare"].rating, twigs["spare"].games) == (None, 0)
    # Effects that rest on the same models are known better apart than each alone.
    rows = {row.name: row for row in by(filled, "prompt").rows}
    independent = np.hypot(rows["timid"].sigma, rows["bold"].sigma)
    assert change.high - change.mean != pytest.approx(1.96 * independent, rel=1e-3)


def test_a_change_that_the_model_may_explain_is_not_told(sqlite_url: str) -> None:
    with get_session(sqlite_url) as session:
        table = Table(session)
        table.prompt("plain")
        table.prompt("fork", "plain")
        one = table.agent("one", model="one")
        two = table.agent("two", model="two", prompt="fork")
        table.duel(table.environment("Duel-v0"), two, one, 10)

    (tree,) = _trees(sqlite_url)
    fork = tree.twigs[1]
    assert fork.rating is not None
    assert fork.change is None


def test_prompts_without_games_are_a_tree_without_ratings(sqlite_url: str) -> None:
    assert _trees(sqlite_url) == []
    with get_session(sqlite_url) as session:
        Table(session).prompt("fork", "plain")

    (tree,) = _trees(sqlite_url)
    assert tree.environment is None
    assert [(twig.name, twig.rating) for twig in tree.twigs] == [("plain", None), ("fork", None)]


@pytest.mark.slow
def test_a_lineage_may_be_thousands_of_forks_long(sqlite_url: str) -> None:
    from db import Prompt

    with get_session(sqlite_url) as session:
        session.add_all(
            Prompt(
                id=number,
                name=f"p{number}",
                content="x",
                content_hash=str(number),
                forked_from=number - 1 or None,
            )
            for number in range(1, 2001)
        )

    (tree,) = _trees(sqlite_url)
    assert tree.twigs[-1].depth == 1999


def _agents(url: str) -> Board:
    with get_session(url) as session:
        (board,) = boards(session, LeaderboardQuery())
    return board


def _trees(url: str) -> list[PromptLineage]:
    with get_session(url) as session:
        return lineages(session, LeaderboardQuery(by="prompt"))
