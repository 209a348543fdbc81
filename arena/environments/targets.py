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

_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
)
_WORDS = {word: number for number, word in enumerate(_NUMBERS.split())}
_NUMBER = rf"(?:\d{{1,3}}|{_NUMBERS.replace(' ', '|')})"

# Signs that carry no meaning here become blanks or their plain forms, one for one.
_PLAIN = str.maketrans(
    "［］【】｛｝（）＃’‘“”*_`$\\０１２３４５６７８９", "[][]{}()#''\"\"     0123456789"
)
_BOXED = re.compile(r"\\boxed\s*\{([^{}\n]{0,20})\}")

_CHOOSING = (
    r"vot(?:e|es|ing)|eliminat(?:e|es|ing|ion)|choos(?:e|es|ing)|choice|pick|picks|picking|select"
    r"|selects|selecting|selection|lynch|lynching|execute|executing|exile|banish|hang|remove"
    r"|removing|kick|kicking|target|targeting|targets|kill|killing|attack|attacking|murder"
    r"|take out|protect|protecting|save|saving|guard|guarding|heal|healing|watch over|watching over"
    r"|shield|investigate|investigating|check|checking|inspect|inspecting|examine|look at|look into"
    r"|accuse|accusing|nominate|nominating|decided"
    r"|go|going|went|answer|decision|decide|action|move|response|verdict|mind|player_id|final"
)
_FILLER = (
    r"a|again|against|as|at|be|cast|for|goes|has to be|in|is|it|must be|my|now|number|of|off"
    r"|on|our|out|remains|should be|still|stays|that|the|this|to|today|tonight|will be|with"
)
_SAYS = re.compile(
    rf"(?:^|\W)(?:{_CHOOSING})\b(?:\W{{1,4}}(?:{_CHOOSING}|{_FILLER})\b){{0,6}}\W{{0,12}}$"
    r"|\b(?:switch|chang|mov)\w*\b.{0,40}\bto\W{0,4}$"
)
_SAYS_AFTER = re.compile(
    r"\W{0,4}(?:(?:it )?(?:is|has to be|will be|gets|has|must) (?:it\b|my (?:final )?"
    r"(?:vote|choice|pick|answer|target|decision)|the one|to go|be eliminated|eliminated|go\b)"
    r"|it is\b|for (?:elimination|the vote))"
)
_SELF = r"i|i'm|i'll|i'd|i've|my|we|we're|we'll|let|let's|our"
_OTHERS = r"player|he|she|they|everyone|everybody|you|who|whoever|someone|somebody|others?"
_SUBJECT = re.compile(
    rf"\b(?:(?P<me>{_SELF})|(?:player|p)\W{{0,2}}(?P<player>\d+)|(?:{_OTHERS}))\b|\[\s*\d+\s*\]"
)
_CONTRASTED = re.compile(
    rf"(?:\bnot\b|n't\b)[^.!?\n]*\bbut(?:\W{{1,3}}(?:rather|{_CHOOSING}|{_FILLER}))*\W{{0,4}}$"
)
_AGAINST_AFTER = re.compile(
    r"\W{0,3}(?:is|does|will|should|must|gets?)(?: not|n't)\W+(?:\w+\W+){0,2}?"
    r"(?:my|vote|choice|pick|the one)\b|\W{0,3}won't\W+(?:\w+\W+){0,2}?(?:my|vote)\b"
)
_MERELY = re.compile(
    r"\b(?:was|were|almost|nearly|wanted|tempted|could|might|may|have|had|consider\w*|thinking"
    r"|thought|whether|should i|if)\b"
)
_NEEDED = re.compile(r"\b(?:have|had) to\b")
_REPORTED = re.compile(r"\b(?:said|says|saying|told|tells|wrote|asks|asked|suggest\w*|claims?)\W*$")
_AGAINST = re.compile(
    rf"\b(?:not|never|nor|neither|no|except|besides|excluding|instead of|rather than|than|over"
    rf"|other than|(?:any|every)(?:one|body) but|all but|versus|vs)\b"
    rf"(?:\W{{1,3}}(?:{_CHOOSING}|{_FILLER}))*[^\w,]{{0,4}}$"
    rf"|(?:n't|\bnot|\bnever|\bcannot|\brefuse to|\bwithout|\bhardly)(?:\W{{1,3}}[a-z']+){{0,3}}?"
    rf"\W{{1,3}}(?:{_CHOOSING})\b(?:\W{{1,3}}(?:{_CHOOSING}|{_FILLER})\b){{0,5}}\W{{0,4}}$"
    r"|\b(?:switch|chang|mov)\w*\b.{0,20}\bfrom\W{0,4}$"
)
_ACCUSES = re.compile(
    r"\b(?:vote|voting|eliminate|lynch|kill|target|choose|pick|out|mafia|guilty|liar|lying|lies"
    r"|suspicious|suspect\w*|evil|traitor|must go|has to go"
    r"|it's|it is|no doubt)\b"
)
_PRAISES = re.compile(
    r"\b(?:trust\w*|innocent|not|n't|believe(?!.{0,15}\b(?:is|are)\b)|doctor|detective|villager|town|good|clear(?:ed)?"
    r"|said|says|told|agree|nobody|no one|abstain|pass|skip|seems?|honest)\b|n't\b"
)
_CORRECTS = re.compile(
    r"\b(?:actually|wait|no|instead|chang\w+|on second thoughts?|correction|scratch that|final\w*"
    r"|rather|sorry|therefore|in the end|conclusion)\b"
)
_CLAUSE = re.compile(
    r"[.!?;\n]|\",|(?<!one )(?<!body )(?<!all )\bbut\b|(?<=[a-z0-9\])])\s*:(?=\s*[a-z\[])"
)
_MENTION = re.compile(
    rf"\[\s*(?P<label>(?:[a-z_']+[\s:=>-]+){{0,5}})(?:#\s*)?(?P<bracketed>{_NUMBER})\s*[.!]?\s*\]"
    rf"|\b(?:player|seat|number|no\.)(?:[\s_]*id)?\W{{0,4}}(?:number\s|no\.?\s?|nr\.?\s?|#\s?)?"
    rf"(?P<named>{_NUMBER})\b"
    r"|(?<!\w)(?:p|#)(?P<short>\d{1,2})\b"
    r"|(?<![\w.,\[#-])(?P<bare>\d{1,2})(?![\w\]%-]|[.,:]\d)"
)
_NOUN = re.compile(r"\W*\b(?:player|seat)(?: number| no)?$")
_AFTER_BARE = re.compile(
    r"\s*(?:$|[.,!;:)\]}\"'<\n-]|(?:because|since|as|for|and|please|now|today|tonight|too|again|out|off"
    r"|it is)\b)"
)
_LEADS = re.compile(rf"\W*{_NUMBER}\s*(?:,|-|–|—)\s+(?=[a-z])")
_ONLY_NUMBERS = re.compile(
    rf"(?:\W*\b(?:{_NUMBER}|not|but|no|yes|ok|okay|sure|vote|then|so|well|rather|than|instead|of)\b)+"
    r"\W*"
)
_ALONE = re.compile(rf"(?:(?:player|seat)\W{{0,3}}(?:number\s|no\.\s|#)?|p)?{_NUMBER}")
_CORE = re.compile(r"[^\W_](?:.*[^\W_])?")
_LISTED = rf"\[\s*(?:player\s*)?{_NUMBER}\s*\]"
_LIST = re.compile(
    rf"{_LISTED}(?:[ \t,;/|]*(?:(?:\b(?:and|or)\b|&)[ \t,;/|]*)?{_LISTED})+"
    rf"|^[ \t>*•-]*{_LISTED}[ \t]*(?:\n[ \t>*•-]*{_LISTED}[ \t]*)+$",
    re.MULTILINE,
)
_OPTIONS = re.compile(
    r"\b(?:valid|options?|targets?|candidates?|choices|either|between|among|from|available)\b"
    r"(?:\W{1,3}\w+){0,2}\W{0,4}$"
)
_SPEAKER = re.compile(r"^[ \t]*\[\s*player\s*(\d+)\s*\][ \t]*:?[ \t]*(?=\S)", re.MULTILINE)
_IN_THE_FIRST_PERSON = re.compile(rf"(?:{_SELF})\b")


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
    if len(plain) > _LONGEST or len(list(_mentions(plain))) > _MOST:
        return TargetFound(None, TargetHow.SEVERAL)
    echoes = _echoes(plain, question)
    mentions = [m for m in _mentions(plain) if not any(a <= m.start < b for a, b in echoes)]
    ruled_out = [m for m in mentions if _is_ruled_out(plain, m)]
    named = [m for m in mentions if m not in ruled_out]
    bracketed = {mention.player for mention in named if mention.sort == "bracketed"}
    everywhere = {m.player for m in _mentions(plain) if m.sort == "bracketed"}
    void = frozenset(everywhere - bracketed)
    stated = _stated(plain, named, question.me)
    if stated is not None:
        return TargetFound(stated, TargetHow.STATED, void)
    able = bracketed & {*question.candidates} or bracketed
    if len(able) == 1:
        return TargetFound(next(iter(able)), TargetHow.ONLY, void)
    if bracketed:
        return TargetFound(None, TargetHow.SEVERAL, void)
    sorts = {"named", "short", "bare"} if _ONLY_NUMBERS.fullmatch(plain) else {"named", "short"}
    only = {mention.player for mention in named if mention.sort in sorts} - {question.me}
    only = only & {*question.candidates} or only
    if len(only) == 1 and not ruled_out and _is_about_choosing(plain, question):
        return TargetFound(next(iter(only)), TargetHow.ONLY, void)
    return TargetFound(None, TargetHow.NONE, void)


