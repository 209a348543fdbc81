"""What agents used and how they behaved: from the counters where these can say it, else counted
from the games."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, cast

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlmodel import Session, col

from db import latencies
from db.counts import (
    CALL,
    COLUMNS,
    EVENT,
    EVENTS,
    KEY,
    SEAT,
    TIMES,
    TOOL,
    TURN,
    CountsKey,
    GameCounts,
    GameRows,
    counts_of,
)
from db.keys import calls_of_game, turns_of_game
from db.models import Agent, Counters, Game, GamePlayer, Tournament
from db.models.counters import VERSION
from db.models.tournaments import REFEREE_ID
from db.selection import Chosen, Selection, several

ENDED = ("completed", "void")
"""The statuses of games that are counted."""

# What the key of a row of counters can say of games and seats.
_TOLD = ("tournament", "environment", "agent", "kind", "model", "prompt", "role", "team")
_AGENT: Any = col(Counters.agent_id)
_WHOLE = [name for name in COLUMNS if name not in TIMES]
_NO_TIMES = [b"" for _ in TIMES]
_COLUMNS: list[Any] = [getattr(Counters, name) for name in (*KEY, *COLUMNS)]
_SUMS: list[Any] = [
    (func.max if name == "largest" else func.sum)(getattr(Counters, name)) for name in _WHOLE
]
# In one statement: few enough for what SQLite takes as parameters.
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class AgentCounts:
    """An agent's counts in `finished` games and, apart from them, in `void` attempts."""

    finished: GameCounts = field(default_factory=GameCounts)
    void: GameCounts = field(default_factory=GameCounts)

    @property
    def games(self) -> int:
        """Its finished games."""
        return self.finished.games - self.finished.again

    def of(self, *, void: bool) -> GameCounts:
        """One of the two."""
        return self.void if void else self.finished


def agent_counts(session: Session, selection: Selection | None = None) -> dict[int, AgentCounts]:
    """The counts of the seats of a selection in games that have ended, by agent_id: those of
    tournaments, and those of none that were rated by hand.

    Read from the counters where the selection is of whole tournaments, environments, agents and
    their parts, a role or a team, and where they are up to date (`behind`). Else every turn and
    call of the seats is read: the counts are the same. Raises BadSelection for what is not on
    record.
    """
    selection = selection or Selection()
    chosen = selection.on(session)
    alone: list[Any] = [col(Game.tournament_id).is_(None), col(Game.fold_index).is_not(None)]
    if _told(selection) and not _behind(session, chosen):
        rows = _rows(session, chosen, selection)
        # An agent that had several places in a game may have had one role in several teams.
        whole = not (selection.role or selection.team)
        if whole or not any(counts.again for _, counts in rows):
            return _by_agent([*rows, *_counted(session, chosen, and_(*alone))])
    of_any = or_(col(Game.tournament_id).is_not(None), and_(*alone))
    return _by_agent(_counted(session, chosen, of_any))


def role_counts(session: Session, agent_id: int) -> dict[tuple[str, str], GameCounts]:
    """What the counters say of an agent's finished games in each role and team, '' for none, by
    name."""
    query: Any = select(*_COLUMNS).where(agent_id == _AGENT, ~col(Counters.void))
    found: dict[tuple[str, str], GameCounts] = defaultdict(GameCounts)
    for key, counts in map(_row, session.execute(query)):
        found[key.role, key.team].add(counts)
    return dict(sorted(found.items()))


def counter_sums(session: Session, agents: Sequence[int] | None = None) -> dict[int, AgentCounts]:
    """What the counters say of each of the agents, or of all of them, by agent_id: added up by the
    database, which is what a list of many needs."""
    return _sums_by(session, _AGENT, *([] if agents is None else [_AGENT.in_(agents)]))


def tournament_sums(session: Session) -> dict[int, GameCounts]:
    """What the counters say of each tournament, void games too and without times, by
    tournament_id."""
    key: Any = col(Counters.tournament_id)
    return {
        int(tournament): GameCounts.of_row([*numbers, *_NO_TIMES])
        for tournament, *numbers in session.execute(select(key, *_SUMS).group_by(key))
    }


def model_sums(session: Session) -> dict[int, AgentCounts]:
    """The same of all agents of each model, by model_id."""
    return _sums_by(session, col(Agent.model_id), col(Agent.id) == _AGENT)


def _sums_by(session: Session, key: Any, *where: Any) -> dict[int, AgentCounts]:
    found: dict[int, AgentCounts] = defaultdict(AgentCounts)
    void = col(Counters.void)
    for name, of_void, *numbers in session.execute(
        select(key, void, *_SUMS).where(*where).group_by(key, void)
    ):
        found[name].of(void=of_void).add(GameCounts.of_row([*numbers, *_NO_TIMES]))
    blobs: dict[int, list[tuple[bytes, ...]]] = defaultdict(list)
    times: Any = select(key, *(getattr(Counters, name) for name in TIMES))
    for name, *row in session.execute(times.where(~void, *where)):
        blobs[name].append(tuple(row))
    for name, rows in blobs.items():
        finished = found[name].finished
        for field_name, parts in zip(TIMES, zip(*rows, strict=True), strict=True):
            setattr(finished, field_name, latencies.unpacked_sum(b"".join(parts)))
    return {name: found[name] for name in sorted(found)}


