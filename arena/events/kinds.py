"""The arena's own kinds of event, which any environment may tell, each with the schema of its data.

The first migration that has the table holds the same list; a kind that is added here is written
when the first event of it is.
"""

from __future__ import annotations

from typing import Any

from arena.core import EventKind

VERSION = 1
"""Of the projection: it goes up when the same game gives other events. `arena events rebuild`
refills the games that have an earlier one."""

_TEXT = {"type": "string"}
_WHOLE = {"type": "integer"}
_NUMBER = {"type": "number"}
_CARDS = {"type": "array", "items": _TEXT}
_PLAYERS = {"type": "array", "items": _WHOLE}


def _data(*required: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


KINDS: tuple[EventKind, ...] = (
    EventKind(
        "message",
        "The rules or a player put a message before its audience; without `text` it is the action "
        "of the turn, or too long to repeat: it has `chars` characters.",
        _data("type", type=_TEXT, text=_TEXT, chars=_WHOLE),
    ),
    EventKind(
        "change",
        "What a turn changed in the state of the rules: by path the value before and after, null "
        "where there is none; `more` counts those that are left out.",
        _data(
            "paths",
            paths={
                "type": "object",
                "additionalProperties": {"type": "array", "minItems": 2, "maxItems": 2},
            },
            more=_WHOLE,
        ),
    ),
    EventKind(
        "refused",
        "The rules refused the action of the turn; `eliminated` when they threw the player out.",
        _data(eliminated={"type": "boolean"}),
    ),
    EventKind(
        "result",
        "The rules gave a result: `winners`, none for a draw; `condition` where the game names "
        "how it is won.",
        _data("winners", winners=_PLAYERS, reason=_TEXT, condition=_TEXT),
    ),
    EventKind("phase", "A phase of the game begins.", _data()),
    EventKind("speech", "A player speaks: its words are the action of the turn.", _data()),
    EventKind("vote", "A player votes for another one to be put out.", _data()),
    EventKind("kill_choice", "One of those who kill by night chooses a victim.", _data()),
    EventKind(
        "protect",
        "A player protects another one; `saved` when that one would have died.",
        _data("saved", saved={"type": "boolean"}),
    ),
    EventKind(
        "investigate",
        "A player learns of another one: `found` is what it is told.",
        _data("found", found=_TEXT),
    ),
    EventKind("saved", "A player that was chosen to die lives: who protected it.", _data()),
    EventKind(
        "eliminate",
        "A player is out: by `vote`, `night` or `error`, or as the game calls it.",
        _data("cause", cause=_TEXT, role=_TEXT, team=_TEXT),
    ),
    EventKind("deal", "A player is dealt cards or dice.", _data("cards", cards=_CARDS)),
    EventKind(
        "bet",
        "A player puts chips into the pot: `how` is bet, raise or blind.",
        _data("amount", "how", amount=_NUMBER, how=_TEXT, pot=_NUMBER),
    ),
    EventKind(
        "call",
        "A player matches a bet with `amount`; with dice, it doubts the last bid, of which there "
        "were `actual`, and `loser` loses a die.",
        _data(amount=_NUMBER, pot=_NUMBER, actual=_WHOLE, loser=_WHOLE),
    ),
    EventKind("check", "A player passes without a bet.", _data()),
    EventKind("fold", "A player gives up its hand.", _data()),
    EventKind(
        "showdown",
        "Hands are shown: cards by player.",
        _data("hands", hands={"type": "object", "additionalProperties": _CARDS}, board=_CARDS),
    ),
    EventKind("pot", "A player wins `amount` from the pot.", _data("amount", amount=_NUMBER)),
    EventKind(
        "bid",
        "A player bids `amount`; on an `item`, or on dice that show `face`.",
        _data("amount", amount=_NUMBER, item=_TEXT, face=_WHOLE),
    ),
    EventKind(
        "decision",
        "A player decides in a round; its target is the player that it decides about, where the "
        "game asks for one.",
        _data("choice", choice={"type": ["string", "number"]}),
    ),
    EventKind(
        "payoff",
        "A round pays a player `amount`, which makes `total`.",
        _data("amount", "total", amount=_NUMBER, total=_NUMBER),
    ),
    EventKind(
        "allocate",
        "A player divides its units over the fields.",
        _data("units", units={"type": "object", "additionalProperties": _WHOLE}),
    ),
    EventKind(
        "offer",
        "A player makes an offer to another one: what it gives and wants, or an amount.",
        _data(
            gives={"type": "object"},
            wants={"type": "object"},
            amount=_NUMBER,
            terms={"type": ["object", "string"]},
        ),
    ),
    EventKind("accept", "A player accepts the offer of another one.", _data()),
    EventKind("reject", "A player rejects the offer of another one.", _data()),
    EventKind(
        "trade",
        "An offer was carried out: what its maker gave and got.",
        _data(gives={"type": "object"}, gets={"type": "object"}),
    ),
    EventKind("clue", "A player gives a clue for `word`.", _data(word=_TEXT, count=_WHOLE)),
    EventKind(
        "guess",
        "A player guesses.",
        _data("guess", "correct", guess=_TEXT, correct={"type": "boolean"}),
    ),
    EventKind("move", "A player moves, in the words of the rules.", _data("move", move=_TEXT)),
    EventKind(
        "capture",
        "A move takes pieces from the board, or turns them over.",
        _data("piece", "count", piece=_TEXT, count=_WHOLE),
    ),
    EventKind(
        "board",
        "The fields of the board that a turn changed: what stood there, what stands there now.",
        _data(
            "fields",
            fields={
                "type": "object",
                "additionalProperties": {"type": "array", "minItems": 2, "maxItems": 2},
            },
        ),
    ),
    EventKind(
        "claim",
        "A player says what it is, or what it knows of its target. Read from text by `reader`, "
        "which may be wrong.",
        _data("reader", role=_TEXT, team=_TEXT, denies={"type": "boolean"}, reader=_TEXT),
    ),
    EventKind(
        "accusation",
        "A player speaks against its target. Read from text by `reader`, which may be wrong.",
        _data("reader", reader=_TEXT),
    ),
    EventKind(
        "belief",
        "How strongly a player suspects its target, from 0 to 1, by the notes that it keeps.",
        _data("suspicion", suspicion=_NUMBER),
    ),
    EventKind(
        "role_belief",
        "How likely a player holds its target to have each role, from 0 to 1, by what it says that "
        "it believes.",
        _data("roles", roles={"type": "object", "additionalProperties": _NUMBER}),
    ),
)
