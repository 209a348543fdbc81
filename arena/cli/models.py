"""`arena models`: the language models of the catalogue."""

from __future__ import annotations

from typing import Annotated

import typer

from arena.cli.catalogue import (
    CatalogueNoun,
    NewName,
    add_commands,
    columns,
    refuse_taken,
    state,
)
from arena.cli.options import DatabaseUrl, key_values
from arena.cli.output import Column, tell
from arena.cli.sessions import writing

app = typer.Typer(help="Models: what is asked, and of whom.", no_args_is_help=True)


def _price(dollars: float | None) -> str:
    return "" if dollars is None else f"{dollars:g}"


add_commands(
    app,
    CatalogueNoun(
        "model",
        rows=lambda repository: [columns(row) for row in repository.get_models()],
        columns=[
            (Column("model"), lambda row: row["name"]),
            (Column("LiteLLM's name", shrink=True), lambda row: row["litellm_model_name"]),
            (Column("at", shrink=True), lambda row: row["api_base"] or ""),
            (Column("$/M in", "right"), lambda row: _price(row["input_price"])),
            (Column("$/M out", "right"), lambda row: _price(row["output_price"])),
            (Column(""), state),
        ],
        switch=lambda repository, key, active: repository.set_model_active(key, active),
    ),
)


@app.command()
def add(
    name: NewName,
    litellm_model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="Its name there: openai/gpt-4o-mini, ollama_chat/llama3.2.",
        ),
    ],
    param: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Sent with every call.")
    ] = None,
    api_base: Annotated[str | None, typer.Option(help="URL of the endpoint.")] = None,
    api_key_env: Annotated[
        str | None, typer.Option(help="The environment variable that holds the key.")
    ] = None,
    stream: Annotated[
        bool, typer.Option("--stream", help="Measure the time to the first token.")
    ] = False,
    input_price: Annotated[float | None, typer.Option(help="Dollars per million tokens.")] = None,
    output_price: Annotated[float | None, typer.Option(help="Dollars per million tokens.")] = None,
    provider: Annotated[
        str | None, typer.Option(help="Who answers, if not the tournament's provider.")
    ] = None,
    system: Annotated[
        str, typer.Option(help="Role of the prompt: user for a model without a system role.")
    ] = "system",
    db: DatabaseUrl = None,
) -> None:
    """Add a model.

    Tournament files may then name it."""
    from arena.config import parse_model
    from arena.orchestrator.clients import client_for
    from db import Repository

    model = parse_model(
        {
            "name": name,
            "litellm_model": litellm_model,
            "params": key_values(param or [], "--param"),
            "api_base": api_base,
            "api_key_env": api_key_env,
            "stream": stream,
            "input_price": input_price,
            "output_price": output_price,
            "provider": provider,
            "system": system,
        }
    )
    spec = model.spec()
    client_for(None).check(spec)
    with writing(db) as session:
        repository = Repository(session)
        refuse_taken("model", name, repository.get_model_by_name(name))
        repository.create_model(
            name=model.name,
            litellm_model_name=model.litellm_model,
            params=dict(spec.params),
            api_base=model.api_base,
            api_key_env=model.api_key_env,
            stream=model.stream,
            input_price=model.input_price,
            output_price=model.output_price,
            provider=model.provider,
            system=None if model.system == "system" else model.system,
        )
    tell(f"added the model {name}")
