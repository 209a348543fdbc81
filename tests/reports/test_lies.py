"""Untrue claims and the votes after them, read from the events of a game."""

from __future__ import annotations

import pytest

from arena.reports.lies import believed, untrue_claims
from db.queries.samples import SampledSeat
from db.writer.events import EventRow

MAFIA, DETECTIVE, DOCTOR, VILLAGER = range(4)
ROLES = (
    ("Mafia", "Mafia"), ("Detective", "Village"), ("Doctor", "Village"), ("Villager", "Village"),
)  # fmt: skip
SEATS = [SampledSeat(1, at, 10 + at, *part) for at, part in enumerate(ROLES)]


def claim(source: int, target: int | None = None, **said: object) -> EventRow:
    day, audience = said.pop("day", 1), said.pop("audience", None)
    return EventRow(3, day, "Day", "claim", source, target, audience, said)  # type: ignore[arg-type]


def vote(source: int, target: int, day: int = 1) -> EventRow:
    return EventRow(5, day, "Vote", "vote", source, target, None, {})


def test_a_lie_about_oneself_is_followed_by_who_votes_for_somebody_else() -> None:
    (lie,) = untrue_claims(
        SEATS, [claim(MAFIA, role="Detective"), vote(1, MAFIA), vote(2, 3), vote(3, 2)]
    )
    assert (lie.source, lie.about, lie.what, lie.lie) == (MAFIA, MAFIA, "Detective", True)
    assert [(each.player, each.followed) for each in lie.votes] == [
        (1, False),
        (2, True),
        (3, True),
    ]
    assert [each.by_chance for each in lie.votes] == pytest.approx([2 / 3] * 3)


def test_an_accusation_is_followed_by_who_votes_for_the_accused() -> None:
    events = [claim(MAFIA, DOCTOR, role="Mafia"), vote(1, DOCTOR), vote(DOCTOR, 0), vote(3, 0)]
    (said,) = untrue_claims(SEATS, events)
    assert not said.lie
    # The accused knows better, and is no hearer.
    assert [(each.player, each.followed) for each in said.votes] == [(1, True), (3, False)]
    assert {each.by_chance for each in said.votes} == {1 / 3}
    denied = [claim(MAFIA, role="Mafia", denies=True), vote(1, MAFIA), vote(2, 3)]
    (said,) = untrue_claims(SEATS, denied)
    assert said.what == "not Mafia"
    assert [each.followed for each in said.votes] == [False, True]


def test_what_is_true_unknown_or_said_again_is_no_further_claim() -> None:
    true = [claim(DETECTIVE, role="Detective"), claim(DETECTIVE, MAFIA, team="Mafia")]
    assert untrue_claims(SEATS, true) == []
    nobody = [SampledSeat(1, 0, 10, None, None), SampledSeat(1, 1, 11, None, None)]
    assert untrue_claims(nobody, [claim(0, role="Detective")]) == []
    again = [
        claim(MAFIA, role="Doctor"),
        claim(MAFIA, role="Doctor"),
        claim(MAFIA, role="Doctor", day=2),
    ]
    assert len(untrue_claims(SEATS, again)) == 2


def test_only_the_next_vote_of_who_heard_it_on_that_day_counts() -> None:
    events = [
        claim(MAFIA, role="Doctor", audience=0b1101),
        vote(1, 2), vote(2, MAFIA), vote(2, 3), vote(3, MAFIA, day=2),
    ]  # fmt: skip
    (said,) = untrue_claims(SEATS, events)
    assert [(each.player, each.followed) for each in said.votes] == [(2, False)]


def test_who_is_out_is_nobody_to_vote_for() -> None:
    out = EventRow(2, 1, "Night", "eliminate", None, VILLAGER, None, {"cause": "night"})
    (said,) = untrue_claims(SEATS, [out, claim(MAFIA, role="Doctor"), vote(1, 2)])
    assert [each.by_chance for each in said.votes] == [1 / 2]


def test_claims_are_added_up_with_an_interval_of_claims_not_votes() -> None:
    events = [claim(MAFIA, role="Doctor"), vote(1, 2), vote(2, 3), vote(3, MAFIA)]
    claims = untrue_claims(SEATS, events)
    found = believed((each, each.votes) for each in claims * 4)
    assert (found.claims, found.lies, found.votes, found.followed) == (4, 4, 12, 8)
    assert (found.share, found.chance) == pytest.approx((2 / 3, 2 / 3))
    assert found.interval is not None
    low, high = found.interval
    assert (round(low, 2), round(high, 2)) == (0.25, 0.92)
    assert (believed([]).share, believed([]).interval) == (None, None)
