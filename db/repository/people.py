"""People with access: added with a token that is shown once, known by it, and revoked."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlmodel import Session, col, select

from db.errors import BadAccess
from db.models import ROLES, Person
from db.models.columns import aware
from db.repository.annotations import LONGEST_NAME, one_line_of
from db.repository.rows import added, apart, edited, locked

_LOCK = 5204931870460813118
_TOLD_EVERY = timedelta(minutes=1)


def hash_of(token: str) -> str:
    """What is stored of a token: its SHA-256, in hexadecimal. A token is 256 random bits, which no
    table of hashes holds."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


class PersonRepository:
    session: Session

    def add_person(self, name: str, role: str) -> tuple[Person, str]:
        """A person with access, and the token, which is nowhere else. One whose access was revoked
        gets it again, with another token. Raises BadAccess for a name that has access already, and
        for a role that there is not."""
        said = one_line_of(name, LONGEST_NAME, "the name", BadAccess)
        if role not in ROLES:
            raise BadAccess(f"there is no role {role!r}; expected one of: {', '.join(ROLES)}")
        locked(self.session, _LOCK)
        row = self.get_person(said)
        if row is not None and row.revoked_at is None:
            raise BadAccess(
                f"{said} has access already, as {row.role}: `arena access revoke` takes it away, "
                "then it can be given anew"
            )
        token = secrets.token_urlsafe(32)
        digest = hash_of(token)
        if row is None:
            made = Person(name=said, role=role, token_hash=digest)
            return added(self.session, made, f"the person {said!r}"), token
        again = {"role": role, "token_hash": digest, "revoked_at": None, "last_used_at": None}
        now = datetime.now(UTC)
        return edited(self.session, row, f"the person {said!r}", **again, created_at=now), token

    def get_person(self, name: str) -> Person | None:
        """The person of a name."""
        return self.session.exec(select(Person).where(Person.name == name)).first()

    def get_people(self) -> Sequence[Person]:
        """Everybody who has or had access, by name."""
        return self.session.exec(select(Person).order_by(col(Person.name))).all()

    def has_access(self, *, ever: bool = False) -> bool:
        """Whether anybody has access by a token, or `ever` had."""
        query = select(Person.id).limit(1)
        if not ever:
            query = query.where(col(Person.revoked_at).is_(None))
        return self.session.exec(query).first() is not None

    def person_of_token(self, token: str) -> Person | None:
        """Whose token this is; None for nobody's, and for one that was revoked."""
        digest = hash_of(token)
        row = self.session.exec(select(Person).where(Person.token_hash == digest)).first()
        # The index finds by a hash, of which nobody knows what makes its beginning.
        if row is None or not secrets.compare_digest(row.token_hash, digest):
            return None
        return None if row.revoked_at is not None else row

    def use_access(self, name: str) -> None:
        """Remember that somebody's token was used just now; to the minute."""
        row, now = self.get_person(name), datetime.now(UTC)
        if row is None or (row.last_used_at and now - aware(row.last_used_at) < _TOLD_EVERY):
            return
        with apart(self.session, "the use of a token cannot be written"):
            row.last_used_at = now
            self.session.add(row)

    def revoke_access(self, name: str) -> Person:
        """Take somebody's access away, at once. Raises BadAccess for nobody, and for one who has
        none."""
        locked(self.session, _LOCK)
        row = self.get_person(name)
        if row is None or row.revoked_at is not None:
            had = "has no access any more" if row is not None else "is nobody with access"
            raise BadAccess(f"{name} {had}: `arena access list` lists who has")
        return edited(self.session, row, f"the access of {name!r}", revoked_at=datetime.now(UTC))
