"""What is stored for one key, as lines."""

import time
from collections import Counter
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from shlex import quote

from streamapp.app import App
from streamapp.cli.show.story import Story
from streamapp.cli.terminal.columns import aligned
from streamapp.cli.terminal.record_text import body_values, changes_of
from streamapp.cli.terminal.sanitize import printable
from streamapp.cli.terminal.words import duration, many
from streamapp.config import Config
from streamapp.observe.tap_record import TapRecord
from streamapp.redis.url import redis_cli
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

MAX_CHANGES = 4
"""Changed fields of one event that are shown; the others are counted."""

SPARE = (3, 2, 4)
"""Columns of an event's row that are left out, in this order, if they have no room: its id, queue and attempt."""

UNSEEN = "nothing visible changed"
"""For an event that was applied, but changed only bookkeeping: which facts are known as of which time."""


def story_lines(
    app: App, config: Config, table: str, word: str, story: Story, width: int | None = None
) -> Iterator[str]:
    """Return what is stored, which announcements wait, and each event, oldest first, folded into *width*."""
    yield from _head(app, table, word, story, width)
    if story.pending:
        oldest = time.time() - min(it.at for it in story.pending)
        pending = many(len(story.pending), "announcement")
        yield f"  {pending} pending, the oldest for {duration(oldest * 1000)} (see streamapp doctor)"
    yield from _refused(config, story, table)
    portrait = app.extras.portrait
    quiet = portrait.quiet if portrait is not None and portrait.table == table else ()
    if story.events:
        events = sorted(story.events, key=_begun_ms)
        yield from aligned(
            [_row(quiet, table, story.key, record) for record in events], width=width, spare=SPARE
        )
    else:
        yield "  no event of it is in the tap (any more)"
    count = Counter(record.outcome for record in story.events)
    totals = [
        f"{many(count['duplicate'], 'duplicate')} ignored" if count["duplicate"] else "",
        f"{count['retry']} given back" if count["retry"] else "",
        many(count["sent"], "announcement"),
    ]
    yield "  " + " · ".join(filter(None, totals))


def _refused(config: Config, story: Story, table: str) -> Iterator[str]:
    """Return the announcements that SQS refused, and the commands that send them again."""
    if not story.refused:
        return
    fields = " ".join(quote(f"{PARKED}{it.id}") for it in story.refused)
    yield f"  {many(len(story.refused), 'announcement')} refused by SQS for good, of which nobody was told"
    yield "  once SQS takes them, send them, and then forget them:"
    again = f"jq -r '.refused[]' | streamapp send {story.refused[0].stream} -"
    yield f"    streamapp show {quote(story.key)} --table {table} --json | {again}"
    yield f"    {redis_cli(config.redis_url)} HDEL {quote(story.redis_key)} {fields}"


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


def _begun_ms(record: TapRecord) -> int:
    """Return when the message came. An announcement ends before its event does, and must be listed after it."""
    return record.done_ms if record.received_ms is None else record.received_ms


def _row(quiet: Collection[str], table: str, key: str, record: TapRecord) -> tuple[str, ...]:
    at = datetime.fromtimestamp(_begun_ms(record) / 1000, UTC).astimezone().strftime("%H:%M:%S")
    is_sent = record.outcome in {"sent", "refused"}
    what = filter(
        None,
        [
            _WORDS[record.outcome],
            record.reason,
            record.detail,
            *_changes(quiet, table, key, record),
            *(body_values(record) if is_sent else ()),
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
    changes = [
        change
        for effect in record.effects
        if (effect.table, effect.key) == (table, key)
        for change in changes_of(effect, quiet)
    ]
    rest = len(changes) - MAX_CHANGES
    return changes if rest <= 0 else [*changes[:MAX_CHANGES], f"{rest} more"]
