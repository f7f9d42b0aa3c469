"""Count dead letters of each kind, or show them."""

from collections import Counter
from collections.abc import Sequence

from streamapp.app import App
from streamapp.cli import setup
from streamapp.cli.dlq.dead_letters import (
    DeadLetterQueue,
    HeldLetter,
    choose,
    dead_letter_queues,
    hold_letters,
)
from streamapp.cli.dlq.filters import LetterFilter
from streamapp.cli.dlq.lines import in_flight, letter_json, letter_lines, queue_json, queue_lines
from streamapp.cli.exits import DONE, NOT_FOUND
from streamapp.cli.terminal import output as out
from streamapp.cli.terminal.words import many
from streamapp.config import Config

SLOW_TO_READ = 100
"""Letters that take a second to receive."""


async def count(app: App, config: Config, names: Sequence[str], *, most: int, json: bool) -> None:
    """Count the letters in the queues of these *names*, or in all without names, by their reason and kind."""
    found: list[dict[str, object]] = []
    seen = 0
    async with setup.open_sqs() as sqs:
        for source in choose(await dead_letter_queues(sqs, app, config), names):
            show_size(source)
            async with hold_letters(sqs, source, most, show_waiting) as held:
                seen += len(held.letters)
                if json:
                    found.append(queue_json(source, held.letters, held.elsewhere))
                else:
                    out.print_lines(queue_lines(source, held.letters, held.elsewhere))
                note_flaws(held.letters)
    if json:
        out.print_json({"queues": found})
    note_receives(seen)


async def show(
    app: App, config: Config, name: str, wanted: LetterFilter, *, lines: int, most: int, raw: bool, json: bool
) -> int:
    """Show up to *lines* of the *wanted* letters of queue *name*, oldest first, and return the exit code."""
    async with setup.open_sqs() as sqs:
        (source,) = choose(await dead_letter_queues(sqs, app, config), [name])
        show_size(source)
        async with hold_letters(sqs, source, most, show_waiting) as held:
            found = wanted.among(held.letters)
            if json:
                out.print_json([letter_json(letter, raw=raw) for letter in found[:lines]])
            else:
                for letter in found[:lines]:
                    out.print_lines(letter_lines(letter, raw=raw))
            if len(found) > lines:
                out.note(f"{len(found) - lines} more; -n shows more of them")
            note_flaws(found)
            note_receives(len(held.letters))
    return code_for(found, held.elsewhere)


def show_size(source: DeadLetterQueue) -> None:
    """Show how many letters there are, if it takes long to receive them."""
    if source.about > SLOW_TO_READ:
        out.show_progress(f"looking at about {source.about:,} letters of {source.queue.name} …")


def note_receives(seen: int) -> None:
    """Note on standard error that SQS counted a receive for each letter."""
    if seen:
        out.note(f"(SQS counts looking as a receive: {many(seen, 'letter')} looked at, all given back)")


def show_waiting(elsewhere: int) -> None:
    """Show that letters are waited for which somebody else has in hand."""
    out.show_progress(f"{in_flight(elsewhere)}; waiting for them …")


def note_flaws(letters: Sequence[HeldLetter]) -> None:
    """Note on standard error how many letters the codec cannot show, and why."""
    for flaw, number in Counter(letter.flaw for letter in letters if letter.flaw).items():
        out.note(f"(the body of {many(number, 'letter')} is not shown: {flaw})")


def code_for(found: Sequence[HeldLetter], elsewhere: int) -> int:
    """Return the exit code for the letters found. If there are none, note it, and what is *elsewhere*."""
    if found and not elsewhere:
        return DONE
    there = f"{in_flight(elsewhere)}; look again soon" if elsewhere else ""
    if found:
        out.note(f"({there})")
        return DONE
    out.note("; ".join(filter(None, ["no letter matches", there])))
    return NOT_FOUND
