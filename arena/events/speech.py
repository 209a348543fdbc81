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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from arena.core import Event, Outcome

RULES = "rules"
"""What events read by this module name as their reader."""

_LONGEST = 4_000  # characters of a speech that are read
_SENTENCE = re.compile(r"[^.!?;\n]+[.!?;\n]*")
_QUOTED = re.compile(r"[\"“«][^\"”»]{0,400}[\"”»]")
_PLAYER = r"(?:\[\s*(?:player\s*)?(\d{1,3})\s*\]|\b(?:player|p)\s*#?\s*(\d{1,3})\b|\b(\d{1,3})\b)"
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


@dataclass(frozen=True, slots=True)
class Cast:
    """Who sits where: `roles` and `teams` by player_index, None where the game names none."""

    roles: tuple[str | None, ...]
    teams: tuple[str | None, ...]

    @classmethod
    def of(cls, outcome: Outcome) -> Cast:
        """The cast of a finished game."""
        return cls(
            tuple(player.role for player in outcome.players),
            tuple(player.team for player in outcome.players),
        )

    @property
    def role_names(self) -> frozenset[str]:
        """The roles and teams that can be claimed; none in a game without roles."""
        return frozenset(name for name in (*self.roles, *self.teams) if name)


def read_speeches(
    events: Sequence[Event], said: Mapping[int, str], cast: Outcome | Cast
) -> list[Event]:
    """The events with what their speeches claim behind each of them. `said` are the actions by
    turn."""
    cast = Cast.of(cast) if isinstance(cast, Outcome) else cast
    reader = _Reader(cast)
    if not reader.roles:
        return list(events)
    found: list[Event] = []
    for event in events:
        found.append(event)
        if event.kind == "speech" and event.turn is not None and event.source is not None:
            found += reader.read(event, said.get(event.turn, ""))
    return found


class _Reader:
    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self.roles = {name.casefold(): name for name in cast.role_names if len(name) > 1}
        words = "|".join(
            re.escape(name) for name in sorted(self.roles, key=lambda name: (-len(name), name))
        )
        self._myself = re.compile(_OF_MYSELF.format(roles=words), re.I)
        self._others = re.compile(_OF_OTHERS.replace("{roles}", words), re.I)

    def read(self, speech: Event, text: str) -> list[Event]:
        """What a speech claims, each thing once."""
        found: list[Event] = []
        seen: set[tuple[object, ...]] = set()
        for sentence in _SENTENCE.findall(_QUOTED.sub(" ", text[:_LONGEST])):
            if sentence.rstrip().endswith("?"):
                continue
            for kind, target, data in self._sentence(speech, sentence):
                key = (kind, target, *sorted(data.items()))
                if key not in seen:
                    seen.add(key)
                    read = {**data, "reader": RULES}
                    found.append(replace(speech, kind=kind, target=target, data=read))
        return found

    def _sentence(
        self, speech: Event, sentence: str
    ) -> Iterator[tuple[str, int | None, dict[str, object]]]:
        for match in self._myself.finditer(sentence):
            before = sentence[: match.start()]
            if not _HEDGED.search(before) and not _REPORTS.search(before):
                yield "claim", None, self._role(match)
        for match in self._others.finditer(sentence):
            target = self._target(match, speech)
            before = sentence[: match.start()]
            if target is None or _HEDGED.search(before):
                continue
            if _REPORTS.search(before) and _NAMED.search(before):
                continue
            data = self._role(match)
            if _THINKS.search(before):
                if not data.get("denies") and self._hostile(speech, data):
                    yield "accusation", target, {}
            else:
                yield "claim", target, data
                if not data.get("denies") and self._hostile(speech, data):
                    yield "accusation", target, {}
        for match in _CLEARED.finditer(sentence):
            target = self._target(match, speech)
            before = sentence[: match.start()]
            if target is None or _HEDGED.search(before) or _THINKS.search(before):
                continue
            enemy = self._enemy()
            if enemy is not None:
                guilty = match["word"].lower() == "guilty"
                yield "claim", target, {"team": enemy, **({} if guilty else {"denies": True})}
                if guilty:
                    yield "accusation", target, {}
        for pattern in (_AGAINST, _SUSPICIOUS):
            for match in pattern.finditer(sentence):
                target = self._target(match, speech)
                before = sentence[: match.start()]
                denied = _DENIED.search(before)
                if target is not None and not denied and not _HEDGED.search(before):
                    yield "accusation", target, {}

    def _role(self, match: re.Match[str]) -> dict[str, object]:
        name = self.roles[match["role"].casefold()]
        what = "role" if name in self._cast.roles else "team"
        return {what: name, **({"denies": True} if match["no"] else {})}

    def _target(self, match: re.Match[str], speech: Event) -> int | None:
        number = next(group for group in match.groups() if group and group.isdecimal())
        target = int(number)
        return target if target < len(self._cast.roles) and target != speech.source else None

    def _hostile(self, speech: Event, data: Mapping[str, object]) -> bool:
        """Whether who has this role is the village's enemy: of the smaller team."""
        enemy = self._enemy()
        name = data.get("role") or data.get("team")
        return enemy is not None and name in self._names_of(enemy)

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
