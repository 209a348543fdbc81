"""A tournament's schedule as it is on record: its pairings, their results, what is left to play."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby

from arena.config import TournamentConfig
from arena.core import Pairing, RatedPlayer, seat_role
from arena.llm.pacing.limits import SentBefore
from arena.llm.pacing.token_bucket import WINDOW
from arena.orchestrator.game_costs import RECENT, PastCosts
from arena.orchestrator.standings import Played
from db import Database, Repository, Session, get_session
from db.database import Source
from db.errors import MissingDatabase
from db.fold import numbered
from db.queries.leaderboard import stop_reasons
from db.queries.schedule import (
    ScheduledGame,
    first_attempts,
    is_open,
    scheduled_seats,
    settled_places,
)
from db.queries.sent_calls import sent_since
from db.queries.spending import (
    costs_of_place,
    dearest_calls,
    spent,
    spent_by_seat,
    spent_in_all,
)
from db.queries.transcript import TurnRow, transcript


@dataclass(frozen=True, slots=True)
class Earlier:
    """What earlier runs have settled. `spent` is in dollars, by model, branches of its games
    included, `own` without them; `orphans` are the dollars
    charged for each call that was in flight when a run was killed, as far as this run has found
    it. `costs` is what games cost."""

    completed: int
    void: int
    spent: Mapping[str, float] = field(default_factory=dict)
    own: Mapping[str, float] = field(default_factory=dict)
    orphans: tuple[float, ...] = ()
    costs: PastCosts = field(default_factory=PastCosts)

    @property
    def spent_in_all(self) -> float:
        """Dollars over all models."""
        return sum(self.spent.values())


@dataclass(frozen=True, slots=True)
class ScheduleHistory:
    """`scheduled` in schedule order; `settled` by place in the schedule, None for a game that
    will never have a result; `voided` are the places at which an attempt went void."""

    scheduled: Sequence[Pairing] = ()
    settled: Mapping[int, Played | None] = field(default_factory=dict)
    voided: frozenset[int] = frozenset()


def status(session: Session, tournament_id: int) -> str:
    """The tournament's: `finished` when there is nothing left to play."""
    row = Repository(session).get_tournament_by_id(tournament_id)
    assert row is not None
    return row.status


def settle_orphans(session: Session, left: Sequence[ScheduledGame]) -> tuple[float, ...]:
    """Mark the calls that were in flight when a run was killed: the dollars charged for each."""
    found = Repository(session).settle_orphans([game.game_id for game in left if game.begun])
    return tuple(charged or 0.0 for _, charged in found)


def sent_lately(session: Session, tournament_id: int) -> dict[str, list[SentBefore]]:
    """What counts in the limits by the minute when a run begins, by the model's name."""
    found: dict[str, list[SentBefore]] = {}
    since = datetime.now(UTC) - timedelta(seconds=WINDOW)
    for call in sent_since(session, tournament_id, since):
        found.setdefault(call.model, []).append(SentBefore(call.at, call.tokens))
    return found


def history(session: Session, tournament_id: int, first: int = 0) -> ScheduleHistory:
    """The schedule so far, from a place on, each as its latest attempt has it."""
    scheduled: dict[int, Pairing] = {}
    settled: dict[int, Played | None] = {}
    voided: set[int] = set()
    games = groupby(
        scheduled_seats(session, tournament_id, first),
        key=lambda seat: (seat.schedule_index, seat.attempt),
    )
    for (index, _), found in games:
        seats = list(found)
        latest = seats[0]
        scheduled[index] = Pairing(
            index, latest.block, latest.seed, tuple(seat.agent_id for seat in seats)
        )
        if latest.status == "void":
            voided.add(index)
        if latest.final:
            has_result = latest.status == "completed"
            settled[index] = played([seat[6:] for seat in seats]) if has_result else None
    return ScheduleHistory(
        [scheduled[index] for index in sorted(scheduled)], settled, frozenset(voided)
    )


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


def recorded(database: Database, game_id: int) -> list[TurnRow]:
    """The turns of a game that was begun, the last of them perhaps without an action."""
    return database.reconnecting(lambda session: transcript(session, game_id))


def earlier(session: Session, tournament_id: int, *, orphans: tuple[float, ...] = ()) -> Earlier:
    """What is settled already, and what it cost."""
    settled = settled_places(session, tournament_id)
    own = spent(session, tournament_id)
    return Earlier(
        completed=settled.get("completed", 0),
        void=settled.get("void", 0),
        spent=spent_in_all(session, tournament_id, own),
        own=own,
        orphans=orphans,
        costs=PastCosts.of(
            spent_by_seat(session, tournament_id, latest=RECENT),
            dearest_calls(session, tournament_id),
        ),
    )


def extend(
    database: Database, tournament_id: int, pairings: Sequence[Pairing]
) -> list[ScheduledGame]:
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
        ScheduledGame(keys[p.schedule_index], p.schedule_index, 0, p.seed, p.agents)
        for p in pairings
    ]


def costs(database: Database, tournament_id: int, place: int) -> dict[int, float]:
    """The dollars that the game at a place of the schedule has cost each agent, as far as known."""
    return database.reconnecting(lambda session: costs_of_place(session, tournament_id, place))


def following(database: Database, game: ScheduledGame) -> ScheduledGame:
    """The next attempt at a place whose game went void: it was scheduled with the void."""

    def find(session: Session) -> ScheduledGame:
        repo = Repository(session)
        void = repo.get_game_by_id(game.game_id)
        assert void is not None
        assert void.tournament_id is not None
        row = repo.get_attempt(void.tournament_id, game.schedule_index, game.attempt + 1)
        assert row is not None
        assert row.id is not None
        return replace(game, game_id=row.id, attempt=row.attempt, begun=False)

    return database.reconnecting(find)


def close(
    database: Database, tournament_id: int, *, complete: bool, left: str | None = None
) -> None:
    """Mark the tournament finished when its schedule is `complete` and no place of it is left to
    play, else paused; `left` says why games are left."""

    def end(session: Session) -> None:
        done = complete and not is_open(session, tournament_id)
        Repository(session).set_tournament_status(
            tournament_id,
            "finished" if done else "paused",
            reason="every game was played" if done else left or "games are left",
        )

    database.reconnecting(end)


def unrated(database: Database, tournament_id: int, system: str) -> str | None:
    """Why results of the tournament do not move the stored ratings, if they do not."""
    reasons = database.reconnecting(lambda session: stop_reasons(session, tournament_id, system))
    if not reasons:
        return None
    return (
        f"the rating system {system} raised an error at {' and at '.join(reasons)}: every result "
        "is kept, the stored ratings end before it; mend the system, then `arena ratings rebuild`"
    )


def games_done(url: Source, config: TournamentConfig) -> int:
    """How many places of this tournament's schedule are settled in the database, if any."""
    try:
        with get_session(url, create=False) as session:
            row = Repository(session).get_tournament_by_name(config.name)
            if row is None or row.id is None:
                return 0
            return sum(settled_places(session, row.id).values())
    except MissingDatabase:
        return 0
