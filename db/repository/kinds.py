"""Kinds in the catalogue."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, select

from db.models import Kind
from db.repository.rows import added, found_or_made, removed, switched


class KindRepository:
    session: Session

    def create_kind(self, name: str, active: bool = True, *, version: int = 1) -> Kind:
        """A new kind, or a new version of one. Raises DatabaseError when there is such a one."""
        row = Kind(name=name, active=active, version=version)
        return added(self.session, row, f"the kind {name!r}, version {version},")

    def get_kind_by_id(self, kind_id: int) -> Kind | None:
        return self.session.get(Kind, kind_id)

    def get_kind_by_name(self, name: str, version: int | None = None) -> Kind | None:
        """The kind of this name and version; its newest version by default."""
        query = select(Kind).where(Kind.name == name).order_by(col(Kind.version).desc())
        if version is not None:
            query = query.where(Kind.version == version)
        return self.session.exec(query).first()

    def get_kinds(self, active: bool | None = None) -> Sequence[Kind]:
        """Kinds by name and version; with `active`, only those that are, or are not."""
        query = select(Kind).order_by(Kind.name, col(Kind.version))
        if active is not None:
            query = query.where(col(Kind.active) == active)
        return self.session.exec(query).all()

    def get_active_kinds(self) -> Sequence[Kind]:
        return self.get_kinds(active=True)

    def delete_kind(self, kind_id: int) -> None:
        """Delete a version of a kind. Raises DatabaseError for one that an agent is made of."""
        row = self.session.get_one(Kind, kind_id)
        removed(self.session, row, f"the kind {row.name!r}, version {row.version},")

    def get_or_create_kind(self, name: str, *, version: int = 1) -> Kind:
        """The kind of this name and version, made when there is none."""
        return found_or_made(
            lambda: self.get_kind_by_name(name, version),
            lambda: self.create_kind(name, version=version),
        )

    def set_kind_active(self, kind_id: int, active: bool) -> Kind | None:
        return switched(self.session, Kind, kind_id, active)
