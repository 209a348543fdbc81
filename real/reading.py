"""How many clear votes and how many thoughts are read right; no model is asked for it."""

from __future__ import annotations

from arena.environments.markup import rewrite_votes
from arena.environments.targets import TargetQuestion
from arena.environments.textarena_reading import read_action
from arena.llm.thoughts import read
from real.figures import Figure
from real.thought_forms import CUT, FAMILIES, MENTIONS
from real.vote_forms import CLEAR, NOBODY, QUESTION

_ASKED = TargetQuestion(candidates=(0, 1, 3, 4, 5), me=2, asked=QUESTION)
_THOUGHT, _SAID = "Hmm, maybe [2]?", "I vote [3]"


def figures() -> list[Figure]:
    """Vote forms read right and misread, thoughts dropped, mentions left alone."""
    right = sum(_target(text) == "3" for text in CLEAR)
    misread = sum(_target(text) not in {"3", None} for text in CLEAR)
    misread += sum(_target(text) is not None for text in NOBODY)
    dropped = sum(_said(form) == _SAID for form in FAMILIES.values())
    cut = sum(_said(form) == "" for form in CUT.values())
    left = sum(read(text).text == text for text in MENTIONS)
    return [
        Figure("clear vote forms read right", right, len(CLEAR), least=57 / 60),
        Figure("votes misread", misread, len(CLEAR) + len(NOBODY), most=0),
        Figure("thought families dropped", dropped, len(FAMILIES), least=1),
        Figure("thoughts that were cut, dropped", cut, len(CUT), least=1),
        Figure("markers that speech mentions, left alone", left, len(MENTIONS), least=1),
    ]


def _target(text: str) -> str | None:
    return read_action(text, _ASKED, rewrite_votes).target


def _said(form: str) -> str:
    return read(form.replace("{t}", _THOUGHT).replace("{s}", _SAID)).text
