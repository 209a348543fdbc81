"""Asks an index, and joins what it finds to the record: who said it, as what, how that ended."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlmodel import Session

from db import keys
from db.errors import BadSelection
from db.models import Game
from db.queries.archived_games import archived_games
from db.queries.fitting import bounds, fitting_seats, seats_of
from db.search.documents import PARTS, ReadAnswer, is_of_game, part_of, texts_of_keys
from db.search.store import RANKED, IndexName, SearchStore
from db.search.words import PART, part_spans, parts, spans, words
from db.selection import Chosen, Selection

# Keys of one question to the record; more of them once few of the first have fitted.
_FEWEST, _MOST = 200, 5_000
_AT_ONCE = 500
MOST_SOUGHT = 64
"""Words of a question: an index takes no tree of thousands."""

_TABLES = Game.metadata.tables
_GAMES, _EVENTS, _KINDS = (_TABLES[name] for name in ("games", "game_events", "event_types"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What is searched: every phrase must stand in one text. `index` is `parts` for pieces of
    words; `part` what the texts are, any of them by default; `kind` and `phase` of an event that
    happened in the turn, a vote of the same player; `before` a (game, turn) that the hits are older
    than. Raises BadSelection for a phrase without a word."""

    phrases: tuple[str, ...]
    index: IndexName = "words"
    part: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    phase: tuple[str, ...] = ()
    ranked: bool = False
    before: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        for part in self.part:
            if part not in PARTS:
                raise BadSelection(f"unknown text {part!r}: expected {', '.join(PARTS)}")
        for phrase in self.phrases or ("",):
            if not words(phrase):
                raise BadSelection(
                    f"nothing to search for in {phrase!r}: expected a word, such as Detective"
                )
            if self.index == "parts" and not parts(phrase):
                raise BadSelection(
                    f"{phrase!r} is too short for a piece of a word: expected {PART} letters, or "
                    "whole words"
                )
        if (count := sum(len(words(phrase)) for phrase in self.phrases)) > MOST_SOUGHT:
            raise BadSelection(
                f"{count:,} words are too many to search for: expected at most {MOST_SOUGHT}"
            )

    @property
    def asked(self) -> list[list[str]]:
        """The phrases as the index knows them."""
        split = words if self.index == "words" else parts
        return [split(phrase) for phrase in self.phrases]

    @property
    def kinds(self) -> list[int]:
        """The last two bits of the keys of such texts."""
        return [number for number, part in enumerate(PARTS) if not self.part or part in self.part]

    def spans(self, said: str) -> list[tuple[int, int]]:
        """Where the phrases stand in a text, as (start, end)."""
        if self.index == "words":
            return spans(said, self.asked)
        return part_spans(said, self.phrases)


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A text in which all that was searched stands, `matches` as (start, end) in it. `part` is what
    the text is; who said it, and turn and player, are None for the error of a game itself.
    `teams` are all of the game, in order of their names."""

    game_id: int
    turn_number: int | None
    player_index: int | None
    part: str
    text: str
    matches: tuple[tuple[int, int], ...]
    tournament: str | None = None
    status: str | None = None
    agent: str | None = None
    role: str | None = None
    team: str | None = None
    result: str | None = None
    teams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchHits:
    """Hits, and whether there are more; `unranked` says that only the newest were ranked.
    `without_events` counts the games that were left out because their events are not on record;
    `archived` are games in which it stands too, whose texts are in files.
    `left_at` is a (game, turn) where looking stopped early: only what is older was not looked at.
    """

    hits: tuple[SearchHit, ...]
    more: bool = False
    unranked: bool = False
    without_events: int = 0
    left_at: tuple[int, int] | None = None
    archived: tuple[int, ...] = ()


def search(
    session: Session,
    store: SearchStore,
    sought: Sought,
    read: ReadAnswer,
    selection: Selection | None = None,
    *,
    limit: int,
    most: int | None = None,
) -> SearchHits:
    """`limit` texts with everything that is sought, the newest games first, and what else was said
    in the last one's turn; or the most relevant. Where `most` is given, no more texts with the
    words than about so many are looked at.

    Raises BadSelection for a selection of what is not on record.
    """
    chosen = (selection or Selection()).on(session)
    of_games = bounds(session, chosen)
    since, below = (0, 1 << 62) if of_games is None else (of_games[0] << 26, of_games[1] + 1 << 26)
    if sought.before:
        below = min(below, keys.turn_key(*sought.before, 0) << 2)
    unranked = False
    if sought.ranked:
        ranked, unranked = store.ranked(
            sought.index,
            sought.asked,
            since=since,
            below=below,
            kinds=sought.kinds,
            most=RANKED if most is None else min(most, RANKED),
        )
        pages: Iterator[Sequence[int]] = _pages(ranked)
    else:
        pages = _newest(store, sought, since, below)
    found: list[int] = []
    silent: set[int] = set()
    away: set[int] = set()
    kinds = kinds_of(session, sought.kind)
    looked, left = 0, None
    for page in pages:
        fit = fitting(session, chosen, kinds, sought.phase, page, silent)
        filed = {*archived_games(session, [_GAMES.c.id.in_({key >> 26 for key in fit})])}
        away |= filed
        found += [key for key in fit if key >> 26 not in filed]
        looked += len(page)
        if len(found) > limit and _turn(found[-1]) != _turn(found[limit - 1]):
            break
        if most is not None and looked >= most and not sought.ranked and len(page) >= _FEWEST:
            # Whoever asks on from there sees the last turn whole.
            left = page[-1]
            found = [key for key in found if _turn(key) != _turn(left)]
            break
    shown = limit
    while (
        not sought.ranked and shown < len(found) and _turn(found[shown]) == _turn(found[limit - 1])
    ):
        # What is older than a turn leaves out all of it.
        shown += 1
    hits = hits_of(session, found[:shown], read, sought.spans)
    return SearchHits(
        tuple(hits),
        len(found) > shown,
        unranked,
        len(silent),
        None if left is None or len(found) > shown else _behind(left),
        tuple(sorted(away)),
    )


def _behind(key: int) -> tuple[int, int]:
    """(game, turn) behind the turn of a key."""
    game_id, turn_number, _ = keys.turn_of(key >> 2)
    return (game_id + 1, 0) if is_of_game(key) else (game_id, turn_number + 1)


def _turn(key: int) -> int:
    """The turn of a key, whoever's it is."""
    return key >> 10


