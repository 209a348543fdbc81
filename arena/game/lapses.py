"""Says what was wrong with an agent's turn, from what it answered alone: silence, refusal, length.

It judges conservatively: talk about refusing is talk, and only an answer that is a refusal from
its first word to its last is one.
"""

from __future__ import annotations

import re
import unicodedata

from arena.core import Action, Lapse, Termination

# Longer answers argue, and arguing is playing.
_LONGEST_REFUSAL = 600

# Letters by their category, blank on the screen.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")

# What most blank texts consist of; the rest is looked at one by one, a few first.
_STRIPPED = " \t\r\n" + "".join(_BLANK)
_FEW = 256

_MOVE = re.compile(r"\[[^\[\]\n]*\]")
_ADDRESSED = re.compile(r"\bplayers?\s*#?\d", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")

_NOUN = (
    r"(?:(?:(?:that|this|your|the|such an?|such|these|those|any)\s+)?"
    r"(?:kind of\s+|type of\s+|sort of\s+)?"
    r"(?:requests?|tasks?|content|activity|activities|topics?|role-?play(?:ing)?|scenarios?))"
)
_WHY = r"(?:[.!]|,? (?:as|because|since|which|that (?:involves?|requires?|encourages?)) .*)?"
_APOLOGY = (
    r"(?:(?:i'?m (?:very |really |so )?sorry|i am (?:very |really |so )?sorry|sorry"
    r"|i apologi[sz]e|my apologies|unfortunately)(?:[,.!;:]| -)?\s+(?:but\s+)?)?"
)
_MACHINE = r"(?:as an? (?:ai|artificial intelligence|(?:large )?language model)[^,.]{0,60},\s+)?"
_UNWILLING = (
    r"(?:i'm (?:not able to|unable to|not comfortable)|i won't be able to"
    r"|(?:i|we) (?:really |simply |just )?(?:can'?t|cannot|can not|won'?t|will not"
    r"|(?:must |have to )?decline to|refuse to|am not able to|am unable to|am not comfortable))"
)
_HELPING = (
    rf"(?:(?:assist|help)(?:ing)?(?: you)? with (?:that|this|it|{_NOUN})"
    rf"|(?:fulfil?l|comply with|complete|process|answer|respond to|carry out) {_NOUN}"
    rf"|(?:provid|generat|creat|produc|writ)(?:e|ing) {_NOUN}"
    rf"|(?:participat|engag)(?:e|ing) in {_NOUN}|continu(?:e|ing) with {_NOUN}|assist|comply)"
)
_REFUSAL = re.compile(
    rf"{_APOLOGY}{_MACHINE}"
    rf"(?:{_UNWILLING} {_HELPING}|i (?:must|have to) decline(?: {_NOUN})?){_WHY}",
    re.IGNORECASE,
)
# How a text begins whose first sentence is one. Nearly every answer is told from a refusal by this
# alone; its blanks may be any, because `_sentences` joins lines.
_OPENING = re.compile(
    rf"\s*{_APOLOGY}{_MACHINE}(?:{_UNWILLING} |i (?:must|have to) decline)".replace(" ", r"\s+"),
    re.IGNORECASE,
)
# What follows a refusal when nothing but a refusal was meant.
_COURTESY = re.compile(
    r"\b(?:help|assist|requests?|polic(?:y|ies)|guidelines?|content|harm(?:ful)?|safety|unsafe"
    r"|ai|language model|instead|something else|anything else|happy to|let me know|feel free"
    r"|understand(?:ing)?|sorry|apologi[sz]e)\b",
    re.IGNORECASE,
)

_TERMINATIONS = {
    Lapse.SILENCE: Termination.SILENCE,
    Lapse.REFUSAL: Termination.REFUSAL,
    Lapse.OVERLONG: Termination.OVERLONG,
    Lapse.TIME_LIMIT: Termination.TIME_LIMIT,
    Lapse.MALFUNCTION: Termination.MALFUNCTION,
}


def lapse_of(
    action: Action, *, finish_reason: str | None, refused: bool, max_characters: int | None
) -> Lapse | None:
    """What was wrong with an action, None where nothing was.

    `finish_reason` and `refused` are those of the completion that it came from, whose provider says
    where the program that was to act failed (a malfunction); `max_characters`
    is `EnvironmentSpec.max_characters`. A refusal comes before silence, because a model that
    refuses may say nothing, and both before length. An agent that tells thoughts from speech is
    not silent when its answer was cut before it came to speak: it thought for too long.
    """
    text = action.text
    if finish_reason == Lapse.MALFUNCTION.value:
        return Lapse.MALFUNCTION
    if refused or finish_reason == "refusal" or is_refusal(text):
        return Lapse.REFUSAL
    if is_silent(text):
        cut = finish_reason == "length" and action.thoughts is not None
        return Lapse.OVERLONG if cut else Lapse.SILENCE
    if finish_reason == "length" or (max_characters is not None and len(text) > max_characters):
        return Lapse.OVERLONG
    return None


def termination(ending: Termination, last_lapse: Lapse | None) -> Termination:
    """Why a game ended: an invalid action is called by the lapse behind it, if there is one.

    `ending` is what the rules say; `last_lapse` is the lapse of the turn that decided.
    """
    if ending is Termination.INVALID_ACTION and last_lapse is not None:
        return _TERMINATIONS[last_lapse]
    return ending


def is_silent(text: str) -> bool:
    """Whether a reader would see nothing: blanks, control characters, marks on nothing."""
    left = text.strip(_STRIPPED)
    return all(map(_is_unseen, left[:_FEW])) and all(map(_is_unseen, set(left)))


def _is_unseen(char: str) -> bool:
    return char in _BLANK or unicodedata.category(char)[0] in "CZM"


def is_refusal(text: str) -> bool:
    """Whether the whole answer declines to answer, in English: no move in brackets, no player
    spoken to, a refusal in the first sentence and only courtesies in the others."""
    said = unicodedata.normalize("NFKC", text.strip()[: _LONGEST_REFUSAL + 1]).replace("’", "'")
    if len(said) > _LONGEST_REFUSAL or not _OPENING.match(said):
        return False
    if _MOVE.search(said) or _ADDRESSED.search(said):
        return False
    first, *others = _sentences(said)
    return _REFUSAL.fullmatch(first) is not None and all(map(_COURTESY.search, others))


def _sentences(text: str) -> list[str]:
    """The sentences; a lone apology belongs to what follows it."""
    parts = [part.strip() for part in _SENTENCE_END.split(text)]
    parts = [part for part in parts if part] or [""]
    if len(parts) > 1 and len(parts[0]) < 25 and re.fullmatch(_APOLOGY, f"{parts[0]} ", re.I):
        parts[:2] = [f"{parts[0]} {parts[1]}"]
    return parts
