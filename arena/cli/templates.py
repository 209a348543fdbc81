"""`arena templates`: what agents and tournaments are made from, by copying."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from arena.cli.catalogue import KnownName, Yes, confirm_deletion, read_text
from arena.cli.options import AsJson, DatabaseUrl
from arena.cli.output import Column, moment, print_fields, print_json, print_table, tell
from arena.cli.sessions import reading, writing

if TYPE_CHECKING:
    from arena.templates import AgentTemplateResponse, TemplateManager, TournamentTemplateResponse
    from db import Session
    from db.repository.templates import TemplateUses

app = typer.Typer(help="Templates, to be copied from.", no_args_is_help=True)

Sort = Literal["agent", "tournament"]
SortOption = Annotated[
    Sort | None,
    typer.Option("--of", metavar="agent|tournament", help="Which, where both have the name."),
]
TemplateFile = Annotated[
    str, typer.Argument(metavar="FILE", help="The template (YAML); - reads standard input.")
]


@app.command("list")
def list_(
    of: Annotated[
        Sort | None, typer.Option("--of", metavar="agent|tournament", help="Only these.")
    ] = None,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List the templates."""
    from arena.templates import TemplateManager

    with reading(db) as session:
        manager = TemplateManager(session)
        found: list[AgentTemplateResponse | TournamentTemplateResponse] = []
        if of != "tournament":
            found += manager.list_agent_templates()
        if of != "agent":
            found += manager.list_tournament_templates()
        used = _uses(manager)
    rows = [(_sort(each), each, used(each)) for each in found]
    if as_json:
        print_json({"templates": [_plain(*row) for row in rows]})
        return
    print_table(
        [
            Column("of"),
            Column("template", shrink=True),
            Column("made from it", "right"),
            Column("changed"),
            Column("description", shrink=True),
        ],
        [
            [
                sort,
                each.name,
                f"{len(uses.agents) + len(uses.tournaments):,}",
                moment(each.updated_at)[:16],
                each.description or "",
            ]
            for sort, each, uses in rows
        ],
    )


@app.command()
def show(
    name: KnownName, of: SortOption = None, db: DatabaseUrl = None, as_json: AsJson = False
) -> None:
    """Show one template, and what was made from it."""
    from arena.templates import TemplateManager
    from arena.templates.files import to_yaml

    with reading(db) as session:
        manager = TemplateManager(session)
        found = _find(manager, name, of)
        uses = _uses(manager)(found)
        unseen = _unseen(session, found, uses)
    if as_json:
        print_json({"template": _plain(_sort(found), found, uses), "unseen": unseen})
        return
    print_fields(
        {
            "template": found.name,
            "number": found.id,
            "added": found.created_at,
            "changed": found.updated_at,
            "agents": ", ".join(uses.agents),
            "tournaments": ", ".join(uses.tournaments),
            "templates": ", ".join(uses.templates),
            "file": to_yaml(found).rstrip("\n"),
        }
    )
    if unseen:
        tell(f"no game has told these expected events yet: {', '.join(unseen)}")


@app.command()
def add(file: TemplateFile, db: DatabaseUrl = None) -> None:
    """Add a template from a file.

    The file begins with `template: agent` or `template: tournament`."""
    from arena.templates import AgentTemplateCreate, TemplateManager
    from arena.templates.files import read_template

    template = read_template(*_read(file))
    with writing(db) as session:
        manager = TemplateManager(session)
        if isinstance(template, AgentTemplateCreate):
            manager.create_agent_template(template)
        else:
            manager.create_tournament_template(template)
    tell(f"added the {_sort(template)} template {template.name}")


@app.command()
def edit(
    name: KnownName,
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE]", help="All of it, anew; - reads standard input.", show_default=False
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="In place of what it says: config.games=50, personality.vars.name=Otto.",
        ),
    ] = None,
    of: SortOption = None,
    db: DatabaseUrl = None,
) -> None:
    """Change a template, by a file or a few values.

    What was made from it has copies, and stays as it is."""
    from arena.core import UsageError
    from arena.templates import AgentTemplateUpdate, TemplateManager
    from arena.templates.files import read_update, to_yaml
    from db import Repository

    if file is None and not settings:
        raise UsageError("say what to change: a FILE with all of it, or --set KEY=VALUE")
    written = None if file is None else _read(file)
    with reading(db) as session:
        # Whoever changes another value at the same time waits.
        Repository(session).lock_catalogue()
        manager = TemplateManager(session)
        found = _find(manager, name, of)
        sort = _sort(found)
        text, source, folder = written or (to_yaml(found), f"the template {name!r}", None)
        update = read_update(text, source, folder, sort, settings or ())
        changed: AgentTemplateResponse | TournamentTemplateResponse
        if isinstance(update, AgentTemplateUpdate):
            changed = manager.update_agent_template(found.id, update)
        else:
            changed = manager.update_tournament_template(found.id, update)
    tell(f"changed the {sort} template {changed.name}")


