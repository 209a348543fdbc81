"""The Arena's database: tables, sessions, and a `Repository` of what people ask of them.

Each name is imported when it is asked for: who reads waits for nothing that writes.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlmodel import Session

    from db.database import Database
    from db.engine import get_engine
    from db.errors import DatabaseError
    from db.models import (
        Agent,
        AgentTrueSkill,
        CachedAnswer,
        CallPayload,
        Counters,
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
    "Counters",
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

# Where those are that are not tables.
_MODULES = {
    "Database": "db.database",
    "DatabaseError": "db.errors",
    "Recorder": "db.recorder",
    "Repository": "db.repository",
    "Session": "sqlmodel",
    "get_db_session": "db.session",
    "get_engine": "db.engine",
    "get_session": "db.session",
    "init_db": "db.session",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES.get(name, "db.models")), name)
