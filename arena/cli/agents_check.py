"""`arena agents check`: whether the program that plays as an agent keeps the protocol."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.catalogue import KnownName, number_of
from arena.cli.options import AsJson, DatabaseUrl
from arena.cli.output import print_json, print_line, safe, tell
from arena.cli.sessions import reading

if TYPE_CHECKING:
    from arena.core import ModelSpec


def check(
    name: KnownName,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="Of a tournament file, not the catalogue."),
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=3600, help="Seconds that an answer may take.")
    ] = 30.0,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Check the program that plays as an agent.

    Asks it some twenty turns of games that nobody plays, whether it is called, started here or
    dials in. Nothing is recorded. Exit code 1 where it does not keep the protocol of
    docs/remote-agents.md."""
    from arena.core import UsageError
    from arena.orchestrator.clients import client_for

    model = _catalogued_model(name, db) if file is None else _written_model(file, name, db)
    if model.provider != "remote":
        raise UsageError(
            f"the agent {name!r} is played by the model {model.name!r}, which is no program: "
            "expected one with `provider: remote`"
        )
    client = client_for(None)
    client.check(model)
    client.check_keys(model)
    # A kit for tests, and as heavy as one.
    from arena.testing import ConformanceError, check_program

    found, wrong = None, None
    try:
        found = check_program(model, timeout=timeout)
    except ConformanceError as error:
        wrong = str(error)
    if as_json:
        print_json({"agent": name, "program": found, "keeps": wrong is None, "error": wrong})
    elif wrong is None:
        print_line(safe(f"{found} keeps the protocol"))
    else:
        tell(f"{name} does not keep the protocol: {wrong}")
    if wrong is not None:
        raise typer.Exit(1)


def _catalogued_model(name: str, db: str | None) -> ModelSpec:
    from arena.orchestrator.specs import agent_spec
    from db import Repository

    with reading(db) as session:
        row = Repository(session).get_agent_by_id(number_of(session, "agent", name))
        assert row is not None
        return agent_spec(row).model


def _written_model(file: Path, name: str, db: str | None) -> ModelSpec:
    from arena.cli.tournament_files import read
    from arena.core import UsageError

    config = read(file, db=db)
    agents = {agent.name: agent for agent in config.agents}
    if name not in agents:
        raise UsageError(
            f"{file} has no agent {name!r}; expected one of {', '.join(sorted(agents))}"
        )
    return next(each.spec() for each in config.models if each.name == agents[name].model)
