"""Tournament files: what can be written in them, read and checked as a whole."""

from arena.config.shape import (
    AgentConfig,
    EnvironmentConfig,
    LLMConfig,
    MatchmakerConfig,
    ModelConfig,
    PromptConfig,
    TournamentConfig,
    json_schema,
    load,
    loads,
    parse,
    parse_model,
)

__all__ = [
    "AgentConfig",
    "EnvironmentConfig",
    "LLMConfig",
    "MatchmakerConfig",
    "ModelConfig",
    "PromptConfig",
    "TournamentConfig",
    "json_schema",
    "load",
    "loads",
    "parse",
    "parse_model",
]
