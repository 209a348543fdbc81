"""Reads and writes by subject, on a session that the caller opens and commits."""

from __future__ import annotations

from sqlmodel import Session

from db.repository.agents import AgentRepository
from db.repository.annotations import AnnotationRepository
from db.repository.aside import SideCallRepository
from db.repository.boards import BoardRepository
from db.repository.branches import BranchRepository
from db.repository.calls import CallRepository
from db.repository.counters import CounterRepository
from db.repository.events import EventRepository
from db.repository.games import GameRepository
from db.repository.kinds import KindRepository
from db.repository.models import ModelRepository
from db.repository.pairs import PairRepository
from db.repository.people import PersonRepository
from db.repository.prompts import PromptRepository
from db.repository.ratings import RatingRepository
from db.repository.requests import RequestRepository
from db.repository.suggestions import SuggestionRepository
from db.repository.templates import TemplateRepository
from db.repository.tournaments import TournamentRepository
from db.repository.turns import TurnRepository


class Repository(
    ModelRepository,
    KindRepository,
    PromptRepository,
    AgentRepository,
    TournamentRepository,
    GameRepository,
    BranchRepository,
    TurnRepository,
    CallRepository,
    RatingRepository,
    CounterRepository,
    BoardRepository,
    PairRepository,
    EventRepository,
    SideCallRepository,
    AnnotationRepository,
    TemplateRepository,
    PersonRepository,
    RequestRepository,
    SuggestionRepository,
):
    """Everything that can be asked of the catalogue and the record.

    What is created is flushed, so that it has its key; committing is the session's business.
    """

    def __init__(self, session: Session) -> None:
        self.session = session


__all__ = ["Repository"]
