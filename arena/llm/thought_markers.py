"""Finds the markers that models put around their thoughts, each told by a rule from its name.

A tag is a marker by what it is called (`<think>`, `</seed:think>`, `[THINK]`, `<|START_THINKING|>`,
`◁/think▷`); what the templates of some families write instead of tags is listed. Learnt from the
chat templates of open models and from the reasoning parsers of vLLM, SGLang and llama.cpp.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


class MarkerKind(StrEnum):
    """What a marker does: opens or closes a thought, begins what is said (`SAY`), ends a message
    (`END`), or only has to go (`DROP`)."""

    OPEN = "open"
    CLOSE = "close"
    SAY = "say"
    END = "end"
    DROP = "drop"


class MarkerStyle(StrEnum):
    """How it is written: `<think>`, `<|think|>`, `[THINK]`, the head of a message, or in words."""

    ANGLE = "angle"
    PIPE = "pipe"
    SQUARE = "square"
    HEAD = "head"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker in a text, from `start` to `end`; `name` is what an opening one and the closing one
    that belongs to it share."""

    start: int
    end: int
    kind: MarkerKind
    style: MarkerStyle
    name: str = ""


# The last word of a name says it.
_THOUGHT = re.compile(
    r".*(?:think|thinking|thoughts?|reasoning|scratchpad)|analysis|brainstorm(?:ing)?|contemplation"
    r"|cot|deliberation|meditation|monologue|pad|ponder(?:ing)?|rationale|reasons?|reflect"
    r"|reflections?|self|soliloquy"
)
# Names that something else may have too: they count in pairs only.
PAIRED = frozenset(
    {
        "contemplator",
        "internal",
        "pad",
        "plan",
        "planning",
        "private",
        "reason",
        "reasons",
        "scratch",
        "self",
    }
)
_THOUGHT_IN_SQUARES = re.compile(r"think|thinking|thoughts?|reason(?:ing)?|analysis|reflection")
_SAYINGS = frozenset(
    ["answer", "conclusion", "final", "output", "reply", "response", "solution", "text"]
)
_OPENING = frozenset(["begin", "open", "prefix", "start"])
_CLOSING = frozenset(["close", "end", "finish", "stop", "suffix"])
_FILLERS = frozenset(
    ["a", "block", "content", "full", "my", "of", "section", "tag", "the", "token"]
)

