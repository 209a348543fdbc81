"""`arena prompts`: the prompts of the catalogue, which are forked and never edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.catalogue import (
    All,
    TextFile,
    TextOption,
    columns,
    find,
    read_text,
    refuse_taken,
    state,
)
from arena.cli.database import reading, writing
from arena.cli.options import (
    AsJson,
    DatabaseUrl,
    EnvironmentOption,
    ExcludeErrors,
    SinceOption,
    TournamentOption,
    UntilOption,
)
from arena.cli.output import Column, moment, print_fields, print_json, print_table, tell

if TYPE_CHECKING:
    from db import Prompt, Repository

app = typer.Typer(
    name="prompts", help="Prompts: immutable texts that are forked.", no_args_is_help=True
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The prompt's name.")]


@app.command("list")
def list_(everything: All = False, db: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List the prompts."""
    from arena.core.text import one_line
    from db import Repository

    with reading(db) as session:
        prompts = Repository(session).get_prompts()
        names = {prompt.id: prompt.name for prompt in prompts}
        shown = [prompt for prompt in prompts if everything or prompt.active]
        if as_json:
            print_json([_fields(prompt, names) for prompt in shown])
            return
        print_table(
            [
                Column("prompt"),
                Column("forked from"),
                Column("added"),
                Column("characters", "right"),
                Column("begins", shrink=True),
                Column(""),
            ],
            [
                [
                    prompt.name,
                    names.get(prompt.forked_from, ""),
                    moment(prompt.created_at)[:10],
                    f"{len(prompt.content):,}",
                    one_line(prompt.content, 60),
                    state(prompt.active),
                ]
                for prompt in shown
            ],
        )


@app.command()
def show(name: Name, db: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Show one prompt, with its text."""
    from db import Repository

    with reading(db) as session:
        repository = Repository(session)
        prompt = _find(repository, name)
        fields = _fields(prompt, {row.id: row.name for row in repository.get_prompts()})
    print_json(fields) if as_json else print_fields(fields)


@app.command()
def tree(
    environment: EnvironmentOption = None,
    tournament: TournamentOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    exclude_errors: ExcludeErrors = False,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show forks with their ratings and changes.

    A prompt's rating is what it adds to an agent, whatever its kind and model, in one fit of all
    agents of an environment."""
    from arena.cli.lineage import flat, print_lineages
    from arena.leaderboard import LeaderboardQuery
    from arena.leaderboard.lineage import lineages
    from db.selection import Selection

    query = LeaderboardQuery(
        Selection(tournament=tournament, environment=environment, since=since, until=until),
        exclude_errors=exclude_errors,
        by="prompt",
    )
    with reading(db) as session:
        found = lineages(session, query)
    if as_json:
        print_json([row for lineage in found for row in flat(lineage)])
        return
    print_lineages(found)


@app.command()
def add(name: Name, file: TextFile = None, text: TextOption = None, db: DatabaseUrl = None) -> None:
    """Add a prompt, from a file or as text."""
    from db import Repository

    content = _content(file, text)
    with writing(db) as session:
        repository = Repository(session)
        refuse_taken("prompt", name, repository.get_prompt_by_name(name))
        repository.create_prompt(name=name, content=content)
    tell(f"added the prompt {name}")


@app.command()
def fork(
    name: Name,
    new: Annotated[str, typer.Argument(metavar="NEW", help="The name of the fork.")],
    file: TextFile = None,
    text: TextOption = None,
    db: DatabaseUrl = None,
) -> None:
    """Add a prompt made from another one.

    The catalogue remembers from which."""
    from db import Repository

    content = _content(file, text)
    with reading(db) as session:
        repository = Repository(session)
        parent = _find(repository, name)
        assert parent.id is not None
        refuse_taken("prompt", new, repository.get_prompt_by_name(new))
        repository.fork_prompt(parent.id, new, content)
    tell(f"added the prompt {new}, forked from {name}")


@app.command()
def activate(name: Name, db: DatabaseUrl = None) -> None:
    """Offer a prompt again."""
    _switch(name, db, active=True)


@app.command()
def deactivate(name: Name, db: DatabaseUrl = None) -> None:
    """Offer a prompt no longer.

    What was played with it stays."""
    _switch(name, db, active=False)


def _switch(name: str, db: str | None, *, active: bool) -> None:
    from db import Repository

    with reading(db) as session:
        repository = Repository(session)
        prompt = _find(repository, name)
        assert prompt.id is not None
        repository.set_prompt_active(prompt.id, active)
    tell(f"the prompt {name} is {'active' if active else 'inactive'}")


def _content(file: str | None, text: str | None) -> str:
    from arena.core.prompts import check

    content = read_text(file, text)
    check(content)
    return content


def _find(repository: Repository, name: str) -> Prompt:
    return find(
        "prompt",
        name,
        repository.get_prompt_by_name,
        (prompt.name for prompt in repository.get_prompts()),
    )


def _fields(prompt: Prompt, names: dict[int | None, str]) -> dict[str, Any]:
    return {**columns(prompt), "forked_from": names.get(prompt.forked_from)}
