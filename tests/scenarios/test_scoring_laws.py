"""Laws of scoring that hold whatever a file says."""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from arena.scenarios.scoring import GameFacts, bounds, parts_of, points_of, results
from arena.scenarios.shape import CurvePoint, Persona, Score

NAMES = ("Ada", "Ben", "Cleo", "Dan")
POINTS = st.integers(-40, 40).map(lambda quarter: quarter / 4)
NUMBERS = st.lists(st.integers(-9, 9), min_size=1, max_size=5, unique=True).map(sorted)


@st.composite
def curves(draw: st.DrawFn) -> tuple[CurvePoint, ...]:
    return tuple(CurvePoint(at=float(at), points=draw(POINTS)) for at in draw(NUMBERS))


@st.composite
def scores(draw: st.DrawFn) -> Score:
    persona = draw(st.sampled_from(NAMES))
    kind = draw(st.sampled_from(("value", "option", "verdict", "scene")))
    if kind == "value":
        return Score(persona=persona, value="price", curve=draw(curves()))
    if kind == "scene":
        return Score(persona=persona, scene="Market", points=draw(POINTS))
    worth = {"yes": draw(POINTS), "no": draw(POINTS)}
    key = "value" if kind == "option" else "verdict"
    return Score(persona=persona, worth=worth, **{key: "fair"})


facts = st.builds(
    GameFacts,
    values=st.fixed_dictionaries(
        {
            "price": st.none() | st.floats(-12, 12),
            "fair": st.sampled_from((None, "yes", "no")),
        }
    ),
    verdict=st.sampled_from(({}, {"fair": "yes"}, {"fair": "no"})),
    reached=st.sampled_from((frozenset(), frozenset({"Market"}))),
    said=st.just(frozenset()),
)
rules = st.lists(scores(), min_size=1, max_size=12)
teams = st.tuples(*[st.sampled_from((None, "red", "blue"))] * 4)


@given(rules, facts, st.randoms(use_true_random=False))
def test_the_order_of_the_rules_changes_nothing(scoring, found, rng) -> None:  # type: ignore[no-untyped-def]
    mixed = rng.sample(scoring, len(scoring))
    assert points_of(scoring, found) == points_of(mixed, found)
    for name in NAMES:
        assert bounds(scoring, name) == bounds(mixed, name)


@given(rules, facts)
def test_points_are_the_sum_of_their_parts_and_within_bounds(scoring, found) -> None:  # type: ignore[no-untyped-def]
    parts = parts_of(scoring, found)
    points = points_of(scoring, found)
    for name in NAMES:
        own = [part for score, part in zip(scoring, parts, strict=True) if score.persona == name]
        assert points.get(name, 0.0) == math.fsum(own)
        low, high = bounds(scoring, name)
        assert low - 1e-9 <= points.get(name, 0.0) <= high + 1e-9


@given(curves(), st.lists(st.floats(-12, 12), min_size=2, max_size=9))
def test_a_curve_goes_through_its_points_and_never_past_them(curve, numbers) -> None:  # type: ignore[no-untyped-def]
    score = Score(persona="Ada", value="price", curve=curve)

    def at(number: float) -> float:
        return parts_of([score], GameFacts({"price": number}, {}, frozenset(), frozenset()))[0]

    for point in curve:
        assert at(point.at) == point.points
    worth = [point.points for point in curve]
    found = [at(number) for number in sorted(numbers)]
    assert min(worth) - 1e-9 <= min(found)
    assert max(found) <= max(worth) + 1e-9
    if worth == sorted(worth):
        assert all(low <= high + 1e-9 for low, high in pairwise(found))


@given(rules, facts, teams, st.permutations(range(4)))
def test_the_most_points_come_first_and_seats_do_not_matter(scoring, found, sides, order) -> None:  # type: ignore[no-untyped-def]
    personas = [Persona(name=n, team=team) for n, team in zip(NAMES, sides, strict=True)]
    points = points_of(scoring, found)
    placed = {each.role: each for each in results(personas, scoring, points, [0] * 4)}
    mixed = [personas[place] for place in order]
    again = {each.role: each for each in results(mixed, scoring, points, [0] * 4)}

    totals = {
        persona.name: sum(
            points.get(other.name, 0.0)
            for other in personas
            if (other.team or other.name) == (persona.team or persona.name)
        )
        for persona in personas
    }
    for name in NAMES:
        assert (placed[name].rank, placed[name].reward) == (again[name].rank, again[name].reward)
        assert -1 <= placed[name].reward <= 1
        for other in NAMES:
            if totals[name] > totals[other] + 1e-6:
                assert placed[name].rank < placed[other].rank
            elif math.isclose(totals[name], totals[other], abs_tol=1e-12):
                assert placed[name].rank == placed[other].rank
    assert min(each.rank for each in placed.values()) == 0


def test_a_tenth_and_two_tenths_are_a_draw_with_three() -> None:
    personas = [Persona(name="Ada"), Persona(name="Ben")]
    scoring = [
        Score(persona="Ada", scene="Market", points=0.1),
        Score(persona="Ada", scene="Market", points=0.2),
        Score(persona="Ben", scene="Market", points=0.3),
    ]
    found = GameFacts({}, {}, frozenset({"Market"}), frozenset())
    placed = results(personas, scoring, points_of(scoring, found), [0, 0])
    assert [each.rank for each in placed] == [0, 0]
