"""Turns a question about two agents of the catalogue into the tournament that answers it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena import registry
from arena.compare.looks import looks, said
from arena.config import TournamentConfig, parse
from arena.core import Part, UsageError, prompts
from arena.game.seating import remembering_kind
from arena.matchmakers.duel import BLOCK, SEATINGS, DuelOptions
from arena.orchestrator.lookup import Rules, find_agent, of_row, rules_of, team_sizes
from db import Agent, Repository, Tournament, get_session
from db.database import Source

MOST_GAMES = 10_000
"""The schedule of a sequential test ends here, decided or not."""

_LONGEST_NAME = 100
_FIRST_PART = re.compile(r"[.=\[]")
_ASKED = {"name", "seed", "games", "matchmaker", "models", "prompts", "agents", "pool", "rating"}


@dataclass(frozen=True, slots=True)
class Question:
    """Is A better than B? None leaves a choice to what fits the environment, or to custom.

    `a`, `b` and `field` are agents of the catalogue, by name or number; `environment` one that was
    played or is installed, `players` how many of it. `seating`, `test`, `h0`, `h1`, `alpha` and
    `beta` are as in `arena.matchmakers.duel.DuelOptions`. `games` is the most that is played in
    all, for the test `fixed` exactly this number. `name` is the tournament's, by default the
    question itself. `again` asks anew although a comparison of the two is on record. `settings` are
    what `--set` says of the tournament (`llm.timeout=5`).
    """

    a: str
    b: str
    environment: str | None = None
    players: int | None = None
    seating: str | None = None
    test: str | None = None
    h0: float | None = None
    h1: float | None = None
    alpha: float | None = None
    beta: float | None = None
    field: tuple[str, ...] = ()
    games: int | None = None
    seed: int = 0
    name: str | None = None
    again: bool = False
    settings: tuple[str, ...] = ()

    def options(self, test: str) -> dict[str, Any]:
        """The options of the test, as a matchmaker takes them. Raises UsageError for one that the
        test does not have."""
        given: dict[str, Any] = {"test": test}
        for option in ("h0", "h1", "alpha", "beta"):
            value = getattr(self, option)
            if value is None:
                continue
            if option in ("h1", "beta") and test in ("evalue", "fixed"):
                raise UsageError(
                    f"--{option} belongs to --test gsprt, which decides between two scores; "
                    f"--test {test} has --h0 and --alpha"
                )
            given[option] = value
        return given


def configure(url: Source, question: Question) -> TournamentConfig:
    """The tournament that answers the question: the same for the same question, so that asking
    again resumes it. Nothing is written.

    Raises UsageError for what is not in the catalogue, and for a test, a seating or a number of
    games that make no comparison; DatabaseError where there is no database.
    """
    test = question.test or "gsprt"
    with get_session(url, create=False) as session:
        repo = Repository(session)
        agents = two_agents(repo, question)
        agents += _field(repo, question, agents)
        keys = [agent.id for agent in agents[:2]]
        rules = rules_of(repo, question.environment, question.players, keys)
        parts = rules.parts()
        seating = question.seating or default_seating(parts, field=bool(question.field))
        options = {"seating": seating, **question.options(test)}
        chosen = DuelOptions.read(options)
        _check_games(question.games, chosen)
        _check_field(rules, parts, seating, question)
        entered = [written(agent) for agent in agents]
        games = question.games if test == "fixed" else MOST_GAMES
        data: dict[str, Any] = {
            "seed": question.seed,
            "environment": rules.written,
            "games": games,
            "matchmaker": {"name": "duel", **options},
            "agents": entered,
        }
        data["name"] = question.name or _name(data, chosen)
        begun = resumed(repo, data)
        if test == "fixed":
            _check_looks(repo.get_tournaments(), data)
        if not begun and not question.again:
            _check_again(repo.get_tournaments(), data, chosen)
    return seeded(data, question.seed, question.settings)


def resumed(repo: Repository, data: dict[str, Any]) -> bool:
    """Whether the comparison is on record already: then the rules and the budget that it was begun
    with are put into `data`."""
    begun = repo.get_tournament_by_name(data["name"])
    if begun is not None and begun.environment is not None:
        # Others may have played by other rules of that name since.
        data["environment"] = of_row(repo, begun.environment).written
    if begun is not None and begun.settings and begun.settings.get("budget") is not None:
        data["budget"] = begun.settings["budget"]
    return begun is not None


def seeded(data: dict[str, Any], seed: int, settings: Sequence[str] = ()) -> TournamentConfig:
    """The tournament, with a seed of its own unless one was given: two comparisons are two samples,
    and on one seed they would be played on the same luck. Raises UsageError for `settings` of what
    the question says itself."""
    for setting in settings:
        part = _FIRST_PART.split(setting, maxsplit=1)[0].strip()
        if part in _ASKED:
            raise UsageError(
                f"--set {part}: a comparison says that itself, by its agents and options; --set is "
                "for how its games are played: environment.turn_limit, llm.timeout, attempts"
            )
    name = data["name"].encode()
    data["seed"] = seed or int.from_bytes(hashlib.blake2b(name, digest_size=4).digest(), "big")
    return parse(data, source="the comparison", settings=settings)


def _check_again(known: Iterable[Tournament], data: Mapping[str, Any], chosen: DuelOptions) -> None:
    """Raises UsageError where a comparison of the two is on record: the error rates of both would
    add up, and neither says so."""
    a, b = (agent["name"] for agent in data["agents"][:2])
    where = data["environment"]
    before = looks(known, where["name"], where["players"], {a, b})
    if not before.of_these:
        return
    number = len(before.of_these) + 1
    told = ", ".join(f"{look.tournament!r} ({look.test})" for look in before.of_these[:3])
    raise UsageError(
        f"a comparison of {a} and {b} in this environment is on record already: {told}. "
        f"{said(a, b, number, min(1.0, before.any_error + chosen.alpha))}. The command that began "
        "it resumes it, which --test evalue allows at any time and the others until they have "
        "decided. To ask anew all the same, say --again: the verdict then shows that rate"
    )


def _check_looks(known: Iterable[Tournament], data: Mapping[str, Any]) -> None:
    """Raises UsageError for a second look at the same question, with another number of games."""
    for tournament in known:
        config = tournament.config
        matchmaker = config.get("matchmaker", {})
        if (
            matchmaker.get("name") == "duel"
            and matchmaker.get("test") == "fixed"
            and matchmaker.get("seating") == data["matchmaker"]["seating"]
            and config["environment"]["name"] == data["environment"]["name"]
            and config["environment"]["players"] == data["environment"]["players"]
            and {agent["name"] for agent in config["agents"][:2]}
            == {agent["name"] for agent in data["agents"][:2]}
            and config["games"] != data["games"]
        ):
            raise UsageError(
                f"a fixed-size test looks once, at a number of games stated before the first, and "
                f"{tournament.name!r} has stated {config['games']}: look at that one, or ask with "
                "--test evalue, which may be looked at at any time"
            )


def two_agents(repo: Repository, question: Question) -> list[Agent]:
    """A and B. Raises UsageError for unknown ones, and for one agent twice."""
    first, second = (find_agent(repo, name) for name in (question.a, question.b))
    if first.id == second.id:
        raise UsageError(
            f"{first.label} is asked to be compared with itself: expected two agents; against "
            "itself an agent scores 50 % whatever it does"
        )
    return [first, second]


def _field(repo: Repository, question: Question, two: Sequence[Agent]) -> list[Agent]:
    found = [find_agent(repo, name) for name in question.field]
    keys = [agent.id for agent in [*two, *found]]
    for agent in found:
        if keys.count(agent.id) > 1:
            raise UsageError(
                f"--field {agent.label} is in the comparison already: the field is made of others, "
                "each named once"
            )
    return found


def default_seating(parts: Sequence[Part], *, field: bool = False) -> str:
    """The seating that needs the fewest games: clones where two teams play and no field was named,
    opposite sides where there are other teams, or a field."""
    sizes = team_sizes(parts)
    if len(parts) == 2 or len(sizes) == len(parts):
        return "mirrored"
    return "clones" if len(sizes) == 2 and not field else "opposite"


def _check_games(games: int | None, chosen: DuelOptions) -> None:
    if games is None:
        if chosen.test == "fixed":
            raise UsageError(
                "a fixed-size test looks once, at a number of games stated before the first: say "
                "--games N, or --test evalue, which may be looked at at any time"
            )
        return
    if chosen.test != "fixed" and games > MOST_GAMES:
        raise UsageError(
            f"--games {games}: a sequential test of two agents has at most {MOST_GAMES:,} games; "
            "what those do not decide is smaller than what h0 and h1 ask for"
        )
    if games % BLOCK or games < BLOCK:
        near = f"{games - 1} or {games + 1}" if games > BLOCK else f"{BLOCK}"
        raise UsageError(
            f"--games {games}: games are played in blocks of {BLOCK}, one for each way that the "
            f"two can sit: say {near}"
        )


def _check_field(rules: Rules, parts: Sequence[Part], seating: str, question: Question) -> None:
    players = rules.players
    if seating not in SEATINGS:
        return
    free = 0 if seating == "clones" else players - 2
    if free and not question.field:
        two_teams = len(team_sizes(parts)) == 2
        instead = ", or --seating clones, which needs none" if two_teams else ""
        raise UsageError(
            f"with --seating {seating} a game of {rules.name} has {free} more seats: say who fills "
            f"them with --field AGENT, as often as you like{instead}"
        )
    if question.field and not free:
        raise UsageError(
            f"with --seating {seating} no seat of {rules.name} is left for a --field: leave it out"
            + ("" if players == 2 else ", or say --seating opposite")
        )


def written(agent: Agent) -> dict[str, Any]:
    """The agent as a tournament file has it; its model and prompt are the catalogue's."""
    installed = registry.kind(agent.kind.name).version
    if agent.kind.version != installed:
        raise UsageError(
            f"{agent.label} is of the kind {agent.kind.name} v{agent.kind.version}, installed is "
            f"v{installed}, which makes another agent: `arena agents fork {agent.label} NEW`"
        )
    if remembering_kind(agent.kind.name):
        raise UsageError(
            f"{agent.label} remembers earlier games (kind {agent.kind.name}), so that its games "
            "depend on their order, and a test that takes them to be independent would be wrong: "
            "let it play a tournament (`arena run`), and look at its board"
        )
    options, beside = prompts.parted(agent.options)
    return {
        "name": agent.label,
        "kind": agent.kind.name,
        "model": agent.model.name,
        "prompt": agent.prompt.name,
        "options": options,
        **{name: value for name, value in beside.items() if value},
    }


