"""Look at dead letters: how many there are of each kind, or what is in them."""

from collections.abc import Sequence

from streamapp.app import App
from streamapp.cli import setup
from streamapp.cli.dlq.box import Box, Letter, boxes, choose, looking
from streamapp.cli.dlq.filters import Wanted
from streamapp.cli.dlq.lines import box_json, box_lines, letter_json, letter_lines
from streamapp.cli.exits import DONE, NOT_FOUND
from streamapp.cli.terminal import output as out
from streamapp.cli.terminal.words import many
from streamapp.config import Config

MANY = 100
"""Letters that take a second to look at."""


async def count(app: App, config: Config, names: Sequence[str], *, most: int, json: bool) -> None:
    """Count the letters of the queues of these *names*, of all for none, by their reason and kind."""
    found: list[dict[str, object]] = []
    seen = 0
    async with setup.open_sqs() as sqs:
        for box in choose(await boxes(sqs, app, config), names):
            say_how_many(box)
            async with looking(sqs, box, most) as held:
                seen += len(held.letters)
                if json:
                    found.append(box_json(box, held.letters))
                else:
                    out.tell(box_lines(box, held.letters))
    if json:
        out.print_json({"queues": found})
    admit(seen)


async def show(
    app: App, config: Config, name: str, wanted: Wanted, *, lines: int, most: int, raw: bool, json: bool
) -> int:
    """Show up to *lines* of the *wanted* letters of queue *name*, oldest first, and answer the exit code."""
    async with setup.open_sqs() as sqs:
        (box,) = choose(await boxes(sqs, app, config), [name])
        say_how_many(box)
        async with looking(sqs, box, most) as held:
            found = wanted.among(held.letters)
            if json:
                out.print_json([letter_json(letter, raw=raw) for letter in found[:lines]])
            else:
                for letter in found[:lines]:
                    out.tell(letter_lines(letter, raw=raw))
            if len(found) > lines:
                out.note(f"{len(found) - lines} more; -n shows more of them")
            admit(len(held.letters))
    return code_for(found)


def say_how_many(box: Box) -> None:
    """Tell whoever waits, where there is much to wait for."""
    if box.about > MANY:
        out.say_soon(f"looking at about {box.about:,} letters of {box.queue.name} …")


def admit(seen: int) -> None:
    """Say what looking has cost."""
    if seen:
        out.note(f"(SQS counts looking as a receive: {many(seen, 'letter')} looked at, all given back)")


def code_for(found: Sequence[Letter]) -> int:
    """Return the exit code of having found these; of none, say so."""
    if found:
        return DONE
    out.note("no letter matches")
    return NOT_FOUND
