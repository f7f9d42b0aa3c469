"""The story of one key, as lines."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from streamapp.app import App
from streamapp.cli.columns import aligned
from streamapp.cli.story import Story
from streamapp.cli.tail_line import words_of
from streamapp.cli.text import printable
from streamapp.tap_record import TapRecord

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


def story_lines(app: App, table: str, word: str, story: Story) -> Iterator[str]:
    """Answer what is stored, what is owed, and each event, oldest first."""
    yield from _head(app, table, word, story)
    if story.pending:
        oldest = time.time() - min(it.at for it in story.pending)
        yield f"  {len(story.pending)} announcements pending, the oldest for {oldest:.0f} s (see streamapp doctor)"
    for name in story.refused:
        yield f"  an announcement was refused by SQS for good; it is kept: redis-cli HGET {story.place} {name}"
    if story.refused:
        sink = app.tables[table].sink_name
        yield f"  once SQS takes it: redis-cli HGET … | streamapp send {sink} -, then redis-cli HDEL …"
    quiet = app.portrait.quiet if app.portrait is not None and app.portrait.table == table else ()
    if story.events:
        yield from aligned(
            [_row(quiet, table, story.key, record) for record in sorted(story.events, key=_begun)]
        )
    else:
        yield "  no event of it is in the tap (any more)"
    again = sum(record.outcome == "duplicate" for record in story.events)
    tries = sum(record.outcome == "retry" for record in story.events)
    sent = sum(record.outcome == "sent" for record in story.events)
    yield f"  {again} duplicates ignored · {tries} given back · {sent} announcements"


def _head(app: App, table: str, word: str, story: Story) -> Iterator[str]:
    portrait = app.portrait
    if not story.fields:
        yield printable(f"{word} #{story.key}  nothing is stored")
    elif portrait is not None and portrait.table == table:
        first, *others = portrait.lines(story.key, story.state)
        yield printable(f"{word} #{story.key}  {first}")
        yield from (printable(f"  {line}") for line in others)
    else:
        yield printable(f"{word} #{story.key}")
        yield from (f"  {line}" for line in aligned(sorted(story.state.items())))


def _begun(record: TapRecord) -> int:
    """Answer when it came: what an event led to is told after it, though it ended before."""
    return record.done_ms if record.received_ms is None else record.received_ms


def _row(quiet: Sequence[str], table: str, key: str, record: TapRecord) -> tuple[str, ...]:
    at = datetime.fromtimestamp(_begun(record) / 1000, UTC).astimezone().strftime("%H:%M:%S.%f")[:-3]
    what = " · ".join(
        filter(
            None,
            [
                _WORDS[record.outcome],
                record.reason,
                record.detail,
                *_changes(quiet, table, key, record),
                *(words_of(record) if record.outcome in {"sent", "refused"} else ()),
            ],
        )
    )
    attempt = "" if record.outcome in {"sent", "refused"} else f"attempt {record.attempt}"
    return ("  " + at, record.event_type or "-", record.queue, record.message_id[:8], attempt, what)


def _changes(quiet: Sequence[str], table: str, key: str, record: TapRecord) -> Sequence[str]:
    told = [
        f"{name} {old or '-'} → {new or '-'}"
        for effect in record.effects
        if (effect.table, effect.key) == (table, key)
        for name, (old, new) in effect.fields.items()
        if name not in quiet
    ]
    rest = len(told) - MOST_FIELDS
    return told if rest <= 0 else [*told[:MOST_FIELDS], f"{rest} more"]
