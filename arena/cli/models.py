"""`arena models`: the language models of the catalogue."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.catalogue import (
    CatalogueNoun,
    Fields,
    KnownName,
    NewName,
    add_commands,
    columns,
    number_of,
    refuse_taken,
    state,
    told,
)
from arena.cli.options import DatabaseUrl, key_values
from arena.cli.output import Column, tell
from arena.cli.sessions import reading, writing

if TYPE_CHECKING:
    from arena.cli.profiles import ShownProfile
    from db import Session

app = typer.Typer(help="Models: what is asked, and of whom.", no_args_is_help=True)


def _price(dollars: float | None) -> str:
    return "" if dollars is None else f"{dollars:g}"


def _profile(session: Session, row: Fields) -> ShownProfile:
    from dataclasses import asdict

    from arena.cli.call_paths import path_of, print_path
    from arena.cli.profiles import ShownProfile, model_shown
    from arena.orchestrator.specs import model_spec
    from db import Repository

    found = model_shown(session, row["id"], row["name"])
    model = Repository(session).get_model_by_id(row["id"])
    path = None if model is None else path_of(model_spec(model))

    def show() -> None:
        if path is not None:
            print_path(path)
        found.show()

    return ShownProfile(found.plain | {"path": None if path is None else asdict(path)}, show)


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
        profile=_profile,
        switch=lambda repository, key, active: repository.set_model_active(key, active),
    ),
)


ApiBaseOption = Annotated[str | None, typer.Option(help="URL of the endpoint.")]
ApiKeyEnvOption = Annotated[
    str | None, typer.Option(help="The environment variable that holds the key.")
]
ApiKeyFileOption = Annotated[
    str | None, typer.Option(metavar="FILE", help="The file that holds the key alone.")
]
PriceOption = Annotated[float | None, typer.Option(help="Dollars per million tokens.")]
ProviderOption = Annotated[
    str | None, typer.Option(help="Who answers, if not the tournament's provider.")
]

_NO_KEY = {"api_key_env": None, "api_key_file": None}


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
    api_base: ApiBaseOption = None,
    api_key_env: ApiKeyEnvOption = None,
    api_key_file: ApiKeyFileOption = None,
    stream: Annotated[
        bool, typer.Option("--stream", help="Measure the time to the first token.")
    ] = False,
    input_price: PriceOption = None,
    output_price: PriceOption = None,
    provider: ProviderOption = None,
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
            "api_key_file": api_key_file,
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
            api_key_file=model.api_key_file,
            stream=model.stream,
            input_price=model.input_price,
            output_price=model.output_price,
            provider=model.provider,
            system=None if model.system == "system" else model.system,
        )
    tell(f"added the model {name}")


@app.command()
def edit(
    name: KnownName,
    litellm_model: Annotated[str | None, typer.Option(help="Another name there.")] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Another value; null sends none."),
    ] = None,
    api_base: ApiBaseOption = None,
    api_key_env: ApiKeyEnvOption = None,
    api_key_file: ApiKeyFileOption = None,
    stream: Annotated[
        bool | None,
        typer.Option("--stream/--no-stream", help="Measure the time to the first token."),
    ] = None,
    input_price: PriceOption = None,
    output_price: PriceOption = None,
    provider: ProviderOption = None,
    system: Annotated[str | None, typer.Option(help="Role of the prompt: system or user.")] = None,
    db: DatabaseUrl = None,
) -> None:
    """Change a model, or add a version.

    Prices, the variable of a key and the address of a local server are changed in any model, all
    else in one that never answered. Of one that has, another version is added, and it stays."""
    from arena.config import parse_model
    from arena.orchestrator.clients import client_for
    from arena.orchestrator.edits import edit_model
    from arena.orchestrator.specs import model_spec
    from db import Repository

    with reading(db) as session:
        repository = Repository(session)
        repository.lock_catalogue()
        key = number_of(session, "model", name)
        row = repository.get_model_by_id(key)
        assert row is not None
        params = row.params | key_values(param or [], "--param")
        said = {
            "litellm_model": litellm_model,
            "api_base": api_base,
            "api_key_env": api_key_env,
            "api_key_file": api_key_file,
            "stream": stream,
            "input_price": input_price,
            "output_price": output_price,
            "provider": provider,
            "system": system,
        }
        model = parse_model(
            asdict(model_spec(row))
            | ({} if api_key_env is api_key_file is None else _NO_KEY)
            | {option: value for option, value in said.items() if value is not None}
            | {"params": {key: value for key, value in params.items() if value is not None}}
        )
        client_for(None).check(model.spec())
        found = edit_model(repository, key, model.spec())
    told(found, "model", name, "; `arena agents edit AGENT --model` has an agent play with it")
