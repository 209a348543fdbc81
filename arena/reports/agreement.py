"""How far annotators agree: in ratings, and tag by tag."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from arena.stats.krippendorff import Agreement, krippendorff
from db.queries.annotations import AnnotationRow

RELIABLE, TENTATIVE = 0.8, 0.667
"""Alphas from which annotations can be relied on, and allow tentative conclusions: Krippendorff,
Content Analysis (2004), page 241."""


@dataclass(frozen=True, slots=True)
class AnnotatorAgreement:
    """Krippendorff's alpha of `ratings` (ordinal), and of each tag that somebody gave to what two
    people annotated (nominal: given or not), the most used first. `annotators` are how many
    annotations each has made, `targets` how many games and turns were annotated."""

    annotators: Mapping[str, int]
    targets: int
    ratings: Agreement
    tags: Mapping[str, Agreement]


def agreement(rows: Iterable[AnnotationRow], most_tags: int | None = None) -> AnnotatorAgreement:
    """The agreement in these annotations, of all tags or of the `most_tags` most used.

    Intervals resample games, because what is said of the turns of one depends on each other. Who
    has annotated something without a tag has not given it; who has only left a comment has judged
    nothing."""
    made: dict[str, int] = defaultdict(int)
    targets: dict[tuple[int, int | None], list[AnnotationRow]] = defaultdict(list)
    for row in rows:
        made[row.annotator] += 1
        targets[row.game_id, row.turn].append(row)
    games = [game for game, _ in targets]
    ratings = [[row.rating for row in said if row.rating is not None] for said in targets.values()]
    judged = [
        [row for row in said if row.rating is not None or row.tags] for said in targets.values()
    ]
    used: dict[str, int] = defaultdict(int)
    for several in judged:
        for row in several if len(several) > 1 else ():
            for tag in row.tags:
                used[tag] += 1
    return AnnotatorAgreement(
        annotators=dict(sorted(made.items(), key=lambda pair: (-pair[1], pair[0]))),
        targets=len(targets),
        ratings=krippendorff(ratings, ordinal=True, clusters=games),
        tags={
            tag: krippendorff(
                [[int(tag in row.tags) for row in several] for several in judged],
                ordinal=False,
                clusters=games,
            )
            for tag in sorted(used, key=lambda tag: (-used[tag], tag))[:most_tags]
        },
    )


def said(found: Agreement) -> str:
    """What an alpha means."""
    if found.alpha is None:
        if not found.units:
            return "nothing was judged by two people"
        return "everybody said the same of everything: there is nothing to tell apart"
    if found.low is None:
        return "too few games were judged by two people to say"
    if found.low >= RELIABLE:
        return "reliable"
    if found.alpha >= RELIABLE:
        return "high, but the interval leaves it open"
    if found.alpha >= TENTATIVE:
        return "enough for tentative conclusions"
    return "too low to conclude from"