def _newest(store: SearchStore, sought: Sought, since: int, below: int) -> Iterator[Sequence[int]]:
    size = _FEWEST
    while page := store.newest(
        sought.index, sought.asked, size, since=since, below=below, kinds=sought.kinds
    ):
        yield page
        if len(page) < size:
            return
        below, size = page[-1], min(2 * size, _MOST)


def _pages(found: Sequence[int]) -> Iterator[Sequence[int]]:
    at, size = 0, _FEWEST
    while at < len(found):
        yield found[at : at + size]
        at, size = at + size, min(2 * size, _MOST)


def fitting(
    session: Session,
    chosen: Chosen,
    kinds: Sequence[int],
    phases: Sequence[str],
    page: Sequence[int],
    silent: set[int],
) -> list[int]:
    """Those of some keys of texts, in their order, whose games and seats fit, and in whose turn an
    event of these kinds and phases happened, where any are asked for; `silent` gets the games that
    have no events on record."""
    of_keys = {key: (key >> 26, key >> 2 & 0xFF) for key in page}
    seats = fitting_seats(session, chosen, {*of_keys.values()})
    fit = [key for key in page if of_keys[key] in seats]
    return _happened(session, kinds, phases, fit, silent) if kinds or phases else fit


def kinds_of(session: Session, names: Sequence[str]) -> list[int]:
    """The numbers of kinds of events. Raises BadSelection for one that there is not."""
    rows = session.execute(select(_KINDS.c.name, _KINDS.c.id))
    known: dict[str, int] = {row.name: row.id for row in rows}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise BadSelection(
                f"unknown kind of event {name!r}: expected {', '.join(sorted(known))}{hint}"
            )
    return [known[name] for name in names]


def _happened(
    session: Session,
    kinds: Sequence[int],
    phases: Sequence[str],
    page: Sequence[int],
    silent: set[int],
) -> list[int]:
    """Those of some keys in whose turn there is such an event, of the same player where a kind is
    asked for; `silent` gets the games that have no events on record."""
    games = sorted({key >> 26 for key in page})
    found: set[tuple[int, int, int | None]] = set()
    told: set[int] = set()
    for start in range(0, len(games), _AT_ONCE):
        some = games[start : start + _AT_ONCE]
        query: Any = select(*(_EVENTS.c[name] for name in ("game_id", "turn", "source", "phase")))
        query = query.where(_EVENTS.c.game_id.in_(some))
        if kinds:
            query = query.where(_EVENTS.c.kind.in_(kinds))
        for game, turn, source, phase in session.execute(query.distinct()):
            if not phases or any({*words(each)} <= {*words(phase or "")} for each in phases):
                found.add((game, turn, source if kinds else None))
        has = select(_GAMES.c.id).where(
            _GAMES.c.id.in_(some),
            or_(_GAMES.c.events_version.is_not(None), _GAMES.c.status != "completed"),
        )
        told.update(session.execute(has).scalars())
    silent.update({*games} - told)
    kept = []
    for key in page:
        game, turn, player = keys.turn_of(key >> 2)
        if (game, turn, player if kinds else None) in found:
            kept.append(key)
    return kept


def hits_of(
    session: Session,
    found: Sequence[int],
    read: ReadAnswer,
    spans_in: Callable[[str], list[tuple[int, int]]] = lambda text: [],
) -> Iterator[SearchHit]:
    """The texts of some keys, with who said them and how that ended; `spans_in` finds what was
    sought in one."""
    said = texts_of_keys(session, found, read)
    seats = seats_of(session, sorted({key >> 26 for key in found}))
    for key in found:
        text = said.get(key)
        game_id, turn_number, player_index = keys.turn_of(key >> 2)
        shown, matches = "", []
        for piece in text.pieces if text else ():
            at = spans_in(piece)
            if at or not shown:
                shown, matches = piece, at
            if at:
                break
        nobody = (*seats.get((game_id, None), (None, None)), None, None, None, None)
        seat = seats.get((game_id, player_index), nobody)
        yield SearchHit(
            game_id,
            None if is_of_game(key) else turn_number,
            None if is_of_game(key) else player_index,
            part_of(key),
            shown,
            tuple(matches),
            *seat,
        )
