"""Reads the record into pandas frames, and draws them.

from arena.analysis import players_df, plot_leaderboard

players = players_df("arena.db", tournament="quickstart")
plot_leaderboard("arena.db", tournament="quickstart")
"""

from arena.analysis.frames import calls_df, games_df, players_df, turns_df
from arena.analysis.plots import plot_leaderboard, plot_ratings
from arena.analysis.ratings import rating_changes_df, ratings_df

__all__ = [
    "calls_df",
    "games_df",
    "players_df",
    "plot_leaderboard",
    "plot_ratings",
    "rating_changes_df",
    "ratings_df",
    "turns_df",
]
