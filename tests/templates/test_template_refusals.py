"""What no template says: each refusal names the file, the line and the key, and adds nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from arena.config.document import text_of
from arena.core import UsageError
from arena.templates import AgentTemplateCreate, TemplateManager
from arena.templates.files import read_template
from db import Database, Session
from tests.cli.commands import Arena
from tests.templates.conftest import AGENT, TOURNAMENT

KEY = "sk-" + "a1" * 12


@pytest.fixture(scope="module")
def known(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Database]]:
    """A folder, and a database with an agent template that a file may name."""
    folder = tmp_path_factory.mktemp("refused")
    shutil.copyfile(sqlite_template, folder / "arena.db")
    (folder / "known.yaml").write_text(AGENT)
    with Database(folder / "arena.db") as database:
        with database.session() as session:
            create(session, AGENT, "known.yaml", folder)
        yield folder, database


def create(session: Session, text: str, source: str, folder: Path) -> None:
    template = read_template(text, source, folder)
    manager = TemplateManager(session)
    if isinstance(template, AgentTemplateCreate):
        manager.create_agent_template(template)
    else:
        manager.create_tournament_template(template)


def refused(known: tuple[Path, Database], text: str | bytes) -> str:
    """What is said of a file, of which nothing is kept."""
    folder, database = known
    file = folder / "bad.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError) as error, database.session() as session:
        create(session, text_of(file, "template"), "bad.yaml", folder)
    with database.session() as session:
        manager = TemplateManager(session)
        left = [*manager.list_agent_templates(), *manager.list_tournament_templates()]
    assert [row.name for row in left] == ["sceptic"]
    said = str(error.value)
    assert KEY not in said
    return said.replace(f"{folder}/", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty; expected a template (template: agent, name, ...)"),
        ("name: x", "expected 'template: agent' or 'template: tournament'"),
        ("template: person\nname: x", "bad.yaml:1: expected 'template: agent' or 'template: "),
        ("template: agent", "'name' is missing"),
        ("template: agent\nname: x\npersonalty: {}", "did you mean 'personality'?"),
        ("template: agent\nname: x\npersonality:\n  var: {a: b}", "bad.yaml:4: unknown key 'var'"),
        ("template: agent\nname: x\nname: y", "bad.yaml:3: the key 'name' occurs twice"),
        ("template: agent\nname: 7", "bad.yaml:2: name: expected text, found 7"),
        ("template: agent\nname: ../x\nmodel: sharp", "model: expected keys and values"),
        ('template: agent\nname: "a\\u202eb"', "expected a name on one line"),
        (f"template: agent\nname: {'x' * 101}", "name: expected at most 100 characters"),
        ("template: agent\nname: sceptic", "there is an agent template 'sceptic' already"),
        ("template: agent\nname: x\ntools: {calc: {}}", "unknown tool 'calc'"),
        ("template: agent\nname: x\ntools: [calc]", "tools: expected keys and values"),
        (
            "template: agent\nname: x\npersonality: {kind: thinkng}",
            "unknown kind 'thinkng'; did you mean 'thinking'?",
        ),
        (
            "template: agent\nname: x\npersonality: {options: {answr: x}}",
            "bad.yaml:3: personality.options: the kind 'thinking' has no option 'answr'; did you",
        ),
        (
            "template: agent\nname: x\npersonality: {options: {answer: /etc/passwd}}",
            "personality.options: the agent has the option answer: '/etc/passwd', which names",
        ),
        (
            "template: agent\nname: x\npersonality:\n  text: '{{rle}} {{vars.a}}'\n  vars: {a: b}",
            "bad.yaml:4: personality.text: the prompt uses {{rle}} in line 1, which is not a",
        ),
        (
            "template: agent\nname: x\npersonality:\n  text: '{{vars.name}}'\n  vars: {nme: b}",
            "bad.yaml:5: personality.vars: the prompt 'x' uses {{vars.name}} in line 1, and the "
            "agent 'x' has no 'name'; did you mean 'nme'?",
        ),
        (
            "template: agent\nname: x\nmodel: {api_base: 'http://127.0.0.1:1'}",
            "expected 'litellm_model' beside 'api_base'",
        ),
        (
            "template: agent\nname: x\nmodel: {litellm_model: scripted/rndom}",
            "unknown scripted model 'rndom'; did you mean 'random'?",
        ),
        (f"template: agent\nname: x\nmodel: {{params: {{api_key: {KEY}}}}}", "looks like a secret"),
        (f"template: agent\nname: x\npersonality: {{vars: {{a: {KEY}}}}}", "looks like a secret"),
        (f"template: agent\nname: x\ndescription: {KEY}", "description looks like a secret"),
        ("template: agent\nname: !!python/object/apply:os.system [id]", "the tag "),
        ("template: agent\nname: x\ntools: &a {b: *a}", "more than"),
        (b"template: agent\nname: \xff\xfe", "bad.yaml:2: not UTF-8 text"),
        ("template: agent\nname: x\ndescription: " + "[" * 100, "not YAML"),
        ("template: agent\nname: " + "x" * (1 << 20), "longer than 1024 KiB"),
    ],
)
def test_an_agent_template_is_refused(
    known: tuple[Path, Database], text: str | bytes, said: str
) -> None:
    assert said in refused(known, text)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("games: 2", "games: many", "bad.yaml:9: games: expected a whole number, found 'many'"),
        ("games: 2", "gmes: 2", "bad.yaml:9: unknown key 'gmes'; did you mean 'games'?"),
        ("games: 2", "name: x", "expected no 'name' here"),
        ("games: 2", "template: evening", "expected no 'template' here"),
        ("TicTacToe-v0", "TicTacTo-v0", "bad.yaml:8: unknown environment 'TicTacTo-v0'; did you"),
        ("players: 2}", "players: 3}", "bad.yaml:8: TicTacToe-v0"),
        (
            "players: 2}",
            "players: 2, options: {size: 3}}",
            "bad.yaml:8: TicTacToe-v0 has no option",
        ),
        ("{player: 2}", "{Mafia: 2}", "bad.yaml:3: roles.Mafia: TicTacToe-v0 of 2 players deals"),
        (
            "event: result",
            "event: rsult",
            "event_flow[1].event: unknown kind of event 'rsult'; did",
        ),
        (
            "template: sceptic,",
            "template: cynic,",
            "agents[0].template: unknown agent template 'cy",
        ),
        ("model: random}", "mdel: random}", "agents[0]: unknown key 'mdel'; did you mean 'model'?"),
        ("model: random}", "model: x}", "laid over those of the model 'x', and there is no model"),
        ("{name: Otto}", "{nam: Otto}", "does not use 'nam'"),
        ("{name: Otto}", f"{{name: {KEY}}}", "looks like a secret"),
        (
            "{name: Otto}",
            "{name: Otto}, options: {answer: ./x.txt}",
            "agent 'Otto' has the option answer: './x.txt', which names a file beside",
        ),
        ("scripted/random", "scripted/rndom", "unknown scripted model 'rndom'"),
        (
            "  games: 2",
            "  prompts: [{name: p, file: ../known.yaml}]\n  games: 2",
            "config.prompts[0].file: '../known.yaml' leads out of",
        ),
        (
            "  games: 2",
            "  prompts: [{name: p, file: /etc/passwd}]\n  games: 2",
            "config.prompts[0].file: expected a path beside this file",
        ),
    ],
)
def test_a_tournament_template_is_refused(
    known: tuple[Path, Database], before: str, after: str, said: str
) -> None:
    assert before in TOURNAMENT
    assert said in refused(known, TOURNAMENT.replace(before, after, 1))


@pytest.mark.slow
def test_what_is_said_of_a_player_is_not_looked_at_again(
    arena: Arena, sqlite_url: str, tmp_path: Path
) -> None:
    """A value with braces is a value: no template is filled in twice."""
    file = tmp_path / "sly.yaml"
    file.write_text(AGENT.replace("name: Vera", "name: '{{vars.goal}}{{role}}{% x %}'", 1))
    assert arena("templates", "add", file, "--db", sqlite_url).exit_code == 0
    other = tmp_path / "evening.yaml"
    other.write_text(TOURNAMENT)
    assert arena("templates", "add", other, "--db", sqlite_url).exit_code == 0
    ran = arena("run", "--template", "evening", "--games", "1", "--db", sqlite_url)
    assert ran.exit_code == 0, ran.stderr

    shown = json.loads(arena("show", "1", "--calls", "--db", sqlite_url, "--json").stdout)

    told = json.dumps(shown["turns"])
    assert "You are {{vars.goal}}{{role}}{% x %}, Player " in told


def test_a_template_of_both_sorts_is_asked_for_by_its_sort(
    arena: Arena, sqlite_url: str, tmp_path: Path
) -> None:
    for text in ("template: agent\nname: both", "template: tournament\nname: both"):
        (tmp_path / "both.yaml").write_text(text)
        assert arena("templates", "add", tmp_path / "both.yaml", "--db", sqlite_url).exit_code == 0

    asked = arena("templates", "show", "both", "--db", sqlite_url)
    assert (asked.exit_code, asked.stdout) == (2, "")
    assert "say --of agent or --of tournament" in asked.stderr
    for sort in ("agent", "tournament"):
        one = arena("templates", "show", "both", "--of", sort, "--db", sqlite_url, "--json")
        assert json.loads(one.stdout)["template"]["of"] == sort
    wrong = arena("templates", "edit", "both", tmp_path / "both.yaml", "--of", "agent")
    assert wrong.exit_code == 2
    assert arena("templates", "edit", "both", "--of", "agent").exit_code == 2
    missing = arena("templates", "show", "boht", "--db", sqlite_url)
    assert "unknown template 'boht'; did you mean 'both'? `arena templates list`" in missing.stderr


def test_a_file_with_a_template_says_where_templates_are(
    arena: Arena, sqlite_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("template: evening\nname: mine\n")
    nothing = arena("run", file, "--db", sqlite_url)
    assert "mine.yaml:1: template: unknown tournament template 'evening': there is none yet; " in (
        nothing.stderr
    )
    assert "`arena db seed`" in nothing.stderr
    nowhere = arena("run", file, "--db", tmp_path / "none.db")
    assert "there is no database at" in nowhere.stderr
    assert not (tmp_path / "none.db").exists()
    assert "expected either a tournament's file or --template NAME" in arena("run").stderr
    assert "expected either" in arena("run", file, "--template", "x").stderr
