"""Claims and accusations are read from speech by rules, in which a doubt claims nothing."""

from __future__ import annotations

import pytest

from arena.core import Event
from arena.core.readers import Cast
from arena.events.readings import read_by_the_rules

CAST = Cast(
    ("Doctor", "Detective", "Villager", "Mafia", "Villager", "Mafia"),
    ("Village", "Village", "Village", "Mafia", "Village", "Mafia"),
)


def read(text: str) -> list[str]:
    """What player 1 claims with these words."""
    speech = Event("speech", 1, audience=63, day=2, phase="Day", turn=7)
    events = read_by_the_rules([speech], {7: text}, CAST)[1:]
    assert all(event.source == 1 and event.turn == 7 and event.day == 2 for event in events)
    assert {event.data["reader"] for event in events} <= {"rules"}
    return [
        " ".join(
            [event.kind]
            + (["not"] if event.data.get("denies") else [])
            + [str(event.data[key]) for key in ("role", "team") if key in event.data]
            + ([] if event.target is None else [f"to {event.target}"])
        )
        for event in events
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I am the Detective.", ["claim Detective"]),
        ("As your doctor, I protected [2].", ["claim Doctor"]),
        ("I'm just a villager", ["claim Villager"]),
        ("I am not Mafia!", ["claim not Mafia"]),
        ("Player 3 is Mafia.", ["claim Mafia to 3", "accusation to 3"]),
        ("[3] is definitely the mafia", ["claim Mafia to 3", "accusation to 3"]),
        ("Player 4 is not Mafia.", ["claim not Mafia to 4"]),
        ("Player 4 isn't Mafia.", ["claim not Mafia to 4"]),
        ("Player 0 is innocent.", ["claim not Mafia to 0"]),
        ("Player 0 is the Doctor.", ["claim Doctor to 0"]),
        ("I think 3 is Mafia.", ["accusation to 3"]),
        ("I suspect Player 5.", ["accusation to 5"]),
        ("Player 5 is lying, vote for 5.", ["accusation to 5"]),
        ("Let's vote out player 3", ["accusation to 3"]),
        # A question, a condition, a doubt, a report and a quotation claim nothing.
        ("Is Player 3 Mafia?", []),
        ("I am the Detective?", []),
        ("If I am the Detective, what then.", []),
        ("Player 3 might be Mafia.", []),
        ("Maybe player 3 is Mafia.", []),
        ("Player 4 said I am the Detective.", []),
        ('Player 4 wrote "I am the Detective".', []),
        ("Player 4 claims Player 3 is Mafia.", []),
        ("I don't suspect Player 5.", []),
        ("I am the King.", []),
        ("Player 9 is Mafia.", []),
        ("Player 1 is Mafia.", []),
        ("I am the Detective. I am the Detective.", ["claim Detective"]),
        ("", []),
    ],
)
def test_what_a_sentence_claims(text: str, found: list[str]) -> None:
    assert read(text) == found


def test_a_game_without_roles_has_no_claims() -> None:
    speech = Event("speech", 0, turn=0)
    assert read_by_the_rules(
        [speech], {0: "I am the Doctor."}, Cast((None, None), (None, None))
    ) == [speech]


def test_hostile_text_is_read_in_no_time_that_matters() -> None:
    for text in ("[" * 100_000, "I am " * 50_000, "player 3 is " * 30_000, '"' * 100_000, "\x00"):
        assert len(read(text)) < 10
