"""What is said of the agreement between annotators, in the terminal and on the page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from arena.reports.agreement import AnnotatorAgreement, agreement, said
from arena.stats.krippendorff import Agreement
from arena.viewer.annotations_page import annotations_page
from db.queries.annotations import AnnotationRow

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def row(
    game: int, who: str, rating: int | None = None, *tags: str, turn: int | None = None
) -> AnnotationRow:
    return AnnotationRow(
        game, game, turn, who, rating, tags, "a comment", blind=True, created_at=NOW, updated_at=NOW
    )


def test_ratings_are_compared_target_by_target_and_tags_where_something_was_judged() -> None:
    found = agreement(
        [
            row(1, "Ann", 5, "lie"), row(1, "Bob", 5, "lie"), row(1, "Cleo"),
            row(1, "Ann", 1, turn=3), row(1, "Bob", 2, "bluff", turn=3),
            row(2, "Ann", 4, "bluff"), row(2, "Bob", None, "bluff"),
            row(3, "Ann", 2, "alone"),
        ]
    )  # fmt: skip
    assert [*found.annotators.items()] == [("Ann", 4), ("Bob", 3), ("Cleo", 1)]
    assert found.targets == 4
    # Two people rated game 1 and its turn 3; who only commented has judged nothing.
    assert (found.ratings.units, found.ratings.values) == (2, 4)
    # Of the tags those that somebody gave to what two people judged, the most used first.
    assert [*found.tags] == ["bluff", "lie"]
    assert (found.tags["lie"].units, found.tags["lie"].alpha) == (3, 1.0)
    assert [*agreement([row(1, "Ann", 5, "lie", "x"), row(1, "Bob", 5, "x")], 1).tags] == ["x"]


@pytest.mark.parametrize(
    ("alpha", "interval", "means", "concludes"),
    [
        (0.9, (0.8, 0.95), "reliable", "Annotators agree"),
        (0.9, (0.7, 0.95), "high, but the interval leaves it open", "tentative conclusions"),
        (0.7, (0.5, 0.79), "enough for tentative conclusions", "tentative conclusions"),
        (0.5, (0.1, 0.7), "too low to conclude from", "more than by chance, but too little"),
        (0.5, (0.0, 0.7), "too low to conclude from", "may agree no more than by chance"),
        (0.5, None, "too few games were judged by two people", "Too few games were rated by two"),
        (None, None, "everybody said the same of everything", "Every rating is the same"),
    ],
)
def test_the_page_concludes_by_the_same_limits(
    alpha: float | None, interval: tuple[float, float] | None, means: str, concludes: str
) -> None:
    low, high = interval or (None, None)
    found = Agreement(alpha, low, high, units=12, values=30)
    assert said(found).startswith(means)
    assert concludes in concluded({"Ann": 12, "Bob": 18}, found)


def concluded(annotators: Mapping[str, int], found: Agreement) -> str:
    return annotations_page(AnnotatorAgreement(annotators, 12, found, {}), False).conclusion


def test_nobody_agrees_alone() -> None:
    nothing = Agreement(None, None, None, units=0, values=3)
    assert said(nothing) == "nothing was judged by two people"
    assert concluded({}, nothing) == "Nobody has annotated a game yet"
    assert concluded({"Ann": 3}, nothing) == "Ann is the only annotator"
    assert "who have not rated the same games" in concluded({"Ann": 3, "Bob": 1}, nothing)