@app.command()
def delete(
    name: KnownName, of: SortOption = None, yes: Yes = False, db: DatabaseUrl = None
) -> None:
    """Delete a template that nothing was made from.

    What was made from it is listed."""
    from arena.templates import TemplateManager

    with reading(db) as session:
        manager = TemplateManager(session)
        found = _find(manager, name, of)
        # Tried first: who is asked should be asked about what can be done.
        _delete(manager, found)
        session.rollback()
    what = f"the {_sort(found)} template {found.name}"
    confirm_deletion(what, "nothing uses it", yes=yes)
    with reading(db) as session:
        _delete(TemplateManager(session), found)
    tell(f"deleted {what}")


@app.command()
def export(
    name: KnownName,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A new file.", show_default=False)
    ] = None,
    of: SortOption = None,
    db: DatabaseUrl = None,
) -> None:
    """Write a template as a file.

    To stdout, where none is named. `arena templates add` reads it as the same."""
    from arena.core import UsageError
    from arena.templates import TemplateManager
    from arena.templates.files import to_yaml

    with reading(db) as session:
        text = to_yaml(_find(TemplateManager(session), name, of))
    if file is None:
        typer.echo(text, nl=False)
        return
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise UsageError(
            f"{file} is there already, and stays as it is: name another file"
        ) from None
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error.strerror or error}") from None
    tell(f"wrote {file}")


def _delete(
    manager: TemplateManager, template: AgentTemplateResponse | TournamentTemplateResponse
) -> None:
    if _sort(template) == "agent":
        manager.delete_agent_template(template.id)
    else:
        manager.delete_tournament_template(template.id)


def _read(file: str) -> tuple[str, str, Path]:
    """A file's text, what errors call it, and where the files that it names are."""
    from arena.config.document import text_of

    if file == "-":
        return read_text(file, None), "standard input", Path()
    return text_of(file, "template"), file, Path(file).parent


def _find(
    manager: TemplateManager, name: str, of: Sort | None
) -> AgentTemplateResponse | TournamentTemplateResponse:
    """The template of a name, or else of a number. Raises UsageError."""
    from arena.core import UsageError
    from arena.templates.stored import not_there

    rows: list[AgentTemplateResponse | TournamentTemplateResponse] = []
    if of != "tournament":
        rows += manager.list_agent_templates()
    if of != "agent":
        rows += manager.list_tournament_templates()
    found = [row for row in rows if row.name == name] or [
        row for row in rows if str(row.id) == name
    ]
    if not found:
        noun = "template" if of is None else f"{of} template"
        raise UsageError(not_there(noun, name, (row.name for row in rows)))
    if len(found) > 1:
        raise UsageError(
            f"{name!r} is an agent template and a tournament template: say --of agent or "
            "--of tournament"
        )
    return found[0]


def _sort(template: object) -> Sort:
    from arena.templates import AgentTemplateCreate

    return "agent" if isinstance(template, AgentTemplateCreate) else "tournament"


def _uses(manager: TemplateManager) -> Callable[[Any], TemplateUses]:
    """Looks up what was made from a template."""
    from db.repository.templates import TemplateUses

    by_number = {
        "agent": manager.agent_template_uses(),
        "tournament": manager.tournament_template_uses(),
    }
    return lambda template: by_number[_sort(template)].get(template.id, TemplateUses())


def _unseen(session: Session, template: object, uses: TemplateUses) -> list[str] | None:
    """The kinds of event that are expected and that no game has told; None where no tournament was
    made from the template."""
    from arena.templates import TournamentTemplateResponse
    from db.queries.events import kinds_told

    if not isinstance(template, TournamentTemplateResponse) or not uses.tournaments:
        return None
    expected = dict.fromkeys(step.event for step in template.event_flow)
    told = kinds_told(session, uses.tournaments, expected)
    return [name for name in expected if name not in told]


def _plain(
    sort: Sort, template: AgentTemplateResponse | TournamentTemplateResponse, uses: TemplateUses
) -> dict[str, Any]:
    from dataclasses import asdict

    return {"of": sort, **template.model_dump(mode="json"), "uses": asdict(uses)}
