"""Requests to people: asked once, answered once."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col, select

from db.errors import BadAnswer
from db.models import Game, Request
from db.models.columns import aware, clean_text
from db.repository.rows import apart, locked

LONGEST_ANSWER = 100_000
_LEAVE = re.compile(r"\s*(?:no|yes\s+\$?(\d{1,9}(?:\.\d{1,6})?))\s*", re.IGNORECASE)
_LOCK = 5204931870460813119


class RequestRepository:
    session: Session

    def ask_for_turn(
        self,
        game_id: int,
        turn_number: int,
        person: str,
        *,
        type: str = "move",
        time_limit: float | None = None,
    ) -> Request:
        """The request for a turn of a game, asked now unless it was asked before. `time_limit` is
        the seconds in which an answer is taken."""
        locked(self.session, _LOCK)
        query = select(Request).where(
            Request.game_id == game_id, Request.turn_number == turn_number
        )
        found = self.session.exec(query).first()
        if found is not None:
            return found
        game, now = self.session.get(Game, game_id), datetime.now(UTC)
        row = Request(
            type=type,
            tournament_id=None if game is None else game.tournament_id,
            game_id=game_id,
            turn_number=turn_number,
            person=clean_text(person),
            asked_at=now,
            deadline_at=None if time_limit is None else now + timedelta(seconds=time_limit),
        )
        with apart(self.session, "the request cannot be written"):
            self.session.add(row)
        return row

    def ask_to_spend(self, tournament_id: int, content: str, model: str | None = None) -> Request:
        """The request to any operator for more money, in all or for one model; the open one where
        there is one."""
        locked(self.session, _LOCK)
        query = select(Request).where(
            Request.tournament_id == tournament_id,
            Request.type == "spend",
            Request.model == model,
            col(Request.answered_at).is_(None),
        )
        row = self.session.exec(query).first() or Request(
            type="spend", tournament_id=tournament_id, model=model
        )
        row.content = clean_text(content)
        with apart(self.session, "the request cannot be written"):
            self.session.add(row)
        return row

    def answer_request(self, request_id: int, response: str, by: str) -> Request:
        """Take an answer, the first and only one. Raises BadAnswer where there is one already,
        where the time is over or the game has ended, and for a text that is too long."""
        if len(response) > LONGEST_ANSWER:
            raise BadAnswer(
                f"the answer has {len(response):,} characters: expected at most {LONGEST_ANSWER:,}"
            )
        locked(self.session, _LOCK)
        now = datetime.now(UTC)
        row = self.session.get(Request, request_id)
        if row is not None and row.type == "spend" and _LEAVE.fullmatch(response) is None:
            raise BadAnswer(
                f"expected `yes USD`, such as `yes 5`, or `no`; found {response[:40]!r}"
            )
        if row is None:
            raise BadAnswer(f"there is no request {request_id}: `arena play` shows what waits")
        self.session.refresh(row)
        game = None if row.game_id is None else self.session.get(Game, row.game_id)
        if row.lapsed or (row.answered_at is None and row.deadline_at and _utc(row) <= now):
            raise BadAnswer(f"the time for request {request_id} is over: the game goes on without")
        if row.answered_at is not None:
            raise BadAnswer(
                f"request {request_id} was answered already, by {row.answered_by}: the first "
                "answer counts"
            )
        if game is not None and game.status != "running":
            raise BadAnswer(f"game {row.game_id} is over ({game.status}): nothing waits in it")
        row.response, row.answered_by = clean_text(response), clean_text(by)
        row.answered_at = now
        with apart(self.session, "the answer cannot be written"):
            self.session.add(row)
        return row

    def approved_dollars(self, tournament_id: int) -> dict[str | None, float]:
        """The dollars that operators have let a tournament spend beyond its budgets: by model, and
        of None in all."""
        query = select(Request.model, Request.response).where(
            Request.tournament_id == tournament_id, Request.type == "spend"
        )
        approved: defaultdict[str | None, float] = defaultdict(float)
        for model, said in self.session.exec(query):
            leave = None if said is None else _LEAVE.fullmatch(said)
            if leave is not None and leave[1] is not None:
                approved[model] += float(leave[1])
        return dict(approved)

    def settle_spending(self, tournament_id: int, wanted: Mapping[str | None, str]) -> None:
        """Ask for the money that a tournament lacks, by model, of None in all, and why; what is not
        needed any more is not asked for any more."""
        for model, content in wanted.items():
            self.ask_to_spend(tournament_id, content, model)
        query = select(Request).where(
            Request.tournament_id == tournament_id,
            Request.type == "spend",
            col(Request.answered_at).is_(None),
        )
        for row in self.session.exec(query):
            if row.model not in wanted:
                row.answered_at, row.lapsed = datetime.now(UTC), True
                self.session.add(row)

    def lapse_requests(self, game_ids: Collection[int]) -> None:
        """Close those of the games whose time is over, without an answer."""
        now = datetime.now(UTC)
        due = (
            col(Request.game_id).in_(game_ids),
            col(Request.answered_at).is_(None),
            col(Request.deadline_at) <= now,
        )
        if self.session.exec(select(Request.id).where(*due).limit(1)).first() is None:
            return
        locked(self.session, _LOCK)
        self.session.execute(update(Request).where(*due).values(answered_at=now, lapsed=True))


def _utc(row: Request) -> datetime:
    assert row.deadline_at is not None
    return aware(row.deadline_at)
