"""`arena annotate` and `arena annotations`, as a person types them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.commands import Arena


@pytest.fixture
def db(played: str, tmp_path: Path) -> str:
    """A copy of the played database."""
    return str(shutil.copy(played, tmp_path / "mine.db"))


def test_a_game_and_a_turn_are_annotated_listed_and_forgotten(arena: Arena, db: str) -> None:
    done = arena("annotate", "2:1", "--rating", "4", "--tag", "Trap", "--tag", "good move",
                 "--comment", "He did not\nsee it.", "--as", "Ann", "--db", db)  # fmt: skip
    assert done.exit_code == 0
    assert (
        done.stderr == 'Ann on turn 1 of game 2: 4 of 5 · good move, trap · "He did not see it."\n'
    )
    again = arena("annotate", "2:1", "--rating", "2", "--blind", "--as", "Ann", "--db", db)
    assert "replaced what was said before: 4 of 5 · good move, trap" in again.stderr
    arena("annotate", "2", "--tag", "trap", "--as", "Bob", "--db", db)

    listed = arena("annotations", "list", "--db", db).stdout.splitlines()
    assert listed[0].split() == ["game", "turn", "by", "rating", "tags", "blind", "on"]
    newest = [line.split()[:3] for line in listed[2:]]
    assert newest == [["2", "Bob", "trap"], ["2", "1", "Ann"]]
    (row,) = json.loads(arena("annotations", "show", "2:1", "--db", db, "--json").stdout)[
        "annotations"
    ]
    assert (row["rating"], row["tags"], row["comment"], row["blind"]) == (2, [], None, True)
    assert "nobody annotated 3" in arena("annotations", "show", "3", "--db", db).stderr

    assert arena("games", "--tag", "trap", "--db", db).stdout.splitlines()[-1].split()[0] == "2"
    assert (
        "unknown tag 'tarp'; did you mean 'trap'?"
        in arena("games", "--tag", "tarp", "--db", db).stderr
    )
    gone = arena("annotations", "delete", "2", "--as", "Bob", "--yes", "--db", db)
    assert gone.stderr.endswith("deleted the annotation of 2 by Bob\n")
    refused = arena("annotations", "delete", "2", "--as", "Bob", "--yes", "--db", db)
    assert refused.exit_code == 2
    assert "Bob has not annotated 2" in refused.stderr


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["99", "--rating", "3"], "there is no game 99"),
        (["2:99", "--rating", "3"], "game 2 has no turn 99: `arena show 2`"),
        (["2"], "nothing is said: give a rating from 1 to 5, a tag or a comment"),
        (["two", "--rating", "3"], "expected a game or GAME:TURN, such as 12 or 12:5, found 'two'"),
        (["2:x", "--rating", "3"], "expects GAME:TURN, such as 12:5, found '2:x'"),
        (["9" * 30, "--rating", "3"], "a number is asked for that is larger than any on record"),
        (["2", "--rating", "6"], "expected a number up to 5"),
        (["2", "--rating", "3", "--as", " "], "the annotator's name is empty"),
    ],
)
def test_what_is_wrong_is_said(arena: Arena, db: str, typed: list[str], said: str) -> None:
    result = arena("annotate", *typed, "--db", db)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())
    assert (
        json.loads(arena("annotations", "list", "--db", db, "--json").stdout)["annotations"] == []
    )


def test_agreement_between_annotators(arena: Arena, db: str) -> None:
    for game in range(1, 7):
        for name, rating in (("Ann", game % 5 + 1), ("Bob", min(game % 5 + 2, 5))):
            tag = ["--tag", "trap"] * (game < 4 or (name == "Ann" and game == 4))
            arena("annotate", str(game), "--rating", str(rating), *tag, "--as", name, "--db", db)
    arena("annotate", "1", "--comment", "says nothing of it", "--as", "Cid", "--db", db)

    shown = arena("annotations", "agreement", "--db", db)
    assert "7 games" not in shown.stderr
    assert "6 games and turns were annotated: Ann 6, Bob 6, Cid 1" in shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[2].startswith("rating")
    assert lines[3].startswith("trap")
    found = json.loads(arena("annotations", "agreement", "--db", db, "--json").stdout)
    # By hand: of 12 values 7 are 1 and 5 are 0, one unit is split: 1 - 11 * 2 / (2 * 35).
    assert found["tags"]["trap"]["alpha"] == pytest.approx(1 - 22 / 70)
    assert found["ratings"]["units"] == 6
    assert 0.5 < found["ratings"]["alpha"] < 1
    blind = json.loads(arena("annotations", "agreement", "--blind", "--db", db, "--json").stdout)
    assert (blind["targets"], blind["ratings"]["alpha"]) == (0, None)
