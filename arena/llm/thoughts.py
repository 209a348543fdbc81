"""Tells what a model said from what it thought, whatever markup its family thinks in.

It reads whole answers, so that one is read the same however it was streamed. A marker that speech
only mentions is speech: one in quotes or in code, one that stands before the noun it explains, one
in mid-sentence that nothing closes.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from arena.llm.thought_markers import PAIRED, Marker, MarkerKind, MarkerStyle, markers

# No answer has thoughts without one of these, or this at its beginning.
_SIGNS = ("<", "[", "◁", "＜", "&lt;", "assistantfinal", "assistant final")
_FIRST_WORDS = re.compile(r"(?:assistant)?(?:analysis|thought\n|Here)")

_LOOK = 160  # characters of the line around a marker that are looked at
_QUOTES = "\"'`“”‘’«»‹›"
_A_NOUN = re.compile(r"[\"'`”’)]?[ \t-]*(?:tags?|tokens?|markers?|markup|blocks?|brackets?)\b")
_A_VERB = re.compile(r"[ \t]+(?:is|are|was|were|means?|looks?|seems?|does|did|has|had)\b")
_GOES_ON = re.compile(r"[ \t]+[a-z]|[,.;:!?)]")
_ONLY_NAMED = re.compile(
    r"[\s,\"'`”’]*(?:and|or|then|to|with|through|until|plus|&|/|-|\.{2,}|…|blah)[\s,\"'`“‘]*"
)
_FENCE = re.compile(r"^[ \t]*```", re.MULTILINE)
_WRAPPING = re.compile(
    r"<(?P<name>answer|final|final_answer|response|output|solution|conclusion|reply)\s*>",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class SpokenText:
    """An answer, read: `text` is what the model said, `thoughts` what it thought, both without
    markup and empty where there is nothing. `unfinished`: its last thought was never closed."""

    text: str
    thoughts: str = ""
    unfinished: bool = False


def read(answer: str, *, unwrap: bool = True) -> SpokenText:
    """What of an answer was said and what was thought. An answer without thoughts comes back as it
    is, to the last blank; any other without the blanks around what was said and, with `unwrap`,
    without the one `<answer>` that all of it may stand in."""
    begun = _FIRST_WORDS.match(answer.lstrip()) is not None
    if not begun and not any(sign in answer for sign in _SIGNS):
        return SpokenText(answer)
    fences = _fences(answer)
    used = [marker for marker in markers(answer) if not _is_mentioned(answer, marker, fences)]
    reading = _Reading(answer, used)
    reading.run()
    if not reading.found:
        return SpokenText(answer)
    said = "".join(reading.said).strip()
    return SpokenText(
        _unwrapped(said) if unwrap else said,
        "\n\n".join(thought.strip() for thought in reading.thought if thought.strip()),
        reading.unfinished,
    )


def _unwrapped(said: str) -> str:
    """What stands in the one tag that wraps all of it, whether or not it is closed."""
    opening = _WRAPPING.match(said)
    if opening is None:
        return said
    tag = re.compile(rf"<(/?){opening['name']}\s*+>", re.IGNORECASE)
    closing = tag.search(said, opening.end())
    if closing is None:
        return said[opening.end() :].strip()
    wraps = closing[1] == "/" and closing.end() == len(said)
    return said[opening.end() : closing.start()].strip() if wraps else said


def recorded_thoughts(text: str | None, response: Any) -> str | None:
    """What a model thought in a call, from its answer and what is stored of the response; None for
    nothing."""
    choices = response.get("choices") if isinstance(response, dict) else None
    told = [choice.get("reasoning_content") for choice in choices or () if isinstance(choice, dict)]
    thoughts = [*told, read(text).thoughts if text else None]
    return "\n\n".join(each for each in thoughts if each and isinstance(each, str)) or None


@dataclass(slots=True)
class _Reading:
    """Walks over the markers of one answer and sorts what is between them. `found` says that one
    of them was used."""

    text: str
    markers: Sequence[Marker]
    said: list[str] = field(default_factory=list)
    thought: list[str] = field(default_factory=list)
    found: bool = False
    unfinished: bool = False
    _first: int = 0  # where what is no blank begins, and where it ends
    _last: int = 0
    _told: bool = False  # whether a marker said that what follows is for the reader
    _closers: dict[tuple[MarkerStyle | None, str], list[int]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def run(self) -> None:
        self._first = len(self.text) - len(self.text.lstrip())
        self._last = len(self.text.rstrip())
        for index, marker in enumerate(self.markers):
            if marker.kind is MarkerKind.CLOSE:
                self._closers[marker.style, marker.name].append(index)
                self._closers[marker.style, ""].append(index)
                self._closers[None, marker.name].append(index)
            elif marker.kind is MarkerKind.DROP and marker.name:
                self._closers[None, marker.name].append(index)
            elif marker.style is MarkerStyle.HEAD or marker.kind is MarkerKind.SAY:
                self._closers[MarkerStyle.HEAD, ""].append(index)
        aside: list[str] = []
        position = index = 0
        while index < len(self.markers):
            marker = self.markers[index]
            if marker.kind is not MarkerKind.OPEN:
                if self._is_used(marker):
                    self._pass(marker, position)
                    position = marker.end
                index += 1
                continue
            closer = self._closer(index)
            if closer is None:
                if not self._may_stay_open(marker):
                    index += 1
                    continue
                thought_end = end = len(self.text)
                index = len(self.markers)
            else:
                closing = self.markers[closer]
                if self._are_named(marker, closing):
                    index = closer + 1
                    continue
                thought_end = closing.start
                closes = closing.kind in {MarkerKind.CLOSE, MarkerKind.END, MarkerKind.DROP}
                end = closing.end if closes else closing.start
                index = closer + 1 if closes else closer
            self.found = True
            self.unfinished = closer is None
            self.said.append(self.text[position : marker.start])
            where = aside if marker.name == "commentary" else self.thought
            where.append(self.text[marker.end : thought_end])
            position = end
        self.said.append(self.text[position:])
        if not self._told and not "".join(self.said).strip():
            # A commentary is for the reader where nothing else is.
            self.said, aside = aside, []
        self.thought += aside

    def _pass(self, marker: Marker, position: int) -> None:
        """A marker outside of a thought: what stands before it was said, or thought if it closes
        what the template of the prompt opened."""
        self.found = True
        self.said.append(self.text[position : marker.start])
        says = marker.kind is MarkerKind.SAY
        if marker.kind is MarkerKind.CLOSE or (says and not self._told):
            self.thought.append("".join(self.said))
            self.said = []
        self._told = self._told or says

    def _closer(self, index: int) -> int | None:
        """The marker that ends the thought which this one opens: the next of its name, else of its
        style, else of its name in another style or like `<think/>`, else the next head of a
        message."""
        style, name = self.markers[index].style, self.markers[index].name
        wanted: list[tuple[MarkerStyle | None, str]] = [(style, name), (style, ""), (None, name)]
        if style is MarkerStyle.HEAD:
            wanted = [(style, "")]
        elif style in {MarkerStyle.ANGLE, MarkerStyle.PIPE}:
            wanted.append((MarkerStyle.HEAD, ""))
        for key in wanted:
            places = self._closers.get(key, [])
            at = bisect_right(places, index)
            if at < len(places):
                return places[at]
        return None

    def _may_stay_open(self, marker: Marker) -> bool:
        """Whether a marker that nothing closes opens a thought that the end of the answer cut."""
        before, after = _line(self.text, marker)
        if marker.name in PAIRED:
            return False
        match marker.style:
            case MarkerStyle.WORDS:
                return False
            case MarkerStyle.SQUARE:
                written = self.text[marker.start : marker.end]
                return written == "[THINK]" and not before.strip()
            case MarkerStyle.HEAD:
                return True
            case _:
                return not _in_mid_sentence(before) and _A_VERB.match(after) is None

    def _is_used(self, marker: Marker) -> bool:
        """Whether a marker outside of a thought does anything; a closing one may be named only."""
        if marker.style is MarkerStyle.WORDS:
            return False
        if marker.style is MarkerStyle.HEAD and marker.kind is not MarkerKind.SAY:
            return self.found
        if marker.kind is not MarkerKind.CLOSE:
            return True
        before, after = _line(self.text, marker)
        if marker.start <= self._first and _A_VERB.match(after):
            return False
        goes_on = marker.end >= self._last or _GOES_ON.match(after) is not None
        return not (goes_on and before[-1:].isspace() and _in_mid_sentence(before))

    def _are_named(self, opening: Marker, closing: Marker) -> bool:
        """Whether two markers are named together: "between <think> and </think>"."""
        before, _ = _line(self.text, opening)
        _, after = _line(self.text, closing)
        if _quoted(before, after, _QUOTES, _QUOTES):
            return True
        between = self.text[opening.end : min(closing.start, opening.end + _LOOK)]
        return _in_mid_sentence(before) and _ONLY_NAMED.fullmatch(between) is not None


def _fences(text: str) -> list[int]:
    """Where the fences of code blocks stand that something was said before; an even number."""
    fences = [found.start() for found in _FENCE.finditer(text)]
    if not fences or not text[: fences[0]].strip():
        return []
    return fences[: len(fences) // 2 * 2]


def _is_mentioned(text: str, marker: Marker, fences: Sequence[int]) -> bool:
    """Whether a marker stands in quotes, in code or before the noun that it explains."""
    if marker.style is MarkerStyle.HEAD:
        return False
    before, after = _line(text, marker)
    in_code = before.count("`") % 2 == 1 and "`" in after
    return (
        in_code
        or bisect_right(fences, marker.start) % 2 == 1
        or _quoted(before, after, _QUOTES + "(", _QUOTES + ")")
        or _A_NOUN.match(after) is not None
    )


def _quoted(before: str, after: str, opening: str, closing: str) -> bool:
    return bool(before and after) and before[-1] in opening and after[0] in closing


def _line(text: str, marker: Marker) -> tuple[str, str]:
    """What stands on a marker's line before and after it."""
    before = text[max(marker.start - _LOOK, 0) : marker.start].rpartition("\n")[2]
    return before, text[marker.end : marker.end + _LOOK].partition("\n")[0]


def _in_mid_sentence(before: str) -> bool:
    said = before.rstrip()
    return bool(said) and (said[-1].isalnum() or said[-1] in ",'’\"”-–—")
