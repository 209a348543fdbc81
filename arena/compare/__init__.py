"""Compares two agents: by games that are played for it, exactly as many as a stated test needs, or
by those that are on record."""

from arena.compare.among import Among, AmongQuestion, answer_among, configure_among
from arena.compare.answer import Comparison, answer
from arena.compare.played import played
from arena.compare.question import Question, configure

__all__ = [
    "Among",
    "AmongQuestion",
    "Comparison",
    "Question",
    "answer",
    "answer_among",
    "configure",
    "configure_among",
    "played",
]
