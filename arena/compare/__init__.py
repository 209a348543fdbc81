"""Compares two agents: by games that are played for it, exactly as many as a stated test needs, or
by those that are on record. Places one against a pool of others."""

from arena.compare.among import Among, AmongQuestion, answer_among, configure_among
from arena.compare.answer import Comparison, answer
from arena.compare.placing import (
    Placed,
    Placement,
    PlacingQuestion,
    answer_placing,
    configure_placing,
)
from arena.compare.played import played
from arena.compare.question import Question, configure

__all__ = [
    "Among",
    "AmongQuestion",
    "Comparison",
    "Placed",
    "Placement",
    "PlacingQuestion",
    "Question",
    "answer",
    "answer_among",
    "answer_placing",
    "configure",
    "configure_among",
    "configure_placing",
    "played",
]
