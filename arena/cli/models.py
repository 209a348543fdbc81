"""`arena models`: the language models of the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.catalogue import All, columns, find, refuse_taken, state
from arena.cli.database import reading, writing
from arena.cli.options import AsJson, DatabaseUrl, key_values
from arena.cli.output import Column, print_fields, print_json, print_table, tell

if TYPE_CHECKING:
    from db import Model, Repository

app = typer.Typer(
    name="models", help="Models: what LiteLLM is asked for, and how.", no_args_is_help=True
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The model's name.")]


@app.command("list")
def list_(everything: All = False, db: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List the models."""
    from db import Repository

    with reading(db) as session:
        models = Repository(session).get_models(active=None if everything else True)
        if as_json:
            print_json([_fields(model) for model in models])
            return
        print_table(
            [
                Column("model"),
                Column("LiteLLM's name", shrink=True),
                Column("at", shrink=True),
                Column("$/M in", "right"),
                Column("$/M out", "right"),
                Column(""),
            ],
            [
                [
                    model.name,
                    model.litellm_model_name,
                    model.api_base or "",
                    _price(model.input_price),
                    _price(model.output_price),
                    state(model.active),
                ]
                for model in models
            ],
        )


@app.command()
def show(name: Name, db: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Show one model."""
    from db import Repository

    with reading(db) as session:
        fields = _fields(_find(Repository(session), name))
    print_json(fields) if as_json else print_fields(fields)


@app.command()
def add(
    name: Name,
    litellm_model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="As LiteLLM knows it: openai/gpt-4o-mini, ollama_chat/llama3.2."
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
    db: DatabaseUrl = None,
) -> None:
    """Add a model.

    Tournament files may then name it."""
    from arena import registry
    from arena.config import parse_model
    from arena.llm.client import check_model
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
        }
    )
    check_model(model.spec(), scripted=registry.names("scripted"))
    with writing(db) as session:
        repository = Repository(session)
        refuse_taken("model", name, repository.get_model_by_name(name))
        repository.create_model(
            name=model.name,
            litellm_model_name=model.litellm_model,
            params=model.params,
            api_base=model.api_base,
            api_key_env=model.api_key_env,
            stream=model.stream,
            input_price=model.input_price,
            output_price=model.output_price,
        )
    tell(f"added the model {name}")


@app.command()
def activate(name: Name, db: DatabaseUrl = None) -> None:
    """Offer a model again."""
    _switch(name, db, active=True)


@app.command()
def deactivate(name: Name, db: DatabaseUrl = None) -> None:
    """Offer a model no longer.

    What was played with it stays."""
    _switch(name, db, active=False)


def _switch(name: str, db: str | None, *, active: bool) -> None:
    from db import Repository

    with reading(db) as session:
        repository = Repository(session)
        model = _find(repository, name)
        assert model.id is not None
        repository.set_model_active(model.id, active)
    tell(f"the model {name} is {'active' if active else 'inactive'}")


def _find(repository: Repository, name: str) -> Model:
    return find(
        "model",
        name,
        repository.get_model_by_name,
        (model.name for model in repository.get_models()),
    )


def _fields(model: Model) -> dict[str, Any]:
    return columns(model)


def _price(dollars: float | None) -> str:
    return "" if dollars is None else f"{dollars:g}"
