"""`arena agents`: kind + model + prompt, each combination one immutable agent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.agents_check import check
from arena.cli.catalogue import (
    CatalogueNoun,
    Fields,
    ForkName,
    KnownName,
    NewName,
    add_commands,
    number_of,
    refuse_taken,
    state,
    told,
)
from arena.cli.options import DatabaseUrl, key_values
from arena.cli.output import Column, tell
from arena.cli.sessions import reading

if TYPE_CHECKING:
    from arena.cli.profiles import ShownProfile
    from db import Repository, Session

app = typer.Typer(help="Agents: a kind, a model and a prompt.", no_args_is_help=True)
AgentVars = Annotated[
    list[str] | None,
    typer.Option("--var", metavar="NAME=VALUE", help="What the prompt says as {{vars.NAME}}."),
]
AgentTools = Annotated[
    list[str] | None,
    typer.Option(
        "--tool", metavar="NAME[=OPTIONS]", help="A tool that it may call; null for none."
    ),
]
AgentToolLimits = Annotated[
    list[str] | None,
    typer.Option("--tool-limit", metavar="KEY=VALUE", help="What its calls of tools may take."),
]
KindOptions = Annotated[
    list[str] | None,
    typer.Option("--option", metavar="KEY=VALUE", help="An option of the kind."),
]


def _rows(repository: Repository) -> list[Fields]:
    from dataclasses import asdict

    from arena.reports.agent import agent_report
    from db.queries.conduct import conduct

    known = conduct(repository.session)
    reports = [
        asdict(agent_report(agent, known.get(agent.id or 0))) for agent in repository.get_agents()
    ]
    return [report | {"class": report.pop("class_")} for report in reports]


def _profile(session: Session, row: Fields) -> ShownProfile:
    from arena.cli.profiles import agent_shown

    return agent_shown(session, row["id"])


add_commands(
    app,
    CatalogueNoun(
        "agent",
        rows=_rows,
        columns=[
            (Column("#", "right", style="dim"), lambda row: str(row["id"])),
            (Column("agent", shrink=True), lambda row: row["name"]),
            (Column("kind"), lambda row: row["kind"]),
            (Column("model", shrink=True), lambda row: row["model"]),
            (Column("prompt", shrink=True), lambda row: row["prompt"]),
            (
                Column("options", shrink=True),
                lambda row: " ".join(f"{key}={value}" for key, value in row["options"].items()),
            ),
            (Column(""), state),
        ],
        profile=_profile,
        switch=lambda repository, key, active: repository.set_agent_active(key, active),
    ),
)


@app.command()
def add(
    name: NewName,
    model: Annotated[str | None, typer.Option(help="A model of the catalogue.")] = None,
    prompt: Annotated[str | None, typer.Option(help="A prompt of the catalogue.")] = None,
    kind: Annotated[
        str | None, typer.Option(help="An installed kind; thinking by default.")
    ] = None,
    option: KindOptions = None,
    var: AgentVars = None,
    tool: AgentTools = None,
    tool_limit: AgentToolLimits = None,
    template: Annotated[
        str | None, typer.Option(metavar="NAME", help="The template that says the rest.")
    ] = None,
    db: DatabaseUrl = None,
) -> None:
    """Add an agent.

    Of a model and a prompt, or from a template. One of --kind human is held by a person, the
    option `person` or of the agent's name, and needs neither."""
    from arena.config.held import HUMAN
    from arena.core import UsageError
    from db import Repository

    options, beside = key_values(option or [], "--option"), _beside({}, var, tool, tool_limit)
    with reading(db) as session:
        repository = Repository(session)
        if template is not None:
            from arena.templates.catalogued import copied

            repository.lock_catalogue()
            said = {"kind": kind, "model": model, "prompt": prompt, "options": options, **beside}
            made = copied(session, name, template, said)
            agent = _create(
                repository, name, **made.parts, options=made.options, beside=made.beside
            )
            repository.use_agent_template(made.template_id, agent)
        elif kind == HUMAN:
            held = {
                "model": model or _a_person(repository),
                "prompt": prompt or _unread(repository),
            }
            _create(
                repository,
                name,
                kind=kind,
                **held,
                options={"person": name, **options},
                beside=beside,
            )
        elif model is not None and prompt is not None:
            parts = {"kind": kind or "thinking", "model": model, "prompt": prompt}
            _create(repository, name, **parts, options=options, beside=beside)
        else:
            raise UsageError(
                "an agent needs --model and --prompt, a --template that has them, or --kind human"
            )
    tell(f"added the agent {name}")


def _a_person(repository: Repository) -> str:
    """The model that is a person, added where the catalogue has none."""
    from arena.config.held import MODEL

    made = repository.get_or_create_model(
        MODEL["name"], MODEL["litellm_model"], provider=MODEL["provider"]
    )
    return made.name


def _unread(repository: Repository) -> str:
    """The prompt of people, who read none."""
    from arena.config.held import PROMPT

    return repository.get_or_create_prompt(PROMPT["name"], PROMPT["text"]).name


