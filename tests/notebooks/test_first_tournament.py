"""The notebook, executed on a tournament that was really played."""

import asyncio
import json
import re
from pathlib import Path

import nbformat
import pytest

from arena import config
from arena.analysis import games_df, leaderboard_df, players_df, ratings_df, turns_df
from arena.orchestrator import run
from tests.notebooks.executing import executed, streamed

pytestmark = pytest.mark.slow

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
NOTEBOOK = NOTEBOOKS / "first-tournament.ipynb"

TOURNAMENT = """
name: small village
seed: 11
environment:
  name: SecretMafia-v0
  players: 6
  options: {discussion_rounds: 1}
games: 6
matchmaker: {name: round-robin}
models:
  - {name: random, litellm_model: scripted/random}
  - {name: naive, litellm_model: scripted/mafia-naive}
  - {name: follower, litellm_model: scripted/mafia-follower}
prompts:
  - {name: plain, text: "You play for your team."}
agents:
  - {name: Ann, kind: thinking, model: random, prompt: plain}
  - {name: Bob, kind: thinking, model: naive, prompt: plain}
  - {name: Cid, kind: thinking, model: follower, prompt: plain}
  - {name: Dora, kind: remembering, model: random, prompt: plain}
  - {name: Eve, kind: remembering, model: naive, prompt: plain}
  - {name: Fay, kind: remembering, model: follower, prompt: plain}
"""


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """The path of a database with a small tournament in it."""
    path = tmp_path_factory.mktemp("played") / "village.db"
    asyncio.run(run(config.loads(TOURNAMENT), url=path))
    return path


@pytest.fixture(scope="module")
def cells(played, tmp_path_factory):
    """The cells of the notebook, executed."""
    return executed(NOTEBOOK, tmp_path_factory.mktemp("home"), f"sqlite:///{played}")


def test_every_cell_runs_and_warns_of_nothing(cells):
    code = [cell for cell in cells.values() if cell.cell_type == "code"]

    assert [cell.execution_count for cell in code] == [*range(1, len(code) + 1)]
    kinds = {output.output_type for cell in code for output in cell.outputs}
    assert kinds <= {"execute_result", "display_data", "stream"}
    assert streamed(code, "stderr") == []


def test_the_leaderboard_is_a_table_and_a_plot(cells, played):
    best_first = ratings_df(played, tournament="small village").agent.tolist()

    table = _shown(cells["standings-table"])
    assert [name for name in re.findall(r"[A-Z][a-z]+", table) if name in best_first] == best_first
    assert "low" in table
    board = _shown(cells["board-table"])
    official = leaderboard_df(played, tournament="small village").name.tolist()
    assert [name for name in re.findall(r"[A-Z][a-z]+", board) if name in official] == official
    for plot in ("board-plot", "head-to-head-plot", "standings-plot", "ratings-plot"):
        assert [*cells[plot].outputs[0].data] == ["text/plain", "image/png"]


def test_wins_are_shown_by_team_and_role(cells, played):
    players = players_df(played).assign(won=lambda frame: frame.result == "win")

    teams = _shown(cells["teams"])
    for (team, role), won in players.groupby(["team", "role"]).won:
        found = re.search(rf"{role} +([\d.]+) +(\d+)", teams)
        assert found, f"{team} {role} is not in {teams}"
        assert (float(found[1]), int(found[2])) == (round(won.mean(), 2), len(won))
    roles = _shown(cells["roles"])
    for agent, won in players.groupby("agent").won:
        found = re.search(rf"{agent} .* ([\d.]+) +(\d+)$", roles, re.MULTILINE)
        assert found, f"{agent} is not in {roles}"
        assert (float(found[1]), int(found[2])) == (round(won.mean(), 2), len(won))


def test_errors_and_tokens_are_shown_by_agent(cells, played):
    table = _shown(cells["errors"])

    for agent, turns in turns_df(played).groupby("agent"):
        assert re.search(rf"{agent} +{len(turns)} ", table)
    assert "refused" in table
    assert "prompt tokens per game" in table


def test_one_game_is_walked_through_turn_by_turn(cells, played):
    game_id = games_df(played, status="completed").game_id[0]
    turns = turns_df(played, game=game_id)

    walk = "".join(streamed([cells["turns"]], "stdout"))
    heads = re.findall(r"^turn (\d+): player (\d+), (\w+)", walk, re.MULTILINE)
    assert [(int(turn), int(player), agent) for turn, player, agent in heads] == [
        *turns[["turn_number", "player_index", "agent"]].itertuples(index=False, name=None)
    ]
    assert walk.count("  does | ") >= len(turns)
    assert turns.action[0].splitlines()[0] in walk
    last = "".join(streamed([cells["last-call"]], "stdout"))
    assert "system | You play for your team." in last
    assert "answer | " in last


def test_notebooks_are_kept_without_what_a_machine_adds():
    files = sorted(NOTEBOOKS.glob("*.ipynb"))
    assert NOTEBOOK in files
    for file in files:
        notebook = nbformat.read(file, as_version=4)
        nbformat.validate(notebook)
        assert notebook.metadata == {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
        for cell in notebook.cells:
            assert set(cell.metadata) <= {"tags"}
            if cell.cell_type == "code":
                assert (cell.outputs, cell.execution_count) == ([], None)
        written = json.dumps(json.loads(file.read_text()), indent=1, ensure_ascii=False) + "\n"
        assert file.read_text() == written


def _shown(cell):
    """The table that a cell ends with, as text."""
    return cell.outputs[-1].data["text/plain"]
