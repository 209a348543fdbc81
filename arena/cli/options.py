"""The options that several commands share; each means the same in all of them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated, Literal

import typer

DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--db",
        metavar="URL",
        help="A database's URL or an SQLite file; else ARENA_DATABASE_URL, else sqlite:///arena.db.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
GameNumber = Annotated[
    int, typer.Argument(metavar="GAME", help="The game's number, as `arena games` shows it.")
]


WaitOption = Annotated[
    bool,
    typer.Option("--wait", help="Wait for people's answers when nothing else is left to play."),
]
LIMIT = 50  # rows of a table, where nothing else is asked
LimitOption = Annotated[int, typer.Option(min=1, metavar="N", help="At most N rows.")]

# Which games: the fields of a `db.selection.Selection`. Given again, an option means either value.
Several = list[str] | None
TournamentOption = Annotated[
    Several, typer.Option("--tournament", metavar="T", help="Only games of this tournament.")
]
EnvironmentOption = Annotated[
    Several, typer.Option("--environment", metavar="E", help="Only games of this environment.")
]
AgentOption = Annotated[
    Several,
    typer.Option(
        "--agent",
        metavar="A",
        help="Only this agent: its name, KIND/MODEL/PROMPT, or its number.",
    ),
]
AgainstOption = Annotated[
    Several,
    typer.Option(
        "--against", metavar="A", help="Only where this agent sits on another team of the game."
    ),
]
KindOption = Annotated[
    Several, typer.Option("--kind", metavar="K", help="Only agents of this kind.")
]
ModelOption = Annotated[
    Several, typer.Option("--model", metavar="M", help="Only agents with this model.")
]
PromptOption = Annotated[
    Several, typer.Option("--prompt", metavar="P", help="Only agents with this prompt.")
]
RoleOption = Annotated[Several, typer.Option("--role", metavar="R", help="Only in this role.")]
TeamOption = Annotated[Several, typer.Option("--team", metavar="T", help="Only on this team.")]
ResultOption = Annotated[
    Several, typer.Option("--result", metavar="R", help="Only with this result: win, draw, loss.")
]
StatusOption = Annotated[
    Several,
    typer.Option("--status", metavar="S", help="scheduled, running, paused, completed or void."),
]
TerminationOption = Annotated[
    Several,
    typer.Option(
        "--termination", metavar="HOW", help="Only games that ended so: natural, silence, ..."
    ),
]
SinceOption = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="DATE", help="Only games that finished then or later: 2026-01-31."
    ),
]
UntilOption = Annotated[
    str | None,
    typer.Option("--until", metavar="DATE", help="Only games that finished before then."),
]
ParentOption = Annotated[
    list[int] | None,
    typer.Option("--parent", metavar="GAME", help="Only the branches of this game."),
]
GameOption = Annotated[
    list[int] | None, typer.Option("--game", metavar="GAME", help="Only this game.")
]
RevisionOption = Annotated[
    list[int] | None,
    typer.Option(
        "--revision",
        metavar="N",
        help="Only games whose answers were read, and whose words were shown, in this revision.",
    ),
]
TagOption = Annotated[
    Several,
    typer.Option("--tag", metavar="TAG", help="Only games that, or a turn of which, were tagged."),
]
ExcludeErrors = Annotated[
    Literal["decided", "touched"] | None,
    typer.Option(
        "--exclude-errors",
        metavar="decided|touched",
        help="Without the games that an agent's error decided; touched: without those out of "
        "which the rules threw somebody for one.",
    ),
]

ErrorsAsOption = Annotated[
    Literal["loss", "draw", "range"],
    typer.Option(
        "--errors-as",
        metavar="loss|draw|range",
        help="What the games count as that an agent's error decided: what they led to, or draws; "
        "range: ratings by both.",
    ),
]

CovariateOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="A covariate by its registered name: seats' own scores, which make numbers surer.",
    ),
]

# Where two agents are compared: one environment, of one number of players.
WhereOption = Annotated[
    str | None,
    typer.Option(
        "--environment",
        metavar="E",
        help="The environment; by default the only one that was played.",
    ),
]
PlayersOption = Annotated[
    int | None,
    typer.Option(
        "--players", min=2, metavar="N", help="Of how many players, where several were played."
    ),
]


def dollars(amount: float | None) -> float | None:
    """An amount that an option names. Raises BadParameter unless it is a number above 0."""
    if amount is not None and not (math.isfinite(amount) and amount > 0):
        raise typer.BadParameter("expected dollars above 0, such as 2.50")
    return amount


GamesOption = Annotated[
    int | None,
    typer.Option("--games", min=1, metavar="N", help="Play at most N games of the schedule."),
]
ConcurrencyOption = Annotated[
    int | None,
    typer.Option(
        "--concurrency",
        min=1,
        metavar="N",
        help="Games at the same time, instead of the tournament's.",
    ),
]
ExecutorOption = Annotated[
    str | None,
    typer.Option(
        "--executor",
        metavar="NAME",
        help="What runs the games: local (this process), processes (a worker on each CPU), ray "
        "(the workers of a cluster), auto.",
    ),
]
RayAddressOption = Annotated[
    str | None,
    typer.Option(
        "--ray-address",
        metavar="HOST:PORT",
        help="Play in the Ray cluster whose head is there; means --executor ray.",
    ),
]
BudgetOption = Annotated[
    float | None,
    typer.Option(
        "--budget",
        metavar="USD",
        callback=dollars,
        help="Most dollars for the whole tournament, earlier runs included; replaces its own cap.",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="In place of what the file says: games=50, agents.0.model=gpt. Given again, another.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Check everything, say what would be played and what it may cost."
    ),
]


TelemetryOption = Annotated[
    bool,
    typer.Option(
        "--telemetry",
        help="Send traces and metrics to an OpenTelemetry collector (OTEL_EXPORTER_OTLP_ENDPOINT).",
    ),
]


def _log_as_json(context: typer.Context, target: str | None) -> str | None:
    if target is not None:
        from arena.cli.json_log import log_as_json

        log_as_json(context, target)
    return target


LogJsonOption = Annotated[
    str | None,
    typer.Option(
        "--log-json",
        metavar="FILE",
        callback=_log_as_json,
        help="Add what is logged to this file, a JSON object a line; -: to stderr, in place of all "
        "that is said there.",
    ),
]


def key_values(pairs: list[str], option: str) -> dict[str, object]:
    """`["temperature=0.2", "stop=END"]` as a mapping; a value that is JSON is read as JSON.

    Raises UsageError for a pair without `=` and for a key that occurs twice.
    """
    import json

    from arena.core import UsageError

    found: dict[str, object] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"{option} expects KEY=VALUE, found {pair!r}")
        if key in found:
            raise UsageError(f"{option} {key}=... is given twice")
        try:
            found[key] = json.loads(value, parse_constant=lambda name: name)
        except ValueError:
            found[key] = value
    return found


def typed_settings(settings: Iterable[str] | None) -> list[str]:
    """What was typed for these `--set`."""
    return [word for setting in settings or () for word in ("--set", setting)]
