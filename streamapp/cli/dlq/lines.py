"""Dead letters as lines and as JSON."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from streamapp.cli.dlq.dead_letters import DeadLetterQueue, HeldLetter
from streamapp.cli.terminal.columns import aligned
from streamapp.cli.terminal.sanitize import printable
from streamapp.cli.terminal.words import duration, many


def ago(since: datetime) -> str:
    """Return the age of *since*, in one unit."""
    return duration((datetime.now(UTC) - since).total_seconds() * 1000)


def in_flight(elsewhere: int) -> str:
    """Return that so many letters are in somebody else's hand."""
    verb = "is" if elsewhere == 1 else "are"
    return f"about {many(elsewhere, 'letter')} {verb} in flight at another reader, such as another look"


def queue_lines(source: DeadLetterQueue, letters: Sequence[HeldLetter], elsewhere: int) -> Iterator[str]:
    """Return a line about the queue, and one for each reason and kind of its letters."""
    there = f"; {in_flight(elsewhere)}" if elsewhere else ""
    if not letters:
        yield f"{source.queue.name}  no letters{' in hand' if elsewhere else ''}{there}"
        return
    oldest = ago(min(letter.delivery.sent_at for letter in letters))
    about = f" of about {source.about}" if source.about > len(letters) else ""
    yield f"{printable(source.queue.name)}  {many(len(letters), 'letter')}{about}  oldest {oldest}{there}"
    rows = [(f"  {reason}", str(count), kind) for (reason, kind), count in _groups(letters).most_common()]
    yield from aligned(rows)


def queue_json(source: DeadLetterQueue, letters: Sequence[HeldLetter], elsewhere: int) -> dict[str, object]:
    """Return what `queue_lines` shows, as JSON values."""
    ages = [(datetime.now(UTC) - letter.delivery.sent_at).total_seconds() for letter in letters]
    return {
        "queue": source.queue.name,
        "letters": len(letters),
        "in_flight_elsewhere": elsewhere,
        "oldest_seconds": round(max(ages), 1) if ages else None,
        "groups": [
            {"reason": reason, "kind": kind, "count": count}
            for (reason, kind), count in _groups(letters).most_common()
        ],
    }


def letter_lines(letter: HeldLetter, *, raw: bool) -> Iterator[str]:
    """Return lines about one letter, and its body: masked, or unchanged if *raw*."""
    delivery, source = letter.delivery, letter.source
    key = letter.shown.key and f"#{letter.shown.key}"
    yield printable("  ".join(filter(None, [delivery.message_id, letter.reason, letter.shown.kind, key])))
    if letter.detail:
        yield printable(f"  {letter.detail}")
    came = (
        f"from {source.queue}, message {source.message_id}, {many(source.receive_count, 'receive')}; "
        if source.queue
        else ""
    )
    yield printable(f"  {came}here for {ago(delivery.sent_at)}, looked at {many(delivery.receives, 'time')}")
    yield "  " + (printable(delivery.body) if raw else masked_body(letter))


def letter_json(letter: HeldLetter, *, raw: bool) -> dict[str, object]:
    """Return what `letter_lines` shows, as JSON values."""
    delivery = letter.delivery
    body = (
        delivery.body
        if raw
        else None
        if letter.shown.body is None
        else msgspec.json.decode(letter.shown.body)
    )
    return {
        "id": delivery.message_id,
        "reason": letter.reason,
        "detail": letter.detail,
        "kind": letter.shown.kind,
        "key": letter.shown.key,
        "queue": letter.source.queue or (letter.home.name if letter.home else None),
        "message_id": letter.source.message_id or None,
        "receives": letter.source.receive_count or None,
        "since": delivery.sent_at.isoformat(),
        "body": body,
    }


def masked_body(letter: HeldLetter) -> str:
    """Return the body with personal data masked."""
    if letter.shown.body is None:
        why = letter.flaw or "they cannot be masked"
        return f"({len(letter.delivery.body)} characters; {why}; --raw shows them)"
    return printable(letter.shown.body.decode())


def _groups(letters: Sequence[HeldLetter]) -> Counter[tuple[str, str]]:
    return Counter((letter.reason, letter.kind) for letter in letters)
