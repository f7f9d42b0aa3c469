"""`streamapp dlq`: look at dead letters, and send them back to where they came from."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from streamapp.cli import out, setup
from streamapp.cli.exits import FAILED, NOT_FOUND

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from streamapp.app import App
    from streamapp.cli.letters import Letter
    from streamapp.cli.rehearsal import Verdict
    from streamapp.config import Config

LS_EXAMPLES = """
\b
Examples:
  streamapp dlq ls
  streamapp dlq ls pedido-events
  streamapp dlq ls --json | jq '.queues[] | select(.letters > 0)'
"""
SHOW_EXAMPLES = """
\b
Examples:
  streamapp dlq show pedido-events
  streamapp dlq show pedido-events --reason missing_field -n 3
  streamapp dlq show pedido-events --id 6a736e5d --raw
"""
REDRIVE_EXAMPLES = """
\b
Examples:
  streamapp dlq redrive pedido-events                                  # says what it would do
  streamapp dlq redrive pedido-events --try                            # which would pass now?
  streamapp dlq redrive pedido-events --only-passing --yes
  streamapp dlq redrive pedido-events --kind pedido_criado --yes
"""

LOOKED = (
    "looking has raised the receive count of these letters by one: SQS has no other way to look. "
    "They were given back at once."
)

cli = typer.Typer(
    help="Look at dead letters, and send them back to where they came from.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Queues = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[QUEUE]...",
        help="Queues or their dead-letter queues; all if not said.",
        autocompletion=setup.queue_names,
    ),
]
QueueName = Annotated[
    str,
    typer.Argument(
        metavar="QUEUE", help="The queue, or its dead-letter queue.", autocompletion=setup.queue_names
    ),
]
Reason = Annotated[
    str | None, typer.Option("--reason", metavar="WORD", help="Only letters with this reason.")
]
Kind = Annotated[
    str | None, typer.Option("--kind", metavar="KIND", help="Only letters of this kind of event.")
]
Id = Annotated[str | None, typer.Option("--id", metavar="ID", help="Only the letter whose id begins so.")]
Most = Annotated[int, typer.Option("--most", min=1, max=10_000, help="Letters to look at, at most.")]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which letters are meant."""

    reason: str | None = None
    kind: str | None = None
    identity: str | None = None

    def among(self, letters: "Iterable[Letter]") -> "list[Letter]":
        """Answer those of *letters* that are meant, oldest first."""
        found = [
            letter
            for letter in letters
            if self.reason in {None, letter.reason}
            and self.kind in {None, letter.kind}
            and letter.delivery.message_id.startswith(self.identity or "")
        ]
        return sorted(found, key=lambda letter: letter.delivery.sent_at)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What `redrive` is to do."""

    rehearse: bool
    only_passing: bool
    yes: bool
    most: int
    json: bool


@cli.command(epilog=LS_EXAMPLES)
def ls(
    queues: Queues = None,
    most: Most = 1000,
    json: setup.JsonOption = False,
    app: setup.AppOption = setup.DEFAULT_APP,
) -> None:
    """Count the letters of each dead-letter queue by their reason and the kind of their event."""
    import anyio  # noqa: PLC0415 - slow to import

    anyio.run(_ls, app, queues or [], most, json)


@cli.command(epilog=SHOW_EXAMPLES)
def show(
    queue: QueueName,
    lines: Annotated[
        int, typer.Option("-n", "--lines", min=1, max=1000, help="Letters to show, at most.")
    ] = 10,
    reason: Reason = None,
    kind: Kind = None,
    identity: Id = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Show bodies as they came; they may hold personal data.")
    ] = False,
    most: Most = 1000,
    json: setup.JsonOption = False,
    app: setup.AppOption = setup.DEFAULT_APP,
) -> None:
    """Show letters, oldest first: why each is there, where it came from, and its body, masked. Exit 4 if there are none."""
    import anyio  # noqa: PLC0415 - slow to import

    wanted = _Wanted(reason, kind, identity)
    raise typer.Exit(anyio.run(_show, app, queue, wanted, lines, most, raw, json))


@cli.command(epilog=REDRIVE_EXAMPLES)
def redrive(
    queue: QueueName,
    reason: Reason = None,
    kind: Kind = None,
    identity: Id = None,
    rehearse: Annotated[
        bool,
        typer.Option(
            "--try",
            help="Run today's agents over the letters, with nothing written or sent, and tell which pass.",
        ),
    ] = False,
    only_passing: Annotated[
        bool, typer.Option("--only-passing", help="Leave those that would fail again; implies --try.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without, only what would be done is told.")
    ] = False,
    most: Most = 1000,
    json: setup.JsonOption = False,
    app: setup.AppOption = setup.DEFAULT_APP,
) -> None:
    """Send letters back to the queue that they came from, body and attributes as they first came.

    Each is sent first and deleted second, so one may be there twice and none is lost. Exit 4 if none matches.
    """
    import anyio  # noqa: PLC0415 - slow to import

    wanted = _Wanted(reason, kind, identity)
    plan = _Plan(rehearse=rehearse or only_passing, only_passing=only_passing, yes=yes, most=most, json=json)
    raise typer.Exit(anyio.run(_redrive, app, queue, wanted, plan))


async def _ls(path: str, names: "Sequence[str]", most: int, json: bool) -> None:
    from streamapp.cli.letter_lines import box_json, box_lines  # noqa: PLC0415 - slow to import
    from streamapp.cli.letters import boxes, choose, looking  # noqa: PLC0415

    app, config = _begin(path)
    found: list[dict[str, object]] = []
    seen = 0
    async with setup.open_sqs() as sqs:
        for box in choose(await boxes(sqs, app, config), names):
            out.say_soon(f"looking at about {box.about} letters of {box.queue.name} …")
            async with looking(sqs, box, most) as held:
                seen += len(held.letters)
                if json:
                    found.append(box_json(box, held.letters))
                else:
                    out.tell(box_lines(box, held.letters))
    if json:
        out.print_json({"queues": found})
    _admit(seen)


async def _show(path: str, name: str, wanted: _Wanted, lines: int, most: int, raw: bool, json: bool) -> int:
    from streamapp.cli.letter_lines import letter_json, letter_lines  # noqa: PLC0415 - slow to import
    from streamapp.cli.letters import boxes, choose, looking  # noqa: PLC0415

    app, config = _begin(path)
    async with setup.open_sqs() as sqs:
        (box,) = choose(await boxes(sqs, app, config), [name])
        out.say_soon(f"looking at about {box.about} letters of {box.queue.name} …")
        async with looking(sqs, box, most) as held:
            found = wanted.among(held.letters)
            if json:
                out.print_json([letter_json(letter, raw=raw) for letter in found[:lines]])
            else:
                for letter in found[:lines]:
                    out.tell(letter_lines(letter, raw=raw))
            if len(found) > lines:
                out.note(f"{len(found) - lines} more; -n shows more of them")
            _admit(len(held.letters))
    return _none(found)


async def _redrive(path: str, name: str, wanted: _Wanted, plan: _Plan) -> int:
    from streamapp.cli.letters import boxes, choose, looking  # noqa: PLC0415 - slow to import

    app, config = _begin(path)
    async with setup.open_sqs() as sqs:
        (box,) = choose(await boxes(sqs, app, config), [name])
        out.say_soon(f"looking at about {box.about} letters of {box.queue.name} …")
        async with looking(sqs, box, plan.most) as held:
            found = wanted.among(held.letters)
            homeless = [letter for letter in found if letter.home is None]
            if homeless:
                out.note(f"{len(homeless)} do not say which queue they came from; they stay")
            found = [letter for letter in found if letter.home is not None]
            verdicts = await _rehearse(app, config, found) if plan.rehearse and found else {}
            if plan.only_passing:
                found = [letter for letter in found if verdicts[letter.delivery.message_id].passes]
            failed = await held.put_back(found) if plan.yes else []
            _tell(plan, found, verdicts, len(held.letters), [letter for letter, _ in failed])
            _admit(len(held.letters) - len(found) if plan.yes else len(held.letters))
            for letter, failure in failed:
                out.note(f"{letter.delivery.message_id}: {failure.code}")
    return FAILED if failed else 0 if verdicts else _none(found)


async def _rehearse(app: "App", config: "Config", letters: "Sequence[Letter]") -> "dict[str, Verdict]":
    """Answer what would become of each letter, agent by agent."""
    from streamapp.cli.rehearsal import rehearse  # noqa: PLC0415 - slow to import

    out.say_soon(f"running today's agents over {len(letters)} letters, with nothing written …")
    verdicts: dict[str, Verdict] = {}
    async with setup.open_store(config) as store:
        for agent in app.agents.values():
            mine = {it.delivery.message_id: it.again for it in letters if it.agent is agent}
            if mine:
                verdicts |= await rehearse(app, config, agent, store, mine)
    return verdicts


def _tell(
    plan: _Plan,
    found: "Sequence[Letter]",
    verdicts: "Mapping[str, Verdict]",
    seen: int,
    failed: "Sequence[Letter]",
) -> None:
    moved = len(found) - len(failed) if plan.yes else 0
    if plan.json:
        out.print_json(
            {
                "seen": seen,
                "matching": len(found),
                "moved": moved,
                "failed": len(failed),
                "verdicts": [
                    {"id": identity, "passes": verdict.passes, "why": verdict.why}
                    for identity, verdict in verdicts.items()
                ],
            }
        )
        return
    homes = ", ".join(sorted({letter.home.name for letter in found if letter.home})) or "nowhere"
    for identity, verdict in verdicts.items():
        out.tell([f"{'passes' if verdict.passes else 'fails ':<6}  {identity}  {verdict.why}".rstrip()])
    if plan.yes:
        out.tell([f"moved {moved} of {seen} to {homes}"])
    else:
        out.tell([f"would move {len(found)} of {seen} to {homes}; add --yes to do it"])


def _begin(path: str) -> "tuple[App, Config]":
    config = setup.load_config()
    return setup.load_app(path), config


def _admit(seen: int) -> None:
    if seen:
        out.note(LOOKED)


def _none(found: "Sequence[Letter]") -> int:
    if found:
        return 0
    out.note("no letter matches")
    return NOT_FOUND
