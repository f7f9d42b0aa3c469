"""The story of one key, as lines."""

import time
from collections import Counter
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from shlex import quote

from streamapp.app import App
from streamapp.cli.doctor.flaws import redis_cli
from streamapp.cli.show.story import Story
from streamapp.cli.tail.lines import changes_of, words_of
from streamapp.cli.terminal.columns import aligned
from streamapp.cli.terminal.sanitize import printable
from streamapp.cli.terminal.words import duration, many
from streamapp.config import Config
from streamapp.observe.tap_record import TapRecord
from streamapp.state.store import PARKED

_WORDS = {
    "ok": "",
    "duplicate": "duplicate, nothing changed",
    "skipped": "skipped",
    "retry": "given back",
    "dead": "DEAD LETTER",
    "invalid": "DEAD LETTER",
    "sent": "announced",
    "refused": "REFUSED by SQS",
}

MOST_FIELDS = 4
"""Changed fields of one event that are told; the others are counted."""

SPARE = (3, 2, 4)
"""Columns of an event's row that are left out, in this order, where they have no room: its id, queue and attempt."""

UNSEEN = "nothing visible changed"
"""Of an event that was applied, and changed the order's bookkeeping alone: what it knows by when."""


def story_lines(
    app: App, config: Config, table: str, word: str, story: Story, width: int | None = None
) -> Iterator[str]:
    """Return what is stored, what is owed, and each event, oldest first, folded into *width*."""
    yield from _head(app, table, word, story, width)
    if story.pending:
        oldest = time.time() - min(it.at for it in story.pending)
        pending = many(len(story.pending), "announcement")
        yield f"  {pending} pending, the oldest for {duration(oldest * 1000)} (see streamapp doctor)"
    yield from _refused(config, story, table)
    quiet = (
        app.extras.portrait.quiet
        if app.extras.portrait is not None and app.extras.portrait.table == table
        else ()
    )
    if story.events:
        events = sorted(story.events, key=_begun)
        yield from aligned(
            [_row(quiet, table, story.key, record) for record in events], width=width, spare=SPARE
        )
    else:
        yield "  no event of it is in the tap (any more)"
    count = Counter(record.outcome for record in story.events)
    told = [
        f"{many(count['duplicate'], 'duplicate')} ignored" if count["duplicate"] else "",
        f"{count['retry']} given back" if count["retry"] else "",
        many(count["sent"], "announcement"),
    ]
    yield "  " + " · ".join(filter(None, told))


def _refused(config: Config, story: Story, table: str) -> Iterator[str]:
    """Return what nobody was told of, and the commands that tell it."""
    if not story.refused:
        return
    fields = " ".join(quote(f"{PARKED}{it.id}") for it in story.refused)
    yield f"  {many(len(story.refused), 'announcement')} refused by SQS for good, of which nobody was told"
    yield "  once SQS takes them, send them, and then forget them:"
    again = f"jq -r '.refused[]' | streamapp send {story.refused[0].sink} -"
    yield f"    streamapp show {quote(story.key)} --table {table} --json | {again}"
    yield f"    {redis_cli(config.redis_url)} HDEL {quote(story.place)} {fields}"


def _head(app: App, table: str, word: str, story: Story, width: int | None) -> Iterator[str]:
    portrait = app.extras.portrait
    if not story.fields:
        yield printable(f"{word} #{story.key}  nothing is stored")
    elif portrait is not None and portrait.table == table:
        first, *others = portrait.lines(story.key, story.state)
        yield printable(f"{word} #{story.key}  {first}")
        yield from aligned([("", line) for line in others], width=width) if others else ()
    else:
        yield printable(f"{word} #{story.key}")
        yield from (f"  {line}" for line in aligned(sorted(story.state.items())))


def _begun(record: TapRecord) -> int:
    """Return when it came: what an event led to is told after it, though it ended before."""
    return record.done_ms if record.received_ms is None else record.received_ms


def _row(quiet: Collection[str], table: str, key: str, record: TapRecord) -> tuple[str, ...]:
    at = datetime.fromtimestamp(_begun(record) / 1000, UTC).astimezone().strftime("%H:%M:%S")
    is_sent = record.outcome in {"sent", "refused"}
    what = filter(
        None,
        [
            _WORDS[record.outcome],
            record.reason,
            record.detail,
            *_changes(quiet, table, key, record),
            *(words_of(record) if is_sent else ()),
        ],
    )
    return (
        "  " + at,
        record.event_type or "-",
        record.queue,
        record.message_id[:8],
        "" if is_sent else f"attempt {record.attempt}",
        " · ".join(what) or UNSEEN,
    )


def _changes(quiet: Collection[str], table: str, key: str, record: TapRecord) -> list[str]:
    told = [
        change
        for effect in record.effects
        if (effect.table, effect.key) == (table, key)
        for change in changes_of(effect, quiet)
    ]
    rest = len(told) - MOST_FIELDS
    return told if rest <= 0 else [*told[:MOST_FIELDS], f"{rest} more"]
