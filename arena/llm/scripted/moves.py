"""Legal random moves for environments beside Secret Mafia, each known by its opening words."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from arena.core import Message
from arena.llm.scripted import scenario
from arena.llm.scripted.conversation import read, write_notes

Player = Callable[[str, random.Random], str]

_QUOTED = re.compile(r"'(\[[^\]]*\])'")
_TOKEN = re.compile(r"\[[^\[\]\n]{1,40}\]")


def reply(messages: Sequence[Message], rng: random.Random) -> str:
    """A legal move at random; in an environment that is not known, a bracketed token that it
    offered last, or a word."""
    conversation = read(messages)
    if conversation.wants_notes:
        return write_notes(conversation.facts, "play on")
    text = conversation.text
    opening = text[:600]
    for words, player in _PLAYERS:
        if words in opening:
            return player(text, rng)
    return _anything(text, rng)


def _last(text: str, words: str) -> str:
    """The text after the last occurrence of `words`; empty where there is none."""
    at = text.rfind(words)
    return text[at + len(words) :] if at >= 0 else ""


def _offered(words: str) -> Player:
    def player(text: str, rng: random.Random) -> str:
        line = _last(text, words).partition("\n")[0]
        offered = _QUOTED.findall(line)
        return rng.choice(offered) if offered else "[0, 0]"

    return player


def _connect_four(text: str, rng: random.Random) -> str:
    rows = _last(text, "Board state:\n").splitlines()
    free = [column for column, cell in enumerate(rows[2].split()) if cell == "."]
    return f"[col {rng.choice(free or [0])}]"


def _nim(text: str, rng: random.Random) -> str:
    piles = re.findall(r"pile (\d+): (\d+)", _last(text, "Current Pile:"))
    left = [(pile, int(amount)) for pile, amount in piles if amount != "0"]
    pile, amount = rng.choice(left) if left else ("0", 1)
    return f"[{pile} {rng.randint(1, amount)}]"


_CHAT = (
    "Shall we cooperate this time? It pays for both of us.",
    "I will do what you did last round.",
    "Let us keep it simple and fair.",
    "I have not made up my mind yet.",
    "Defecting early costs more than it brings.",
)


def _dilemma(text: str, rng: random.Random) -> str:
    if text.rfind("Conversation finished") > text.rfind("--- Starting Round"):
        return rng.choice(("[Cooperate]", "[Defect]"))
    return rng.choice(_CHAT)


def _dilemma_of_three(text: str, rng: random.Random) -> str:
    if text.rfind("Chat finished") > text.rfind("─── Starting Round"):
        found = re.search(r"You are Player (\d)", text)
        me = int(found[1]) if found else 0
        others = [player for player in range(3) if player != me]
        return " ".join(f"[{p} {rng.choice(('cooperate', 'defect'))}]" for p in others)
    return rng.choice(_CHAT)


def _liars_dice(text: str, rng: random.Random) -> str:
    latest = _last(text, "New round - Remaining dice:")
    dice = sum(int(n) for n in re.findall(r"Player \d+: (\d+)", latest.partition("\n")[0]))
    bids = re.findall(r"^\[GAME\] Player \d+ bids (\d+) of face (\d+)\.", latest, re.MULTILINE)
    if not bids:
        return f"[Bid: 1, {rng.randint(1, 6)}]"
    quantity, face = int(bids[-1][0]), int(bids[-1][1])
    raises = [(quantity, f) for f in range(face + 1, 7)]
    if quantity < dice:
        raises += [(quantity + 1, f) for f in range(face, 7)]
    if not raises or rng.random() < quantity / (dice + 1):
        return "[Call]"
    more, higher = rng.choice(raises)
    return f"[Bid: {more}, {higher}]"


_GOODS = ("Wheat", "Wood", "Sheep", "Brick", "Ore")
_OFFER = re.compile(
    r"Player (\d) made the following offer to Player \d: "
    r"Offered items: (.*?) -> Requested items: (.*)"
)
_ACCEPTED = re.compile(r"\[GAME\] Player (\d) accepted the trade offer")


def _negotiation(text: str, rng: random.Random) -> str:
    found = re.search(r"You are Player (\d)", text)
    me = int(found[1]) if found else 0
    have = {
        good: int(amount) for good, amount in re.findall(r"\[(\w+)\]\s+Qty: (\d+)", text[:1500])
    }
    offer: re.Match[str] | None = None
    for line in text.splitlines():
        offer = _OFFER.search(line) or offer
        if offer is not None and _ACCEPTED.match(line):
            sign = 1 if int(offer[1]) != me else -1
            for good, amount in _goods(offer[2]):
                have[good] = have.get(good, 0) + sign * amount
            for good, amount in _goods(offer[3]):
                have[good] = have.get(good, 0) - sign * amount
            offer = None
    waiting = offer is not None and int(offer[1]) != me
    if waiting and offer is not None and rng.random() < 0.5:
        if all(have.get(good, 0) >= amount for good, amount in _goods(offer[3])):
            return "[Accept]"
        return "[Deny]"
    mine = [good for good in _GOODS if have.get(good, 0) > 0] or ["Wheat"]
    give = rng.choice(mine)
    want = rng.choice([good for good in _GOODS if good != give])
    amount = rng.randint(1, min(3, max(1, have.get(give, 1))))
    return f"A fair trade, I think. [Offer: {amount} {give} -> {rng.randint(1, 3)} {want}]"


def _goods(listed: str) -> list[tuple[str, int]]:
    return [(good, int(amount)) for amount, good in re.findall(r"(\d+) (\w+)", listed)]


def _blotto(text: str, rng: random.Random) -> str:
    latest = _last(text, "Available fields: ")
    fields = latest.partition("\n")[0].split(", ")
    found = re.search(r"Units to allocate: (\d+)", latest)
    units = int(found[1]) if found else 20
    cuts = sorted(rng.randint(0, units) for _ in fields[1:])
    parts = [b - a for a, b in zip([0, *cuts], [*cuts, units], strict=True)]
    allocated = " ".join(f"{field}{part}" for field, part in zip(fields, parts, strict=True))
    return f"[{allocated}]"


def _anything(text: str, rng: random.Random) -> str:
    for line in reversed(text.splitlines()):
        offered = _QUOTED.findall(line) or _TOKEN.findall(line.partition("] ")[2])
        if offered:
            return str(rng.choice(offered))
    return "pass"


_PLAYERS: tuple[tuple[str, Player], ...] = (
    ("in Tic Tac Toe.", _offered("Available Moves:")),
    ("in Connect Four.", _connect_four),
    ("Welcome to Nim", _nim),
    ("game of Kuhn Poker", _offered("Your available actions are:")),
    ("3-player Iterated Prisoner's Dilemma", _dilemma_of_three),
    ("Iterated Prisoner's Dilemma", _dilemma),
    ("Liar's Dice", _liars_dice),
    ("game of Othello", _offered("Valid moves:")),
    ("Negotiation Game", _negotiation),
    ("game of ColonelBlotto", _blotto),
    ("[GAME] Scenario: ", scenario.at_random),
)