def _plain(text: str) -> str:
    boxed = _BOXED.sub(lambda found: f"[{found[1]}]".rjust(len(found[0])), text)
    # Of the same length, whatever the letters: `lower` turns some into two.
    return "".join(char.lower() if char.isascii() else char for char in boxed.translate(_PLAIN))


def _mentions(plain: str) -> Iterator[_Mention]:
    for found in _MENTION.finditer(plain):
        sort = next(s for s in ("bracketed", "named", "short", "bare") if found[s])
        number = found[sort]
        player = _WORDS[number] if number in _WORDS else int(number)
        if sort == "named" and "[" in found[0]:
            sort = "bracketed"
        label = _NOUN.sub("", (found["label"] or "").strip(" \t\n:=>-"))
        if label and not _SAYS.search(f" {label}"):
            # `[room 3]` is no player, whatever is in it.
            continue
        yield _Mention(found.start(), found.end(), player, sort, label)


def _echoes(plain: str, question: TargetQuestion) -> list[tuple[int, int]]:
    """The places that repeat the game's question, or its history."""
    asked = " ".join(_plain(question.asked).split())
    echoes = []
    for found in _LIST.finditer(plain):
        size = len(re.findall(_NUMBER, found[0]))
        offered = _OPTIONS.search(plain[max(found.start() - 80, 0) : found.start()])
        if size > 2 or offered or " ".join(found[0].split()) in asked:
            echoes.append(found.span())
    for found in _SPEAKER.finditer(plain):
        speaks = _IN_THE_FIRST_PERSON.match(plain, found.end())
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
    ends = [found.end() for found in _CLAUSE.finditer(before.rstrip(" \t:=>-\"'(\n"))]
    cut = ends[-1] if ends else 0
    if cut and _REPORTED.search(before[: cut - 1]) and before[cut - 1] == ":":
        return f"player said {before[cut:]}{label}"
    return before[cut:] + label


