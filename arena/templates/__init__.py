"""Templates of agents and of tournaments: kept in the database, and copied into what uses them."""

from arena.templates.manager import TemplateManager
from arena.templates.schemas import (
    AgentTemplateCreate,
    AgentTemplateResponse,
    AgentTemplateUpdate,
    TournamentTemplateCreate,
    TournamentTemplateResponse,
    TournamentTemplateUpdate,
)
from arena.templates.stored import StoredTemplates

__all__ = [
    "AgentTemplateCreate",
    "AgentTemplateResponse",
    "AgentTemplateUpdate",
    "StoredTemplates",
    "TemplateManager",
    "TournamentTemplateCreate",
    "TournamentTemplateResponse",
    "TournamentTemplateUpdate",
]
