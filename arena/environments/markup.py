"""Makes an agent's text say to the rules what it said to the reader, without changing its meaning.

Pure functions. They rewrite votes that TextArena would erase from what the others see, and shorten
long texts so that what decides survives.
"""

from __future__ import annotations

import re

# TextArena erases "[Player 3]" from what is broadcast and reads "[3]" as the same vote. A line
# break inside the brackets is left alone: moving it would change which line comes first.
_PLAYER_TAG = re.compile(r"\[player[^\S\n]*(\d+)\]", re.IGNORECASE)

# The vote as SecretMafiaEnv.voting_pattern reads it: the last bracketed number on the first line
# that has one; here without `.*`, whose search is quadratic in the length of a line.
_VOTE = re.compile(r"\[(?:player\s*)?(\d+)\]", re.IGNORECASE)

_TOKEN = re.compile(r"\[[^\[\]]{1,80}\]")

# int() raises for numbers of more than 4,300 digits.
_ENDLESS_NUMBER = re.compile(r"(\d{300})\d+")


def shorten_numbers(text: str) -> str:
    """No number of more than 300 digits: reading it would crash the rules, and void the game."""
    return _ENDLESS_NUMBER.sub(r"\1", text) if len(text) > 300 else text


def rewrite_votes(text: str) -> str:
    """`[Player 3]` in any case becomes `[3]`, everywhere, so that the other players see it."""
    return _PLAYER_TAG.sub(r"[\1]", text)


def clip_vote(text: str, limit: int) -> str:
    """At most `limit` characters of `text`, with the vote of Secret Mafia inside.

    The tail, as TextArena clips, when the vote is in it or there is none; otherwise from the
    beginning of the line that votes. The vote is the last bracketed number on the first line that
    has one.
    """
    if len(text) <= limit:
        return text
    vote = _find_vote(text)
    if vote is None or vote.start() >= len(text) - limit:
        return text[-limit:]
    start = max(text.rfind("\n", 0, vote.start()) + 1, vote.end() - limit)
    return text[start : start + limit]


def clip_tokens(text: str, limit: int) -> str:
    """At most `limit` characters of `text`, with the bracketed tokens inside.

    The tail, as TextArena clips, led by the short bracketed tokens that it might lose, in order.
    """
    if len(text) <= limit:
        return text
    lost = [token.group() for token in _TOKEN.finditer(text[: len(text) - limit // 2])]
    # What an agent says last is what it decided: of repeated tokens the last one counts, and
    # when there are too many the first ones go.
    tokens = list(dict.fromkeys(reversed(lost)))[::-1]
    while sum(map(len, tokens)) > limit // 2:
        del tokens[0]
    head = "".join(tokens)
    return head + text[len(text) - limit + len(head) :]


def vote_of(text: str) -> int | None:
    """The player whom the rules of Secret Mafia take this text to vote for."""
    vote = _find_vote(text)
    return None if vote is None else int(vote[1])


def _find_vote(text: str) -> re.Match[str] | None:
    vote = None
    line_end = len(text)
    for token in _VOTE.finditer(text):
        if token.start() > line_end:
            break
        if vote is None:
            line_end = text.find("\n", token.start())
            if line_end < 0:
                line_end = len(text)
        vote = token
    return vote
