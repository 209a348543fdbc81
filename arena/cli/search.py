"""`arena search`: finds what was said, by whom, and how that ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from arena.cli.options import (
    AgainstOption,
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
    TagOption,
    TeamOption,
    TerminationOption,
    TournamentOption,
    UntilOption,
)
from arena.cli.output import advise, count, print_json, tell
from arena.cli.sessions import reading

if TYPE_CHECKING:
    from db.search.filling import FilledIndex
    from db.search.hits import SearchHits

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
    against: AgainstOption = None,
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
    tag: TagOption = None,
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
    like: Annotated[
        str | None,
        typer.Option(
            "--like",
            metavar="GAME:TURN",
            help="Instead of words: what is most like what was said in that turn.",
        ),
    ] = None,
    embedding: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="With --like: the embedding model of the catalogue; `words` needs no provider.",
        ),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(min=0.0, metavar="USD", help="With --like: most dollars for new vectors."),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="With --like: only say what would be sent, and its price."),
    ] = False,
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
    apart from the record and filled from it when somebody searches. --like compares actions by the
    vectors of an embedding model; each action is sent to it once."""
    from arena.cli.search_like import search_like
    from arena.cli.search_lines import filling_progress, plain_hit
    from arena.core import UsageError
    from arena.reports.search import spoken
    from db.search.filling import FilledIndex, lag
    from db.search.filling import fill as fill_index
    from db.search.hits import Sought
    from db.search.hits import search as hits_of
    from db.search.opened import open_store
    from db.selection import Selection

    if like is None and (embedding is not None or budget is not None or dry_run):
        raise UsageError("--embedding, --budget and --dry-run go with --like GAME:TURN")
    if not words and not fill and like is None:
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
        against=against,
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
        tag=tag,
    )
    if like is not None:
        if words or in_ or ranked or trigram or before:
            raise UsageError(
                "--like compares actions: leave out words, --in, --ranked, --trigram and --before"
            )
        search_like(
            db, turn_named(like, "--like"), selection, kind=kind or (), phase=phase or (),
            limit=limit, embedding=embedding, budget=budget, dry_run=dry_run, fill=fill,
            rebuild=rebuild, as_json=as_json,
        )  # fmt: skip
        return
    with reading(db) as session:
        selection.on(session)
        with open_store(session.get_bind().engine.url) as store:
            if rebuild:
                store.clear(name)
            if fill:
                filled = fill_index(session, store, name, spoken, filling_progress())
            else:
                filled = FilledIndex(0, 0, (), *lag(session, store.progress(name)))
            found = None
            if sought is not None:
                found = hits_of(session, store, sought, spoken, selection, limit=limit)
    if found is None:
        tell(f"{count(filled.games, 'game')} added to the index, {count(filled.texts, 'text')}")
    elif as_json:
        print_json({"hits": [plain_hit(hit) for hit in found.hits]})
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


def _print(found: SearchHits) -> None:
    from arena.cli.search_lines import print_hits

    print_hits(found.hits)
    if found.hits:
        games = len({hit.game_id for hit in found.hits})
        tell(
            f"{count(len(found.hits), 'hit')} in {count(games, 'game')}; "
            f"`arena show {found.hits[0].game_id}` shows the first game whole"
        )
    else:
        advise("nothing was found")


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
    if found.archived:
        first = found.archived[0]
        advise(
            f"{count(len(found.archived), 'game')} with these words archived, the first is game "
            f"{first}: `arena show {first}` reads it, and `arena db prune --undo --game {first}` "
            "lets it be searched"
        )
    if found.unranked:
        tell(f"ranked are the newest {RANKED:,} texts with these words; there are older ones")
    if found.more and not ranked and found.hits and found.hits[-1].turn_number is not None:
        last = found.hits[-1]
        tell(f"there are more: --before {last.game_id}:{last.turn_number} shows older ones")
    elif found.more:
        tell("there are more: --limit shows them")
