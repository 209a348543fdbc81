"""Reads whom a player's words choose, where they say it clearly.

An explicit final form counts first ("My vote is [3]", a line `3` of its own), then the only player
who is named for it. Where neither is there the rules read the text as they always did. What an
answer repeats of the game's question names nobody, and neither does what it rules out ("not [1]").
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from arena.core import TargetHow
from arena.environments import target_words as words


@dataclass(frozen=True, slots=True)
class TargetQuestion:
    """What a player is asked: to choose one of `candidates`, players by their index; nobody else
    can be the only one that is named. `me` is its own index, `asked` the words of the game.
    `naming_chooses`: to name a player is to choose it, whatever is said of it."""

    candidates: Collection[int]
    me: int
    asked: str = ""
    naming_chooses: bool = False


@dataclass(frozen=True, slots=True)
class TargetFound:
    """Whom a text chooses (None: nobody, or the rules decide), and `how` that is told. `void` are
    the players it names without choosing them, as in "not [1]"."""

    player: int | None
    how: TargetHow
    void: frozenset[int] = field(default_factory=frozenset)


# A text that is longer, or names more, says nothing clearly.
_LONGEST = 8_000
_MOST = 64
_LOOK = 200  # characters around a mention that are looked at

# Signs that carry no meaning here become blanks or their plain forms, one for one.
_PLAIN = str.maketrans(
    "［］【】｛｝（）＃’‘“”*_`$\\０１２３４５６７８９", "[][]{}()#''\"\"     0123456789"
)
_BOXED = re.compile(r"\\boxed\s*\{([^{}\n]{0,20})\}")


# The groups of a mention, and what they are taken for.
_SORTS = {
    "bracketed": "bracketed",
    "named": "named",
    "counted": "named",
    "short": "short",
    "bare": "bare",
    "word": "bare",
}


@dataclass(frozen=True, slots=True)
class _Mention:
    """A player named at a place of the text; `sort` is the group that found it."""

    start: int
    end: int
    player: int
    sort: str
    label: str = ""


def read_target(text: str, question: TargetQuestion) -> TargetFound:
    """Whom a text chooses, and how that is told."""
    plain = _plain(text)
    every = list(_mentions(plain)) if len(plain) <= _LONGEST else None
    if every is None or len(every) > _MOST:
        return TargetFound(None, TargetHow.SEVERAL)
    echoes = _echoes(plain, question)
    mentions = [m for m in every if not any(a <= m.start < b for a, b in echoes)]
    ruled_out = [m for m in mentions if _is_ruled_out(plain, m, question)]
    named = [m for m in mentions if m not in ruled_out]
    bracketed = {mention.player for mention in named if mention.sort == "bracketed"}
    everywhere = {m.player for m in every if m.sort == "bracketed"}
    void = frozenset(everywhere - bracketed)
    stated = _stated(plain, named, question.me)
    if stated is not None:
        return TargetFound(stated, TargetHow.STATED, void)
    if words.ABSTAINS.search(plain):
        return TargetFound(None, TargetHow.NONE, frozenset(everywhere))
    able = bracketed & {*question.candidates} or bracketed
    if len(able) == 1:
        return TargetFound(next(iter(able)), TargetHow.ONLY, void)
    if bracketed:
        return TargetFound(None, TargetHow.SEVERAL, void)
    sorts = (
        {"named", "short", "bare"} if words.ONLY_NUMBERS.fullmatch(plain) else {"named", "short"}
    )
    only = {
        m.player
        for m in named
        if m.sort in sorts
        and (question.naming_chooses or not _is_asked_about(plain, m))
        and not _is_of_another_time(plain, m)
    }
    only -= {question.me}
    only = only & {*question.candidates} or only
    anothers = any(_is_anothers(plain, mention, question.me) for mention in named)
    if len(only) == 1 and not ruled_out and not anothers and _is_about_choosing(plain, question):
        return TargetFound(next(iter(only)), TargetHow.ONLY, void)
    return TargetFound(None, TargetHow.NONE, void)


def _plain(text: str) -> str:
    boxed = _BOXED.sub(lambda found: f"[{found[1]}]".rjust(len(found[0])), text)
    plain = boxed.translate(_PLAIN)
    if plain.isascii():
        return plain.lower()
    # Of the same length, whatever the letters: `lower` turns some into two.
    return "".join(char.lower() if char.isascii() else char for char in plain)


def _mentions(plain: str) -> Iterator[_Mention]:
    for found in words.MENTION.finditer(plain):
        sort = next(s for s in _SORTS if found[s])
        number = found[sort]
        player = words.WORDS[number] if number in words.WORDS else int(number)
        sort = "bracketed" if sort == "named" and "[" in found[0] else _SORTS[sort]
        label = words.NOUN.sub("", (found["label"] or "").strip(" \t\n:=>-"))
        if label and not words.SAYS.search(f" {label}"):
            # `[room 3]` is no player, whatever is in it.
            continue
        yield _Mention(found.start(), found.end(), player, sort, label)


def _echoes(plain: str, question: TargetQuestion) -> list[tuple[int, int]]:
    """The places that repeat the game's question, or its history."""
    asked = " ".join(_plain(question.asked).split())
    echoes = []
    for found in words.LIST.finditer(plain):
        size = len({*re.findall(words.NUMBER, found[0])})
        if size == 1:
            continue
        offered = words.OPTIONS.search(plain[max(found.start() - 80, 0) : found.start()])
        if size > 2 or offered or " ".join(found[0].split()) in asked:
            echoes.append(found.span())
    for found in words.SPEAKER.finditer(plain):
        speaks = words.IN_THE_FIRST_PERSON.match(plain, found.end())
        if int(found[1]) == question.me:
            echoes.append(found.span())
        elif speaks:
            end = plain.find("\n", found.end())
            echoes.append((found.start(), end if end >= 0 else len(plain)))
    start = 0
    for line in plain.splitlines(keepends=True):
        said = " ".join(line.removeprefix("[game]").split())
        if len(said) >= 12 and said in asked:
            echoes.append((start, start + len(line)))
        start += len(line)
    return echoes


