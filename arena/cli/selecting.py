"""The options of commands that are about chosen games: those of the one filter, in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from inspect import Parameter, signature
from typing import Any

from arena.cli import options

_OPTIONS = {
    "tournament": options.TournamentOption,
    "environment": options.EnvironmentOption,
    "agent": options.AgentOption,
    "against": options.AgainstOption,
    "kind": options.KindOption,
    "model": options.ModelOption,
    "prompt": options.PromptOption,
    "role": options.RoleOption,
    "team": options.TeamOption,
    "result": options.ResultOption,
    "status": options.StatusOption,
    "termination": options.TerminationOption,
    "since": options.SinceOption,
    "until": options.UntilOption,
    "game": options.GameOption,
    "parent": options.ParentOption,
    "revision": options.RevisionOption,
    "tag": options.TagOption,
}

FIELDS = tuple(_OPTIONS)
"""All of the filter's."""
OF_CALLS = (
    "tournament", "environment", "agent", "kind", "model", "prompt", "role", "team", "status",
    "since", "until", "game",
)  # fmt: skip
"""Those by which calls are chosen: of models, and of tools."""

_Command = Callable[..., None]


def selecting(*fields: str) -> Callable[[_Command], _Command]:
    """Makes a command of a function that takes a `db.selection.Selection` as `selection`: in its
    place stand the options of these fields."""

    def command(function: _Command) -> _Command:
        # The filter itself is imported when a command is typed.
        own = signature(function, eval_str=True, locals={"Selection": object})

        @wraps(function)
        def typed(**given: Any) -> None:
            from db.selection import Selection

            chosen = {field: given.pop(field) for field in fields}
            function(selection=Selection(**chosen), **given)

        parameters = [*_with_options(own.parameters.values(), fields)]
        typed.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
        typed.__annotations__ = {each.name: each.annotation for each in parameters}
        return typed

    return command


def _with_options(parameters: Any, fields: tuple[str, ...]) -> Iterator[Parameter]:
    for parameter in parameters:
        if parameter.name != "selection":
            yield parameter.replace(kind=Parameter.KEYWORD_ONLY)
            continue
        for field in fields:
            yield Parameter(field, Parameter.KEYWORD_ONLY, default=None, annotation=_OPTIONS[field])
