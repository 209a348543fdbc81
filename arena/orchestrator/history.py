"""Reads what of a tournament's schedule is on record: its pairings, and the results so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from arena.core import Pairing, RatedPlayer, seat_role
from arena.orchestrator.schedule import Scheduled
from arena.orchestrator.standings import Played
from db import Database, Repository, Session
from db.fold import numbered
from db.queries.schedule import first_attempts, scheduled_seats
from db.queries.spending import costs_of_place


@dataclass(frozen=True, slots=True)
class History:
    """`scheduled` in schedule order; `settled` by place in the schedule, None for a game that
    will never have a result."""

    scheduled: Sequence[Pairing] = ()
    settled: Mapping[int, Played | None] = field(default_factory=dict)


def history(session: Session, tournament_id: int) -> History:
    """The schedule so far, each place as its latest attempt has it."""
    scheduled: dict[int, Pairing] = {}
    settled: dict[int, Played | None] = {}
    games = groupby(
        scheduled_seats(session, tournament_id),
        key=lambda seat: (seat.schedule_index, seat.attempt),
    )
    for (index, _), found in games:
        seats = list(found)
        first = seats[0]
        scheduled[index] = Pairing(
            index, first.block, first.seed, tuple(seat.agent_id for seat in seats)
        )
        if first.final:
            has_result = first.status == "completed"
            settled[index] = played([seat[6:] for seat in seats]) if has_result else None
    return History([scheduled[index] for index in sorted(scheduled)], settled)


def played(seats: Sequence[tuple[int, int, str | None, str | None, int | None]]) -> Played:
    """A result from (agent_id, player_index, role, team, rank), in order of player_index."""
    teams = numbered([team for _, _, _, team, _ in seats])
    return Played(
        tuple(
            RatedPlayer(agent, number, rank or 0)
            for (agent, _, _, _, rank), number in zip(seats, teams, strict=True)
        ),
        tuple(seat_role(role, index) for _, index, role, _, _ in seats),
    )


def extend(database: Database, tournament_id: int, pairings: Sequence[Pairing]) -> list[Scheduled]:
    """Enter further pairings as games that wait to be played."""

    def add(session: Session) -> dict[int, int]:
        # A commit whose acknowledgement was lost may have entered them already.
        places = [pairing.schedule_index for pairing in pairings]
        keys = first_attempts(session, tournament_id, places)
        missing = [pairing for pairing in pairings if pairing.schedule_index not in keys]
        added = Repository(session).schedule_games(tournament_id, missing)
        return keys | {p.schedule_index: key for p, key in zip(missing, added, strict=True)}

    keys = database.reconnecting(add)
    return [
        Scheduled(keys[p.schedule_index], p.schedule_index, 0, p.seed, p.agents) for p in pairings
    ]


def costs(database: Database, tournament_id: int, place: int) -> dict[int, float]:
    """The dollars that the game at a place of the schedule has cost each agent, as far as known."""
    return database.reconnecting(lambda session: costs_of_place(session, tournament_id, place))
