"""Writes golden games: whole plays of an environment as text, for people to read and tests to
compare.

`python -m arena.testing.playthrough tests/playthroughs` plays every game that is declared in that
folder's `games.toml` again and writes it beside; with `--check` it only compares.
"""

from __future__ import annotations

import argparse
import random
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arena import registry
from arena.core import Environment, Observation, UsageError
from arena.testing.policies import offered, plausible
from arena.testing.transcript import Transcript, Turn, play

_POLICIES = {"offered": offered, "plausible": plausible}
_KEYS = {"environment", "players", "seed", "options", "actions", "policy", "turn_limit"}


@dataclass(frozen=True, slots=True)
class GoldenGame:
    """A declared game. `actions` are played in order, then `policy` chooses, until the end or
    `turn_limit` turns."""

    title: str
    environment: str
    players: int
    seed: int
    options: Mapping[str, Any] = field(default_factory=dict)
    actions: tuple[str, ...] = ()
    policy: str = "offered"
    turn_limit: int = 60

    @property
    def filename(self) -> str:
        return f"{self.title}.txt"


def declared(folder: Path) -> list[GoldenGame]:
    """The games in `folder/games.toml`. Raises UsageError for an unknown key or policy."""
    tables = tomllib.loads((folder / "games.toml").read_text(encoding="utf-8"))
    games = []
    for title, table in tables.items():
        if unknown := set(table) - _KEYS:
            raise UsageError(f"{title}: unknown keys {sorted(unknown)}; known: {sorted(_KEYS)}")
        if table.get("policy", "offered") not in _POLICIES:
            raise UsageError(f"{title}: unknown policy; known: {sorted(_POLICIES)}")
        actions = tuple(table.pop("actions", ()))
        games.append(GoldenGame(title=title, actions=actions, **table))
    return games


def render(
    golden: GoldenGame, find: Callable[..., Callable[[], Environment]] = registry.environment
) -> str:
    """The whole game as text, the same on every machine."""
    make = find(golden.environment, golden.options)
    script = iter(golden.actions)

    def choose(observation: Observation, rng: random.Random) -> str:
        action = next(script, None)
        return _POLICIES[golden.policy](observation, rng) if action is None else action

    transcript = play(
        make,
        seed=golden.seed,
        num_players=golden.players,
        policy=choose,
        turn_limit=golden.turn_limit,
    )
    spec = make().spec
    header = [
        f"environment: {spec.name} ({spec.package} {spec.version})",
        f"options: {dict(golden.options) or 'none'}",
        f"players: {golden.players}",
        f"seed: {golden.seed}",
    ]
    turns = [line for turn in transcript.turns for line in _turn(turn)]
    return "\n".join([*header, *turns, *_outcome(transcript)]) + "\n"


def _turn(turn: Turn) -> list[str]:
    seen = turn.observation
    lines = ["", f"--- turn {seen.turn_number}, player {seen.player_index} sees"]
    lines += _quoted(seen.new)
    lines.append(f"--- player {seen.player_index} does")
    lines += _quoted(turn.action)
    if turn.prepared != turn.action:
        lines += ["--- which the rules read as", *_quoted(turn.prepared)]
    if turn.invalid:
        lines.append("--- invalid")
    return lines


def _outcome(transcript: Transcript) -> list[str]:
    outcome = transcript.outcome
    lines = [
        "",
        f"=== {outcome.termination.value} after {len(transcript.turns)} turns",
        *_quoted(outcome.reason),
        f"winning team: {outcome.winning_team or 'none'}",
    ]
    for player in outcome.players:
        lines.append(
            f"player {player.player_index}: rank {player.rank}, reward {player.reward:g}, "
            f"role {player.role or 'none'}, team {player.team or 'none'}, "
            f"invalid actions {player.invalid_actions}"
        )
    return lines


def _quoted(text: str) -> list[str]:
    # Every line is marked, so that nothing a player writes can be taken for the file's own words;
    # a mark at the end keeps editors from eating blanks.
    return [f"| {_visible(line)}".rstrip(" ") + _blanks(line) for line in text.split("\n")]


def _blanks(line: str) -> str:
    return "" if line == line.rstrip(" ") else f"{' ' * (len(line) - len(line.rstrip(' ')))}$"


def _visible(line: str) -> str:
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in line
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write, or with `--check` compare, the golden games of a folder; 1 when one differs."""
    parser = argparse.ArgumentParser(prog="python -m arena.testing.playthrough")
    parser.add_argument("folder", type=Path, help="holds games.toml")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if one differs")
    parser.add_argument("--only", metavar="TITLE", help="this game alone")
    options = parser.parse_args(arguments)
    differs = 0
    for golden in declared(options.folder):
        if options.only not in (None, golden.title):
            continue
        path = options.folder / golden.filename
        text = render(golden)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        differs += 1
        sys.stderr.write(f"{path}: {'differs' if options.check else 'written'}\n")
        if not options.check:
            path.write_text(text, encoding="utf-8")
    return int(options.check and differs > 0)


if __name__ == "__main__":
    raise SystemExit(main())
