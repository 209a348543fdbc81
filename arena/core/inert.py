"""Makes what one player wrote harmless in another player's prompt, visibly and reversibly.

A server on one's own machine writes the chat template and the messages into one text, and reads
the control tokens of both: a player who says `<|im_end|>` ends its opponent's message and can go on
as *system*. A player who says `[GAME]`, or begins a line with `[Player 2]`, speaks for somebody
else. Here a dot breaks such a text after its first character (`<·|im_end|>`, `[·GAME]`), and a bar
stands before every line but the first. Nothing is dropped: `unspoken` gives back what was said.

A control token is known by its shape where no legal move has one like it (an angle bracket, then a
letter, a slash or a bar), and by its name where moves look alike (`[INST]` and `[call]`). Only the
characters right behind the bracket decide, so a token that is cut, nested or misspelt is broken
too, and breaking one never makes or unmakes another.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from functools import cache, lru_cache

BREAK = "·"
BAR = "| "

# What a server may strip between the characters of a token.
_HIDDEN = "[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]*"
# `<` as it is, and as normalisation (NFKC) makes it.
_ANGLE = "[<\uff1c\ufe64]"
# `<|im_end|>`, `<turn|>`, `</s>`, `<｜User｜>`, `<<SYS>>`, `<[BOS]>`, `<0x0A>`; not `<3`, `a < b`.
_IN_ANGLES = r"[^\W\d_]|[/|\uff5c\u2581\[@!]|\d\w*>"
# Those of Mistral, EXAONE, GLM, InternLM, Gemma, BERT and MiniMax, in the brackets that moves have.
_IN_BRACKETS = (
    r"/[A-Z]|[|@]|e~"
    r"|(?:INST|SYS|THINK|IMG|ARGS|PREFIX|MIDDLE|SUFFIX|AUDIO|TRANSCRIBE|CLS|SEP|MASK|PAD|UNK|BOS|EOS|EOT"
    r"|[gs]MASK|unused\w*|control_\d+|multimodal|toxicity=\d|[A-Z]+_[A-Z_\d]+)\]"
)
_TOKEN = re.compile(
    rf"{_ANGLE}(?={BREAK}*{_HIDDEN}(?:{_IN_ANGLES}))"
    rf"|\[(?={BREAK}*{_HIDDEN}(?:{_IN_BRACKETS}))"
    rf"|\](?={BREAK}*{_HIDDEN}(?:~|![a-z]~))"  # MiniMax: `]~b]`, `]!p~[`
    rf"|>(?={BREAK}*>[A-Z]{{3}})"  # Falcon: `>>QUESTION<<`
)
_BRACKET = re.compile(r"\[")
# What every token and label in ASCII has.
_SIGN = re.compile(r"[<>\[\]]")

# What a model that was not stopped says when it has said everything. Thoughts end otherwise.
_END = re.compile(
    r"(?:<[|\uff5c][^<>|\uff5c\s]{1,60}[|\uff5c]?>|<[^<>|\uff5c\s]{1,60}[|\uff5c]>"
    r"|\[\|[^\[\]|\s]{1,60}\|\]|\[e~\[|\]~!?b[\[\]]|\[/?(?:INST|EOS|BOS|PAD|SEP|UNK)\]"
    r"|<</?SYS>>|</?(?:s|[be]os|pad|unk|sop|eo[adhmpt]|(?:start|end)_?of_?\w+|\w+_token|unused_?\w*\d"
    r"|(?:extra_id|special|reserved)_\w*\d|seed:[be]os)>"
    # Who would speak next, and said nothing.
    r"|<(?:\|(?:im_start|start|start_header_id|start_of_role)\||start_of_turn)>\s*[a-z]{1,20})\Z",
    re.IGNORECASE,
)

_LINE_END = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_NEXT_LINES = re.compile(rf"({_LINE_END.pattern}){re.escape(BAR)}")

# Who speaks beside the players: the rules, and the roles of chats.
_OTHERS = ("GAME", "Player", "Game Master", "Moderator", "Narrator",
           "System", "Assistant", "User", "Developer", "Human")  # fmt: skip
_LONGEST_NAME = 40  # letters

# Letters that look like Latin ones. Decomposition (NFKD) knows the others: full-width, mathematical
# and circled letters, and letters with accents.
_LOOKALIKES: dict[str, str] = {
    alike: latin
    for latin, alikes in {
        "a": "аАαΑΛᎪꓮⲁɑ@", "b": "вВβΒᏴꓐ", "c": "сСᏟꓚ", "d": "ԁꓓᎠ", "e": "еЕεΕᎬꓰⲉ€є",
        "f": "ꓝ", "g": "ԌᏀꓖցɢ", "h": "һНΗᎻꓧհ", "i": "іІιΙᎥꓲ", "j": "јЈᎫꓙյ", "k": "кКκΚᏦꓗ",
        "l": "ӏӀᏞꓡⳑ", "m": "мМΜᎷꓟⲙ", "n": "пηνΝꓠո", "o": "оОοΟσօꓳⲟ", "p": "рРρΡᏢꓑⲣ",
        "q": "ԛզ", "r": "гᎡᏒꓣ", "s": "ѕЅᏚꓢ$", "t": "тТτΤᎢꓔ", "u": "υսꓴμ", "v": "ѵᏙꓦ",
        "w": "ԝωᎳꓪ", "x": "хХχΧꓫ", "y": "уУγΥүҮᎽꓬ", "z": "ζΖᏃꓜ",
    }.items()
    for alike in alikes
}  # fmt: skip
# `LATIN LETTER SMALL CAPITAL G`, `NEGATIVE SQUARED LATIN CAPITAL LETTER G`, `... G WITH HOOK`.
_LATIN = re.compile(r"(?=.*(?:LATIN|REGIONAL INDICATOR)).*\b([A-Z])(?: WITH .*)?")
_DIGITS = str.maketrans("013457", "oleast")  # `G4M3`, `P1ayer`


def inert(text: str, speakers: Collection[str] = ()) -> str:
    """The text with its control tokens and the labels of `speakers` broken.

    `speakers` are as `speakers_of` gives them. `original` undoes it.
    """
    pieces, end = [], 0
    for place in places(text, speakers):
        pieces += [text[end : place + 1], BREAK]
        end = place + 1
    return "".join([*pieces, text[end:]]) if pieces else text


def original(text: str, speakers: Collection[str] = ()) -> str:
    """What `inert` was given, with the same speakers."""
    if BREAK not in text:
        return text
    pieces, end = [], 0
    for place in places(text, speakers):
        pieces.append(text[end : place + 1])
        end = place + 1 + text.startswith(BREAK, place + 1)
    return "".join([*pieces, text[end:]])


def spoken(text: str, speakers: Collection[str]) -> str:
    """What a player said, for a prompt in which a label says who spoke: `inert`, and a bar before
    every line but the first, so that no line of it begins like somebody else's."""
    return _LINE_END.sub(rf"\g<0>{BAR}", inert(text, speakers))


