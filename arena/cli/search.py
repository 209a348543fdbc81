"""`arena search`: finds what was said, by whom, and how that ended."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from arena.cli.options import (
    AgentOption,
    AsJson,
    DatabaseUrl,
    EnvironmentOption,
    GameOption,
    ModelOption,
    PromptOption,
    ResultOption,
    RevisionOption,
    RoleOption,
    SinceOption,
    StatusOption,
    TeamOption,
    TerminationOption,
    TournamentOption,
    UntilOption,
)
from arena.cli.output import advise, count, print_json, safe, tell
from arena.cli.sessions import reading

if TYPE_CHECKING:
    from rich.text import Text

    from arena.reports.search import Excerpt
    from db.search.filling import FilledIndex
    from db.search.hits import SearchHit, SearchHits

HITS = 20


def search(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WORDS...",
            help="What to find: words in quotes as a phrase; of several, all, in one text.",
            show_default=False,
        ),
    ] = None,
    in_: Annotated[
        list[str] | None,
        typer.Option(
            "--in",
            metavar="WHAT",
            help="Only in this: action, reply (a model's, where it is not the action), thought, "
            "error.",
        ),
    ] = None,
    tournament: TournamentOption = None,
    environment: EnvironmentOption = None,
    agent: AgentOption = None,
    agent_kind: Annotated[
        list[str] | None,
        typer.Option("--agent-kind", metavar="K", help="Only agents of this kind."),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            "--kind",
            metavar="EVENT",
            help="Only where such an event of the same player happened: vote, speech, ...",
        ),
    ] = None,
    phase: Annotated[
        list[str] | None,
        typer.Option("--phase", metavar="PHASE", help="Only in this phase: voting, or Day-Voting."),
    ] = None,
    model: ModelOption = None,
    prompt: PromptOption = None,
    role: RoleOption = None,
    team: TeamOption = None,
    result: ResultOption = None,
    status: StatusOption = None,
    termination: TerminationOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    game: GameOption = None,
    revision: RevisionOption = None,
    ranked: Annotated[
        bool, typer.Option("--ranked", help="The most relevant first, instead of the newest games.")
    ] = False,
    trigram: Annotated[
        bool,
        typer.Option(
            "--trigram",
            help="Also inside of words, by threes of letters: an index of its own, several times "
            "as large.",
        ),
    ] = False,
    before: Annotated[
        str | None,
        typer.Option("--before", metavar="GAME:TURN", help="Only what was said before that turn."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="At most N hits.")] = HITS,
    fill: Annotated[
        bool,
        typer.Option(
            "--fill/--no-fill", help="Bring the index up to date first; without words, only that."
        ),
    ] = True,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Empty the index first, and fill it anew.")
    ] = False,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Search what was said in games that are over.

    That is: actions, replies, thoughts and errors.

    Case, accents and punctuation do not count, and no character is a command. The index is kept
    apart from the record and filled from it when somebody searches."""
    from arena.core import UsageError
    from arena.reports.search import spoken
    from db.search.filling import FilledIndex, lag
    from db.search.filling import fill as fill_index
    from db.search.hits import Sought
    from db.search.hits import search as hits_of
    from db.search.opened import open_store
    from db.selection import Selection

    if not words and not fill:
        raise UsageError("there is nothing to do: give words to search for, or leave out --no-fill")
    name: Literal["words", "parts"] = "parts" if trigram else "words"
    sought = None
    if words:
        sought = Sought(
            phrases=tuple(words),
            index=name,
            part=tuple(in_ or ()),
            kind=tuple(kind or ()),
            phase=tuple(phase or ()),
            ranked=ranked,
            before=turn_named(before, "--before") if before else None,
        )
    selection = Selection(
        tournament=tournament,
        environment=environment,
        agent=agent,
        kind=agent_kind,
        model=model,
        prompt=prompt,
        role=role,
        team=team,
        result=result,
        status=status,
        termination=termination,
        since=since,
        until=until,
        game=game,
        revision=revision,
    )
    with reading(db) as session:
        selection.on(session)
        with open_store(session.get_bind().engine.url) as store:
            if rebuild:
                store.clear(name)
            if fill:
                filled = fill_index(session, store, name, spoken, _progress())
            else:
                filled = FilledIndex(0, 0, (), *lag(session, store.progress(name)))
            found = None
            if sought is not None:
                found = hits_of(session, store, sought, spoken, selection, limit=limit)
    if found is None:
        tell(f"{count(filled.games, 'game')} added to the index, {count(filled.texts, 'text')}")
    elif as_json:
        print_json({"hits": [_fields(hit) for hit in found.hits]})
    else:
        _print(found)
    _say_what_is_missing(filled)
    if found is not None:
        _say_what_is_left(found, ranked)


