"""The Arena's database: tables, sessions, and a `Repository` of what people ask of them."""

from sqlmodel import Session

from db.database import Database
from db.engine import get_engine
from db.errors import DatabaseError
from db.models import (
    Agent,
    AgentTrueSkill,
    CachedAnswer,
    CallPayload,
    Conduct,
    Environment,
    Game,
    GamePlayer,
    GameTurn,
    Kind,
    LLMCall,
    Model,
    Prompt,
    RatingChange,
    RatingPool,
    Tournament,
    TurnPayload,
)
from db.recorder import Recorder
from db.repository import Repository
from db.session import get_db_session, get_session, init_db

__all__ = [
    "Agent",
    "AgentTrueSkill",
    "CachedAnswer",
    "CallPayload",
    "Conduct",
    "Database",
    "DatabaseError",
    "Environment",
    "Game",
    "GamePlayer",
    "GameTurn",
    "Kind",
    "LLMCall",
    "Model",
    "Prompt",
    "RatingChange",
    "RatingPool",
    "Recorder",
    "Repository",
    "Session",
    "Tournament",
    "TurnPayload",
    "get_db_session",
    "get_engine",
    "get_session",
    "init_db",
]