def behind(session: Session, selection: Selection | None = None) -> list[str]:
    """The names of the tournaments of a selection with ended games whose counters are of an earlier
    version, or were never counted: `arena counters rebuild` counts them."""
    return _behind(session, (selection or Selection()).on(session))


def tournaments_to_count(
    session: Session, selection: Selection, *, current: bool | None
) -> list[tuple[int, str]]:
    """(tournament_id, name) of the tournaments of a selection, the oldest first: those whose
    counters are up to date, those whose are not, or, with None, all. Raises BadSelection for what
    is not on record, and for anything but tournaments and environments."""
    selection.allow("tournament", "environment", what="tournaments")
    query: Any = select(col(Tournament.id), col(Tournament.name)).where(
        *_of_tournaments(selection.on(session))
    )
    if current is not None:
        other = col(Tournament.counters_version).is_distinct_from(VERSION)
        query = query.where(~other if current else other)
    return [(int(key), name) for key, name in session.execute(query.order_by(col(Tournament.id)))]


def _told(selection: Selection) -> bool:
    given = {each.name for each in fields(selection) if getattr(selection, each.name)}
    words = (selection.role, selection.team)
    return given <= {*_TOLD} and all(len(several(word)) <= 1 for word in words)


def _behind(session: Session, chosen: Chosen) -> list[str]:
    ended = select(col(Game.id)).where(
        col(Game.tournament_id) == col(Tournament.id), col(Game.status).in_(ENDED)
    )
    query: Any = (
        select(col(Tournament.name))
        .where(
            col(Tournament.counters_version).is_distinct_from(VERSION),
            ended.exists(),
            *_of_tournaments(chosen),
        )
        .order_by(col(Tournament.id))
    )
    return list(session.scalars(query))


def _of_tournaments(chosen: Chosen) -> list[Any]:
    return [
        column.in_([*chosen.named[noun]])
        for noun, column in (
            ("tournament", col(Tournament.id)),
            ("environment", col(Tournament.environment_id)),
        )
        if noun in chosen.named
    ]


def _rows(
    session: Session, chosen: Chosen, selection: Selection
) -> list[tuple[CountsKey, GameCounts]]:
    query: Any = (
        select(*_COLUMNS)
        .join(Tournament, col(Tournament.id) == col(Counters.tournament_id))
        .where(*_of_tournaments(chosen), *chosen.of_agents(_AGENT))
    )
    for word, column in ((selection.role, Counters.role), (selection.team, Counters.team)):
        if word:
            query = query.where(col(column).in_(several(word)))
    return [_row(row) for row in session.execute(query)]


def _row(row: Sequence[Any]) -> tuple[CountsKey, GameCounts]:
    tournament, agent, void, role, team = row[: len(KEY)]
    return CountsKey(tournament, agent, bool(void), role, team), GameCounts.of_row(row[len(KEY) :])


def stored_counters(session: Session, tournament_id: int) -> dict[CountsKey, GameCounts]:
    """The rows of a tournament's counters."""
    query: Any = select(*_COLUMNS).where(col(Counters.tournament_id) == tournament_id)
    return dict(_row(row) for row in session.execute(query))


def _by_agent(rows: Iterable[tuple[CountsKey, GameCounts]]) -> dict[int, AgentCounts]:
    found: dict[int, AgentCounts] = defaultdict(AgentCounts)
    for key, counts in rows:
        found[key.agent_id].of(void=key.void).add(counts)
    return {agent: found[agent] for agent in sorted(found)}


def games_in(
    session: Session, tournament_id: int, statuses: Sequence[str], latest: int | None = None
) -> list[int]:
    """The games of a tournament in some statuses, the oldest first: all, or the `latest` ones."""
    query: Any = select(col(Game.id)).where(
        col(Game.tournament_id) == tournament_id, col(Game.status).in_(statuses)
    )
    found = session.scalars(query.order_by(col(Game.id).desc()).limit(latest))
    return [int(key) for key in found][::-1]


def _counted(
    session: Session, chosen: Chosen, which: ColumnElement[bool]
) -> Iterator[tuple[CountsKey, GameCounts]]:
    for game in _games_of_seats(session, chosen, which):
        yield from counts_of(game).items()


def tournament_counts(session: Session, tournament_id: int) -> dict[int, GameCounts]:
    """What all games of a tournament used, by agent_id, without how long it took: those that have
    ended, void ones too, and those that are being played. Of the ended ones it reads the counters
    where these are up to date."""
    version: Any = select(col(Tournament.counters_version)).where(
        col(Tournament.id) == tournament_id
    )
    current = session.scalar(version) == VERSION
    read = games_in(session, tournament_id, ("running",) if current else (*ENDED, "running"))
    found: dict[int, GameCounts] = defaultdict(GameCounts)
    if current:
        here = col(Counters.tournament_id) == tournament_id
        for agent, *numbers in session.execute(select(_AGENT, *_SUMS).where(here).group_by(_AGENT)):
            found[agent].add(GameCounts.of_row([*numbers, *_NO_TIMES]))
    for game in games_of(session, read):
        for key, counts in counts_of(game).items():
            found[key.agent_id].add(replace(counts, turn_ms={}, call_ms={}, lag_ms={}))
    return dict(sorted(found.items()))