def _clause(plain: str, mention: _Mention) -> str:
    """What stands before a mention in its clause."""
    before = plain[max(mention.start - _LOOK, 0) : mention.start]
    label = f"{mention.label} " if mention.label else ""
    ends = [found.end() for found in words.CLAUSE.finditer(before.rstrip(" \t:=>-\"'(\n"))]
    cut = ends[-1] if ends else 0
    if cut and words.REPORTED.search(before[: cut - 1]) and before[cut - 1] == ":":
        return f"player said {before[cut:]}{label}"
    return before[cut:] + label


def _is_ruled_out(plain: str, mention: _Mention, question: TargetQuestion) -> bool:
    clause = words.DOUBLY.sub(" ", _clause(plain, mention))
    spared = None if question.naming_chooses else words.SPARES.search(clause)
    return (
        words.AGAINST.search(clause) is not None
        or words.DISMISSES.search(clause) is not None
        or words.VOTES_BESIDE.search(clause) is not None
        or (spared is not None and not spared["neg"])
        or words.AGAINST_AFTER.match(plain, mention.end) is not None
        or (
            words.VOTING.fullmatch(clause) is not None
            and words.IS_BAD.match(plain[mention.end : mention.end + 60].partition("\n")[0])
            is not None
        )
    )


def _stated(plain: str, named: Sequence[_Mention], me: int) -> int | None:
    """The player of an explicit final form; None where there is none, or they differ and nothing
    says that the last one counts."""
    forms = [mention for mention in named if _is_stated(plain, mention, me)]
    alone = [mention for mention in named if _is_alone(plain, mention)]
    if not forms and not alone:
        forms = _leaning(plain, named, me)
    found = sorted({*forms, *alone}, key=lambda mention: mention.start)
    if not found:
        return None
    last = found[-1]
    if len({mention.player for mention in found}) == 1:
        return last.player
    before = [mention for mention in found[:-1] if mention.player != last.player]
    between = plain[before[-1].end : last.start]
    ends = last in alone and not plain[_line(plain, last)[1] :].strip()
    if ends or words.CORRECTS.search(between):
        return last.player
    voted = {m.player for m in found if m in alone or words.VOTES.search(_clause(plain, m))}
    return next(iter(voted)) if len(voted) == 1 else None


def _leaning(plain: str, named: Sequence[_Mention], me: int) -> list[_Mention]:
    """The players whom a text begins with, as in "[3], because"; else those whom it suspects."""
    leads = words.LEADS.match(plain)
    if leads is not None and len(words.LEADS.findall(plain)) == 1:
        return [mention for mention in named if mention.end <= leads.end()]
    return [mention for mention in named if _is_stated(plain, mention, me, words.LEANS)]


def _is_stated(
    plain: str, mention: _Mention, me: int, saying: re.Pattern[str] = words.SAYS
) -> bool:
    """Whether the words around a mention say that this is the one."""
    after = plain[mention.end : mention.end + 60]
    if mention.sort == "bare" and not words.AFTER_BARE.match(after):
        return False
    if words.SAYS_AFTER.match(after):
        return True
    if words.GONE.match(after) and words.WANTS.search(_clause(plain, mention)):
        return True
    if _is_key(plain, mention):
        return mention.player != me and words.NOTED.search(plain) is None
    if words.CONTRASTED.search(plain, max(mention.start - _LOOK, 0), mention.start):
        return True
    clause = _clause(plain, mention)
    says = saying.search(clause)
    if says is None or re.match(r"[^.!\n]*\?", after) or _is_quoted(plain, mention):
        return False
    if _is_of_another_time(plain, mention):
        return False
    before = clause[: says.start() + 1]
    subject = _subject(before)
    said = words.NEEDED.sub("", before[subject.end() if subject else 0 :])
    if subject is None and words.LISTS_VOTES.match(says[0]):
        return False
    return _is_mine(subject, said, says[0], me) and words.MERELY.search(said) is None


