"""Reads the record into pandas frames, and draws them.

from arena.analysis import leaderboard_df, plot_intervals, players_df

players = players_df("arena.db", tournament="quickstart")
board = leaderboard_df("arena.db", system="probit", environment="SecretMafia-v0")
plot_intervals(board)
"""

from arena.analysis.annotations import annotations_df
from arena.analysis.audit import audit_df
from arena.analysis.beliefs import beliefs_df
from arena.analysis.board_plots import plot_calibration, plot_head_to_head, plot_intervals
from arena.analysis.catalogue import agents_df, tournaments_df
from arena.analysis.chunks import in_chunks
from arena.analysis.comparisons import compare, comparison_df
from arena.analysis.decision_plots import plot_cost, plot_sequential_test
from arena.analysis.events import claims_df, events_df, votes_df
from arena.analysis.followed import game_states_df, logs_df
from arena.analysis.frames import games_df, players_df
from arena.analysis.leaderboards import (
    calibration_df,
    head_to_head_df,
    leaderboard_df,
    pairs_df,
)
from arena.analysis.memories import memories_df
from arena.analysis.messages import messages_df
from arena.analysis.metrics import metrics_df
from arena.analysis.play_plots import (
    plot_chances,
    plot_lengths,
    plot_roles,
    plot_survival,
    plot_tokens,
    plot_votes,
)
from arena.analysis.plots import plot_leaderboard, plot_ratings
from arena.analysis.ratings import rating_changes_df, ratings_df
from arena.analysis.sessions import sessions_df
from arena.analysis.suggestions import suggestions_df
from arena.analysis.templates import templates_df
from arena.analysis.tool_calls import tool_calls_df
from arena.analysis.transcripts import game
from arena.analysis.turns import calls_df, turns_df

__all__ = [
    "agents_df",
    "annotations_df",
    "audit_df",
    "beliefs_df",
    "calibration_df",
    "calls_df",
    "claims_df",
    "compare",
    "comparison_df",
    "events_df",
    "game",
    "game_states_df",
    "games_df",
    "head_to_head_df",
    "in_chunks",
    "leaderboard_df",
    "logs_df",
    "memories_df",
    "messages_df",
    "metrics_df",
    "pairs_df",
    "players_df",
    "plot_calibration",
    "plot_chances",
    "plot_cost",
    "plot_head_to_head",
    "plot_intervals",
    "plot_leaderboard",
    "plot_lengths",
    "plot_ratings",
    "plot_roles",
    "plot_sequential_test",
    "plot_survival",
    "plot_tokens",
    "plot_votes",
    "rating_changes_df",
    "ratings_df",
    "sessions_df",
    "suggestions_df",
    "templates_df",
    "tool_calls_df",
    "tournaments_df",
    "turns_df",
    "votes_df",
]