def unspoken(text: str, speakers: Collection[str]) -> str:
    """What `spoken` was given, with the same speakers."""
    return original(_NEXT_LINES.sub(r"\1", text), speakers)


def without_end_tokens(answer: str) -> str:
    """An answer without the control tokens at its end, which say that it is over and are no part of
    it; the same text where there are none. Tokens before the last word stay."""
    end = len(answer.rstrip())
    while found := _END.search(answer, max(end - 70, 0), end):
        end = found.start()
        while end and answer[end - 1].isspace():
            end -= 1
    return answer if end == len(answer.rstrip()) else answer[:end]


def speakers_of(names: Iterable[str]) -> frozenset[str]:
    """What labels are known by: the rules, players by number, the roles of chats, and `names`
    (those of a game's roles)."""
    return frozenset(filter(None, (looks_like(name) for name in (*_OTHERS, *names))))


def places(text: str, speakers: Collection[str] = ()) -> list[int]:
    """Where the first characters of control tokens and of labels stand, in order."""
    if text.isascii() and _SIGN.search(text) is None:
        return []
    found = {match.start() for match in _TOKEN.finditer(text)}
    if speakers:
        found.update(place for place in _brackets(text) if _names(text, place + 1, speakers))
    return sorted(found)


def _brackets(text: str) -> Iterator[int]:
    if text.isascii():
        return (match.start() for match in _BRACKET.finditer(text))
    return (place for place, char in enumerate(text) if char == "[" or _is_bracket(char))


@cache
def _is_bracket(char: str) -> bool:
    """Whether this is some kind of opening bracket, but a round or a curly one."""
    name = "" if char.isalnum() else unicodedata.name(char, "")
    return "BRACKET" in name and "CURLY" not in name and unicodedata.category(char) in ("Ps", "Pi")


def _names(text: str, start: int, speakers: Collection[str]) -> bool:
    """Whether the words from here to the next bracket begin with a speaker and perhaps its number,
    whatever stands between the letters."""
    said = ""
    for char in text[start : start + 8 * _LONGEST_NAME]:
        if char == "[" or _LINE_END.match(char) or _is_bracket(char) or len(said) > _LONGEST_NAME:
            break
        letters = _fold(char)
        if letters is None:
            continue
        if not letters and _is_speaker(said, speakers):
            return True
        said += letters
    return _is_speaker(said, speakers)


def _is_speaker(said: str, speakers: Collection[str]) -> bool:
    """Whether this is a speaker's name, or one with a number, digits for letters allowed."""
    # Most brackets in a text are moves.
    if not said.translate(_DIGITS).startswith(_as_letters(frozenset(speakers))):
        return False
    return any(
        said[: len(speaker)].translate(_DIGITS) == speaker.translate(_DIGITS)
        and (said[len(speaker) :] or "0").isdigit()
        for speaker in speakers
    )


@lru_cache(maxsize=64)
def _as_letters(speakers: frozenset[str]) -> tuple[str, ...]:
    return tuple(speaker.translate(_DIGITS) for speaker in speakers)


def looks_like(name: str) -> str:
    """The small Latin letters and digits that a name looks like: the same for two that look
    alike."""
    return "".join(_fold(char) or "" for char in name)


@cache
def _fold(char: str) -> str | None:
    """The small Latin letters and digits that a character looks like, none for what is between
    words; None for what does not show."""
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return None
    found = ""
    for part in unicodedata.normalize("NFKD", char):
        part = _LOOKALIKES.get(part, part)
        if not part.isascii() and (latin := _LATIN.fullmatch(unicodedata.name(part, ""))):
            part = latin[1]
        if part.isalnum():
            found += part.lower()
    return found
