"""The schema in the docs is that of the models."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import db.drawn
from db.drawn import models, page
from db.models.columns import Table

PAGE = Path(db.__file__).parents[1] / "docs" / "schema.md"


def test_the_page_of_the_schema_is_generated() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "type: python -m db.drawn > docs/schema.md"


def test_every_table_is_listed_drawn_and_described_once() -> None:
    text = page()
    tables = set(Table.metadata.tables)

    assert set(models()) == tables, "a model that db.models does not name"
    assert sorted(re.findall(r"^    (\w+) \{$", text, re.MULTILINE)) == sorted(tables)
    assert sorted(re.findall(r"^\| \[(\w+)\]", text, re.MULTILINE)) == sorted(tables)
    headings = {
        line[3:].lower().replace(" ", "-") for line in text.splitlines() if line[:3] == "## "
    }
    assert set(re.findall(r"\]\(#([\w-]+)\)", text)) == headings


def test_what_a_line_says() -> None:
    text = page()

    assert 'agents ||--o{ game_players : "agent_id, RESTRICT"' in text
    assert 'games |o--o{ games : "parent_game_id, SET NULL"' in text
    assert 'game_turns ||--o| turn_payloads : "game_turn_id, CASCADE"' in text
    assert 'annotations ||--o{ annotation_tags : "game_id, turn, annotator, CASCADE"' in text
    assert "        text name UK\n" in text
    assert '        text comment "may be empty"\n' in text


def test_a_table_that_is_not_described_is_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models()["games"], "__doc__", None)

    with pytest.raises(ValueError, match="Game has no docstring"):
        page()
