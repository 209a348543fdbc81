"""What scripted players of Secret Mafia say: plain lines, varied, each pointing at one player."""

from __future__ import annotations

import random
from collections.abc import Sequence

SMALL_TALK = (
    "Quiet night. I would like to hear everyone before we vote.",
    "I have nothing certain yet, so I am watching who votes with whom.",
    "Let us not rush. Who has an idea, and why?",
    "I am with the village. Ask me anything.",
    "Somebody here is far too calm about this.",
    "We lose if we vote at random, so please give reasons.",
    "Remember who pushed for which vote; it will matter tomorrow.",
)

ACCUSE = (
    "I suspect Player {p}: too quiet when it counted.",
    "Player {p} keeps steering the talk away. I would vote there.",
    "My vote leans to Player {p}; that last answer said nothing.",
    "Player {p} agreed with everybody so far. That is what Mafia does.",
    "If I had to choose now, it would be Player {p}.",
    "Something about Player {p} does not add up for me.",
    "Player {p} is pushing hard without a reason. I find it suspicious.",
)

AGREE = (
    "I agree about Player {p}, and I will vote there.",
    "The case against Player {p} is the best one we have.",
    "Player {p} it is, unless somebody has something better.",
    "I am joining the others: Player {p} looks like Mafia to me.",
    "We should stay together on Player {p}; a split vote only helps the Mafia.",
)

FOUND = (
    "I am the Detective. Player {p} is Mafia. Please vote with me today.",
    "I am the Detective, and I looked at one of you: Player {p} is Mafia.",
    "No more waiting. I am the Detective; Player {p} is Mafia.",
)

CLEARED = (
    "I am the Detective. Player {p} is not Mafia, so look elsewhere.",
    "I am the Detective, and I checked: Player {p} is not Mafia.",
)

COUNTER = (
    "That is a lie. I am the real Detective, and Player {p} is Mafia.",
    "I am the true Detective here. Player {p} is Mafia and is framing us.",
)

TRUST = (
    "I believe the Detective, so Player {p} has to go.",
    "The Detective named Player {p}. That is better than any guess of ours.",
    "An investigation beats a hunch: Player {p}.",
)

LIAR = (
    "Player {p} is lying about that, and only the Mafia has a reason to.",
    "I know enough to say that Player {p} made this up.",
    "Player {p} pretends to know. That story is false, so the vote belongs there.",
)

VOTE = (
    "I vote for [{p}].",
    "[{p}]",
    "My vote goes to [{p}].",
    "[{p}], as I said.",
    "Voting [{p}].",
)

KILL = ("[{p}]", "Let us take [{p}] tonight.", "I say [{p}].")
PROTECT = ("[{p}]", "I protect [{p}].", "Tonight I watch over [{p}].")
INVESTIGATE = ("[{p}]", "I investigate [{p}].", "Let me look at [{p}].")

TARGETED = {"kill": KILL, "protect": PROTECT, "investigate": INVESTIGATE, "vote": VOTE}


def say(lines: Sequence[str], rng: random.Random, player: int | None = None) -> str:
    """One of the lines, about a player."""
    return rng.choice(lines).format(p=player)
