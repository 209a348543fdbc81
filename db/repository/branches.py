"""Runs of branches, and the games of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import func
from sqlmodel import Session, col, select

from db.engine import begin_writing
from db.models import Annotation, BranchRun, Game
from db.models.catalogue import now
from db.repository.audit import record_annotations
from db.repository.rows import added

_UNFINISHED = ("scheduled", "running")


class BranchRepository:
    session: Session

    def create_branch_run(
        self,
        game_id: int,
        turn: int,
        seats: Mapping[int, int],
        *,
        times: int,
        control: bool,
        tournament_id: int | None = None,
    ) -> BranchRun:
        """A run of branches; its games are numbered after all that branch there, whoever else makes
        some at the moment. `seats` are agent_ids by player_index."""
        connection = self.session.connection()
        if connection.dialect.name == "sqlite":
            begin_writing(connection)
        # Until the transaction ends, no other is numbered.
        self.session.exec(select(Game.id).where(Game.id == game_id).with_for_update()).one()
        games = select(func.max(Game.attempt)).where(
            Game.parent_game_id == game_id, Game.parent_turn == turn
        )
        last = self.session.exec(games).one()
        first = 0 if last is None else last + 1
        for run in self._branch_runs(game_id, turn):
            first = max(first, run.first + run.size)
        row = BranchRun(
            game_id=game_id,
            turn=turn,
            seats={str(player): agent for player, agent in sorted(seats.items())},
            times=times,
            control=control,
            first=first,
            tournament_id=tournament_id,
        )
        return added(self.session, row, "the run of branches")

    def get_branch_run(self, run_id: int) -> BranchRun | None:
        return self.session.get(BranchRun, run_id)

    def get_unfinished_branch_runs(
        self, game_id: int, turn: int, seats: Mapping[int, int], *, times: int, control: bool
    ) -> Sequence[BranchRun]:
        """Those that were asked for in the same words and have games left, oldest first."""
        wanted = {str(player): agent for player, agent in seats.items()}
        return [
            run
            for run in self._branch_runs(game_id, turn)
            if (run.seats, run.times, run.control) == (wanted, times, control)
            and any(game.status in _UNFINISHED for game in self.get_branches(run))
        ]

    def get_branches(self, run: BranchRun) -> Sequence[Game]:
        """The games of a run, in the order in which they were made."""
        query = select(Game).where(
            Game.parent_game_id == run.game_id,
            Game.parent_turn == run.turn,
            Game.attempt >= run.first,
            Game.attempt < run.first + run.size,
        )
        return self.session.exec(query.order_by(col(Game.attempt), col(Game.id))).all()

    def abandon_branches(self, run: BranchRun, void_cause: str) -> list[int]:
        """Make the games of a run void that were begun and not finished, and forget those that were
        not begun; finished ones stay as they are. The keys of those that are void now."""
        begun = []
        for row in self.get_branches(run):
            if row.status == "scheduled":
                of_it = col(Annotation.game_id) == row.id
                record_annotations(self.session, of_it, "delete", reason="its branch was abandoned")
                self.session.delete(row)
            elif row.status == "running" and row.id is not None:
                row.status, row.final, row.void_cause = "void", True, void_cause
                row.finished_at = now()
                begun.append(row.id)
        self.session.flush()
        return begun

    def _branch_runs(self, game_id: int, turn: int) -> Sequence[BranchRun]:
        query = select(BranchRun).where(BranchRun.game_id == game_id, BranchRun.turn == turn)
        return self.session.exec(query.order_by(col(BranchRun.first))).all()
