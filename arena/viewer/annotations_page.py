"""How far annotators agree, as a page says it: the conclusion first, then every alpha on one
axis."""

from __future__ import annotations

from dataclasses import dataclass

from arena.reports.agreement import RELIABLE, TENTATIVE, AnnotatorAgreement, said
from arena.stats.krippendorff import Agreement
from arena.viewer.charts import Axis

WIDTH = 220
_SCALE = Axis(-0.5, 1.0, 6, WIDTH - 6, (0.0, 0.5, 1.0))
TAGS = 6
"""Tags whose agreement the page shows."""


@dataclass(frozen=True, slots=True)
class DrawnAlpha:
    """An alpha with the places of its marks on the axis; `low` and `high` are None without an
    interval."""

    what: str
    found: Agreement
    means: str
    at: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class AnnotationsPage:
    """The sentences, and a row for the ratings and each of the tags that are used most."""

    found: AnnotatorAgreement
    conclusion: str
    rests_on: str
    scale: Axis
    rows: tuple[DrawnAlpha, ...]


def annotations_page(found: AnnotatorAgreement, newest_only: bool) -> AnnotationsPage:
    """The page of these annotations, which are the newest only or all."""
    rows = [("Rating", found.ratings), *[*found.tags.items()][:TAGS]]
    drawn = tuple(_drawn(what, each) for what, each in rows if each.alpha is not None)
    conclusion, rests = _conclusion(found)
    if newest_only:
        made = sum(found.annotators.values())
        rests += f" Only the newest {made:,} annotations are looked at."
    return AnnotationsPage(found, conclusion, rests.strip(), _SCALE, drawn)


def _conclusion(found: AnnotatorAgreement) -> tuple[str, str]:
    people = len(found.annotators)
    if not people:
        return "Nobody has annotated a game yet", ""
    if people == 1:
        (name,) = found.annotators
        return f"{name} is the only annotator", "What two people say of the same can be compared."
    alpha = found.ratings
    if alpha.alpha is None:
        if alpha.units:
            return "Every rating is the same", "Without differences there is nothing to agree on."
        return f"{people} annotators, who have not rated the same games", ""
    much = f"{alpha.units} games and turns were rated by at least two of {people} annotators."
    number = f"Krippendorff's alpha of the ratings is {alpha.alpha:.2f}"
    if alpha.low is None or alpha.high is None:
        return "Too few games were rated by two people to say how far they agree", (
            f"{number}. {much}"
        )
    number += f" (95 % interval: {alpha.low:.2f} to {alpha.high:.2f}). {much}"
    if alpha.low >= RELIABLE:
        return "Annotators agree", number
    if alpha.alpha >= TENTATIVE:
        return "Annotators agree well enough for tentative conclusions", number
    if alpha.low > 0:
        return "Annotators agree more than by chance, but too little to conclude from", number
    return "Annotators may agree no more than by chance", number


def _drawn(what: str, found: Agreement) -> DrawnAlpha:
    assert found.alpha is not None
    return DrawnAlpha(
        what,
        found,
        said(found),
        _SCALE.at(found.alpha),
        None if found.low is None else _SCALE.at(found.low),
        None if found.high is None else _SCALE.at(found.high),
    )