def _is_mine(subject: re.Match[str] | None, said: str, says: str, me: int) -> bool:
    """Whether a choice is the speaker's own, or one that it urges all to make."""
    if subject is not None and subject["all"]:
        return words.URGES.fullmatch(said) is not None and words.URGED.match(says) is not None
    return subject is None or subject["me"] is not None or subject["player"] == str(me)


def _is_anothers(plain: str, mention: _Mention, me: int) -> bool:
    """Whether somebody else chooses a player, by the words before it."""
    clause = _clause(plain, mention)
    says = words.SAYS.search(clause)
    if says is None:
        return False
    subject = _subject(clause[: says.start() + 1])
    said = clause[subject.end() if subject else 0 : says.start() + 1]
    return not _is_mine(subject, said, says[0], me)


def _subject(before: str) -> re.Match[str] | None:
    """Who does what a clause says: the last one in it who is not only an object of another."""
    for subject in reversed(list(words.SUBJECT.finditer(before))):
        lead = before[: subject.start()]
        objects = (words.BESIDE, words.SAYS, words.LEANS)
        if subject["me"] or not any(found.search(lead) for found in objects):
            return subject
    return None


def _is_key(plain: str, mention: _Mention) -> bool:
    """Whether a mention is a field of JSON: `"player": 3`."""
    return (
        plain[mention.start - 1 : mention.start] in {'"', "'"}
        and words.KEY.match(plain, mention.start, mention.end) is not None
    )


def _is_quoted(plain: str, mention: _Mention) -> bool:
    """Whether a mention stands in the quoted words of somebody else."""
    before = plain[plain.rfind("\n", 0, mention.start) + 1 : mention.start]
    if before.count('"') % 2 == 0:
        return False
    lead = before[: before.rfind('"')]
    subject = _subject(lead)
    return words.REPORTED.search(lead) is not None and (subject is None or not subject["me"])


def _is_asked_about(plain: str, mention: _Mention) -> bool:
    """Whether the sentence of a mention is a question."""
    return re.match(r"[^.!?\n]*\?", plain[mention.end : mention.end + _LOOK]) is not None


def _is_of_another_time(plain: str, mention: _Mention) -> bool:
    """Whether a mention is in words of yesterday, of tomorrow, or under a condition."""
    before = re.split(r"[.!?\n{]", plain[max(mention.start - _LOOK, 0) : mention.start])[-1]
    after = re.split(r"[.,;!?\n}]", plain[mention.end : mention.end + _LOOK])[0]
    part = re.split(r"[,;]|\bbut\b", before)[-1]
    return (
        words.CONDITION.match(before) is not None
        or words.OTHER_TIME.search(part) is not None
        or words.OTHER_TIME.search(after) is not None
    )


def _is_alone(plain: str, mention: _Mention) -> bool:
    """Whether a line, or a sentence that answers no question, holds a mention and nothing else."""
    start, end = _line(plain, mention)
    if mention.sort in {"bracketed", "named"}:
        sentence = list(words.SENTENCE_END.finditer(plain, start, mention.start))
        if sentence and "?" not in sentence[-1][0]:
            start = sentence[-1].end()
        following = words.SENTENCE_END.search(plain, mention.end, end)
        end = end if following is None else following.start()
    core = words.CORE.search(plain[start:end]) if end - start < _LOOK else None
    return core is not None and words.ALONE.fullmatch(core[0]) is not None


def _line(plain: str, mention: _Mention) -> tuple[int, int]:
    """Where the line of a mention begins, behind a speaker's label, and where it ends."""
    start = plain.rfind("\n", 0, mention.start) + 1
    end = plain.find("\n", mention.end)
    label = words.SPEAKER.match(plain, start)
    if label is not None and label.end() <= mention.start:
        start = label.end()
    return start, end if end >= 0 else len(plain)


def _is_about_choosing(plain: str, question: TargetQuestion) -> bool:
    """Whether a text that names one player, outside of brackets, is likely to mean to choose it."""
    if question.naming_chooses or words.CHOOSES_THEM.search(plain):
        return True
    if len(plain.split()) <= 3:
        return words.GREETS.search(plain) is None
    return words.ACCUSES.search(plain) is not None and words.PRAISES.search(plain) is None
