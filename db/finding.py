"""Finds rows by the names that people give them."""

from __future__ import annotations

import difflib
import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, SupportsIndex

from sqlalchemy import Connection, select
from sqlmodel import Session

from db.errors import BadSelection
from db.models import Game
from db.versions import EVERY, FIRST, VersionedName, versioned

Noun = Literal["tournament", "environment", "agent", "kind", "model", "prompt"]
"""What has names and numbers of its own."""

NameOrNumber = str | SupportsIndex
"""A name, or a row's number; digits in a string are a number unless something bears that name. A
later version is `name@2`, `name@*` all of them; of a kind, so is the name alone."""

# Where a person finds what there is.
_LISTS: Mapping[str, str] = {
    "tournament": "arena tournaments list",
    "environment": "arena tournaments list",
    "agent": "arena agents list --all",
    "kind": "arena kinds list --all",
    "model": "arena models list --all",
    "prompt": "arena prompts list --all",
    "agent template": "arena templates list",
    "tournament template": "arena templates list",
    "template": "arena templates list",
    "tag": "arena annotations list",
    **dict.fromkeys(("entity", "name on the trail", "actor"), "arena audit"),
}
_LISTED = 12  # names in a message

_TABLES = Game.metadata.tables
_AGENTS = _TABLES["agents"]


def find(session: Session | Connection, noun: Noun, name: NameOrNumber) -> tuple[int, ...]:
    """The numbers of the rows that a name stands for: of environments and kinds there may be
    several of one name, of everything else there is one, or with `name@*` every version, the latest
    last.

    Raises BadSelection for a name that is not on record, with the nearest that is, and for one that
    several agents have.
    """
    return tuple(numbers_of(session, noun, name))


def numbers_of(session: Session | Connection, noun: Noun, name: NameOrNumber) -> dict[int, str]:
    """The rows that a name stands for, by number, each with its own name. Raises BadSelection."""
    known = _known(session, noun)
    if isinstance(name, str):
        # An agent's own name goes before the parts of another, both before a number.
        found = (
            {key: label for key, label, _ in known if label == name}
            or {key: label for key, label, parts in known if parts == name}
            or {key: label for key, label, _ in known if str(key) == name}
            or _versions(noun, name, known)
        )
    else:
        found = {key: label for key, label, _ in known if key == operator.index(name)}
    if not found:
        raise BadSelection(unknown(noun, name, [label for _, label, _ in known]))
    if noun == "agent" and len(found) > 1 and not str(name).endswith(EVERY):
        raise BadSelection(
            f"{len(found)} agents are named {name!r}: give the number of one of them, "
            f"{', '.join(map(str, found))}"
        )
    return found


def _versions(noun: Noun, name: str, known: Sequence[tuple[int, str, str]]) -> dict[int, str]:
    """What `name@1`, `name@2` or `name@*` stands for."""
    every = name.removesuffix(EVERY)
    labels = {key: label if noun != "kind" else said for key, label, said in known}
    if noun not in ("agent", "model", "prompt", "kind"):
        return {}
    if every != name:
        found = {versioned(said): key for key, said in labels.items()}
        return {found[one]: labels[found[one]] for one in sorted(found) if one.name == every}
    wanted = versioned(name.removesuffix(FIRST))
    return {key: said for key, said in labels.items() if versioned(said) == wanted}


def _known(session: Session | Connection, noun: Noun) -> list[tuple[int, str, str]]:
    """(number, name, parts) of every row; the parts of what has none are its name."""
    if noun == "kind":
        table = _TABLES["kinds"]
        query = select(table.c.id, table.c.name, table.c.version).order_by(table.c.id)
        return [
            (key, name, VersionedName(name, version).label)
            for key, name, version in session.execute(query)
        ]
    if noun != "agent":
        table = _TABLES[f"{noun}s"]
        rows = session.execute(select(table.c.id, table.c.name).order_by(table.c.id))
        return [(key, name, name) for key, name in rows]
    kinds, models, prompts = (_TABLES[name] for name in ("kinds", "models", "prompts"))
    query = (
        select(_AGENTS.c.id, _AGENTS.c.alias, kinds.c.name, models.c.name, prompts.c.name)
        .join(kinds, kinds.c.id == _AGENTS.c.kind_id)
        .join(models, models.c.id == _AGENTS.c.model_id)
        .join(prompts, prompts.c.id == _AGENTS.c.prompt_id)
        .order_by(_AGENTS.c.id)
    )
    return [
        (key, alias or "/".join(parts), "/".join(parts))
        for key, alias, *parts in session.execute(query)
    ]


def unknown(noun: str, name: NameOrNumber, known: Iterable[str]) -> str:
    """What is said of a name that is not among the known ones, with the nearest."""
    names = sorted({*known})
    if not names:
        return f"unknown {noun} {name!r}: no {noun} is on record yet"
    near = difflib.get_close_matches(str(name), names, n=1)
    if near:
        hint = f"; did you mean {near[0]!r}?"
    else:
        more = ", ..." if len(names) > _LISTED else ""
        hint = f"; known: {', '.join(names[:_LISTED])}{more}."
    return f"unknown {noun} {name!r}{hint} `{_LISTS.get(noun, 'arena games --json')}` lists them"
