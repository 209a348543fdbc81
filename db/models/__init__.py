"""The tables, one module per subject."""

from db.models.agents import Agent
from db.models.annotations import WHOLE_GAME, Annotation, AnnotationTag
from db.models.archived_games import ArchivedGame
from db.models.aside import SideCall, TextVector
from db.models.audit import AUDIT_ACTIONS, AuditEntry
from db.models.boards import StoredBoard
from db.models.branches import BranchRun
from db.models.calls import CachedAnswer, CallPayload, LLMCall
from db.models.catalogue import Kind, Model, Prompt
from db.models.counters import Counters
from db.models.events import EventType, GameEvent
from db.models.execution_logs import ExecutionLog
from db.models.game_states import GameState
from db.models.games import GAME_STATUSES, Game, GamePlayer
from db.models.granted_chunks import GrantedChunk
from db.models.live_states import LiveState
from db.models.pairs import PairScope, PairTotal
from db.models.people import REQUEST_TYPES, ROLES, Person, Request
from db.models.positions import PositionCount
from db.models.ratings import AgentTrueSkill, RatingChange, RatingPool
from db.models.suggestions import SUGGESTION_STATUSES, Suggestion
from db.models.templates import (
    AgentTemplate,
    AgentTemplateUse,
    TournamentTemplate,
    TournamentTemplateUse,
)
from db.models.tools import CalledTool
from db.models.tournaments import TOURNAMENT_STATUSES, Environment, Tournament, TournamentLease
from db.models.turns import LAPSES, GameTurn, TurnPayload

__all__ = [
    "AUDIT_ACTIONS",
    "GAME_STATUSES",
    "LAPSES",
    "REQUEST_TYPES",
    "ROLES",
    "SUGGESTION_STATUSES",
    "TOURNAMENT_STATUSES",
    "WHOLE_GAME",
    "Agent",
    "AgentTemplate",
    "AgentTemplateUse",
    "AgentTrueSkill",
    "Annotation",
    "AnnotationTag",
    "ArchivedGame",
    "AuditEntry",
    "BranchRun",
    "CachedAnswer",
    "CallPayload",
    "CalledTool",
    "Counters",
    "Environment",
    "EventType",
    "ExecutionLog",
    "Game",
    "GameEvent",
    "GamePlayer",
    "GameState",
    "GameTurn",
    "GrantedChunk",
    "Kind",
    "LLMCall",
    "LiveState",
    "Model",
    "PairScope",
    "PairTotal",
    "Person",
    "PositionCount",
    "Prompt",
    "RatingChange",
    "RatingPool",
    "Request",
    "SideCall",
    "StoredBoard",
    "Suggestion",
    "TextVector",
    "Tournament",
    "TournamentLease",
    "TournamentTemplate",
    "TournamentTemplateUse",
    "TurnPayload",
]
