"""How a record looks: pieces of text, each with what it is, so that colour stays somebody else's business."""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Literal, cast

from rich.cells import cell_len, set_cell_size

from streamapp.cli.tail.filters import plain
from streamapp.cli.terminal.output import as_json
from streamapp.cli.terminal.sanitize import printable
from streamapp.cli.terminal.words import duration
from streamapp.observe.tap_record import ERRORS, Effect, TapRecord
from streamapp_codecs.codec import HIDDEN

Form = Literal["line", "pretty", "json", "raw"]
Clock = Literal["local", "utc", "ago", "none"]

Piece = tuple[str, str]
"""A text that is safe to show, and what it is: `time`, `ms`, `queue:NAME`, `type`, `key`, `outcome:WORD`, `took`, `plain`,
`dim`."""

LEAST_TELLING = ("took", "ms", "queue", "type", "time")
"""Pieces that are left out, in this order, until there is room for what became of the message."""

ROOM = 40
"""Columns that a line leaves for what became of the message, or a third of a narrower one."""

SHOWN_FIELDS = 3
"""Changed fields of one key that fit on a line."""

SHORT = 40
"""Characters of a text that stands on a line; longer ones are left to `-o pretty`."""

SLOW_MS = 1000
"""Milliseconds in the queue from which a line says so."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


@dataclass(slots=True)
class Layout:
    """The widths of columns that grow with what has been shown, and how time is told.

    A line takes no more than *width* columns; 0 is any number.
    """

    width: int = 0
    clock: Clock = "local"
    zone: tzinfo | None = None
    max_attempts: int = 5
    now: float = 0.0
    widths: dict[str, int] = field(default_factory=lambda: {"queue": 0, "type": 0, "key": 0})

    def fit(self, records: Iterable[TapRecord]) -> None:
        """Make the columns wide enough for *records*, so that the first of them stands as the last."""
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
        """Return a time of day, with its date where that is another one."""
        if self.clock == "none":
            return []
        if self.clock == "ago":
            return [(f"{duration(self.now * 1000 - unix_ms):>8} ago ", "time")]
        moment = datetime.fromtimestamp(unix_ms / 1000, UTC).astimezone(
            UTC if self.clock == "utc" else self.zone
        )
        today = datetime.fromtimestamp(self.now, UTC).astimezone(moment.tzinfo).date()
        date = "" if moment.date() == today else f"{moment:%Y-%m-%d} "
        return [(f"{date}{moment:%H:%M:%S}", "time"), (f".{unix_ms % 1000:03d}", "ms"), (" ", "time")]


def line(record: TapRecord, layout: Layout) -> list[Piece]:
    """Return *record* on one line, of what has room on it."""
    outcome = record.outcome
    about = printable(" · ".join(_about(record, layout.max_attempts)))
    head = [*_head(record, layout), (f"{took(record):>7}  ", "took")]
    pieces = [*_narrowed(head, layout.width), (about, f"outcome:{outcome}" if outcome in ERRORS else "plain")]
    return cut(pieces, layout.width)


def _narrowed(head: list[Piece], width: int) -> list[Piece]:
    for what in LEAST_TELLING if width else ():
        if sum(cell_len(piece) for piece, _ in head) <= width - min(ROOM, width // 3):
            break
        head = [piece for piece in head if piece[1].partition(":")[0] != what]
    return head


def cut(pieces: Sequence[Piece], width: int) -> list[Piece]:
    """Return what of *pieces* has room in *width* columns, 0 for any number; where some is missing, it says so."""
    shown: list[Piece] = []
    room = width
    for piece, what in pieces:
        cells = cell_len(piece)
        if width and cells > room:
            return [*shown, (f"{set_cell_size(piece, room - 1).rstrip()}…", what)] if room else shown
        shown.append((piece, what))
        room -= cells
    return shown


def pretty(record: TapRecord, layout: Layout) -> list[list[Piece]]:
    """Return *record* on several lines: all that is known of it."""
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


def machine(record: TapRecord, form: Form) -> str:
    """Return *record*, or with `raw` its body, as JSON on one line."""
    return as_json(record.content if form == "raw" else plain(record))


def took(record: TapRecord) -> str:
    """Return how long the agent had it in hand."""
    return "" if record.took_ms is None else duration(record.took_ms)


def queued_ms(record: TapRecord) -> int | None:
    """Return how long the message lay in its queue, retries included."""
    if record.sent_ms is None or record.received_ms is None:
        return None
    return max(0, record.received_ms - record.sent_ms)


def _head(record: TapRecord, layout: Layout) -> list[Piece]:
    key = "" if record.key is None else f"#{_short(record.key)}"
    return [
        *layout.time(record.done_ms),
        (f"{layout.pad('queue', _short(record.queue))} ", f"queue:{record.queue}"),
        (f"{layout.pad('type', _short(record.event_type or '-'))} ", "type"),
        (f"{layout.pad('key', key)}  ", "key"),
        (f"{record.outcome:<9} ", f"outcome:{record.outcome}"),
    ]


def _about(record: TapRecord, max_attempts: int) -> Iterator[str]:
    """Return what is worth knowing of it, the most telling first."""
    yield from _why(record, max_attempts)
    if record.effects:
        first = record.effects[0]
        yield from [f"#{first.key}"] if first.key != record.key else []
        yield from changes_of(first)[:SHOWN_FIELDS]
        if len(record.effects) > 1:
            yield f"and {len(record.effects) - 1} more"
    elif record.outcome == "duplicate":
        yield "nothing changed"
    elif record.outcome not in ERRORS and record.content is not None:
        yield from words_of(record)
    queued = queued_ms(record)
    if queued is not None and queued >= SLOW_MS:
        yield f"{duration(queued)} in queue"


def words_of(record: TapRecord) -> list[str]:
    """Return the first few names and values that its body holds."""
    return list(_words(record, record.content))[:SHOWN_FIELDS]


def _why(record: TapRecord, max_attempts: int) -> Iterator[str]:
    if record.outcome == "retry":
        yield f"{record.attempt}/{max_attempts}"
    if record.reason:
        yield f"{record.reason}: {record.detail}" if record.detail else record.reason
    if record.delay_s is not None:
        yield f"again in {record.delay_s:g} s"


def changes_of(effect: Effect, quiet: Collection[str] = ()) -> list[str]:
    """Return what changed, the most telling first: no times, no long texts, and none of the fields in *quiet*."""
    telling = [
        (name, old, new)
        for name, (old, new) in effect.fields.items()
        if name not in quiet and _is_telling(new, effect.key) and _is_telling(old, effect.key)
    ]
    # Words first: a counter that went up says less.
    telling.sort(key=lambda it: not any(map(str.isalpha, it[2] or "")))
    return [f"{name} {new}" if old is None else f"{name} {old} → {new or '-'}" for name, old, new in telling]


def _words(record: TapRecord, value: object) -> Iterator[str]:
    """Return names and values that a body holds, those left out that are hidden, or stand elsewhere on the line."""
    if not isinstance(value, dict):
        return
    for name, member in cast("dict[str, object]", value).items():
        if isinstance(member, dict):
            yield from _words(record, cast("object", member))
        elif (
            isinstance(member, (str, int, float))
            and str(member) not in {record.event_type, HIDDEN}
            and _is_telling(str(member), record.key or "")
        ):
            yield f"{name} {member}"


def _is_telling(text: str | None, key: str) -> bool:
    return text is None or (len(text) <= SHORT and text != key and not _TIME.fullmatch(text))


def _short(value: str) -> str:
    return printable(value if len(value) <= SHORT else f"{value[: SHORT - 1]}…")


def text(pieces: Sequence[Piece]) -> str:
    """Return the pieces without what they are."""
    return "".join(piece for piece, _ in pieces).rstrip()
