"""Reads a database of `mindgames.db`, an arena of Secret Mafia with tables of the same names.

Its file is a stranger's, and only read. What it holds is written through the repository, game by
game: there were no seeds, no environments and no tournaments, so its games belong to none, are
shown and searched, and can be neither replayed nor rated again. Its ratings are kept as those that
were set by hand.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL
from sqlmodel import Session

from db.errors import DatabaseError, LeaseHeld
from db.live import run_now
from db.models import Game
from db.models.columns import aware
from db.repository import Repository
from db.strange_files import definitions_of, refuse_strange

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "models": ("id", "name", "litellm_model_name"),
    "kinds": ("id", "name"),
    "prompts": ("id", "name", "content", "forked_from"),
    "agents": ("id", "kind_id", "model_id", "prompt_id", "alias"),
    "games": ("id", "started_at", "status", "winning_team"),
    "game_players": ("game_id", "agent_id", "player_index", "role", "reward"),
    "game_turns": ("id", "game_id", "turn_number", "player_index", "observation", "action"),
    "llm_calls": ("id", "game_turn_id", "model", "messages", "response"),
    "agent_trueskill": ("agent_id", "mu", "sigma"),
}
"""What its tables have at least; what else they have is read where it is known."""

_OWN_TABLES = {"branch_runs", "call_payloads", "turn_payloads", "tournaments"}
_INSERT_LIMIT = 64 * 2**20  # bytes of a text
_MAFIA = {"mafia", "godfather"}


@dataclass(frozen=True, slots=True)
class ImportedGames:
    """What was read: games, turns, calls and ratings; `first` is the number that the first game has
    here, None without games; `unfinished` were being played, and are void."""

    games: int
    turns: int
    calls: int
    ratings: int
    first: int | None
    unfinished: int


def is_mindgames(path: Path) -> bool:
    """Whether a file is a database with its tables."""
    try:
        with _connected(path) as connection:
            there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    except (DatabaseError, sqlite3.Error):
        return False
    return {*_COLUMNS} <= there and not there & _OWN_TABLES


def import_mindgames(session: Session, path: Path) -> ImportedGames:
    """Add what a database of its holds to this one, in the caller's transaction: games, players,
    turns and calls under numbers of their own, models, kinds, prompts and agents where they are not
    here already.

    Raises DatabaseError for a file that holds anything else, or something of another content whose
    name is taken here, and LeaseHeld while somebody runs a tournament.
    """
    if run_now(session):
        raise LeaseHeld("a tournament is being run in this database: import when it has ended")
    with _opened(path) as connection:
        return _Reader(Repository(session), connection, path).everything()


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    address = f"{path.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        connection.execute("PRAGMA trusted_schema=OFF")
        yield connection


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with _connected(path) as connection:
        refuse_strange(
            URL.create("sqlite", database=str(path)),
            [each for each in definitions_of(connection) if not str(each[1]).startswith("sqlite_")],
        )
        connection.row_factory = sqlite3.Row
        yield connection


class _Reader:
    def __init__(self, repo: Repository, connection: sqlite3.Connection, path: Path) -> None:
        self.repo, self.connection, self.path = repo, connection, path
        self.numbers: dict[str, dict[int, int]] = {}
        self.turns = self.calls = self.unfinished = 0

    def everything(self) -> ImportedGames:
        self._check()
        try:
            self._catalogue()
            games = [self._game(row) for row in self._rows("games")]
            ratings = self._ratings()
        except (sqlite3.Error, TypeError, ValueError, KeyError, OverflowError) as error:
            raise self._bad(f"a value is not what its column holds ({error!s:.80})") from error
        first = min(games, default=None)
        return ImportedGames(len(games), self.turns, self.calls, ratings, first, self.unfinished)

    def _bad(self, what: str) -> DatabaseError:
        return DatabaseError(f"{self.path} cannot be imported: {what}; nothing was imported")

    def _check(self) -> None:
        for table, columns in _COLUMNS.items():
            there = {row[1] for row in self.connection.execute(f'PRAGMA table_info("{table}")')}
            missing = [name for name in columns if name not in there]
            if missing:
                raise self._bad(f"its table {table} has no column {missing[0]}")

    def _rows(self, table: str, where: str = "", value: Any = None) -> Iterator[dict[str, Any]]:
        order = "id" if "id" in _COLUMNS[table] else "rowid"
        query = f'SELECT * FROM "{table}" {where} ORDER BY {order}'  # noqa: S608
        for row in self.connection.execute(query, () if value is None else (value,)):
            yield {name: row[name] for name in row.keys()}  # noqa: SIM118

    def _catalogue(self) -> None:
        self.numbers["models"] = {row["id"]: self._model(row) for row in self._rows("models")}
        self.numbers["kinds"] = {row["id"]: self._kind(row) for row in self._rows("kinds")}
        self.numbers["prompts"] = {}
        waiting = [*self._rows("prompts")]
        while waiting:
            later = []
            for row in waiting:
                if row["forked_from"] is None or row["forked_from"] in self.numbers["prompts"]:
                    self.numbers["prompts"][row["id"]] = self._prompt(row)
                else:
                    later.append(row)
            if len(later) == len(waiting):
                raise self._bad("a prompt was forked from one that is not in it")
            waiting = later
        self.numbers["agents"] = {row["id"]: self._agent(row) for row in self._rows("agents")}

    def _number(self, table: str, key: Any) -> int:
        found = self.numbers[table].get(key)
        if found is None:
            raise self._bad(f"it refers to row {key!r:.20} of {table}, which is not there")
        return found

    def _model(self, row: Mapping[str, Any]) -> int:
        found = self.repo.get_model_by_name(_text(row["name"]))
        if found is None:
            found = self.repo.create_model(
                _text(row["name"]), _text(row["litellm_model_name"]), bool(row.get("active", True))
            )
        elif found.litellm_model_name != row["litellm_model_name"]:
            raise self._bad(f"the model {found.name!r} here is {found.litellm_model_name!r}")
        return _key(found.id)

    def _kind(self, row: Mapping[str, Any]) -> int:
        found = self.repo.get_kind_by_name(_text(row["name"]), 1)
        if found is None:
            found = self.repo.create_kind(_text(row["name"]), bool(row.get("active", True)))
        return _key(found.id)

    def _prompt(self, row: Mapping[str, Any]) -> int:
        found = self.repo.get_prompt_by_name(_text(row["name"]))
        if found is None:
            parent = row["forked_from"]
            found = self.repo.create_prompt(
                _text(row["name"]),
                _text(row["content"]),
                None if parent is None else self._number("prompts", parent),
                bool(row.get("active", True)),
            )
        elif found.content != row["content"]:
            raise self._bad(f"the prompt {found.name!r} here is another text")
        return _key(found.id)

    def _agent(self, row: Mapping[str, Any]) -> int:
        found = self.repo.get_or_create_agent(
            self._number("kinds", row["kind_id"]),
            self._number("models", row["model_id"]),
            self._number("prompts", row["prompt_id"]),
            row["alias"],
            row.get("class"),
        )
        return _key(found.id)

    def _game(self, row: Mapping[str, Any]) -> int:
        finished = row["status"] == "completed"
        game = self.repo.create_game(_time(row["started_at"]), "running")
        number = _key(game.id)
        winner = row["winning_team"]
        for player in self._rows("game_players", "WHERE game_id = ?", row["id"]):
            seat = self.repo.add_game_player(
                number,
                self._number("agents", player["agent_id"]),
                player["player_index"],
                player["role"],
                player["reward"],
                team=_team(player["role"]),
            )
            if finished and winner is not None and seat.team is not None:
                seat.rank = int(seat.team != _team(winner))
        for turn in self._rows("game_turns", "WHERE game_id = ?", row["id"]):
            self._turn(number, turn)
        self.repo.finish_game(
            number,
            "completed" if finished else "void",
            _team(winner) if finished else None,
            bool(row.get("environment_crashed", False)),
            {
                **_dict(row.get("game_info")),
                "imported": {"game": row["id"], "status": row["status"]},
            },
            finished_at=_time(row.get("finished_at") or row.get("ended_at")),
        )
        _end(self.repo.session, number, finished=finished)
        self.unfinished += not finished
        self.repo.session.expunge_all()
        return number

    def _turn(self, game: int, row: Mapping[str, Any]) -> None:
        at = _time(row.get("created_at") or row.get("timestamp"))
        turn = self.repo.add_game_turn(
            game,
            row["turn_number"],
            row["player_index"],
            _json(row["observation"]),
            row["action"],
            row.get("response_time_ms"),
            row.get("tokens_used"),
            observed_at=at,
            acted_at=at,
        )
        self.turns += 1
        for call in self._rows("llm_calls", "WHERE game_turn_id = ?", row["id"]):
            response = _json(call["response"])
            self.repo.add_llm_call(
                turn.id,
                _text(call["model"]),
                _json(call["messages"]),
                response,
                _time(call.get("request_sent_at")),
                _time(call.get("response_received_at")),
                call.get("total_response_time_ms"),
                call.get("response_tokens"),
                call.get("total_tokens_consumed"),
                text=_said(response),
            )
            self.calls += 1

    def _ratings(self) -> int:
        """Those of agents that have none here that was set by hand."""
        kept = 0
        for row in self._rows("agent_trueskill"):
            agent = self._number("agents", row["agent_id"])
            by_hand = self.repo.get_rating_pool()
            known = by_hand and self.repo.get_agent_trueskill(agent, by_hand.id)
            if not known:
                self.repo.create_or_update_trueskill(agent, float(row["mu"]), float(row["sigma"]))
                kept += 1
        return kept


def _end(session: Session, number: int, *, finished: bool) -> None:
    """A game that somebody was playing is nobody's loss."""
    game = session.get_one(Game, number)
    game.termination = "natural" if finished else None
    game.void_cause = (
        None if finished else ("environment" if game.environment_crashed else "interrupted")
    )
    session.flush()


def _key(number: int | None) -> int:
    assert number is not None
    return number


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is no text")
    return value


def _time(value: Any) -> datetime | None:
    """A time as SQLite keeps it, without a zone: UTC."""
    return None if value is None else aware(datetime.fromisoformat(_text(value)))


def _json(value: Any) -> Any:
    """A JSON column; a text that is none stays one."""
    if not isinstance(value, str):
        return value
    if len(value) > _INSERT_LIMIT:
        raise ValueError("a text is longer than any of ours")
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _dict(value: Any) -> dict[str, Any]:
    found = _json(value)
    return found if isinstance(found, dict) else {}


def _team(name: Any) -> str | None:
    """The team of a role, or of a team by any of its names."""
    if not isinstance(name, str) or not name:
        return None
    return "Mafia" if name.lower() in _MAFIA else "Village"


def _said(response: Any) -> str | None:
    """The text of a chat completion as LiteLLM gives it, or of anything with a `content`."""
    if isinstance(response, str):
        return response
    if not isinstance(response, dict):
        return None
    choices = response.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        message = choices[0].get("message")
        response = message if isinstance(message, dict) else choices[0]
    content = response.get("content", response.get("text"))
    return content if isinstance(content, str) else None
