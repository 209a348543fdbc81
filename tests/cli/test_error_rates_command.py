"""What agents do wrong stands beside their ratings, and ratings can be had without it."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from arena.llm.scripted.random import reply
from tests.cli.commands import TOURNAMENT, Arena, run_arena
from tests.servers.openai_server import OpenAIServer


def legal_or_nothing(body: dict[str, Any]) -> str:
    """The model `mute` never says anything; the others play at random, from the request alone."""
    if body["model"] == "mute":
        return ""
    return reply(body["messages"], random.Random(body["messages"][-1]["content"]))


@pytest.fixture(scope="module")
def erring(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tournament of six games: in four of them sits Cy, who loses by saying nothing."""
    folder = tmp_path_factory.mktemp("erring")
    with OpenAIServer(legal_or_nothing) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEST_KEY", "sk-test")
        at = f"api_base: '{server.url}', api_key_env: TEST_KEY"
        file = folder / "small.yaml"
        file.write_text(
            TOURNAMENT.replace(
                "{name: random, litellm_model: scripted/random}",
                f"{{name: random, litellm_model: openai/random, {at}}}\n"
                f"  - {{name: mute, litellm_model: openai/mute, {at}}}",
            ).replace("kind: remembering, model: random", "model: mute")
        )
        result = run_arena("run", file, "--db", folder / "erring.db")
    assert result.exit_code == 0, result.stderr
    assert "lapses of the agents: silence " in result.stderr
    assert "own error" in result.stdout
    return str(folder / "erring.db")


@pytest.mark.slow
def test_errors_stand_beside_the_rating(arena: Arena, erring: str) -> None:
    result = arena("leaderboard", "--db", erring)

    title, header, _, *rows = result.stdout.splitlines()
    assert title == "TicTacToe-v0 · 2 players · 6 games · probit"
    assert header.split()[8:11] == ["own", "error", "others'"]
    (cy,) = (line for line in rows if " Cy " in line)
    assert "100 %" in cy
    assert "an error decided 67 % of these games and touched 67 %" in result.stderr
    wide = arena("leaderboard", "--wide", "--db", erring).stdout.splitlines()
    (cy,) = (line for line in wide if " Cy " in line)
    assert cy.endswith("silent 100 %, decided 100 %, thrown out 100 %")


def test_a_rating_without_errors_stands_beside_it(arena: Arena, erring: str) -> None:
    rows = {
        row["name"]: row
        for row in json.loads(arena("leaderboard", "--db", erring, "--json").stdout)["rows"]
    }

    assert (rows["Cy"]["own_error"], rows["Cy"]["others_error"]) == (1.0, 0.0)
    assert (rows["Ann"]["own_error"], rows["Ann"]["others_error"]) == (0.0, 0.5)
    assert rows["Cy"]["without_errors"] is None
    pair = [rows[name] for name in ("Ann", "Bob")]
    assert sum(row["without_errors"] for row in pair) == pytest.approx(
        sum(row["rating"] for row in pair)
    )


def test_every_rate_has_its_column(arena: Arena, erring: str) -> None:
    result = arena("leaderboard", "--errors", "--db", erring)

    title, header, _, *rows = result.stdout.splitlines()
    assert title.endswith("6 games · probit")
    assert header.split() == [
        "agent", "turns", "invalid", "silent", "refused", "overlong", "over", "time",
        "malfunctioned", "unclear",
        "notes", "lost", "decided", "thrown", "out",
    ]  # fmt: skip
    cy = rows[-1].split()
    assert cy[:2] == ["3", "Cy"]
    assert cy[5:7] == ["100", "%"]
    assert cy[-2:] == ["100", "%"]
    assert "shares of an agent's turns" in result.stderr


def test_rates_are_numbers_in_json(arena: Arena, erring: str) -> None:
    rows = json.loads(arena("leaderboard", "--db", erring, "--json").stdout)["rows"]

    found = {row["name"]: row["errors"] for row in rows}
    assert found["Cy"]["games"] == 4
    assert found["Cy"]["silent"] == found["Cy"]["decided"] == 1.0
    assert found["Ann"]["silent"] == found["Ann"]["decided"] == 0.0
    assert {row["left_out"] for row in rows} == {0}


def test_ratings_without_the_games_that_an_error_decided(arena: Arena, erring: str) -> None:
    result = arena("leaderboard", "--exclude-errors", "decided", "--db", erring)

    assert result.exit_code == 0, result.stderr
    title, *_, ann, bob = result.stdout.splitlines()
    assert title.endswith("2 players · 2 games · probit")
    assert {ann.split()[1], bob.split()[1]} == {"Ann", "Bob"}
    assert "left out: 4 games that an error decided" in result.stderr

    rows = json.loads(
        arena(
            "leaderboard",
            "--exclude-errors",
            "decided",
            "--tournament",
            "small",
            "--db",
            erring,
            "--json",
        ).stdout
    )["rows"]
    assert [(row["games"], row["left_out"]) for row in rows] == [(2, 4)] * 2
    assert sum(row["rating"] for row in rows) == pytest.approx(50)


def test_without_errors_nothing_is_left_out_of_a_clean_tournament(
    arena: Arena, played: str
) -> None:
    everything = json.loads(arena("leaderboard", "--db", played, "--json").stdout)["rows"]
    refitted = json.loads(
        arena("leaderboard", "--db", played, "--exclude-errors", "decided", "--json").stdout
    )["rows"]

    assert refitted == everything
