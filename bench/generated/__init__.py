"""Databases of any number of games, the same for the same seed: what later measurements ask.

`python -m bench.generated --games 100000` makes one in a folder of its own and says where; the
next time it is there already. The first games are real ones; the others are copies of their rows,
made by the database itself, with other agents, times and tournaments, and with one word of their
own (`case17`) in the last action. Each tells the same events when it is played again. Ratings,
their steps and counters are computed from the games.
"""

from bench.generated.cache import cached
from bench.generated.making import Scale, config, generate

__all__ = ["Scale", "cached", "config", "generate"]
