"""Models, prompts, kinds and agents are added, forked and switched; a wrong one is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from arena.compare.question import written
from arena.orchestrator.lookup import find_agent
from db import Repository, get_session
from tests.cli.commands import Arena, run_arena


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A catalogue with a model, a prompt and an agent."""
    url = str(tmp_path_factory.mktemp("catalogue") / "catalogue.db")
    for command in (
        ["models", "add", "sharp", "scripted/mafia-sharp", "--param", "temperature=0.3"],
        ["prompts", "add", "plain", "--text", "You are {{player_index}}."],
        ["agents", "add", "Ann", "--model", "sharp", "--prompt", "plain"],
    ):
        result = run_arena(*command, "--db", url)
        assert result.exit_code == 0, result.stderr
        assert result.stdout == ""
        assert "added the " in result.stderr
    return url


@pytest.fixture
def db(catalogue: str, tmp_path: Path) -> str:
    """A copy, for a test to change."""
    return str(shutil.copy(catalogue, tmp_path / "catalogue.db"))


def listed(arena: Arena, db: str, noun: str, *options: str) -> list[str]:
    rows = json.loads(arena(noun, "list", "--db", db, "--json", *options).stdout)[noun]
    return [row["name"] for row in rows]


@pytest.mark.parametrize(
    ("noun", "name"), [("models", "sharp"), ("prompts", "plain"), ("agents", "Ann")]
)
def test_what_is_deactivated_is_not_listed_until_it_is_activated(
    arena: Arena, db: str, noun: str, name: str
) -> None:
    assert listed(arena, db, noun) == [name]
    arena(noun, "deactivate", name, "--db", db)
    assert listed(arena, db, noun) == []
    assert listed(arena, db, noun, "--all") == [name]
    assert "inactive" in arena(noun, "list", "--all", "--db", db).stdout
    arena(noun, "activate", name, "--db", db)
    assert listed(arena, db, noun) == [name]


def test_kinds_are_listed_before_and_after_they_are_in_the_catalogue(
    arena: Arena, db: str, tmp_path: Path
) -> None:
    before = json.loads(arena("kinds", "list", "--db", tmp_path / "none.db", "--json").stdout)[
        "kinds"
    ]
    assert {(kind["name"], kind["in_catalogue"]) for kind in before} >= {
        ("thinking", False),
        ("remembering", False),
    }
    arena("kinds", "add", "remembering", "--db", db)
    after = json.loads(arena("kinds", "list", "--db", db, "--json").stdout)["kinds"]
    assert {kind["name"] for kind in after if kind["in_catalogue"]} == {"thinking", "remembering"}
    assert "unknown kind 'rembering'; did you mean" in arena("kinds", "add", "rembering").stderr


def test_a_prompt_is_forked_and_remembers_from_which(arena: Arena, db: str, tmp_path: Path) -> None:
    text = tmp_path / "better.md"
    text.write_text("You are {{player_index}}.\r\nPlay to win.\n")

    assert arena("prompts", "fork", "plain", "better", "--file", text, "--db", db).exit_code == 0
    piped = arena("prompts", "fork", "better", "best", "--file", "-", "--db", db, input="Win.\n")
    assert piped.exit_code == 0

    shown = json.loads(arena("prompts", "show", "better", "--db", db, "--json").stdout)["prompt"]
    assert (shown["forked_from"], shown["content"]) == (
        "plain",
        "You are {{player_index}}.\nPlay to win.\n",
    )
    assert (
        json.loads(arena("prompts", "show", "best", "--db", db, "--json").stdout)["prompt"][
            "content"
        ]
        == "Win.\n"
    )


