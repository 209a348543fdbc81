"""Tournament files: what can be written in them, read and checked as a whole."""

from arena.config.parts import (
    AgentConfig,
    CacheConfig,
    EnvironmentConfig,
    LimitsConfig,
    LLMConfig,
    MatchmakerConfig,
    ModelConfig,
    PromptConfig,
    RefereeConfig,
)
from arena.config.restored import restored
from arena.config.shape import (
    TournamentConfig,
    json_schema,
    load,
    loads,
    parse,
    parse_agent,
    parse_model,
)

__all__ = [
    "AgentConfig",
    "CacheConfig",
    "EnvironmentConfig",
    "LLMConfig",
    "LimitsConfig",
    "MatchmakerConfig",
    "ModelConfig",
    "PromptConfig",
    "RefereeConfig",
    "TournamentConfig",
    "json_schema",
    "load",
    "loads",
    "parse",
    "parse_agent",
    "parse_model",
    "restored",
]
