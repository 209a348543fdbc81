"""Which tournaments there are, and how far their games are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlmodel import Session, col

from db.models import (
    Environment,
    Tournament,
    TournamentLease,
    TournamentTemplate,
    TournamentTemplateUse,
)
from db.models.columns import aware
from db.queries.begun import begun_agents
from db.queries.counters import behind
from db.queries.spending import spent_by_tournament
from db.selection import Selection

_AT_ONCE = 500  # values in one statement

_SEATS = text("SELECT tournament_id, void, SUM(seats) FROM counters GROUP BY tournament_id, void")
# CROSS JOIN says the order in which SQLite reads the tables: an index of games has what is left of
# each tournament.
_UNPLAYED = text(
    "SELECT cup.id, g.status, COUNT(*) FROM tournaments cup CROSS JOIN games g "
    "WHERE g.tournament_id = cup.id AND g.status IN ('scheduled', 'running') "
    "GROUP BY cup.id, g.status"
)
_VOID = text(
    "SELECT cup.id, g.void_cause, g.final, COUNT(*) FROM tournaments cup "
    "CROSS JOIN games g WHERE g.tournament_id = cup.id AND g.status = 'void' "
    "GROUP BY cup.id, g.void_cause, g.final"
)
_ALL = text("SELECT status, COUNT(*) FROM games WHERE tournament_id = :tournament GROUP BY status")


@dataclass(frozen=True, slots=True)
class TournamentRow:
    """A tournament: `games` are those of its schedule, `settled` how many places of it need no
    further attempt, `by_status` how many attempts at them are in each status, `void_causes` how
    often each cause of a void one came up; `agents` are those of its configuration, by the names
    of the versions that play. `charged` is dollars for its games; None where its counters are
    behind. `template` is the name of the one that it was made from, None without one. Something
    last happened at `active_at`, by the clock of whoever ran it.
    """

    tournament_id: int
    name: str
    environment: str
    num_players: int
    status: str
    seed: int
    games: int
    settled: int
    agents: Sequence[str]
    by_status: Mapping[str, int]
    void_causes: Mapping[str, int]
    charged: float | None
    template: str | None
    config: Mapping[str, Any]
    settings: Mapping[str, Any]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    active_at: datetime


def matchmakers(session: Session, keys: Iterable[int]) -> dict[int, Mapping[str, Any]]:
    """The name and options of what pairs each of these tournaments, by tournament_id; of those
    without such a configuration none."""
    wanted, found = list(keys), dict[int, Mapping[str, Any]]()
    for at in range(0, len(wanted), _AT_ONCE):
        query: Any = select(col(Tournament.id), col(Tournament.config)).where(
            col(Tournament.id).in_(wanted[at : at + _AT_ONCE])
        )
        for key, config in session.execute(query):
            if isinstance(config, dict) and isinstance(rule := config.get("matchmaker"), dict):
                found[key] = rule
    return found


def tournaments(
    session: Session,
    selection: Selection | None = None,
    *,
    limit: int | None = None,
    before: int | None = None,
) -> list[TournamentRow]:
    """The tournaments of a selection, the newest first: all, or at most `limit` of those older
    than the tournament `before`. Raises BadSelection for what is not on record, and for anything
    but tournaments and environments."""
    selection = selection or Selection()
    selection.allow("tournament", "environment", what="tournaments")
    named = selection.on(session).named
    which: list[Any] = [
        column.in_([*named[noun]])
        for noun, column in (
            ("tournament", col(Tournament.id)),
            ("environment", col(Tournament.environment_id)),
        )
        if noun in named
    ]
    if before is not None:
        which.append(col(Tournament.id) < before)
    query: Any = (
        select(Tournament, Environment, col(TournamentTemplate.name), col(TournamentLease.told_at))
        .join(Environment, col(Environment.id) == Tournament.environment_id)
        .outerjoin(TournamentTemplateUse, col(TournamentTemplateUse.tournament_id) == Tournament.id)
        .outerjoin(
            TournamentTemplate, col(TournamentTemplate.id) == TournamentTemplateUse.template_id
        )
        .outerjoin(TournamentLease, col(TournamentLease.tournament_id) == Tournament.id)
        .where(*which)
        .order_by(col(Tournament.id).desc())
        .limit(limit)
    )
    rows = session.execute(query).all()
    late, charged = {*behind(session, selection)}, spent_by_tournament(session)
    sizes = {row.id: rules.num_players for row, rules, *_ in rows if row.name not in late}
    by_status = _by_status(session, sizes, [row.id for row, *_ in rows if row.name in late])
    causes: dict[int, dict[str, int]] = defaultdict(dict)
    settled = {key: counts.get("completed", 0) for key, counts in by_status.items()}
    for key, cause, final, number in session.connection().execute(_VOID):
        if key in settled:
            settled[key] += number if final else 0
            if cause is not None:
                causes[key][cause] = causes[key].get(cause, 0) + number
    return [
        TournamentRow(
            tournament_id=row.id,
            name=row.name,
            environment=rules.name,
            num_players=rules.num_players,
            status=row.status,
            seed=row.seed,
            games=row.games,
            settled=settled[row.id],
            agents=_agents(session, row),
            by_status=by_status[row.id],
            void_causes=causes[row.id],
            charged=None if row.name in late else charged.get(row.id, 0.0),
            template=template,
            config=row.config,
            settings=row.settings or {},
            created_at=row.created_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
            active_at=_latest(row.created_at, row.started_at, row.finished_at, told),
        )
        for row, rules, template, told in rows
    ]


@dataclass(frozen=True, slots=True)
class TournamentAttempts:
    """How many attempts at games of a tournament are in each status; its counters may be
    `behind`."""

    tournament_id: int
    name: str
    by_status: Mapping[str, int]
    behind: bool


def attempts(session: Session) -> list[TournamentAttempts]:
    """Of all tournaments, the oldest first; no turn and no call is read for it."""
    query: Any = (
        select(col(Tournament.id), col(Tournament.name), col(Environment.num_players))
        .join(Environment, col(Environment.id) == Tournament.environment_id)
        .order_by(col(Tournament.id))
    )
    rows, late = session.execute(query).all(), {*behind(session)}
    sizes = {key: players for key, name, players in rows if name not in late}
    by_status = _by_status(session, sizes, [key for key, name, _ in rows if name in late])
    return [TournamentAttempts(key, name, by_status[key], name in late) for key, name, _ in rows]


def active_at(session: Session, tournament_id: int) -> datetime | None:
    """When something last happened in a tournament, None for one that is not there."""
    row = session.get(Tournament, tournament_id)
    if row is None:
        return None
    lease = session.get(TournamentLease, tournament_id)
    told = None if lease is None else lease.told_at
    return _latest(row.created_at, row.started_at, row.finished_at, told)


def _latest(*times: datetime | None) -> datetime:
    return max(aware(time) for time in times if time is not None)


def _by_status(
    session: Session, sizes: Mapping[int, int], late: Sequence[int]
) -> dict[int, dict[str, int]]:
    """How many attempts are in each status, by tournament_id. Those that have ended are told by the
    places that the counters have, `sizes` of them to a game; of `late` tournaments all are counted.
    """
    found: dict[int, dict[str, int]] = {key: {} for key in (*sizes, *late)}
    connection = session.connection()
    for key, void, seats in connection.execute(_SEATS):
        if key in sizes:
            found[key]["void" if void else "completed"] = int(seats) // sizes[key]
    for key, status, number in connection.execute(_UNPLAYED):
        if key in found:
            found[key][status] = int(number)
    for key in late:
        found[key] |= {
            status: int(number) for status, number in connection.execute(_ALL, {"tournament": key})
        }
    return found


def _agents(session: Session, row: Tournament) -> list[str]:
    entered = row.config.get("agents") or ()
    names = [str(agent["name"]) for agent in entered]
    found = begun_agents(session, row.id or 0, names)
    return [name if one is None else one[1] for name, one in zip(names, found, strict=True)]
