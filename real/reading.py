"""How many clear votes and how many thoughts are read right; no model is asked for it."""

from __future__ import annotations

from dataclasses import dataclass

from arena.environments.markup import rewrite_votes
from arena.environments.targets import TargetQuestion
from arena.environments.textarena_reading import read_action
from arena.llm.thoughts import read
from real.thought_forms import CUT, FAMILIES, MENTIONS
from real.vote_forms import CLEAR, NOBODY, QUESTION

_ASKED = TargetQuestion(candidates=(0, 1, 3, 4, 5), me=2, asked=QUESTION)
_THOUGHT, _SAID = "Hmm, maybe [2]?", "I vote [3]"


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of so many, and what it should reach."""

    what: str
    value: int
    of: int
    least: int = 0
    most: int | None = None

    @property
    def met(self) -> bool:
        """Whether it is what it should be."""
        return self.least <= self.value <= (self.of if self.most is None else self.most)


def figures() -> list[Figure]:
    """Vote forms read right and misread, thoughts dropped, mentions left alone."""
    right = sum(_target(text) == "3" for text in CLEAR)
    misread = sum(_target(text) not in {"3", None} for text in CLEAR)
    misread += sum(_target(text) is not None for text in NOBODY)
    dropped = sum(_said(form) == _SAID for form in FAMILIES.values())
    cut = sum(_said(form) == "" for form in CUT.values())
    left = sum(read(text).text == text for text in MENTIONS)
    return [
        Figure("clear vote forms read right", right, len(CLEAR), least=57),
        Figure("votes misread", misread, len(CLEAR) + len(NOBODY), most=0),
        Figure("thought families dropped", dropped, len(FAMILIES), least=len(FAMILIES)),
        Figure("thoughts that were cut, dropped", cut, len(CUT), least=len(CUT)),
        Figure("markers that speech mentions, left alone", left, len(MENTIONS), len(MENTIONS)),
    ]


def _target(text: str) -> str | None:
    return read_action(text, _ASKED, rewrite_votes).target


def _said(form: str) -> str:
    return read(form.replace("{t}", _THOUGHT).replace("{s}", _SAID)).text
