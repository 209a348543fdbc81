"""A thousand hostile model outputs through real games, and then every way of looking at them.

What a provider sent must come back from the database to the last character, and no command may
print a character that acts instead of showing, whatever the text was.
"""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from torture.commands import Commands, Ended
from torture.databases import KINDS, ask
from torture.flipped_bits import flipped
from torture.harness import Harness
from torture.rows import Row
from torture.scene import Scene

PART = "hostile"
OUTPUTS = 1000
AT_ONCE = 8
# Games of one run, of about twenty outputs each.
GAMES = 70
GAMES_SHOWN = 24
FLIPS = 300
_ACTING = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_EMOJI_JOINER = "\u200d"


def acting(printed: str, *, colour: bool = False) -> Counter[str]:
    """The characters of a command's output that a terminal would act on or hide, by their names;
    a newline is none, and with `colour` neither are sequences that only set colours."""
    if colour:
        printed = _COLOUR.sub("", printed)
    if printed.isascii() and printed.replace("\n", "").isprintable():
        return Counter()
    return Counter(
        f"U+{ord(char):04X}"
        for char in printed
        if char not in ("\n", _EMOJI_JOINER) and unicodedata.category(char) in _ACTING
    )


def run(harness: Harness, *, toy: bool = False) -> list[Row]:
    rows: list[Row] = []
    for kind in KINDS:
        with harness.service(f"{PART}-{kind}") as service:
            games, outputs = (4, 20) if toy else (GAMES, OUTPUTS)
            scene = Scene(
                harness, service, PART, "outputs", kind,
                mode="hostile", games=games, concurrency=AT_ONCE,
            )  # fmt: skip
            ended = scene.go_on().ended
            harness.say(f"{kind}: {len(scene.books().requests)} outputs, {ended.last_words}")
            rows += _recorded(scene, ended, outputs)
            rows += _shown(scene, sorted({*_chosen(scene, 4 if toy else GAMES_SHOWN)}))
            rows += _framed(scene)
            rows += flipped(scene, PART, 10 if toy else FLIPS)
    return rows


def _recorded(scene: Scene, ended: Ended, outputs: int) -> Iterator[Row]:
    name = scene.label
    requests = scene.books().requests
    sent = Counter((request.digest, request.text or "") for request in requests)
    yield Row(
        PART,
        f"{name}: hostile outputs sent",
        len(requests),
        promised=outputs,
        bound="at least",
        note=f"{len({r.text for r in requests})} different",
    )
    yield Row(
        PART,
        f"{name}: exit code of the run",
        ended.code,
        promised=0,
        note=ended.last_words if ended.code else "",
    )
    yield Row(PART, f"{name}: games void", scene.count("void"), promised=0)
    recorded = _texts(scene)
    yield Row(
        PART,
        f"{name}: outputs that the database does not give back as they were",
        (sent - recorded).total() + (recorded - sent).total(),
        promised=0,
        note=f"{sum(len(text) for _, text in sent):,} characters",
    )


def _texts(scene: Scene) -> Counter[tuple[str, str]]:
    """(digest of the request, text of the answer) of every call on record."""
    from sqlmodel import col, select

    from db import Game, get_session
    from db.queries.transcript import transcript
    from torture.server import digest_of

    with get_session(scene.url, create=False) as session:
        return Counter(
            (digest_of(call.messages), call.text or "")
            for game in session.exec(select(Game.id).order_by(col(Game.id)))
            for turn in transcript(session, game or 0)
            for call in turn.calls
        )


def _chosen(scene: Scene, most: int) -> Iterator[int]:
    """Games to be shown: some from all over the tournament."""
    games = [row[0] for row in ask(scene.url, "SELECT id FROM games ORDER BY id")]
    yield from games[:: max(1, len(games) // most)]


def _shown(scene: Scene, games: Sequence[int]) -> Iterator[Row]:
    looks: list[tuple[str, ...]] = [
        ("games", "--tournament", scene.lane),
        ("games", "--tournament", scene.lane, "--json"),
        ("leaderboard", "--tournament", scene.lane),
        ("leaderboard", "--tournament", scene.lane, "--json"),
        ("agents", "list"),
        ("models", "list"),
        ("prompts", "list"),
    ]
    for game in games:
        looks += [("show", str(game)), ("show", str(game), "--json")]
        looks += [("replay", str(game), "--check")]
    looks += [("show", str(game), "--calls") for game in games[::4]]
    looks += [("diff", str(one), str(two)) for one, two in pairwise(games)]
    yield from _looked_at(scene, looks)


def _looked_at(scene: Scene, looks: Sequence[tuple[str, ...]]) -> Iterator[Row]:
    crashed: list[str] = []
    found: Counter[str] = Counter()
    where = ""
    for look in looks:
        for colour in (False, True):
            if colour and "--json" in look:
                continue
            ended = _look(scene.harness.commands, look, scene.url, colour)
            if ended.code != 0:
                crashed.append(f"arena {' '.join(look)}: {ended.code} {ended.last_words}")
                break
            printed = ended.stdout + ended.stderr
            if "--json" in look:
                json.loads(ended.stdout)
            acts = acting(printed, colour=colour)
            found += acts
            where = where or (" ".join(look) if acts else "")
    yield Row(
        PART,
        f"{scene.label}: commands that looked at the games",
        len(looks),
        note="show, show --json, replay --check, diff, games, leaderboard, ...",
    )
    yield Row(
        PART,
        f"{scene.label}: commands that failed",
        len(crashed),
        promised=0,
        note="; ".join(crashed[:2]),
    )
    yield Row(
        PART,
        f"{scene.label}: characters printed that a terminal obeys",
        found.total(),
        promised=0,
        note=f"first by: arena {where}: {dict(found.most_common(3))}" if where else "",
    )


def _look(commands: Commands, look: tuple[str, ...], url: str, colour: bool) -> Ended:
    env = {"FORCE_COLOR": "1"} if colour else {}
    return commands.run(*look, "--db", url, env=env)


def _framed(scene: Scene) -> Iterator[Row]:
    """Frames are data: they hold what was sent, and a file written from one is read back the
    same."""
    from arena.analysis import calls_df, turns_df

    turns = turns_df(scene.url)
    calls = calls_df(scene.url, messages=True)
    # Nothing said is a provider's failure, which has no text.
    said = [request.text for request in scene.books().requests]
    sent = Counter(filter(None, said))
    silent = len(said) - sent.total() - int(calls["text"].isna().sum())
    framed = Counter(calls["text"].dropna())
    path = scene.harness.folder / "exports" / f"{scene.lane}.csv"
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="", errors="surrogatepass") as file:
        turns[["action"]].to_csv(file, index=False, quoting=csv.QUOTE_ALL)
    with path.open(newline="", errors="surrogatepass") as lines:
        csv.field_size_limit(2**24)
        read = [row[0] for row in csv.reader(lines)][1:]
    differ = sum(one != other for one, other in zip(turns["action"], read, strict=True))
    yield Row(
        PART,
        f"{scene.label}: texts in frames and exports that are not what was sent",
        (sent - framed).total() + (framed - sent).total() + abs(silent) + differ,
        promised=0,
        note=f"calls {len(calls):,}, turns {len(turns):,}",
    )
