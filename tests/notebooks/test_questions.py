"""The notebooks that answer a question, executed one after another on what the first one plays."""

import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from arena.analysis import (
    beliefs_df,
    calls_df,
    claims_df,
    compare,
    games_df,
    memories_df,
    players_df,
)
from tests.notebooks.executing import executed, streamed

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
NOTEBOOKS = ROOT / "notebooks"
QUESTIONS = sorted(
    file for file in NOTEBOOKS.glob("*.ipynb") if file.name != "first-tournament.ipynb"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The folder that the notebooks run in, with what they play in it."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copy(NOTEBOOKS / "village.yaml", folder)
    return folder


@pytest.fixture(scope="module")
def database(home):
    """Where the notebooks play; there is nothing yet."""
    return home / "village.db"


def shown(cells, name):
    """What a cell printed."""
    return "".join(streamed([cells[name]], "stdout"))


def role_shares(database, cells):
    players = players_df(database, tournament="village", status="completed")
    village = players[players.team == "Village"].drop_duplicates("game_id")

    assert len(village) == 18
    won = (village.result == "win").mean()
    assert f"The Village won {won:.0%} of 18 games." in shown(cells, "answer-text")


def one_game(database, cells):
    games = games_df(database)
    branches = games[games.parent_game_id.notna()]

    assert len(branches) == 6
    [parent] = branches.parent_game_id.unique()
    assert games.set_index("game_id").winning_team[parent] == "Mafia"
    assert f"game {parent}: SecretMafia-v0-mended" in cells["report"].outputs[0].data["text/html"]
    lineage = cells["lineage"].outputs[0].data["text/plain"]
    assert all(re.search(rf"\b{game}\b", lineage) for game in branches.game_id)
    assert "effect" in cells["branches"].outputs[0].data["text/plain"]


def lies(database, cells):
    said = claims_df(database, tournament="village", team="Mafia")

    wrong = 1 - said.true.astype(float).mean()
    told = shown(cells, "answer-text")
    assert f"Of the {len(said)} things that Mafia players said, {wrong:.0%} were false." in told
    assert len(re.findall(r"^Accusations .* by \d+% of the others' votes\.$", told, re.M)) == 2


def prompts(database, cells):
    told = shown(cells, "answer-text").splitlines()

    assert told == [
        compare("new prompt", other, database).sentence for other in ("old prompt", "at random")
    ]
    assert told[0].startswith("Undecided after 12 games")
    assert told[1] == "new prompt is better than at random."


def money(database, cells):
    calls = calls_df(database, tournament="village")

    dollars = calls.groupby("agent").cost.sum()
    assert dollars.sum() > 0
    told = shown(cells, "play") + shown(cells, "answer-text")
    assert f"{len(calls):,} calls" in told
    assert f"${dollars.sum():.2f}" in told
    top = dollars.idxmax()
    assert re.search(rf"^{top} .* takes {dollars[top] / dollars.sum():.0%} of", told, re.M)


def kinds(database, cells):
    players = players_df(database, tournament="kinds", status="completed")
    won = (players.result == "win").groupby(players.kind).mean()
    beliefs = beliefs_df(database, tournament="kinds")
    probed = beliefs[beliefs.asked_by == "probe"]

    assert len(players) == 72
    told = shown(cells, "answer-text").splitlines()
    best = " and ".join(won.index[won == won.max()])
    assert told[0].startswith(
        f"{best} won most, {won.max():.0%} of 12 games; all intervals overlap"
    )
    # Each with the same model: what a kind costs is what it asks.
    calls = calls_df(database, tournament="kinds")
    dollars = calls.groupby("kind").cost.sum()
    ratio = dollars.max() / dollars.min()
    assert told[1] == f"{dollars.idxmax()} costs {ratio:.1f} times {dollars.idxmin()}."
    identified = probed.groupby("agent").identified.mean()
    assert [line.split(" of the roles")[0] for line in told[2:]] == [
        f"{kind} told {share:.0%}" for kind, share in identified.items()
    ]
    assert "learning remembers earlier games" in shown(cells, "play")
    learned = cells["memory"].outputs[0].data["text/plain"]
    assert all(text in learned for text in memories_df(database, tournament="kinds").text)


ANSWERED = {
    "do-roles-matter": role_shares,
    "is-the-new-prompt-better": prompts,
    "what-happened-in-one-game": one_game,
    "where-does-the-money-go": money,
    "which-kind-plays-best": kinds,
    "who-lies-and-who-is-believed": lies,
}


def test_each_question_is_checked_and_the_readme_shows_its_picture():
    pictures = ROOT / "docs" / "notebooks"
    assert {file.stem for file in QUESTIONS} == set(ANSWERED)
    assert {file.stem for file in pictures.iterdir()} == set(ANSWERED)
    for name in ANSWERED:
        assert f"](notebooks/{name}.ipynb)" in README.read_text()
        picture = pictures / f"{name}.png"
        assert f"](docs/notebooks/{name}.png)" in README.read_text()
        assert picture.stat().st_size < 60_000
        with Image.open(picture) as image:
            assert image.format == "PNG"


@pytest.mark.parametrize("notebook", QUESTIONS, ids=lambda file: file.stem)
def test_a_question_is_answered(notebook, database, home):
    cells = executed(notebook, home, f"sqlite:///{database}")

    code = [cell for cell in cells.values() if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [*range(1, len(code) + 1)]
    assert streamed(code, "stderr") == []
    assert [*cells["picture"].outputs[0].data] == ["text/plain", "image/png"]
    ANSWERED[notebook.stem](database, cells)