_ATTRIBUTES = re.compile(r"(?:\s+[\w:-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"']+))*\s*/?")
_WORD = re.compile(r"(?:start|begin|end)(?=of)|[a-z0-9]+")

# A marker is found by a group named after its kind, style and name. For `told` ones a group inside,
# of that name, has what the model called it.
_LISTED = (
    # gpt-oss: a channel for thoughts, one for what is said; servers strip parts of this.
    r"(?P<told_head_channel>(?:<\|start\|>\s*+)?(?:assistant\s*+)?<\|channel\|>\s*+"
    r"(?P<channel>analysis|commentary|final|[a-z_]+)"
    r"(?:[^<\n]{0,120}(?:<\|constrain\|>[^<\n]{0,40})?<\|message\|>)?)",
    r"(?P<told_head_rest>\A\s*+(?P<rest>analysis|commentary|final)\s*+<\|message\|>)",
    r"(?P<told_head_recipient>(?:<\|start\|>\s*+assistant[ \t]*|\A\s*+)"
    r"to=(?P<recipient>\w+)<\|message\|>)",
    r"(?P<say_head_plain><\|start\|>\s*+assistant\s*+<\|message\|>)",
    r"(?P<open_head_glued>\A\s*+(?:assistant)?analysis(?=[A-Z]))",
    r"(?P<say_head_final>(?:(?<![\w\"'`“‘ ])assistant\s?final|(?<=\w)assistantfinal)(?![a-z]))",
    # Kimi K3; Inkling; s1 and HyperCLOVA.
    r"(?P<told_head_opened><\|open\|>(?P<opened>\w+)<\|sep\|>)",
    r"(?P<end_head_closed><\|close\|>\w+<\|sep\|>)",
    r"(?P<told_head_content><\|content_(?P<content>thinking|text)\|>)",
    r"(?P<told_head_role>(?:<\|im_start\|>\s*+(?:assistant\s*+/?\s*+)?|\A\s*+/)"
    r"(?P<role>think\w*|answer)[ \t]*\n)",
    r"(?P<drop_pipe_first>\A\s*+<\|im_start\|>\s*+assistant[ \t]*\n)",
    r"(?P<drop_head_turn><\|im_start\|>\s*+assistant[ \t]*\n)",
    r"(?P<drop_pipe_model><\|message_model\|>)",
    r"(?P<end_head_message><\|(?:end|return|call|eom|eot|end_message|content_model_end_sampling"
    r"|end_of_msg|im_end)\|>)",
    # Gemma 4, MedGemma and Pangu; Gemma's label may be all that a server leaves.
    r"(?P<open_pipe_gemma><\|channel>(?:thought\b)?[ \t]*\n?)",
    r"(?P<close_pipe_gemma><channel\|>)",
    r"(?P<open_pipe_unused>(?:<unused94>|\[unused16\])(?:thought\b\s*+)?)",
    r"(?P<close_pipe_unused><unused95>|\[unused17\])",
    r"(?P<drop_pipe_label>\A\s*+thought\n)",
    # Granite 3.2.
    r"(?P<open_words_here>\A\s*+Here(?:['’]s| is) my "
    r"(?:thought process|reasoning|thinking|thoughts?):)",
    r"(?P<close_words_here>\bHere(?:['’]s| is) my (?:final )?(?:response|answer|reply):)",
)
_TAGS = (
    r"\\?(?:<{1,2}|＜|&lt;|◁)\s?(?P<angle>[|｜/\\]{0,2}\s?[A-Za-z][^<>＜＞▷&\n]{0,100}?)\s?"
    r"\\?(?:>{1,2}|＞|&gt;|▷)",
    r"\[(?P<square>/?[A-Za-z][A-Za-z_ ]{0,40})\]",
)
_MARKER = re.compile("|".join((*_LISTED, *_TAGS)))
# Where one may begin: at a sign, at a word of the listed ones, or at the beginning of the text. To
# try all of them at every character takes sixty times as long.
_BEGINNING = re.compile(r"[<＜◁&\[\\]|assistant|Here|\A")
_WORD_LENGTH = len("assistant")
# Characters that are searched without another thread having its turn.
_PIECE = 65_536


def markers(text: str) -> Iterator[Marker]:
    """What looks like a marker in a text, in order, used or only mentioned."""
    end = 0
    for start in _beginnings(text):
        found = _MARKER.match(text, start) if start >= end else None
        if found is None:
            continue
        end = found.end()
        group = found.lastgroup or ""
        if group == "angle":
            kind, style, name = _angle(found["angle"])
        elif group == "square":
            kind, style, name = _square(found["square"])
        else:
            kind, style, name = _listed(group, found)
        if kind is not None:
            yield Marker(found.start(), found.end(), kind, style, name)


def _beginnings(text: str) -> Iterator[int]:
    last = -1
    for piece in range(0, len(text), _PIECE):
        for found in _BEGINNING.finditer(text, piece, piece + _PIECE + _WORD_LENGTH):
            if found.start() > last:
                last = found.start()
                yield last


_Told = tuple[MarkerKind | None, MarkerStyle, str]


def _listed(group: str, found: re.Match[str]) -> _Told:
    does, styled, name = group.split("_")
    style = MarkerStyle(styled)
    if does != "told":
        return MarkerKind(does), style, name
    called = found[name]
    if called == "commentary":
        return MarkerKind.OPEN, style, "analysis" if "to=" in found[0] else "commentary"
    # A channel that nobody has heard of is no place for a reader, another message is.
    says = called in _SAYINGS | {"assistant"} or (name != "channel" and not _is_thought([called]))
    return MarkerKind.SAY if says else MarkerKind.OPEN, style, called


def _angle(inner: str) -> _Told:
    """`<think>`, `</seed:think>`, `<thought id="1">`, `<|START_THINKING|>`, `<|end_of_box|>`."""
    inner = inner.replace("\\/", "/").replace("\\", "/")
    bare = inner.strip("|｜ ")
    if bare != inner.strip():
        return _piped(bare)
    name, _, attributes = bare.lstrip("/ ").rstrip("/").partition(" ")
    words = _WORD.findall(name.lower())
    if not _is_thought(words) or (attributes and not _ATTRIBUTES.fullmatch(f" {attributes}")):
        return None, MarkerStyle.ANGLE, ""
    if bare.endswith("/"):
        return MarkerKind.DROP, MarkerStyle.ANGLE, _shared(words)
    return _opens_or_closes(bare, words), MarkerStyle.ANGLE, _shared(words)


def _piped(bare: str) -> _Told:
    words = _WORD.findall(bare.lower())
    told = _opens_or_closes(bare, words)
    if _is_thought(words) or words[0] == "inner":
        return told, MarkerStyle.PIPE, _shared(words)
    if words[-1] == "box":
        return MarkerKind.DROP, MarkerStyle.PIPE, ""
    kind: MarkerKind | None = None
    if not _SAYINGS.isdisjoint(words):
        if told is MarkerKind.CLOSE:
            kind = MarkerKind.DROP
        elif not _OPENING.isdisjoint(words):
            kind = MarkerKind.SAY
    return kind, MarkerStyle.PIPE, ""


def _square(inner: str) -> _Told:
    """`[THINK]`, `[/THINK]`, `[BEGIN FINAL RESPONSE]`: fewer names, for games have moves in square
    brackets."""
    words = _WORD.findall(inner.lower())
    core = _core(words)
    if len(core) == 1 and _THOUGHT_IN_SQUARES.fullmatch(core[0]):
        return _opens_or_closes(inner, words), MarkerStyle.SQUARE, _shared(words)
    kind: MarkerKind | None = None
    if len(words) > 1 and inner.isupper() and not _SAYINGS.isdisjoint(words):
        if words[0] in _OPENING:
            kind = MarkerKind.SAY
        elif words[0] in _CLOSING:
            kind = MarkerKind.DROP
    return kind, MarkerStyle.SQUARE, ""


def _core(words: Sequence[str]) -> list[str]:
    return [word for word in words if word not in _FILLERS | _OPENING | _CLOSING]


def _is_thought(words: Sequence[str]) -> bool:
    core = _core(words)
    return bool(core) and (_THOUGHT.fullmatch(core[-1]) is not None or core[-1] in PAIRED)


def _opens_or_closes(inner: str, words: Sequence[str]) -> MarkerKind:
    closes = inner.startswith("/") or not _CLOSING.isdisjoint(words)
    return MarkerKind.CLOSE if closes else MarkerKind.OPEN


def _shared(words: Sequence[str]) -> str:
    """`<think>` is closed by `</thinking>` too."""
    core = _core(words)
    return re.sub(r"think(?:ing)?$|thoughts?$", "think", core[-1]) if core else ""
