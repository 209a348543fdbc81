"""Prints what agents, models and prompts did in their games, and gives it as plain data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from arena.cli.agent_sessions import print_sessions
from arena.cli.output import Column, advise, console, print_line, print_table, safe, tell
from arena.cli.transcript_lines import milliseconds

if TYPE_CHECKING:
    from arena.leaderboard.opponents import AgentMeetings
    from arena.leaderboard.part_profiles import ModelProfile, PromptProfile
    from arena.leaderboard.places import BoardPlace, StoredPlaces
    from arena.leaderboard.profiles import AgentProfile
    from arena.reports.failures import FailedKind
    from arena.reports.lies import ClaimsBelieved
    from arena.reports.roles import AgentInRole
    from arena.reports.usage import Latency, PartUsage
    from arena.stats.head_to_head import Cell
    from db import Session

_SHOWN = 20
"""Opponents, forks and agents that are printed; JSON has them all."""


@dataclass(frozen=True, slots=True)
class ShownProfile:
    """A profile as plain data for JSON, and how it is printed for people."""

    plain: dict[str, Any]
    show: Callable[[], None]


def agent_shown(session: Session, key: int) -> ShownProfile:
    """The profile of an agent by its number."""
    from arena.leaderboard.profiles import agent_profile

    profile = agent_profile(session, key)
    return ShownProfile(_plain_agent(profile), lambda: _print_agent(profile))


def model_shown(session: Session, key: int, name: str) -> ShownProfile:
    """The profile of a model by its number and name."""
    from arena.leaderboard.part_profiles import model_profile

    profile = model_profile(session, key, name)
    return ShownProfile(_plain_model(profile), lambda: _print_model(profile))


def prompt_shown(session: Session, key: int) -> ShownProfile:
    """The profile of a prompt by its number."""
    from arena.leaderboard.part_profiles import prompt_profile

    profile = prompt_profile(session, key)
    return ShownProfile(_plain_prompt(profile), lambda: _print_prompt(profile))


def _plain_agent(profile: AgentProfile) -> dict[str, Any]:
    met = profile.meetings
    return {
        "board": _plain_board(profile.board),
        "newest_games": profile.newest,
        "sessions": [asdict(each) for each in profile.sessions],
        "ratings": [
            asdict(curve.now) | {"steps": [asdict(step) for step in curve.steps]}
            for curve in profile.curves
        ],
        "meetings": None if met is None else [_plain_meetings(each) for each in met],
        "roles": [asdict(role) for role in profile.roles],
        "part_ratings": {
            name: [asdict(rated) for rated in ratings]
            for name, ratings in profile.part_ratings.items()
        },
        "usage": asdict(profile.usage) if profile.usage else None,
        "sample": asdict(profile.sample),
        "failures": [_plain_failure(kind) for kind in profile.failures],
        "uncounted": profile.uncounted,
    }


def _plain_model(profile: ModelProfile) -> dict[str, Any]:
    return {
        "board": _plain_board(profile.board),
        "usage": asdict(profile.usage) if profile.usage else None,
        "sample": asdict(profile.sample),
        "failures": [_plain_failure(kind) for kind in profile.failures],
        "uncounted": profile.uncounted,
    }


def _plain_prompt(profile: PromptProfile) -> dict[str, Any]:
    return {
        "board": _plain_board(profile.board),
        "line": [fork.name for fork in profile.line],
        "forks": [fork.name for fork in profile.forks],
        "difference": [asdict(piece) for piece in profile.difference],
        "variables": profile.variables,
        "agents": [each.agent.name for each in profile.agents],
    }


def _plain_board(board: StoredPlaces) -> dict[str, Any]:
    return {
        "stored": board.stored,
        "behind": board.behind,
        "as_of_game": board.newest,
        "places": [
            {
                "environment": place.environment,
                "num_players": place.num_players,
                "system": place.system,
                "rank": place.row.rank,
                "best_rank": place.row.best_rank,
                "worst_rank": place.row.worst_rank,
                "of": place.of,
                "rating": place.row.rating,
                "low": place.row.low,
                "high": place.row.high,
                "games": place.row.record.whole.games,
                "won": place.row.record.whole.share,
                "change": asdict(place.row.change) if place.row.change else None,
            }
            for place in board.places
        ],
    }


def _plain_meetings(met: AgentMeetings) -> dict[str, Any]:
    return {
        "environment": met.environment,
        "num_players": met.num_players,
        "games": met.games,
        "opponents": [
            {"agent_id": each.agent_id, "name": each.name} | _plain_cell(each.cell)
            for each in met.opponents
        ],
        "roles": {name: _plain_cell(cell) for name, cell in met.roles.items()},
        "teams": {name: _plain_cell(cell) for name, cell in met.teams.items()},
    }


def _plain_cell(cell: Cell) -> dict[str, Any]:
    low, high = cell.interval
    return {
        "score": cell.score,
        "low": low,
        "high": high,
        "games": cell.games,
        "blocks": cell.blocks,
    }


def _plain_failure(kind: FailedKind) -> dict[str, Any]:
    return {
        "error_class": kind.error_class,
        "failure": kind.failure,
        "advice": kind.advice,
        "calls": kind.calls,
        "newest_game": kind.newest.game_id,
        "newest_turn": kind.newest.turn_number,
        "newest_said": kind.newest.error_message,
    }


def _print_agent(profile: AgentProfile) -> None:
    _print_places(profile.board, "arena leaderboard")
    for met in profile.meetings or ():
        _title(f"{met.environment}, {met.num_players} players: {met.games:,} games")
        print_table(
            [Column("as", shrink=True), *_CELL],
            [[name, *_cell(cell)] for name, cell in {**met.teams, **met.roles}.items()],
        ) if met.teams or met.roles else None
        if met.opponents:
            print_table(
                [Column("against", shrink=True), *_CELL],
                [[each.name, *_cell(each.cell)] for each in met.opponents[:_SHOWN]],
            )
        if len(met.opponents) > _SHOWN:
            tell(f"the {_SHOWN} hardest of {len(met.opponents)} opponents; --json has them all")
    if profile.meetings is None:
        advise("some rated games have not been counted: run `arena ratings rebuild`")
    _print_roles(profile.roles)
    for team, told in profile.sample.told.items():
        who = f"as {team} it" if team else "it"
        tell(
            f"in {profile.sample.games} games {who} made {told.claims} untrue claims, {told.lies} "
            f"of them about itself; {_followed(told)}"
        )
    if (heard := profile.sample.heard).votes:
        tell(f"it voted after {heard.claims} untrue claims of another team; {_followed(heard)}")
    _print_usage(profile.usage)
    if profile.sessions:
        _title("its newest games")
        print_sessions(profile.sessions)
    _print_failures(profile.failures)
    _print_uncounted(profile.uncounted)


def _print_model(profile: ModelProfile) -> None:
    _print_places(profile.board, "arena leaderboard --by model")
    if profile.sample.names:
        _title(f"who answered, in {profile.sample.games} games")
        print_table(
            [Column("answered as", shrink=True), Column("calls", "right"), Column("games")],
            [
                [span.name, f"{span.calls:,}", f"{span.first_game} to {span.last_game}"]
                for span in profile.sample.names
            ],
        )
    _print_usage(profile.usage)
    _print_failures(profile.failures)
    _print_uncounted(profile.uncounted)


def _print_prompt(profile: PromptProfile) -> None:
    _print_places(profile.board, "arena leaderboard --by prompt")
    if profile.difference:
        _title(f"from {profile.line[-1].name}")
        marks = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}
        said = "".join(marks[piece.kind].format(piece.text) for piece in profile.difference)
        for line in said.split("\n"):
            print_line(safe(f"  {line}"), console())
    for what, names in (
        ("forks", [fork.name for fork in profile.forks]),
        ("agents", [each.agent.name for each in profile.agents]),
    ):
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            print_line(safe(f"{what}: {', '.join(names[:_SHOWN])}{more}"), console())


def _print_places(board: StoredPlaces, command: str) -> None:
    if not board.stored:
        advise(f"no board is stored that it could stand in: `{command}` computes one")
    elif board.behind:
        tell(f"ranks are as of game {board.newest}: `{command}` computes them again")
    if board.places:
        print_table(
            [
                Column("environment", shrink=True),
                Column("rank", "right"),
                Column("of", "right"),
                Column("tenable", "right", style="dim"),
                Column("rating", "right"),
                Column("95 %", "right", style="dim"),
                Column("games", "right"),
                Column("change", "right"),
            ],
            [_place(place) for place in board.places],
        )


def _place(place: BoardPlace) -> list[str]:
    row, change = place.row, place.row.change
    return [
        place.environment or "",
        str(row.rank),
        str(place.of),
        f"{row.best_rank} to {row.worst_rank}",
        f"{row.rating:.1f}",
        f"{row.low:.1f} to {row.high:.1f}",
        f"{row.record.whole.games:,}",
        f"{change.mean:+.1f} ({change.low:+.1f} to {change.high:+.1f})" if change else "",
    ]


_CELL = (
    Column("score", "right"),
    Column("95 %", "right", style="dim"),
    Column("games", "right"),
)


def _cell(cell: Cell) -> list[str]:
    low, high = cell.interval
    return [f"{100 * cell.score:.0f} %", f"{100 * low:.0f} to {100 * high:.0f}", f"{cell.games:,}"]


def _print_roles(roles: Sequence[AgentInRole]) -> None:
    if not any(role.right or role.survived for role in roles):
        return
    _title("votes and words")
    print_table(
        [
            Column("as", shrink=True),
            Column("games", "right"),
            Column("votes against another team", "right"),
            Column("survived", "right"),
            Column("claims true", "right"),
            Column("untrue", "right"),
        ],
        [
            [
                role.role or role.team or "",
                f"{role.games:,}",
                f"{100 * role.right.share:.0f} % of {role.right.of:,}" if role.right else "",
                f"{100 * role.survived.share:.0f} %" if role.survived else "",
                f"{role.claims_true:,}",
                f"{role.claims_false:,}",
            ]
            for role in roles
        ],
    )


def _followed(claims: ClaimsBelieved) -> str:
    if claims.share is None or claims.chance is None or claims.interval is None:
        return "nobody voted after them"
    low, high = claims.interval
    return (
        f"{100 * claims.share:.0f} % ({100 * low:.0f} to {100 * high:.0f}) of {claims.votes} next "
        f"votes followed, by chance {100 * claims.chance:.0f} %"
    )


def _print_usage(usage: PartUsage | None) -> None:
    if usage is None:
        return
    known: Mapping[str, str] = {
        "calls": f"{usage.calls:,}, {usage.failed:,} failed",
        "calls of tools": ""
        if not usage.tool_calls
        else f"{usage.tool_calls:,}, {usage.tool_failures:,} failed, "
        f"{milliseconds(1e3 * usage.tool_seconds / usage.tool_calls)} each",
        "$/game": "" if usage.cost_per_game is None else f"{usage.cost_per_game:.4g}",
        "$ in all": f"{usage.charged:.4g}",
        "tokens/turn": "" if usage.tokens_per_turn is None else f"{usage.tokens_per_turn:,.0f}",
        "cached": "" if usage.cached_share is None else f"{100 * usage.cached_share:.0f} %",
        "call": _half_and_most(usage.call_ms),
        "waited here": _half_and_most(usage.lag_ms),
        "turn": ""
        if usage.turn_ms is None
        else f"{usage.turn_ms.median:,.0f} ms, 9 in 10 below {usage.turn_ms.p90:,.0f} ms",
    }
    _title("what it took")
    for name, said in known.items():
        if said:
            print_line(safe(f"  {name.ljust(15)}{said}"), console())


def _half_and_most(times: Latency | None) -> str:
    if times is None:
        return ""
    return f"{times.median:,.0f} ms, 19 in 20 below {times.p95:,.0f} ms"


def _print_failures(failures: Iterable[FailedKind]) -> None:
    rows = [
        [
            kind.failure or kind.error_class,
            f"{kind.calls:,}",
            f"{kind.newest.game_id}",
            f"{kind.newest.turn_number}",
            kind.newest.error_message or "",
        ]
        for kind in failures
    ]
    if rows:
        _title("failed calls, of the newest")
        print_table(
            [
                Column("why"),
                Column("calls", "right"),
                Column("last game", "right"),
                Column("turn", "right"),
                Column("said", shrink=True),
            ],
            rows,
        )


def _print_uncounted(names: Sequence[str]) -> None:
    if names:
        advise(f"counters are not up to date: {', '.join(names)}; run `arena counters rebuild`")


def _title(said: str) -> None:
    from rich.text import Text

    out = console()
    out.print()
    print_line(Text(style="bold").append_text(safe(said)), out)