def _is_ruled_out(plain: str, mention: _Mention) -> bool:
    return (
        _AGAINST.search(_clause(plain, mention)) is not None
        or _AGAINST_AFTER.match(plain, mention.end) is not None
    )


def _stated(plain: str, named: Sequence[_Mention], me: int) -> int | None:
    """The player of an explicit final form; None where there is none, or they differ and nothing
    says that the last one counts."""
    forms = [mention for mention in named if _is_stated(plain, mention, me)]
    if (leads := _LEADS.match(plain)) is not None:
        forms += [mention for mention in named if mention.end <= leads.end()]
    alone = [mention for mention in named if _is_alone(plain, mention)]
    found = sorted({*forms, *alone}, key=lambda mention: mention.start)
    if not found:
        return None
    last = found[-1]
    if len({mention.player for mention in found}) == 1:
        return last.player
    before = [mention for mention in found[:-1] if mention.player != last.player]
    between = plain[before[-1].end : last.start]
    ends = last in alone and not plain[_line(plain, last)[1] :].strip()
    return last.player if ends or _CORRECTS.search(between) else None


def _is_stated(plain: str, mention: _Mention, me: int) -> bool:
    """Whether the words around a mention say that this is the one."""
    after = plain[mention.end : mention.end + 60]
    if mention.sort == "bare" and not _AFTER_BARE.match(after):
        return False
    if _SAYS_AFTER.match(after):
        return True
    if _CONTRASTED.search(plain, max(mention.start - _LOOK, 0), mention.start):
        return True
    clause = _clause(plain, mention)
    says = _SAYS.search(clause)
    if says is None or re.match(r"[^.!\n]*\?", after):
        return False
    before = clause[: says.start() + 1]
    subjects = list(_SUBJECT.finditer(before))
    if not subjects:
        return _MERELY.search(before) is None
    subject = subjects[-1]
    between = _NEEDED.sub("", before[subject.end() :])
    mine = subject["me"] is not None or subject["player"] == str(me)
    return mine and _MERELY.search(between) is None


def _is_alone(plain: str, mention: _Mention) -> bool:
    """Whether a line holds a mention and nothing else."""
    start, end = _line(plain, mention)
    core = _CORE.search(plain[start:end]) if end - start < _LOOK else None
    return core is not None and _ALONE.fullmatch(core[0]) is not None


def _line(plain: str, mention: _Mention) -> tuple[int, int]:
    """Where the line of a mention begins, behind a speaker's label, and where it ends."""
    start = plain.rfind("\n", 0, mention.start) + 1
    end = plain.find("\n", mention.end)
    label = _SPEAKER.match(plain, start)
    if label is not None and label.end() <= mention.start:
        start = label.end()
    return start, end if end >= 0 else len(plain)


def _is_about_choosing(plain: str, question: TargetQuestion) -> bool:
    """Whether a text that names one player, outside of brackets, is likely to mean to choose it."""
    if len(plain.split()) <= 3:
        return True
    return question.naming_chooses or (
        _ACCUSES.search(plain) is not None and _PRAISES.search(plain) is None
    )
