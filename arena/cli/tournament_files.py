"""Reads the tournament file that a command was given."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from arena.config import TournamentConfig
    from arena.config.templated import AgentParts, TournamentParts
    from arena.templates import StoredTemplates


def read(
    path: Path, *, settings: Sequence[str] | None = None, db: str | None = None
) -> TournamentConfig:
    """The tournament in a file, or of a shipped one by its bare name, with the `settings` that
    `--set` gives and the templates of the database that it names. Raises ConfigError for what is
    wrong with it and for names that no package registers: before what a run needs is imported.
    Where there is no such file, it says which of the files here, of the shipped ones and of the
    tournaments on record may be meant."""
    from arena import registry
    from arena.config import load
    from arena.config.shipped import find
    from arena.core import ConfigError

    file = find(path)
    if not file.exists():
        raise ConfigError(f"{path}: no such file{_meant(path, db)}")
    with _OnRecord(db) as templates:
        config = load(file, settings=settings or (), templates=templates)
    registry.check_names(config)
    return config


def from_template(
    name: str, *, settings: Sequence[str] | None = None, db: str | None = None
) -> TournamentConfig:
    """The tournament that a template of the database makes, called like it where `settings` name
    no other. Raises ConfigError."""
    from arena import registry
    from arena.config import parse

    with _OnRecord(db) as templates:
        config = parse(
            {"template": name, "name": name},
            source=f"--template {name}",
            settings=settings or (),
            templates=templates,
        )
    registry.check_names(config)
    return config


class _OnRecord:
    """The templates of a database that is opened only for a file that names one, and once."""

    def __init__(self, db: str | None) -> None:
        self._db = db
        self._opened = ExitStack()
        self._stored: StoredTemplates | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def agent(self, name: str) -> AgentParts:
        return self._on_record().agent(name)

    def tournament(self, name: str) -> TournamentParts:
        return self._on_record().tournament(name)

    def model(self, name: str) -> Mapping[str, Any] | None:
        return self._on_record().model(name)

    def _on_record(self) -> StoredTemplates:
        from arena.cli.sessions import reading
        from arena.core import UsageError
        from arena.templates import StoredTemplates
        from db.errors import MissingDatabase

        if self._stored is None:
            try:
                session = self._opened.enter_context(reading(self._db))
            except MissingDatabase as error:
                raise UsageError(
                    f"{error}; `arena db seed` makes one with the templates that come with the "
                    "arena"
                ) from error
            self._stored = StoredTemplates(session)
        return self._stored


def _meant(path: Path, db: str | None) -> str:
    """What may have been meant by the path of a file that is not there."""
    import difflib

    from arena.config.shipped import beside, names

    here = {name: repr(name) for name in beside(path)}
    bare = path.name == str(path)
    shipped = {name: f"{name!r}, which comes with the arena" for name in names()} if bare else {}
    begun = {name: _resumed(name, db) for name in _begun(db)} if bare else {}
    # A file may also be meant by its name without the ending.
    meant = begun | shipped | {Path(name).stem: text for name, text in here.items()} | here
    near = difflib.get_close_matches(path.name, meant, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {meant[near[0]]}?"
    known = f"; with the arena come {', '.join(names())}" if bare and not path.suffix else ""
    return f"{known}; to write one: arena init {shlex.quote(str(path.with_suffix('.yaml')))}"


def _begun(db: str | None) -> list[str]:
    from arena.cli.sessions import reading
    from db import Repository
    from db.errors import DatabaseError

    try:
        with reading(db) as session:
            return [tournament.name for tournament in Repository(session).get_tournaments()]
    except DatabaseError:
        return []


def _resumed(name: str, db: str | None) -> str:
    from db.urls import typed

    where = [] if db is None else ["--db", str(typed(db))]
    return f"{name!r}, which is on record: `{shlex.join(['arena', 'resume', name, *where])}`"
