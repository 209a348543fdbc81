"""Every page of a database in which every text is a stranger's, and some are endless."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections import Counter, deque
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.routing import compile_path

from arena.viewer.app import ROUTES
from tests.viewer.browser import browsing

PATTERNS = {path: compile_path(path)[0] for path, _ in ROUTES}
MARK = "@hostile@"
SHORT = (
    MARK
    + "<script>alert(1)</script>\"'><b onmouseover=x>\u202egnp.exe\u2066{{7*7}}\x1b[2J%00/../?#"
)
ENDLESS = MARK + "\u202e<b>\x07" + "x" * 1_000_000
# What people and models name and say, by table; what stands in several rows differs by its number.
NAMED = {"prompts": "name", "models": "name", "agents": "alias", "tournaments": "name"}
SAID = {
    "games": ("reason", "error", "winning_team", "void_cause"),
    "game_players": ("role", "team"),
    "game_turns": ("action", "submitted", "target", "target_how"),
    "llm_calls": ("error_class", "error_message", "model_answered", "finish_reason"),
    "game_events": ("phase",),
    "annotations": ("annotator", "comment"),
    "audit_log": ("actor", "entity", "entity_name", "reason"),
}


class Parsed(HTMLParser):
    """What is in a page that none of ours has."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" and not str(given.get("src")).startswith("/static/"):
            self.wrong.append("script")
        self.wrong += [name for name in given if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action"):
            if name in given and not str(given[name]).startswith(("/", "#")):
                self.wrong.append(f"{name}={given[name]}"[:80])


def poisoned(url: str, place: Path, words: str) -> str:
    """A copy of the database in which every such text is these words."""
    source = Path(url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    copy = shutil.copy(source, place / "hostile.db")
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(
            "INSERT INTO annotations (game_id, turn, annotator, rating, comment, blind, created_at,"
            " updated_at) SELECT id, -1, ?, 3, ?, 0, created_at, created_at FROM games",
            (words, words),
        )
        connection.execute(
            "INSERT INTO annotation_tags SELECT game_id, turn, annotator, ? FROM annotations",
            (words[:40].strip(),),
        )
        for (trigger,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        for table, column in NAMED.items():
            connection.execute(f"UPDATE {table} SET {column} = ? || id", (words,))
        for table, columns in SAID.items():
            key = "seq" if table == "game_events" else "id"
            # A call that failed is continued by none: those of the end are made to have failed.
            order = "1 DESC" if table == "llm_calls" else "1"
            some = f"{key} IN (SELECT {key} FROM {table} ORDER BY {order} LIMIT 8)"
            for column in columns:
                value = "? || team" if table == "game_players" else "?"
                some = "1" if table == "game_players" else some
                connection.execute(f"UPDATE {table} SET {column} = {value} WHERE {some}", (words,))
        connection.execute("DELETE FROM stored_boards")
        connection.commit()
    return f"sqlite:///{copy}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", [SHORT, pytest.param(ENDLESS, marks=pytest.mark.sweep)], ids=["short", "endless"]
)
def test_no_page_fails_or_is_drowned(watched: str, tmp_path: Path, words: str) -> None:
    url = poisoned(watched, tmp_path, words)
    shapes: Counter[object] = Counter()
    waiting, seen = deque(["/"]), {"/"}
    shown = 0
    with browsing(url) as get:
        while waiting:
            path = waiting.popleft()
            answer = get(path)
            # Only the first board is waited for.
            for _ in range(300 if path == "/" else 0):
                if 'http-equiv="refresh"' not in answer.text:
                    break
                answer = get(path)
            text = answer.text
            # Counts were made before the names were changed: what they lead to is not on record.
            known = answer.status_code == 200 or "unknown" in text
            assert answer.status_code in (200, 400), (path[:200], answer.status_code, text[-900:])
            assert known, (path[:200], text[-900:])
            assert len(answer.content) < 1_000_000, (path[:200], len(answer.content))
            assert not {"\u202e", "\u2066", "\x1b", "\x07"} & set(text), path[:200]
            parsed = Parsed()
            parsed.feed(text)
            assert parsed.wrong == [], path[:200]
            shown += MARK in text
            for link in re.findall(r'<a[^>]* href="([^"#]+)', text):
                link = link.replace("&amp;", "&")
                parts = urlsplit(link)
                route = next(
                    (name for name, fits in PATTERNS.items() if fits.match(parts.path)), ""
                )
                kind = (route, frozenset(re.findall(r"(?:^|&)([^=&]+)=", parts.query)))
                if link not in seen and shapes[kind] < 1:
                    seen.add(link)
                    shapes[kind] += 1
                    waiting.append(link)
    assert shown > 10
