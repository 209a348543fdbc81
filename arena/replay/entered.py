"""A run of branches on record: begun, or taken up again where a killed or paused one left it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from arena.core import VoidCause
from arena.game.task import GameTask
from arena.llm.costs.budget import Budget
from arena.orchestrator.game_costs import PastCosts
from arena.orchestrator.shared_budget import budget_of
from arena.record.reading import recorded
from arena.replay.effects import score
from arena.replay.origin import Origin
from db import Database, Game, Repository, Session
from db.errors import LeaseHeld
from db.leases import BRANCHES, Lease
from db.models import BranchRun
from db.queries.spending import spent_by_branch_seat, spent_by_run
from db.queries.transcript import transcript


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch to play: its row, its number among those of the same game and turn, whether it is
    a control, with the agents that played, and whether it was `begun`."""

    game_id: int
    number: int
    control: bool
    begun: bool = False


@dataclass(frozen=True, slots=True)
class Entered:
    """What is on record of a run of branches. `left` are to be played, those that were begun first;
    `scores` are those of the finished ones by game_id, of the controls (True) and of the branches
    (False); `costs` is what games have cost so far."""

    left: tuple[Branch, ...]
    scores: Mapping[bool, Mapping[int, float]]
    void: int
    costs: PastCosts
    budget: Budget | None

    @property
    def size(self) -> int:
        """How many games it has."""
        return len(self.left) + self.void + sum(map(len, self.scores.values()))


def hold(database: Database, origin: Origin, times: int, *, control: bool) -> Lease:
    """The lease of a run of branches: of one that was asked for in the same words, has games left
    and is run by nobody, else of a new one. Blocks: call it off the event loop."""
    busy: set[int] = set()
    while True:
        with database.session(create=False) as session:
            found = Repository(session).get_unfinished_branch_runs(
                origin.game_id, origin.turn, origin.seated, times=times, control=control
            )
            free = [run.id for run in found if run.id is not None and run.id not in busy]
            if not free:
                free = [_made(session, origin, times, control=control)]
        for key in free:
            try:
                return database.lease(key, BRANCHES)
            except LeaseHeld:
                busy.add(key)


def _made(session: Session, origin: Origin, times: int, *, control: bool) -> int:
    """Make the rows of a run and of its games; branches and controls take turns, so that a run that
    is stopped has as many of both."""
    repo = Repository(session)
    run = repo.create_branch_run(
        origin.game_id,
        origin.turn,
        origin.seated,
        times=times,
        control=control,
        tournament_id=origin.tournament_id,
    )
    for number in range(run.first, run.first + run.size):
        row = repo.create_game(
            status="scheduled",
            environment_id=origin.environment_id,
            seed=origin.lineage.seed,
            parent_game_id=origin.game_id,
            parent_turn=origin.turn,
        )
        row.attempt = number
        assert row.id is not None
        for index, agent in enumerate(origin.agents[_is_control(run, number)]):
            repo.add_game_player(row.id, agent, index)
    assert run.id is not None
    return run.id


def _is_control(run: BranchRun, number: int) -> bool:
    return run.control and (number - run.first) % 2 == 1


def enter(database: Database, origin: Origin, lease: Lease) -> Entered:
    """What is left of the run of branches whose lease is held. Calls that were in flight when it
    was killed are charged."""
    with database.session(create=False) as session:
        repo = Repository(session)
        run = repo.get_branch_run(lease.key)
        assert run is not None
        left: list[Branch] = []
        scores: dict[bool, dict[int, float]] = {False: {}, True: {}}
        void = 0
        for game in repo.get_branches(run):
            assert game.id is not None
            control = _is_control(run, game.attempt)
            if game.status == "completed":
                scores[control][game.id] = score(_results(game), origin.player)
            elif game.status == "void":
                void += 1
            else:
                left.append(Branch(game.id, game.attempt, control, game.status == "running"))
        repo.settle_orphans([own.game_id for own in left if own.begun])
        return Entered(
            left=tuple(sorted(left, key=lambda own: not own.begun)),
            scores=scores,
            void=void,
            costs=PastCosts.of(spent_by_branch_seat(session, lease.key)),
            budget=budget_of(
                session,
                database,
                origin.caps,
                lease,
                origin.tournament_id,
                spent_by_run(session, lease.key),
            ),
        )


def _results(game: Game) -> dict[int, tuple[str | None, int | None]]:
    return {player.player_index: (player.team, player.rank) for player in game.players}


def resumed(database: Database, origin: Origin, own: Branch) -> GameTask:
    """A branch as far as it was played: replayed from its record, in which the turns before the
    branch have the calls of the game that it branches from. Raises Damaged."""
    fresh = origin.task(own.game_id, own.number, control=own.control)
    rows = database.reconnecting(lambda session: transcript(session, own.game_id))
    turns = recorded(rows) if own.begun else ()
    if not turns:
        return fresh
    before = [
        replace(turn, calls=parents.calls)
        for turn, parents in zip(turns, fresh.recorded, strict=False)
    ]
    return replace(fresh, recorded=(*before, *turns[origin.turn :]), copied=False)


def forget(database: Database, lease: Lease) -> None:
    """No game of the run can be played: those that were begun are void, the others gone."""
    with database.session(create=False) as session:
        repo = Repository(session)
        run = repo.get_branch_run(lease.key)
        assert run is not None
        void = repo.abandon_branches(run, VoidCause.DIVERGENCE.value)
        repo.settle_orphans(void)
