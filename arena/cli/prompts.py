"""`arena prompts`: the prompts of the catalogue, which are forked, and never edited once played."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from arena.cli.catalogue import (
    CatalogueNoun,
    Fields,
    ForkName,
    KnownName,
    NewName,
    TextFile,
    TextOption,
    add_commands,
    columns,
    number_of,
    read_text,
    refuse_taken,
    state,
    told,
)
from arena.cli.options import (
    AsJson,
    DatabaseUrl,
    EnvironmentOption,
    ErrorsAsOption,
    ExcludeErrors,
    RevisionOption,
    SinceOption,
    TagOption,
    TournamentOption,
    UntilOption,
)
from arena.cli.output import Column, moment, print_json, tell
from arena.cli.sessions import reading, writing

if TYPE_CHECKING:
    from arena.cli.profiles import ShownProfile
    from db import Repository, Session

app = typer.Typer(help="Prompts: immutable texts that are forked.", no_args_is_help=True)


def _rows(repository: Repository) -> list[Fields]:
    prompts = repository.get_prompts()
    names = {prompt.id: prompt.name for prompt in prompts}
    return [{**columns(prompt), "forked_from": names.get(prompt.forked_from)} for prompt in prompts]


def _beginning(row: Fields) -> str:
    from arena.core.text import one_line

    return one_line(row["content"], 60)


def _profile(session: Session, row: Fields) -> ShownProfile:
    from arena.cli.profiles import prompt_shown

    return prompt_shown(session, row["id"])


add_commands(
    app,
    CatalogueNoun(
        "prompt",
        rows=_rows,
        columns=[
            (Column("prompt"), lambda row: row["name"]),
            (Column("forked from"), lambda row: row["forked_from"] or ""),
            (Column("added"), lambda row: moment(row["created_at"])[:10]),
            (Column("characters", "right"), lambda row: f"{len(row['content']):,}"),
            (Column("begins", shrink=True), _beginning),
            (Column(""), state),
        ],
        profile=_profile,
        switch=lambda repository, key, active: repository.set_prompt_active(key, active),
    ),
)


@app.command()
def tree(
    environment: EnvironmentOption = None,
    tournament: TournamentOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    revision: RevisionOption = None,
    tag: TagOption = None,
    exclude_errors: ExcludeErrors = None,
    errors_as: ErrorsAsOption = "loss",
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
        Selection(
            tournament=tournament,
            environment=environment,
            since=since,
            until=until,
            revision=revision,
            tag=tag,
        ),
        exclude_errors=exclude_errors,
        errors_as=errors_as,
        by="prompt",
    )
    with reading(db) as session:
        found = lineages(session, query)
    if as_json:
        print_json({"prompts": [row for lineage in found for row in flat(lineage)]})
        return
    print_lineages(found)


@app.command()
def add(
    name: NewName, file: TextFile = None, text: TextOption = None, db: DatabaseUrl = None
) -> None:
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
    name: KnownName,
    new: ForkName,
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
        parent = number_of(session, "prompt", name)
        refuse_taken("prompt", new, repository.get_prompt_by_name(new))
        repository.fork_prompt(parent, new, content)
    tell(f"added the prompt {new}, forked from {name}")


@app.command()
def edit(
    name: KnownName, file: TextFile = None, text: TextOption = None, db: DatabaseUrl = None
) -> None:
    """Change a prompt, or add a version.

    The text of one that never played is replaced. Of one that has, another version is added, and it
    stays."""
    from arena.orchestrator.edits import edit_prompt
    from db import Repository

    content = _content(file, text)
    with reading(db) as session:
        repository = Repository(session)
        repository.lock_catalogue()
        found = edit_prompt(repository, number_of(session, "prompt", name), content)
    told(found, "prompt", name, "; `arena agents edit AGENT --prompt` has an agent play with it")


def _content(file: str | None, text: str | None) -> str:
    from arena.core.prompts import check

    content = read_text(file, text)
    check(content)
    return content
