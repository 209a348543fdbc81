"""Reads claims and accusations from what players say, by rules that are written down here.

A sentence at a time, in English, and only of the roles and teams that the game has:

- "I am the Detective", "as your Doctor", "I'm not Mafia": a claim of the speaker's own role;
- "Player 3 is Mafia", "[3] is not the Doctor", "4 is innocent": a claim about another player;
- "I think 3 is Mafia", "I suspect player 3", "3 is lying", "vote for 3": an accusation.

What is a question, a condition, a guess (`might be`) or a quotation of another player claims
nothing. The rules are careful rather than complete: what they do not read is in the record still.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from arena.core import LLM
from arena.core.readers import Cast, Speech, SpeechReading

_LONGEST = 4_000  # characters of a speech that are read
_SENTENCE = re.compile(r"[^.!?;\n]+[.!?;\n]*")
_QUOTED = re.compile(r"[\"“«][^\"”»]{0,400}[\"”»]")
_PLAYER = r"(?:\[\s*(?:player\s*)?(\d{1,3})\s*\]|\b(?:player|p)\s*#?\s*(\d{1,3})\b|\b(\d{1,3})\b)"
_NUMBER = re.compile(r"\d")
_NAMED = re.compile(r"\[\s*(?:player\s*)?(\d{1,3})\s*\]|\b(?:player|p)\s*#?\s*(\d{1,3})\b", re.I)
_HEDGED = re.compile(
    r"\b(?:if|unless|whether|suppose|imagine|pretend|perhaps|maybe|might|may|could|would|whoever|"
    r"possibly|probably|seems?|either|or)\b",
    re.I,
)
_THINKS = re.compile(
    r"\b(?:i|we)\s+(?:\w+\s+)?(?:think|believe|suspect|feel|bet|guess|suspects|doubt)\b", re.I
)
_DENIED = re.compile(r"(?:\bnot|n['’]t|\bnever)\s+(?:\w+\s+)?$", re.I)
_REPORTS = re.compile(r"\b(?:says?|said|claims?|claimed|saying|claiming|told)\b", re.I)
_OF_MYSELF = (
    r"\b(?:i\s+am|i['’]?m|as)(?P<no>\s+not)?\s+(?:(?:actually|really|indeed|just|only|definitely)"
    r"\s+)?(?:the\s+|a\s+|an\s+|your\s+|one\s+of\s+the\s+)?(?:\w+\s+)?(?P<role>{roles})\b"
)
_OF_OTHERS = (
    _PLAYER + r"\s*(?:is|['’]s)(?P<no>\s+not|n['’]t)?\s+(?:(?:clearly|definitely|certainly|really|"
    r"actually|indeed|confirmed|absolutely)\s+)?(?:the\s+|a\s+|an\s+|our\s+|one\s+of\s+the\s+)?"
    r"(?P<role>{roles})\b"
)
_CLEARED = re.compile(
    _PLAYER + r"\s*(?:is|['’]s)\s+(?:(?:clearly|definitely|certainly|confirmed)\s+)?"
    r"(?P<word>innocent|clear|cleared|clean|town|guilty)\b",
    re.I,
)
_AGAINST = re.compile(
    r"\b(?:suspect|suspects|accuse|distrust|do\s*n['’]?t\s+trust|vote(?:\s+for|\s+out)?|voting"
    r"(?:\s+for|\s+out)?|eliminate|lynch|vote\s+to\s+eliminate)\s+(?:that\s+)?" + _PLAYER,
    re.I,
)
_SUSPICIOUS = re.compile(
    _PLAYER + r"\s*(?:is|seems|looks|sounds|['’]s)\s+(?:(?:very|so|really|quite|too|the\s+most|"
    r"most)\s+)?(?:suspicious|lying|a\s+liar|sus|shady|evasive|hiding)\b",
    re.I,
)


class RulesReader:
    """The reader by these rules (`arena.core.readers.Reader`); it asks nobody."""

    version = 1
    asks = False

    async def read(self, speech: Speech, cast: Cast, llm: LLM) -> Sequence[SpeechReading]:
        return read_by_rules(speech, cast)


def read_by_rules(speech: Speech, cast: Cast) -> list[SpeechReading]:
    """What a speech claims, each thing once; nothing in a game without roles."""
    rules = _rules(cast)
    if not rules.roles:
        return []
    found: dict[SpeechReading, None] = {}
    for sentence in _SENTENCE.findall(_QUOTED.sub(" ", speech.text[:_LONGEST])):
        if not sentence.rstrip().endswith("?"):
            found.update(dict.fromkeys(rules.sentence(speech.player_index, sentence)))
    return list(found)


@lru_cache(maxsize=64)
def _rules(cast: Cast) -> _CastRules:
    return _CastRules(cast)


class _CastRules:
    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self.roles = {name.casefold(): name for name in cast.role_names if len(name) > 1}
        words = "|".join(
            re.escape(name) for name in sorted(self.roles, key=lambda name: (-len(name), name))
        )
        self._myself = re.compile(_OF_MYSELF.format(roles=words), re.I)
        self._others = re.compile(_OF_OTHERS.replace("{roles}", words), re.I)

    def sentence(self, speaker: int, sentence: str) -> Iterator[SpeechReading]:
        """What one sentence of a player says, some of it perhaps twice."""
        for match in self._myself.finditer(sentence):
            before = sentence[: match.start()]
            if not _HEDGED.search(before) and not _REPORTS.search(before):
                yield self._claim(match, None)
        if _NUMBER.search(sentence) is None:
            # Whatever else is read names a player, and players are named by their numbers.
            return
        for match in self._others.finditer(sentence):
            target = self._target(match, speaker)
            before = sentence[: match.start()]
            if target is None or _HEDGED.search(before):
                continue
            if _REPORTS.search(before) and _NAMED.search(before):
                continue
            claim = self._claim(match, target)
            if not _THINKS.search(before):
                yield claim
            if not claim.denies and self._hostile(claim):
                yield SpeechReading("accusation", target)
        for match in _CLEARED.finditer(sentence):
            target = self._target(match, speaker)
            before = sentence[: match.start()]
            if target is None or _HEDGED.search(before) or _THINKS.search(before):
                continue
            enemy = self._enemy()
            if enemy is not None:
                guilty = match["word"].lower() == "guilty"
                yield SpeechReading("claim", target, team=enemy, denies=not guilty)
                if guilty:
                    yield SpeechReading("accusation", target)
        for pattern in (_AGAINST, _SUSPICIOUS):
            for match in pattern.finditer(sentence):
                target = self._target(match, speaker)
                before = sentence[: match.start()]
                denied = _DENIED.search(before)
                if target is not None and not denied and not _HEDGED.search(before):
                    yield SpeechReading("accusation", target)

    def _claim(self, match: re.Match[str], target: int | None) -> SpeechReading:
        name = self.roles[match["role"].casefold()]
        denies = bool(match["no"])
        if name in self._cast.roles:
            return SpeechReading("claim", target, role=name, denies=denies)
        return SpeechReading("claim", target, team=name, denies=denies)

    def _target(self, match: re.Match[str], speaker: int) -> int | None:
        number = next(group for group in match.groups() if group and group.isdecimal())
        target = int(number)
        return target if target < len(self._cast.roles) and target != speaker else None

    def _hostile(self, claim: SpeechReading) -> bool:
        """Whether who has this role is the village's enemy: of the smaller team."""
        enemy = self._enemy()
        return enemy is not None and (claim.role or claim.team) in self._names_of(enemy)

    def _names_of(self, team: str) -> set[str | None]:
        cast = zip(self._cast.roles, self._cast.teams, strict=True)
        return {team, *(role for role, own in cast if own == team)}

    def _enemy(self) -> str | None:
        """The team of fewer players, which hides among the others; None where there is none."""
        sizes = {team: self._cast.teams.count(team) for team in self._cast.teams if team}
        if len(sizes) != 2:
            return None
        small, large = sorted(sizes, key=lambda team: sizes[team])
        return small if sizes[small] < sizes[large] else None
