"""Says how many further games, and dollars, it takes until agents are told apart."""

from arena.forecast.games_needed import Outlook, Way, plan_config, plan_top, plan_two
from arena.forecast.past_games import PlanScope

__all__ = ["Outlook", "PlanScope", "Way", "plan_config", "plan_top", "plan_two"]
