"""`arena agents`: kind + model + prompt, each combination one immutable agent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.catalogue import All, find, refuse_taken, state
from arena.cli.database import reading
from arena.cli.options import AsJson, DatabaseUrl, key_values
from arena.cli.output import Column, print_fields, print_json, print_table, tell

if TYPE_CHECKING:
    from db import Agent, Repository

app = typer.Typer(name="agents", help="Agents: a kind, a model and a prompt.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="AGENT", help="The agent's name, or its number.")]
Options = Annotated[
    list[str] | None,
    typer.Option("--option", metavar="KEY=VALUE", help="An option of the kind."),
]


@app.command("list")
def list_(everything: All = False, db: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List the agents."""
    from db import Repository

    with reading(db) as session:
        agents = Repository(session).get_agents(active=None if everything else True)
        rows = [_fields(agent) for agent in agents]
    if as_json:
        print_json(rows)
        return
    print_table(
        [
            Column("#", "right", style="dim"),
            Column("agent", shrink=True),
            Column("kind"),
            Column("model", shrink=True),
            Column("prompt", shrink=True),
            Column("options", shrink=True),
            Column(""),
        ],
        [
            [
                str(row["id"]),
                row["name"],
                row["kind"],
                row["model"],
                row["prompt"],
                " ".join(f"{key}={value}" for key, value in row["options"].items()),
                state(row["active"]),
            ]
            for row in rows
        ],
    )


@app.command()
def show(name: Name, db: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Show one agent."""
    from db import Repository

    with reading(db) as session:
        fields = _fields(_find(Repository(session), name))
    print_json(fields) if as_json else print_fields(fields)


@app.command()
def add(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="What tables and transcripts call it.")
    ],
    model: Annotated[str, typer.Option(help="A model of the catalogue.")],
    prompt: Annotated[str, typer.Option(help="A prompt of the catalogue.")],
    kind: Annotated[str, typer.Option(help="An installed kind.")] = "thinking",
    option: Options = None,
    db: DatabaseUrl = None,
) -> None:
    """Add an agent."""
    from db import Repository

    with reading(db) as session:
        _create(
            Repository(session),
            name,
            kind=kind,
            model=model,
            prompt=prompt,
            options=key_values(option or [], "--option"),
        )
    tell(f"added the agent {name}")


@app.command()
def fork(
    name: Name,
    new: Annotated[str, typer.Argument(metavar="NEW", help="The name of the fork.")],
    kind: Annotated[str | None, typer.Option(help="Another kind.")] = None,
    model: Annotated[str | None, typer.Option(help="Another model.")] = None,
    prompt: Annotated[str | None, typer.Option(help="Another prompt.")] = None,
    option: Options = None,
    db: DatabaseUrl = None,
) -> None:
    """Add an agent like another one.

    It differs in what is given here."""
    from db import Repository

    with reading(db) as session:
        repository = Repository(session)
        like = _find(repository, name)
        _create(
            repository,
            new,
            kind=kind or like.kind.name,
            model=model or like.model.name,
            prompt=prompt or like.prompt.name,
            options={**like.options, **key_values(option or [], "--option")},
        )
    tell(f"added the agent {new}, like {name}")


@app.command()
def activate(name: Name, db: DatabaseUrl = None) -> None:
    """Offer an agent again."""
    _switch(name, db, active=True)


@app.command()
def deactivate(name: Name, db: DatabaseUrl = None) -> None:
    """Offer an agent no longer.

    What it played stays."""
    _switch(name, db, active=False)


def _switch(name: str, db: str | None, *, active: bool) -> None:
    from db import Repository

    with reading(db) as session:
        repository = Repository(session)
        agent = _find(repository, name)
        assert agent.id is not None
        repository.set_agent_active(agent.id, active)
    tell(f"the agent {name} is {'active' if active else 'inactive'}")


def _create(
    repository: Repository,
    name: str,
    *,
    kind: str,
    model: str,
    prompt: str,
    options: Mapping[str, Any],
) -> None:
    from arena import registry
    from arena.core import UsageError

    maker = registry.check_kind(kind, options)
    model_row = find(
        "model", model, repository.get_model_by_name, (m.name for m in repository.get_models())
    )
    prompt_row = find(
        "prompt", prompt, repository.get_prompt_by_name, (p.name for p in repository.get_prompts())
    )
    kind_row = repository.get_or_create_kind(kind, version=maker.version)
    assert kind_row.id is not None
    assert model_row.id is not None
    assert prompt_row.id is not None
    refuse_taken("agent", name, repository.get_agent_by_alias(name))
    parts = (kind_row.id, model_row.id, prompt_row.id)
    twin = repository.get_agent_by_config(*parts, options=options)
    if twin is not None:
        raise UsageError(
            f"the catalogue has this agent already, as {twin.label!r}: change its kind, model, "
            "prompt or options"
        )
    repository.create_agent(*parts, alias=name, options=options)


def _find(repository: Repository, name: str) -> Agent:
    agents = repository.get_agents()

    def get(wanted: str) -> Agent | None:
        named = next((agent for agent in agents if agent.label == wanted), None)
        return named or next((agent for agent in agents if str(agent.id) == wanted), None)

    return find("agent", name, get, (agent.label for agent in agents))


def _fields(agent: Agent) -> dict[str, Any]:
    return {
        "id": agent.id,
        "name": agent.label,
        "kind": f"{agent.kind.name}"
        + (f" v{agent.kind.version}" if agent.kind.version > 1 else ""),
        "model": agent.model.name,
        "prompt": agent.prompt.name,
        "options": agent.options,
        "class": agent.class_,
        "fingerprint": agent.fingerprint,
        "active": agent.active,
        "created_at": agent.created_at,
    }