@app.command()
def fork(
    name: KnownName,
    new: ForkName,
    kind: Annotated[str | None, typer.Option(help="Another kind.")] = None,
    model: Annotated[str | None, typer.Option(help="Another model.")] = None,
    prompt: Annotated[str | None, typer.Option(help="Another prompt.")] = None,
    option: KindOptions = None,
    var: AgentVars = None,
    tool: AgentTools = None,
    tool_limit: AgentToolLimits = None,
    db: DatabaseUrl = None,
) -> None:
    """Add an agent like another one.

    It differs in what is given here."""
    from arena.core import prompts
    from db import Repository

    with reading(db) as session:
        repository = Repository(session)
        key = number_of(session, "agent", name)
        like = repository.get_agent_by_id(key, with_relations=True)
        assert like is not None
        options, beside = prompts.parted(like.options)
        _create(
            repository,
            new,
            kind=kind or like.kind.name,
            model=model or like.model.name,
            prompt=prompt or like.prompt.name,
            options={**options, **key_values(option or [], "--option")},
            beside=_beside(beside, var, tool, tool_limit),
        )
    tell(f"added the agent {new}, like {name}")


app.command()(check)


@app.command()
def edit(
    name: KnownName,
    kind: Annotated[str | None, typer.Option(help="Another kind.")] = None,
    model: Annotated[str | None, typer.Option(help="Another model.")] = None,
    prompt: Annotated[str | None, typer.Option(help="Another prompt.")] = None,
    option: KindOptions = None,
    var: AgentVars = None,
    tool: AgentTools = None,
    tool_limit: AgentToolLimits = None,
    db: DatabaseUrl = None,
) -> None:
    """Change an agent, or add a version.

    One that never played is changed. Of one that has, another version is added, with ratings of its
    own, and it stays. An option with the value null is the kind's default."""
    from arena.core import prompts
    from arena.orchestrator.edits import edit_agent
    from db import Repository

    with reading(db) as session:
        repository = Repository(session)
        repository.lock_catalogue()
        key = number_of(session, "agent", name)
        row = repository.get_agent_by_id(key, with_relations=True)
        assert row is not None
        options, beside = prompts.parted(row.options)
        parts, stored = _parts(
            repository,
            row.label,
            kind=kind or row.kind.name,
            model=model or row.model.name,
            prompt=prompt or row.prompt.name,
            options=_said({**options, **key_values(option or [], "--option")}),
            beside=_beside(beside, var, tool, tool_limit),
        )
        found = edit_agent(repository, key, parts, stored)
    told(found, "agent", name)


def _said(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _beside(
    before: Mapping[str, Any],
    var: list[str] | None,
    tool: list[str] | None,
    limits: list[str] | None,
) -> dict[str, Any]:
    """What an agent has beside the options of its kind, with what was said of it: tools in the
    place of those that it had."""
    tools: list[Any] = before.get("tools", [])
    if tool:
        tools = [_tool(each) for each in tool if each != "null"]
    return {
        "vars": _said({**before.get("vars", {}), **key_values(var or [], "--var")}),
        "tools": tools,
        "tool_limits": _said(
            {**before.get("tool_limits", {}), **key_values(limits or [], "--tool-limit")}
        ),
    }


def _tool(written: str) -> Any:
    return key_values([written], "--tool") if "=" in written else written


def _create(
    repository: Repository,
    name: str,
    *,
    kind: str,
    model: str,
    prompt: str,
    options: Mapping[str, Any],
    beside: Mapping[str, Any],
) -> int:
    from arena.core import UsageError

    parts, stored = _parts(
        repository, name, kind=kind, model=model, prompt=prompt, options=options, beside=beside
    )
    refuse_taken("agent", name, repository.get_agent_by_alias(name))
    twin = repository.get_agent_by_config(*parts, options=stored)
    if twin is not None:
        raise UsageError(
            f"the catalogue has this agent already, as {twin.label!r}: change its kind, model, "
            "prompt, options, vars or tools"
        )
    return repository.create_agent(*parts, alias=name, options=stored).id or 0


def _parts(
    repository: Repository,
    name: str,
    *,
    kind: str,
    model: str,
    prompt: str,
    options: Mapping[str, Any],
    beside: Mapping[str, Any],
) -> tuple[tuple[int, int, int], Mapping[str, Any]]:
    """The numbers of a kind, a model and a prompt, and the options with the vars as they are
    stored. Raises UsageError for options that the kind does not take and vars that the prompt does
    not, BadSelection for a name that is not in the catalogue."""
    from arena import registry
    from arena.config import parse_agent
    from arena.config.prompt_variables import wrong_vars
    from arena.core import UsageError
    from arena.core.tools import entries
    from arena.orchestrator.preflight import check_tools_offered

    written = {"kind": kind, "model": model, "prompt": prompt, "options": options, **beside}
    agent = parse_agent({"name": name, **written})
    maker = registry.check_kind(kind, options)
    check_tools_offered(agent)
    agent = agent.model_copy(update={"tools": registry.pinned_tools(entries(agent.tools))})
    model_id = number_of(repository.session, "model", model)
    prompt_id = number_of(repository.session, "prompt", prompt)
    text = repository.get_prompt_by_id(prompt_id)
    for wrong in wrong_vars(agent, None if text is None else text.content):
        raise UsageError(f"--var: {wrong}")
    row = repository.get_or_create_kind(kind, version=maker.version)
    assert row.id is not None
    return (row.id, model_id, prompt_id), agent.stored_options
