"""What people say of games: written once by each of them about each game and turn."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete
from sqlmodel import Session, col, select

from db.errors import BadAnnotation, DatabaseError
from db.models import WHOLE_GAME, Annotation, AnnotationTag, Game
from db.models.columns import clean_text
from db.queries.annotations import AnnotationRow, annotation, turn_there
from db.repository.audit import (
    annotation_name,
    annotation_state,
    record_annotations,
    record_change,
)
from db.repository.rows import apart, locked

RATINGS = (1, 2, 3, 4, 5)
MOST_TAGS = 20
LONGEST_TAG = 40
LONGEST_NAME = 80
LONGEST_COMMENT = 10_000
_LOCK = 5204931870460813117


@dataclass(frozen=True, slots=True)
class AnnotationWritten:
    """What is on record now; `before` is what the same annotator had said of the same, if
    anything."""

    now: AnnotationRow
    before: AnnotationRow | None


class AnnotationRepository:
    session: Session

    def annotate(
        self,
        game_id: int,
        turn: int | None,
        annotator: str,
        *,
        rating: int | None = None,
        tags: Iterable[str] = (),
        comment: str | None = None,
        blind: bool = False,
    ) -> AnnotationWritten:
        """Write down what an annotator says of a game or of a turn of it, in the place of what it
        said before. Names and tags are one line, and tags in small letters.

        `blind` is whether roles and names were hidden. It does not hold once the annotator has
        rated the game itself, which shows them; and it stays as it was where rating and tags do.
        Raises BadAnnotation for what cannot be written, and for a game or a turn that is not there.
        """
        name = one_line_of(annotator, LONGEST_NAME, "the annotator's name")
        labels = _tags(tags)
        said = _comment(comment)
        if rating is not None and rating not in RATINGS:
            raise BadAnnotation(f"a rating is a number from 1 to 5, found {rating}")
        if rating is None and not labels and said is None:
            raise BadAnnotation("nothing is said: give a rating from 1 to 5, a tag or a comment")
        locked(self.session, _LOCK)
        if self.session.get(Game, game_id) is None:
            raise BadAnnotation(f"there is no game {game_id}: `arena games` lists them")
        if turn is not None and not turn_there(self.session, game_id, turn):
            raise BadAnnotation(f"game {game_id} has no turn {turn}: `arena show {game_id}`")
        before = annotation(self.session, game_id, turn, name)
        if before is not None and (before.rating, before.tags) == (rating, labels):
            blind = before.blind
        elif blind:
            whole = annotation(self.session, game_id, None, name)
            blind = whole is None
        self._write(before, game_id, turn, name, rating, said, blind)
        self._tag(game_id, WHOLE_GAME if turn is None else turn, name, labels)
        now = annotation(self.session, game_id, turn, name)
        assert now is not None
        record_change(
            self.session,
            "annotations",
            now.id,
            annotation_name(game_id, turn, name),
            "add" if before is None else "edit",
            before=annotation_state(before),
            after=annotation_state(now),
        )
        return AnnotationWritten(now, before)

    def delete_annotation(self, game_id: int, turn: int | None, annotator: str) -> bool:
        """Forget what an annotator said of a game or a turn; False where it said nothing."""
        locked(self.session, _LOCK)
        row = self._row(game_id, turn, annotator)
        if row is None:
            return False
        with apart(self.session, "the annotation cannot be deleted"):
            record_annotations(self.session, col(Annotation.id) == row.id, "delete")
            self.session.delete(row)
            self.session.flush()
        return True

    def _row(self, game_id: int, turn: int | None, annotator: str) -> Annotation | None:
        query = select(Annotation).where(
            Annotation.game_id == game_id,
            Annotation.turn == (WHOLE_GAME if turn is None else turn),
            Annotation.annotator == annotator,
        )
        return self.session.exec(query).first()

    def _write(
        self,
        before: AnnotationRow | None,
        game_id: int,
        turn: int | None,
        annotator: str,
        rating: int | None,
        comment: str | None,
        blind: bool,
    ) -> None:
        at = WHOLE_GAME if turn is None else turn
        row = None if before is None else self._row(game_id, turn, annotator)
        if row is None:
            row = Annotation(game_id=game_id, turn=at, annotator=annotator, blind=blind)
        else:
            row.updated_at = datetime.now(UTC)
        with apart(self.session, "the annotation cannot be written"):
            row.rating, row.comment, row.blind = rating, comment, blind
            self.session.add(row)

    def _tag(self, game_id: int, turn: int, annotator: str, tags: Sequence[str]) -> None:
        with apart(self.session, "the tags cannot be written"):
            own = (
                col(AnnotationTag.game_id) == game_id,
                col(AnnotationTag.turn) == turn,
                col(AnnotationTag.annotator) == annotator,
            )
            self.session.execute(delete(AnnotationTag).where(*own))
            for tag in tags:
                self.session.add(
                    AnnotationTag(game_id=game_id, turn=turn, annotator=annotator, tag=tag)
                )


def _tags(given: Iterable[str]) -> tuple[str, ...]:
    found = {
        one_line_of(tag, LONGEST_TAG, "a tag").lower()
        for text in given
        for tag in text.split(",")
        if tag.strip()
    }
    if len(found) > MOST_TAGS:
        raise BadAnnotation(f"{len(found)} tags are given: expected at most {MOST_TAGS}")
    return tuple(sorted(found))


def one_line_of(
    text: str, longest: int, what: str, error: type[DatabaseError] = BadAnnotation
) -> str:
    """A text as one line. Raises the `error` for one that is empty or too long."""
    said = " ".join(unicodedata.normalize("NFC", clean_text(text)).split())
    if not said:
        raise error(f"{what} is empty: expected 1 to {longest} characters")
    if len(said) > longest:
        raise error(f"{what} has {len(said):,} characters: expected at most {longest}")
    return said


def _comment(text: str | None) -> str | None:
    said = clean_text(text or "").replace("\r\n", "\n").strip()
    if len(said) > LONGEST_COMMENT:
        raise BadAnnotation(
            f"the comment has {len(said):,} characters: expected at most {LONGEST_COMMENT:,}"
        )
    return said or None