def _games_of_seats(
    session: Session, chosen: Chosen, which: ColumnElement[bool]
) -> Iterator[GameRows]:
    query: Any = (
        select(col(GamePlayer.game_id), col(GamePlayer.player_index))
        .join(Game, col(Game.id) == col(GamePlayer.game_id))
        .where(
            col(Game.status).in_(ENDED),
            which,
            *chosen.of_seats(),
        )
    )
    players: dict[int, set[int]] = defaultdict(set)
    for game, player in session.execute(query):
        players[int(game)].add(int(player))
    return games_of(session, sorted(players), players)


# CROSS JOIN says the order in which SQLite reads the tables: from the few games that are named to
# their rows, whatever its statistics say. A key holds its game (`db.keys`).
_GAMES = "SELECT g.id, g.tournament_id, g.status FROM named n CROSS JOIN games g WHERE g.id = n.id "
_REFEREES = (
    f"SELECT n.id, {REFEREE_ID} FROM named n CROSS JOIN games g "  # noqa: S608
    "CROSS JOIN environments rules WHERE g.id = n.id AND rules.id = g.environment_id"
)
_PARTS: Mapping[str, str] = {
    "seats": f"SELECT n.id, {SEAT} FROM named n CROSS JOIN game_players p "  # noqa: S608
    "WHERE p.game_id = n.id ORDER BY p.game_id, p.player_index",
    "turns": f"SELECT n.id, {TURN} FROM named n CROSS JOIN game_turns t "  # noqa: S608
    "WHERE t.id >= n.id * 16777216 AND t.id < (n.id + 1) * 16777216 "
    "AND t.id >= {turns[0]} AND t.id < {turns[1]}",
    "calls": f"SELECT n.id, {CALL} FROM named n CROSS JOIN llm_calls c "  # noqa: S608
    "WHERE c.id >= n.id * 4294967296 AND c.id < (n.id + 1) * 4294967296 "
    "AND c.id >= {calls[0]} AND c.id < {calls[1]}",
    "tools": f"SELECT n.id, {TOOL} FROM named n CROSS JOIN tool_calls u "  # noqa: S608
    "WHERE u.id >= n.id * 4294967296 AND u.id < (n.id + 1) * 4294967296 "
    "AND u.id >= {calls[0]} AND u.id < {calls[1]}",
    "events": f"SELECT n.id, {EVENT} FROM named n CROSS JOIN game_events e "  # noqa: S608
    "CROSS JOIN event_types k WHERE e.game_id = n.id AND k.id = e.kind "
    "AND e.game_id >= {games[0]} AND e.game_id <= {games[1]} "
    f"AND k.name IN ({', '.join(map(repr, EVENTS))})",
}


def games_of(
    session: Session, keys: Sequence[int], players: Mapping[int, set[int]] | None = None
) -> Iterator[GameRows]:
    """What is on record of games that have ended, in the order of their keys, of which only the
    `players` are to be counted where they are named. Reads every turn and call of them."""
    connection = session.connection()
    server = connection.dialect.name == "postgresql"

    def rows(query: str, games: Sequence[int]) -> Iterable[tuple[Any, ...]]:
        named = ", ".join(f"({game:d})" for game in games)
        cast_first = named.replace(")", "::bigint)", 1) if server else named
        # The bounds are known from the games already; said, they keep a server from reading all.
        bounded = query.format(
            turns=(turns_of_game(games[0])[0], turns_of_game(games[-1])[1]),
            calls=(calls_of_game(games[0])[0], calls_of_game(games[-1])[1]),
            games=(games[0], games[-1]),
        )
        result = connection.exec_driver_sql(f"WITH named(id) AS (VALUES {cast_first}) {bounded}")
        # As the driver makes them: rows that know their columns' names take twice as long.
        return cast(Iterable[tuple[Any, ...]], result.cursor)

    for at in range(0, len(keys), _AT_ONCE):
        some = keys[at : at + _AT_ONCE]
        parts: dict[str, dict[int, list[tuple[Any, ...]]]] = {}
        for name, query in _PARTS.items():
            of_game = parts[name] = defaultdict(list)
            for game, *row in rows(query, some):
                of_game[game].append(tuple(row))
        seats, turns = parts["seats"], parts["turns"]
        judged = [
            game for game in some if any(player >= len(seats[game]) for player, *_ in turns[game])
        ]
        referees = dict(rows(_REFEREES, judged)) if judged else {}
        for game, tournament, status in rows(f"{_GAMES} ORDER BY g.id", some):
            referee = referees.get(game)
            yield GameRows(
                game,
                tournament or 0,
                status == "void",
                **{name: of_game[game] for name, of_game in parts.items()},
                chosen=None if players is None else players[game],
                running=status == "running",
                referee=None if referee is None else int(referee),
            )