def test_an_agent_is_forked_with_another_prompt(arena: Arena, db: str) -> None:
    arena("prompts", "fork", "plain", "other", "--text", "Play.", "--db", db)
    arena(
        "agents", "fork", "Ann", "Bob", "--prompt", "other", "--option", "answer=last_line",
        "--db", db,
    )  # fmt: skip

    bob = json.loads(arena("agents", "show", "Bob", "--db", db, "--json").stdout)["agent"]
    assert (bob["kind"], bob["model"], bob["prompt"], bob["options"]) == (
        "thinking@2",
        "sharp",
        "other",
        {"answer": "last_line"},
    )
    assert arena("agents", "show", str(bob["id"]), "--db", db).exit_code == 0


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["models", "add", "sharp", "scripted/random"], "has a model 'sharp' already"),
        (["models", "add", "x", "scripted/rndom"], "unknown scripted model 'rndom'; did you mean"),
        (["models", "add", "x", "scripted/random", "--param", "a"], "--param expects KEY=VALUE"),
        (
            ["models", "add", "x", "scripted/random", "--param", "api_key=swordfish"],
            "params.api_key looks like a secret",
        ),
        (["models", "add", "x", "scripted/random", "--input-price", "-1"], "a number from 0 up"),
        (["prompts", "add", "plain", "--text", "x"], "has a prompt 'plain' already"),
        (["prompts", "add", "x", "--text", "{{playr_index}}"], "did you mean {{player_index}}?"),
        (["prompts", "add", "x"], "either --file FILE (- for standard input) or --text"),
        (["prompts", "add", "x", "--file", "/none.md"], "/none.md: cannot be read"),
        (["prompts", "fork", "plian", "x", "--text", "x"], "did you mean 'plain'?"),
        (["agents", "add", "Ann", "--model", "sharp", "--prompt", "plain", "--kind", "remembering"],
         "has an agent 'Ann' already"),
        (["agents", "add", "B", "--model", "sharp", "--prompt", "plain"],
         "has this agent already, as 'Ann'"),
        (["agents", "add", "B", "--model", "shrap", "--prompt", "plain"], "did you mean 'sharp'?"),
        (["agents", "add", "B", "--model", "sharp", "--prompt", "plain", "--option", "answr=x"],
         "has no option 'answr'; did you mean 'answer'?"),
        (["agents", "add", "B", "--kind", "human", "--option", "person="],
         "the option 'person' of the kind 'human' is ''; expected a name"),
        (["agents", "add", "B"], "a --template that has them, or --kind human"),
        (["agents", "fork", "Ann", "B", "--kind", "thinkin"], "did you mean 'thinking'?"),
        (["agents", "fork", "Ann", "B", "--var", "tone=calm"], "the prompt 'plain' does not use"),
        (["agents", "fork", "Ann", "B", "--var", "a b=calm"], "a name of letters, digits and _"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_what_is_wrong_is_said_and_not_written(
    arena: Arena, db: str, command: list[str], said: str
) -> None:
    result = arena(*command, "--db", db)

    assert result.exit_code == 2
    assert said in result.stderr
    assert "swordfish" not in result.stderr
    assert listed(arena, db, "models") == ["sharp"]
    assert listed(arena, db, "prompts") == ["plain"]
    assert listed(arena, db, "agents") == ["Ann"]


def test_an_agent_that_a_person_holds_needs_neither_a_model_nor_a_prompt(
    arena: Arena, db: str
) -> None:
    for command in (["Zoe"], ["Yan", "--option", "person=Yanis"]):
        assert arena("agents", "add", *command, "--kind", "human", "--db", db).exit_code == 0
    rows = json.loads(arena("agents", "list", "--db", db, "--json").stdout)["agents"]
    assert [(row["name"], row["model"], row["prompt"], row["options"]) for row in rows[1:]] == [
        ("Zoe", "person", "person", {"person": "Zoe"}),
        ("Yan", "person", "person", {"person": "Yanis"}),
    ]
    models = json.loads(arena("models", "list", "--db", db, "--json").stdout)["models"]
    assert [model["name"] for model in models] == ["person", "sharp"]


def test_an_agents_own_variables_make_another_agent(arena: Arena, db: str) -> None:
    toned = ("--prompt", "toned", "--model", "sharp", "--db", db)
    arena("prompts", "add", "toned", "--text", "Be {{vars.tone}}.", "--db", db)
    missing = arena("agents", "add", "Calm", *toned)
    assert "--var: the prompt 'toned' uses {{vars.tone}} in line 1" in missing.stderr
    assert arena("agents", "add", "Calm", *toned, "--var", "tone=calm").exit_code == 0
    assert arena("agents", "fork", "Calm", "Wild", "--var", "tone=wild", "--db", db).exit_code == 0

    twin = arena("agents", "add", "Twin", *toned, "--var", "tone=calm")
    assert "has this agent already, as 'Calm'" in twin.stderr
    shown = json.loads(arena("agents", "show", "Wild", "--db", db, "--json").stdout)["agent"]
    assert shown["options"] == {"vars": {"tone": "wild"}}
    with get_session(db, create=False) as session:
        agent = find_agent(Repository(session), "Wild")
        assert written(agent)["vars"] == {"tone": "wild"}
        assert written(agent)["options"] == {}
