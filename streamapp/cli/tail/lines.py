"""A record as lines: pieces of text, each with its role, from which the screen chooses a colour."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from rich.cells import cell_len, set_cell_size

from streamapp.cli.tail.filters import as_plain
from streamapp.cli.tail.forms import RecordForm, TimeForm
from streamapp.cli.terminal.output import as_json
from streamapp.cli.terminal.record_text import MAX_VALUES, SHORT, body_values, changes_of
from streamapp.cli.terminal.sanitize import printable
from streamapp.cli.terminal.words import duration
from streamapp.observe.tap_record import ERRORS, TapRecord

Piece = tuple[str, str]
"""A text that is safe to show, and its role: `time`, `ms`, `queue:NAME`, `type`, `key`, `outcome:WORD`, `took`, `plain`,
`dim`."""

LEFT_OUT_FIRST = ("took", "ms", "queue", "type", "time")
"""Roles of pieces that are left out, in this order, until what happened to the message has room."""

MIN_RESULT = 40
"""Columns that a line keeps for what happened to the message, or a third of a narrower line."""

SLOW_MS = 1000
"""Milliseconds in the queue from which a line mentions them."""


@dataclass(slots=True)
class LineLayout:
    """The widths of columns, which grow with what has been shown, and the form of times.

    A line takes at most *width* columns of the terminal; 0 is any number.
    """

    width: int = 0
    time_form: TimeForm = "local"
    zone: tzinfo | None = None
    max_attempts: int = 5
    now: float = 0.0
    widths: dict[str, int] = field(default_factory=lambda: {"queue": 0, "type": 0, "key": 0})

    def fit(self, records: Iterable[TapRecord]) -> None:
        """Make the columns wide enough for *records*, so that the first line is aligned with the last."""
        for record in records:
            self.pad("queue", _short(record.queue))
            self.pad("type", _short(record.event_type or "-"))
            self.pad("key", "" if record.key is None else f"#{_short(record.key)}")

    def pad(self, column: str, text: str) -> str:
        """Return *text* as wide as the widest of its column so far, up to a limit."""
        cells = cell_len(text)
        width = self.widths[column] = min(max(self.widths[column], cells), SHORT)
        return text + " " * max(0, width - cells)

    def time(self, unix_ms: int) -> list[Piece]:
        """Return a time of day, with its date if that is not today."""
        if self.time_form == "none":
            return []
        if self.time_form == "ago":
            return [(f"{duration(self.now * 1000 - unix_ms):>8} ago ", "time")]
        moment = datetime.fromtimestamp(unix_ms / 1000, UTC).astimezone(
            UTC if self.time_form == "utc" else self.zone
        )
        today = datetime.fromtimestamp(self.now, UTC).astimezone(moment.tzinfo).date()
        date = "" if moment.date() == today else f"{moment:%Y-%m-%d} "
        return [(f"{date}{moment:%H:%M:%S}", "time"), (f".{unix_ms % 1000:03d}", "ms"), (" ", "time")]


def line(record: TapRecord, layout: LineLayout) -> list[Piece]:
    """Return *record* on one line, as much of it as has room."""
    outcome = record.outcome
    result = printable(" · ".join(_result(record, layout.max_attempts)))
    head = [*_head(record, layout), (f"{took(record):>7}  ", "took")]
    pieces = [
        *_narrowed(head, layout.width),
        (result, f"outcome:{outcome}" if outcome in ERRORS else "plain"),
    ]
    return cut(pieces, layout.width)


def _narrowed(head: list[Piece], width: int) -> list[Piece]:
    for role in LEFT_OUT_FIRST if width else ():
        if sum(cell_len(piece) for piece, _ in head) <= width - min(MIN_RESULT, width // 3):
            break
        head = [piece for piece in head if piece[1].partition(":")[0] != role]
    return head


def cut(pieces: Sequence[Piece], width: int) -> list[Piece]:
    """Return what has room in *width* columns, 0 for any number; an ellipsis shows that something is missing."""
    shown: list[Piece] = []
    room = width
    for piece, role in pieces:
        cells = cell_len(piece)
        if width and cells > room:
            return [*shown, (f"{set_cell_size(piece, room - 1).rstrip()}…", role)] if room else shown
        shown.append((piece, role))
        room -= cells
    return shown


def pretty(record: TapRecord, layout: LineLayout) -> list[list[Piece]]:
    """Return all about *record*, on several lines."""
    facts = [f"message {record.message_id or '-'}", f"attempt {record.attempt}"]
    if (queued := queued_ms(record)) is not None:
        facts.append(f"queued {duration(queued)}")
    facts += [f"handled {took(record).strip()}"] if record.took_ms is not None else []
    facts += [f"worker {record.worker}"] if record.worker else []
    lines = [_head(record, layout), [("  " + printable("   ".join(facts)), "dim")]]
    lines += [
        [("  " + printable(why), f"outcome:{record.outcome}")] for why in _why(record, layout.max_attempts)
    ]
    for effect in record.effects:
        lines.append([(f"  {printable(effect.table)} ", "dim"), (f"#{printable(effect.key)}", "key")])
        lines += [
            [(f"    {printable(name)}  ", "dim"), (printable(f"{old or '-'} → {new or '-'}"), "plain")]
            for name, (old, new) in effect.fields.items()
        ]
    content = record.content
    if content is not None:
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, indent=2)
        lines += [[(f"  {printable(part)}", "plain")] for part in text.split("\n")]
    if record.truncated:
        lines.append([(f"  … cut; {record.size:,} characters in all", "dim")])
    return lines


def json_line(record: TapRecord, form: RecordForm) -> str:
    """Return *record*, or its body if *form* is `raw`, as JSON on one line."""
    return as_json(record.content if form == "raw" else as_plain(record))


def took(record: TapRecord) -> str:
    """Return how long the agent had the message in hand."""
    return "" if record.took_ms is None else duration(record.took_ms)


def queued_ms(record: TapRecord) -> int | None:
    """Return how long the message was in its queue, retries included."""
    if record.sent_ms is None or record.received_ms is None:
        return None
    return max(0, record.received_ms - record.sent_ms)


def plain_text(pieces: Sequence[Piece]) -> str:
    """Return the texts of *pieces*, without their roles."""
    return "".join(piece for piece, _ in pieces).rstrip()


def _head(record: TapRecord, layout: LineLayout) -> list[Piece]:
    key = "" if record.key is None else f"#{_short(record.key)}"
    return [
        *layout.time(record.done_ms),
        (f"{layout.pad('queue', _short(record.queue))} ", f"queue:{record.queue}"),
        (f"{layout.pad('type', _short(record.event_type or '-'))} ", "type"),
        (f"{layout.pad('key', key)}  ", "key"),
        (f"{record.outcome:<9} ", f"outcome:{record.outcome}"),
    ]


def _result(record: TapRecord, max_attempts: int) -> Iterator[str]:
    """Return what happened to the message, the most important first."""
    yield from _why(record, max_attempts)
    if record.effects:
        first = record.effects[0]
        yield from [f"#{first.key}"] if first.key != record.key else []
        yield from changes_of(first)[:MAX_VALUES]
        if len(record.effects) > 1:
            yield f"and {len(record.effects) - 1} more"
    elif record.outcome == "duplicate":
        yield "nothing changed"
    elif record.outcome not in ERRORS and record.content is not None:
        yield from body_values(record)
    queued = queued_ms(record)
    if queued is not None and queued >= SLOW_MS:
        yield f"{duration(queued)} in queue"


def _why(record: TapRecord, max_attempts: int) -> Iterator[str]:
    if record.outcome == "retry":
        yield f"{record.attempt}/{max_attempts}"
    if record.reason:
        yield f"{record.reason}: {record.detail}" if record.detail else record.reason
    if record.delay_s is not None:
        yield f"again in {record.delay_s:g} s"


def _short(value: str) -> str:
    return printable(value if len(value) <= SHORT else f"{value[: SHORT - 1]}…")
