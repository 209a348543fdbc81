"""Null variants are known by their texts, and what they differ by stands beside ratings."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from arena.cli.leaderboard_table import print_boards
from arena.compare import Question, played
from arena.compare.noise import noise_among
from arena.leaderboard import LeaderboardQuery, boards
from arena.leaderboard.rows import flat
from arena.reports.noise_floor import null_agents, null_prompts, prompt_noise
from db import Session, get_session
from tests.leaderboard.table import Sat, Table

SHARP = "Do not lose. You must win."


def seated(session: Session) -> dict[str, int]:
    """Sharp and two that say the same; one that says it with another model, one another thing."""
    table = Table(session)
    texts = {
        "Sharp": SHARP,
        "Sharp~1": "Don't lose. You have to win.",
        "by hand": "Do not  lose.\nYou must win.",
        "Other": "Lose.",
    }
    for name, content in texts.items():
        table.repo.create_prompt(name, content)
    agents = {name: table.agent(name, prompt=name) for name in texts}
    agents["Large"] = table.agent("Large", model="large", prompt="Sharp")
    rules = table.environment("Duel-v0")
    for winner, loser, times in (
        ("Sharp", "Other", 6),
        ("Other", "Sharp", 2),
        ("Sharp~1", "Other", 5),
        ("Other", "Sharp~1", 3),
        ("by hand", "Other", 7),
        ("Other", "by hand", 1),
        ("Large", "Other", 4),
        ("Sharp", "Large", 4),
    ):
        for _ in range(times):
            seed = table.games
            pair = (Sat(agents[winner], 0), Sat(agents[loser], 1))
            table.play(rules, *(pair if seed % 2 else reversed(pair)))
    return agents


def test_a_board_shows_what_prompts_differ_by_that_say_the_same(
    sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with get_session(sqlite_url) as session:
        agents = seated(session)
        assert null_agents(session, [*agents.values()]) == [
            (agents["Sharp"], agents["Sharp~1"], agents["by hand"])
        ]
        assert null_agents(session, [agents["Sharp"], agents["Other"]]) == []
        assert null_prompts(session, [*agents]) == [("Sharp", "Sharp~1", "by hand")]
        (board,) = boards(session, LeaderboardQuery())
        (by_prompt,) = boards(session, LeaderboardQuery(by="prompt"))
        (by_model,) = boards(session, LeaderboardQuery(by="model"))

    noise = board.noise
    assert noise is not None
    assert noise.variants == {"Sharp": 2}
    rated = {row.name: row.rating for row in board.rows}
    alike = [rated[name] for name in ("Sharp", "Sharp~1", "by hand")]
    expected = prompt_noise([(0, 1, 2)], dict(enumerate(alike)), {0: "Sharp"})
    assert noise == expected
    assert noise.width > max(alike) - min(alike)
    assert noise.sentence == f"noise floor ±{noise.width:.2f} from 2 null variants of Sharp"
    row = flat(board, board.rows[0])
    assert (row["noise_floor"], row["null_variants"]) == (noise.width, {"Sharp": 2})
    assert by_prompt.noise is not None
    assert by_prompt.noise.variants == {"Sharp": 2}
    print_boards([board], rates=False, wide=False, limit=9)
    assert f"{noise.sentence}: two whose prompts say the same differ by" in capsys.readouterr().err
    assert by_model.noise is None
    assert flat(by_model, by_model.rows[0])["noise_floor"] is None


def test_a_comparison_shows_it_beside_the_difference(sqlite_url: str) -> None:
    with get_session(sqlite_url) as session:
        seated(session)
        (board,) = boards(session, LeaderboardQuery())
        rules = session.connection().execute(text("SELECT id FROM environments")).scalar_one()
        ids = [row.agent_id or 0 for row in board.rows if row.name in ("Sharp", "Other", "Large")]
        among = noise_among(session, rules, ids)
    question = Question("Sharp", "Other", "Duel-v0")
    found = played(sqlite_url, question)

    rated = {row.name: row.rating for row in board.rows}
    assert board.noise is not None
    apart = rated["Sharp"] - rated["Other"]
    said = "more" if apart > board.noise.width else "no more"
    assert "of 3 pairs differ by more than prompts that say the same may" in " ".join(among)
    (note,) = [note for note in found.notes if "noise floor" in note]
    assert note == (
        f"{board.noise.sentence}, in the ratings of this environment: there Sharp and Other differ "
        f"by {apart:.2f}, {said} than prompts that say the same may"
    )


def test_without_null_variants_nothing_is_said(sqlite_url: str) -> None:
    with get_session(sqlite_url) as session:
        table = Table(session)
        one, other = table.agent("Ann"), table.agent("Bob", model="large")
        table.duel(table.environment("Duel-v0"), one, other, 4)
        (board,) = boards(session, LeaderboardQuery())
    assert board.noise is None
    assert not [
        note for note in played(sqlite_url, Question("Ann", "Bob")).notes if "floor" in note
    ]
