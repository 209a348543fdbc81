"""Reads and writes by subject, on a session that the caller opens and commits."""

from __future__ import annotations

from sqlmodel import Session

from db.repository.agents import Agents
from db.repository.calls import Calls
from db.repository.conduct import ConductCounts
from db.repository.games import Games
from db.repository.kinds import Kinds
from db.repository.models import Models
from db.repository.prompts import Prompts
from db.repository.ratings import Ratings
from db.repository.tournaments import Tournaments
from db.repository.turns import Turns


class Repository(
    Models, Kinds, Prompts, Agents, Tournaments, Games, Turns, Calls, Ratings, ConductCounts
):
    """Everything that can be asked of the catalogue and the record.

    What is created is flushed, so that it has its key; committing is the session's business.
    """

    def __init__(self, session: Session) -> None:
        self.session = session


__all__ = ["Repository"]
