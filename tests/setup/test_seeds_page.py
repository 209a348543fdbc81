"""The page on the earlier systems: each of their tables has a row, and every place it names is
there."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pkgutil import resolve_name
from types import ModuleType
from typing import Any

import pytest
import typer.main

from arena import analysis
from arena.cli.app import app
from arena.viewer.app import FORMS, ROUTES
from db.models import Game
from tests.setup.shell import ROOT

PAGE = ROOT / "docs" / "seeds.md"
TABLES = {
    "A database for characters in scenarios": """
        agent_templates scenario_templates event_types scenario_runs agent_instances
        event_instances execution_logs""",
    "A database for learning by simulation": """
        users scenarios scenario_personas scenario_scenes scene_personas user_progress
        scene_progress conversation_logs session_memory conversation_summaries agent_sessions
        cache_entries vector_embeddings scenario_files scenario_reviews""",
    "A database for projects of agents": """
        PROJECT PROJECT_STATE AGENT AGENT_INSTRUCTION AGENT_CAPABILITY AGENT_KNOWLEDGE_DOMAIN
        AGENT_PROMPT_TEMPLATE CHAT_SESSION CHAT_MESSAGE TOOL AGENT_TOOL TASK COMMUNICATION
        AUDIT_LOG PERFORMANCE_METRIC OPTIMIZATION_SUGGESTION HUMAN_INTERACTION""",
    "The database of an arena": """
        models kinds prompts agents games game_players game_turns llm_calls agent_trueskill""",
}
"""The tables of their documents, by the heading under which the page has them."""
METHODS = 36 + 7
"""The methods that their documents name."""
RENAMED = {"ScenarioTemplateUpdate": "TournamentTemplateUpdate",
           "ScenarioTemplateResponse": "TournamentTemplateResponse"}  # fmt: skip
CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\[[^\]]+\]\(([^)]+)\)")


@dataclass(frozen=True)
class Row:
    """A row of a table of the page, under its two headings."""

    system: str
    part: str
    cells: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.system}: {self.cells[0]}"


@cache
def rows() -> list[Row]:
    system = part = ""
    found = []
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            system, part = line[3:], ""
        elif line.startswith("### "):
            part = line[4:]
        elif line.startswith("| ") and not line.startswith(("| theirs", "|---")):
            found.append(Row(system, part, tuple(each.strip() for each in line[2:-2].split(" | "))))
    return found


def of(part: str) -> list[Row]:
    return [row for row in rows() if row.part == part]


@cache
def commands() -> frozenset[str]:
    """Every command as it is typed, and those below it."""

    def below(name: str, command: Any) -> Iterator[str]:
        yield name
        for each, found in getattr(command, "commands", {}).items():
            yield from below(f"{name} {each}", found)

    root: Any = typer.main.get_command(app)
    return frozenset(
        typed
        for name in root.commands
        for typed in below(f"arena {name}", root.get_command(None, name))
    )


@cache
def anchors(page: str) -> frozenset[str]:
    """What a link can point to in a page: its headings, as GitHub spells them."""
    heads = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), flags=re.M)
    return frozenset(re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads)


def missing(place: str) -> str | None:
    """What is wrong with a place that the page names; None where it is there."""
    if place.startswith("arena "):
        return None if place in commands() else "no such command"
    if place.startswith("/"):
        paths = {path for path, _ in (*ROUTES, *FORMS)}
        return None if place in paths else "no such page"
    if place.startswith(("arena.", "db.")):
        try:
            resolve_name(place)
        except (ImportError, AttributeError) as error:
            return str(error)
        return None
    if place.endswith("_df"):
        return None if place in analysis.__all__ else "no such frame"
    if place == "migrations":
        return None if (ROOT / place / "versions").is_dir() else "no such folder"
    return None if place in Game.metadata.tables else "no such table"


def test_every_table_of_theirs_has_a_row() -> None:
    told = {
        system: [CODE.findall(row.cells[0])[0] for row in of("Its tables") if row.system == system]
        for system in TABLES
    }
    assert told == {system: names.split() for system, names in TABLES.items()}
    assert sum(map(len, told.values())) == 48


def test_every_row_says_where_or_why_not() -> None:
    for row in [*of("Its tables"), *of("What it promises")]:
        theirs, here, how = row.cells
        assert theirs, row
        assert how, row
        places = CODE.findall(here) + LINK.findall(here)
        if here == "–":
            assert how.startswith("declined: "), row
        else:
            assert places or here == "not yet", row


def test_every_place_is_there() -> None:
    wrong = []
    named = 0
    for row in rows():
        for place in CODE.findall(row.cells[1]):
            named += 1
            if (why := missing(place)) is not None:
                wrong.append(f"{row}: `{place}`: {why}")
        for link in LINK.findall(" ".join(row.cells[1:])):
            named += 1
            page, _, anchor = link.partition("#")
            file = (PAGE.parent / page).resolve()
            if not file.is_file():
                wrong.append(f"{row}: {link}: no such page")
            elif anchor and anchor not in anchors(str(file.relative_to(ROOT))):
                wrong.append(f"{row}: {link}: no such heading")
    assert wrong == []
    assert named > 150


def test_each_method_takes_what_theirs_takes() -> None:
    methods = of("Its methods")
    assert len(methods) == METHODS
    for row in methods:
        (theirs,), (here,) = (CODE.findall(cell) for cell in row.cells)
        check_signature(theirs, resolve_name(here))


def check_signature(theirs: str, ours: Any) -> None:
    """Every call that theirs allows is one of ours, with the same result where theirs says one."""
    assert callable(ours)
    assert not isinstance(ours, ModuleType)
    asked = ast.parse(f"def {theirs}: ...").body[0]
    assert isinstance(asked, ast.FunctionDef)
    signature = inspect.signature(ours)
    known = [each for each in signature.parameters.values() if each.name != "self"]
    wanted = asked.args.args
    assert [each.name for each in known[: len(wanted)]] == [each.arg for each in wanted], theirs
    for each, argument in zip(known, wanted, strict=False):
        assert each.kind is each.POSITIONAL_OR_KEYWORD, theirs
        if argument.annotation is not None:
            assert each.annotation == plain(argument.annotation), theirs
    for each in known[len(wanted) :]:
        assert each.default is not each.empty, f"{theirs}: {each.name} has no default"
    if asked.returns is not None:
        assert signature.return_annotation == plain(asked.returns), theirs


def plain(annotation: ast.expr) -> str:
    """A type as the arena writes it: `Optional[X]` is `X | None`."""
    written = ast.unparse(annotation)
    for old, new in RENAMED.items():
        written = written.replace(old, new)
    return re.sub(r"^Optional\[(.+)\]$", r"\1 | None", written)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("f(other)", lambda name: name),
        ("f(name)", lambda name, more: name),
        ("f(name, more)", lambda name, *, more=0: name),
    ],
)
def test_what_differs_is_noticed(theirs: str, ours: Any) -> None:
    with pytest.raises(AssertionError):
        check_signature(theirs, ours)