def turn_named(given: str, option: str) -> tuple[int, int]:
    """`12:5` as (game, turn). Raises UsageError."""
    from arena.core import UsageError

    game, colon, turn = given.partition(":")
    if not (colon and game.isdecimal() and turn.isdecimal()):
        raise UsageError(f"{option} expects GAME:TURN, such as 12:5, found {given!r}")
    return int(game), int(turn)


def _progress() -> Callable[[int, int], None]:
    """Tells on stderr how far the index is, where that takes a while."""
    stream = sys.stderr
    every = 5_000
    said = [0]

    def told(done: int, total: int) -> None:
        if total < every:
            return
        if stream.isatty():
            stream.write(f"\rfilling the search index: {done:,} of {total:,} games")
            if done == total:
                stream.write("\n")
            stream.flush()
        elif done - said[0] >= every or done == total:
            said[0] = done
            tell(f"filling the search index: {done:,} of {total:,} games")

    return told


def _fields(hit: SearchHit) -> dict[str, object]:
    from arena.reports.search import excerpt

    around = asdict(excerpt(hit))
    return {
        "game": hit.game_id,
        "turn": hit.turn_number,
        "player": hit.player_index,
        "in": hit.part,
        "agent": hit.agent,
        "role": hit.role,
        "team": hit.team,
        "result": hit.result,
        "tournament": hit.tournament,
        "status": hit.status,
        "excerpt": around["text"],
        "excerpt_matches": around["matches"],
        "text": hit.text,
        "matches": hit.matches,
        "command": f"arena show {hit.game_id}",
    }


def _print(found: SearchHits) -> None:
    from rich.text import Text

    from arena.cli.transcript_lines import Page, colour, player_name, transcript_console
    from arena.reports.search import excerpt

    page = Page(transcript_console())
    for hit in found.hits:
        place = f"game {hit.game_id}"
        if hit.turn_number is not None:
            place += f", turn {hit.turn_number}"
        line = Text.assemble((place, "bold"), "  ")
        if hit.player_index is not None:
            line.append_text(player_name(hit.player_index, hit.agent, hit.role))
        line.append(f"  {_OUTCOMES.get(hit.result or '', '')}")
        page.both_ends(line, Text(hit.part, "dim"))
        bar = Text("│ ", colour(hit.player_index) if hit.player_index is not None else "dim")
        page.wrapped(bar, _highlighted(excerpt(hit)))
    if found.hits:
        games = len({hit.game_id for hit in found.hits})
        tell(
            f"{count(len(found.hits), 'hit')} in {count(games, 'game')}; "
            f"`arena show {found.hits[0].game_id}` shows the first game whole"
        )
    else:
        advise("nothing was found")


_OUTCOMES = {"win": "won", "loss": "lost", "draw": "drew"}


def _highlighted(piece: Excerpt) -> Text:
    """A piece on one line, what was found set apart."""
    from rich.text import Text

    shown = Text("… " if piece.cut_before else "")
    at = 0
    for start, end in piece.matches:
        shown.append_text(safe(_flat(piece.text[at:start])))
        shown.append_text(safe(_flat(piece.text[start:end]), "bold"))
        at = end
    shown.append_text(safe(_flat(piece.text[at:])))
    return shown.append(" …" if piece.cut_after else "")


def _flat(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ").replace("\t", " ")


def _say_what_is_missing(filled: FilledIndex) -> None:
    over = filled.behind - filled.running
    if over:
        are = "is over and" if over == 1 else "are over and"
        advise(f"{count(over, 'game')} {are} not in the index yet: leave out --no-fill")
    if filled.running:
        are = "is not over and is" if filled.running == 1 else "are not over and are"
        tell(f"{count(filled.running, 'game')} {are} not searched")
    if filled.unread:
        advise(
            f"the answers of {count(len(filled.unread), 'turn')} are damaged and not searched; "
            "`arena db verify` lists them"
        )


def _say_what_is_left(found: SearchHits, ranked: bool) -> None:
    from db.search.store import RANKED

    if found.without_events:
        advise(
            f"{count(found.without_events, 'game')} left out without events on record: "
            "`arena events rebuild` tells them"
        )
    if found.unranked:
        tell(f"ranked are the newest {RANKED:,} texts with these words; there are older ones")
    if found.more and not ranked and found.hits and found.hits[-1].turn_number is not None:
        last = found.hits[-1]
        tell(f"there are more: --before {last.game_id}:{last.turn_number} shows older ones")
    elif found.more:
        tell("there are more: --limit shows them")
