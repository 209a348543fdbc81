"""A card of a result: what was played, by whom, how it ended and the ratings that follow, with
hashes that tell whether any of it is another one.

A card is checked twice. Alone: whether it says what it said when it was written, whether its games
are those of its hash, and whether its ratings follow from its games. With the database: whether
every game on record, to the last word that was sent and answered, is the one that it names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from arena import registry
from arena.analysis.export.places import new_file
from arena.analysis.source import Readable, session_on
from arena.core import Games, PluginError, UsageError
from arena.ratings.online.fold import fold
from db import DatabaseError, schema
from db.finding import find
from db.queries.cards import CardGame, card_games, card_head
from db.repository.ratings import DEFAULT_SYSTEM
from db.repository.rows import hashed

FORMAT = "llm-arena result card"
VERSION = 1
_LARGEST = 256 * 2**20  # bytes of a card
_PACKAGES = ("llm-arena", "textarena", "litellm", "trueskill")


@dataclass(frozen=True, slots=True)
class Card:
    """A card that was written: its own hash, and how many games it names."""

    sha256: str
    games: int


@dataclass(frozen=True, slots=True)
class CardCheck:
    """What a check found: how many games the card names, `problems` of the card or the database,
    and `unchecked`, sentences about what could not be told."""

    tournament: str
    games: int
    problems: tuple[str, ...]
    unchecked: tuple[str, ...]


def write_card(path: str | Path, source: Readable = None, *, tournament: str) -> Card:
    """Write the card of a tournament to a new file, as of one moment.

    Raises UsageError for a file that is there, a missing database and a tournament that is not on
    record.
    """
    with session_on(source, frozen=True) as session, new_file(Path(path)) as file:
        (number,) = find(session, "tournament", tournament)
        games = [_named(game) for game in card_games(session, number)]
        head = card_head(session, number, DEFAULT_SYSTEM)
        card = {
            "format": FORMAT,
            "version": VERSION,
            "packages": {name: version(name) for name in _PACKAGES},
            "revision": schema.HEAD,
            **head,
            "games": games,
            "games_sha256": _sha256(games),
            "ratings_sha256": _sha256(head["ratings"]),
        }
        card["sha256"] = _sha256(card)
        file.write_text(json.dumps(card, indent=1, ensure_ascii=True) + "\n", encoding="ascii")
    return Card(str(card["sha256"]), len(games))


def check_card(path: str | Path, source: Readable | None = None, *, alone: bool) -> CardCheck:
    """Check a card by itself and, unless `alone`, against a database.

    Raises UsageError for a file that is no card, and for a database that is not there or does not
    hold the tournament.
    """
    card = _read(Path(path))
    problems = [*_of_itself(card)]
    unchecked: list[str] = []
    try:
        followed = _ratings(card, unchecked)
        if followed is not None and followed != card["ratings"]:
            problems.append("its ratings do not follow from its games")
    except (KeyError, TypeError, ValueError, IndexError, OverflowError):
        problems.append("its games are not as those of a card are")
    if not alone:
        problems += _against(card, source)
    games: Sequence[Any] = card["games"]
    name = str(card["tournament"]["name"])
    return CardCheck(name, len(games), tuple(problems), tuple(unchecked))


def _named(game: CardGame) -> dict[str, Any]:
    return {**asdict(game), "seats": [[*seat] for seat in game.seats]}


def _sha256(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _read(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > _LARGEST:
            raise UsageError(f"{path} is larger than any card")
        card = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{path} is no card: expected one of `arena export --card FILE`") from None
    shape = {
        "tournament": dict, "agents": list, "ratings": list, "games": list, "sha256": str,
        "games_sha256": str, "ratings_sha256": str,
    }  # fmt: skip
    if (
        not isinstance(card, dict)
        or card.get("format") != FORMAT
        or not all(isinstance(card.get(name), kind) for name, kind in shape.items())
        or not isinstance(card["tournament"].get("name"), str)
        or not all(isinstance(game, dict) for game in card["games"])
    ):
        raise UsageError(f"{path} is no card: expected one of `arena export --card FILE`")
    if card.get("version") != VERSION:
        raise UsageError(
            f"{path} is a card of form {card.get('version')!r:.20}; this release reads {VERSION}"
        )
    return card


def _of_itself(card: Mapping[str, Any]) -> Iterator[str]:
    body = {name: value for name, value in card.items() if name != "sha256"}
    if _sha256(body) != card["sha256"]:
        yield "it was changed after it was written"
    if _sha256(card["games"]) != card["games_sha256"]:
        yield "its games are not those of its hash"
    if _sha256(card["ratings"]) != card["ratings_sha256"]:
        yield "its ratings are not those of its hash"
    config = card["tournament"].get("config")
    # Those of tournaments that were not made from a file are of the other kind.
    if card["tournament"].get("config_hash") not in (_sha256(config), hashed(config)):
        yield "its configuration is not that of its hash"


def _ratings(card: Mapping[str, Any], unchecked: list[str]) -> list[Any] | None:
    """The ratings that follow from the games of a card; None where that cannot be told."""
    name = str(card["tournament"].get("rating"))
    try:
        _, system = registry.online_rating(name)
    except (UsageError, PluginError) as error:
        unchecked.append(f"whether its ratings follow from its games: {error}")
        return None
    rated = sorted(
        (game for game in card["games"] if game["rated"] is not None),
        key=lambda game: int(game["rated"]),
    )
    seats = [seat for game in rated for seat in game["seats"]]
    games = Games(
        np.array([len(game["seats"]) for game in rated], dtype=np.int64),
        np.array([seat[0] for seat in seats], dtype=np.int64),
        np.array([team for game in rated for team in _teams(game["seats"])], dtype=np.int64),
        np.array([seat[3] for seat in seats], dtype=np.int64),
    )
    pool, _ = fold(games, system)
    if pool.failure is not None:
        unchecked.append(f"whether its ratings follow from its games: {pool.failure.error}")
        return None
    return sorted(
        [agent, row.rating.mu, row.rating.sigma, row.games, row.wins, row.draws, row.losses]
        for agent, row in pool.standings.items()
    )


def _teams(seats: Sequence[Sequence[Any]]) -> list[int]:
    """Teams by number; a seat without one is its own."""
    numbers: dict[Any, int] = {}
    return [
        numbers.setdefault(seat[2] if seat[2] is not None else (place,), len(numbers))
        for place, seat in enumerate(seats)
    ]


def _against(card: Mapping[str, Any], source: Readable | None) -> Iterator[str]:
    said = card["tournament"]
    with session_on(source, frozen=True) as session:
        (number,) = find(session, "tournament", str(said["name"]))
        head = card_head(session, number, DEFAULT_SYSTEM)
        for part, what in (
            ("tournament", "the configurations"), ("environment", "the rules"),
            ("agents", "the agents"), ("ratings", "the ratings"),
        ):  # fmt: skip
            if json.loads(json.dumps(head[part])) != card.get(part):
                yield f"{what} on record differ from its own"
        there = {}
        try:
            for game in card_games(session, number):
                there[game.schedule_index, game.attempt] = json.loads(json.dumps(_named(game)))
        except DatabaseError as error:
            yield str(error)
            return
    for game in card["games"]:
        key = (game.get("schedule_index"), game.get("attempt"))
        found = there.pop(key, None)
        if found is None:
            yield f"game {key[0]} of the schedule, attempt {key[1]}, is not on record"
        elif found["record"] != game.get("record"):
            yield f"the record of game {key[0]} of the schedule, attempt {key[1]}, is another"
        elif found != game:
            yield f"the result of game {key[0]} of the schedule, attempt {key[1]}, is another"
    for key in there:
        yield f"game {key[0]} of the schedule, attempt {key[1]}, has been added"
