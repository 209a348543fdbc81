"""One provider's answers come all at once, ten thousand events together: what others lose by it.

Half of the agents are at that server, the others at one of their own; all have the same time limit.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from tests.servers.bursts import burst_server
from torture.bursts import BURSTING, OTHERS, PROTOCOLS, tournament
from torture.databases import KINDS, LABELS, Kind, ask
from torture.harness import Harness
from torture.rows import Row

PART = "bursts"
CHUNKS = 10_000
CHARACTERS = 300_000
GAMES = 3
TURNS = 12
TIME_LIMIT = 2.0  # seconds of a turn, which a server that shares its core with others may need


def run(harness: Harness, *, toy: bool = False) -> list[Row]:
    rows: list[Row] = []
    with burst_server(CHUNKS, CHARACTERS) as bursts, burst_server(1, 10) as others:
        for kind in KINDS[:1] if toy else KINDS:
            for protocol in list(PROTOCOLS)[:1] if toy else PROTOCOLS:
                for stream in (True,) if toy else (True, False):
                    size = (1, 4, 20.0) if toy else (GAMES, TURNS, TIME_LIMIT)
                    rows += _measure(harness, kind, (bursts, others), protocol, stream, size)
    return rows


def _measure(
    harness: Harness,
    kind: Kind,
    servers: tuple[str, str],
    protocol: str,
    stream: bool,
    size: tuple[int, int, float],
) -> Iterator[Row]:
    """A tournament of `size`: games, turns a game, seconds of a turn."""
    form = "streamed" if stream else "whole"
    name = f"bursts-{protocol}-{form}-{kind}".lower()
    url = harness.databases.fresh(kind, name)
    config = harness.folder / "files" / f"{name}.yaml"
    config.parent.mkdir(exist_ok=True)
    games, turns, limit = size
    file = tournament(
        name, protocol, *servers, stream=stream, games=games, turns=turns, time_limit=limit
    )
    config.write_text(yaml.safe_dump(file))
    ended = harness.commands.start("run", config, "--db", url).wait()
    calls, longest = ask(
        url, "SELECT COUNT(*), MAX(total_response_time_ms) FROM llm_calls WHERE error_class IS NULL"
    )[0]
    harness.say(f"{LABELS[kind]}, {protocol}, {form}: {calls} calls, exit code {ended.code}")
    said = f"{calls} answers; the longest took its provider {longest or 0:.0f} ms"
    told = f"{LABELS[kind]}: {protocol}, {form}:"
    finished = ask(url, "SELECT COUNT(*) FROM games WHERE status = 'completed'")[0][0]
    yield Row(PART, f"{told} games finished", finished, promised=games, note=said)
    yield Row(PART, f"{told} time limits that other agents lapsed", _lapsed(url, OTHERS), 0)
    yield Row(PART, f"{told} time limits that the bursting agents lapsed", _lapsed(url, BURSTING))


def _lapsed(url: str, agents: tuple[str, ...]) -> int:
    names = ", ".join(f"'{name}'" for name in agents)
    return int(
        ask(
            url,
            "SELECT COALESCE(SUM(time_limits), 0) FROM game_players "
            f"JOIN agents ON agents.id = game_players.agent_id WHERE agents.alias IN ({names})",
        )[0][0]
    )