def _name(data: dict[str, Any], chosen: DuelOptions) -> str:
    """The question as a name: all that makes it another tournament is in it."""
    plain = DuelOptions()
    first, second, *field = (agent["name"] for agent in data["agents"])
    players = data["environment"]["players"]
    asked = [f"{players} players"] if players > 2 else []
    asked.append(data["matchmaker"]["seating"])
    if chosen.test == "gsprt":
        asked.append(f"gsprt {chosen.h0:g} {chosen.h1:g}")
    else:
        asked.append(chosen.test if chosen.h0 == plain.h0 else f"{chosen.test} {chosen.h0:g}")
    asked += [
        f"{name} {getattr(chosen, name):g}"
        for name in ("alpha", "beta")
        if getattr(chosen, name) != getattr(plain, name)
    ]
    if data["games"] != MOST_GAMES:
        asked.append(f"{data['games']} games")
    if data["seed"]:
        asked.append(f"seed {data['seed']}")
    if field:
        asked.append(f"field {', '.join(field)}")
    environment = data["environment"]["name"]
    return named(f"compare {first} and {second} in {environment} ({', '.join(asked)})", data)


def named(name: str, data: Mapping[str, Any]) -> str:
    """The name of a question; one that is too long is cut, and a mark tells it from others."""
    if len(name) <= _LONGEST_NAME:
        return name
    text = json.dumps(data, sort_keys=True)
    mark = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{name[: _LONGEST_NAME - 10].rstrip()} {mark}"
