"""The tables, one module per subject."""

from db.models.agents import Agent
from db.models.calls import CallPayload, LLMCall
from db.models.catalogue import Kind, Model, Prompt
from db.models.games import GAME_STATUSES, Game, GamePlayer
from db.models.ratings import AgentTrueSkill, RatingChange, RatingPool
from db.models.tournaments import TOURNAMENT_STATUSES, Environment, Tournament
from db.models.turns import GameTurn, TurnPayload

__all__ = [
    "GAME_STATUSES",
    "TOURNAMENT_STATUSES",
    "Agent",
    "AgentTrueSkill",
    "CallPayload",
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
    "Tournament",
    "TurnPayload",
]
