"""`streamapp show`: what is stored under one key, and the events that led to it."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from streamapp.cli import options, setup
from streamapp.cli.exits import NOT_FOUND
from streamapp.cli.terminal import output as out
from streamapp.cli.terminal.sanitize import as_text
from streamapp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streamapp.app import App
    from streamapp.cli.show.story import Story
    from streamapp.config import Config
    from streamapp.observe.tap_record import TapRecord

EXAMPLES = """
\b
Examples:
  streamapp show 1042
  streamapp show 1 --table produto
  streamapp show 1042 --json | jq '.events[] | select(.outcome == "retry")'
"""


class NoTable(ConfigError):
    """The app has no table of this name."""

    def __init__(self, name: str | None, known: "Sequence[str]") -> None:
        what = "choose one with --table" if name is None else f"there is no table {name!r}"
        super().__init__(f"{what}; this app has {', '.join(known) or 'none'}")


def show(
    key: Annotated[str, typer.Argument(metavar="ID", help="The order's id.")],
    table: Annotated[str | None, typer.Option(metavar="NAME", help="Another table of the app.")] = None,
    json: options.JsonOption = False,
    app: options.AppOption = setup.DEFAULT_APP,
) -> None:
    """Show what is stored of ID, and the events that led to it. Exit 4 if it is unknown.

    Events come from the tap, which keeps the newest of each queue (STREAMAPP_TAP_MAXLEN).
    """
    out.show_progress("looking …")
    from streamapp.cli.event_loop import run  # noqa: PLC0415 - slow to import

    key = as_text(key)
    config = setup.load_config()
    application = setup.load_app(app)
    name = _table(application, table)
    story = run(_read, application, config, name, key)
    portrait = application.extras.portrait
    word = portrait.word if portrait is not None and portrait.table == name else name
    if not story.fields and not story.events:
        out.note(f"{word} #{key} is not known")
        raise typer.Exit(NOT_FOUND)
    if json:
        _print_json(story)
    else:
        from streamapp.cli.show.lines import story_lines  # noqa: PLC0415 - slow to import

        out.print_lines(story_lines(application, config, name, word, story, out.width()))


def _table(app: "App", name: str | None) -> str:
    if name is None and app.extras.portrait is not None:
        return app.extras.portrait.table
    if name is None and len(app.tables) == 1:
        return next(iter(app.tables))
    if name is None or name not in app.tables:
        raise NoTable(name, list(app.tables))
    return name


async def _read(app: "App", config: "Config", name: str, key: str) -> "Story":
    from streamapp.cli.show.story import Story  # noqa: PLC0415 - slow to import
    from streamapp.errors import ServiceError  # noqa: PLC0415 - beside its only use
    from streamapp.observe.tap_reader import TapReader  # noqa: PLC0415
    from streamapp.state.announcement import pending_of  # noqa: PLC0415 - slow to import
    from streamapp.state.store import PARKED  # noqa: PLC0415

    subject = Subject(name, key)
    table = app.tables[name]
    redis_key = table.redis_key(config.key_prefix, key)
    async with setup.open_store(config) as store, setup.open_taps(config) as taps:
        (fields,) = await store.read([redis_key])
        if isinstance(fields, ServiceError):
            raise fields
        reader = TapReader(taps)
        await reader.open()
        events = await reader.history(wanted=subject.may_be)
    pending = pending_of(redis_key, fields, table.folding.stream or "", None)
    refused = pending_of(redis_key, fields, table.folding.stream or "", None, begins=PARKED)
    return Story(key, redis_key, fields, pending, refused, list(filter(subject.is_of, events)))


class Subject:
    """Chooses the records about one key of one table. Another table may have the same key: a product 1, an order 1.

    A record that changed something is about the table that it changed. One that changed nothing is taken to be about
    the table that most other records of its queue changed.
    """

    def __init__(self, table: str, key: str) -> None:
        self._table = table
        self._key = key
        self._tables: dict[str, Counter[str]] = {}

    def may_be(self, record: "TapRecord") -> bool:
        """Count which table *record* changed, for its queue; return whether the record may be about this key."""
        about = self._tables.setdefault(record.queue, Counter())
        about.update(it.table for it in record.effects if it.key == record.key)
        return record.key == self._key or self._has_changed(record)

    def is_of(self, record: "TapRecord") -> bool:
        """Whether *record* is about this key of this table. Call it after `may_be` has seen all records."""
        about = self._tables[record.queue].most_common(1)
        return self._has_changed(record) or not about or about[0][0] == self._table

    def _has_changed(self, record: "TapRecord") -> bool:
        return any(it.table == self._table and it.key == self._key for it in record.effects)


def _print_json(story: "Story") -> None:
    from msgspec import to_builtins  # noqa: PLC0415 - slow to import
    from msgspec.json import decode, encode  # noqa: PLC0415

    out.print_json(
        {
            "key": story.key,
            "state": story.state or None,
            "pending": len(story.pending),
            "refused": [it.message.body for it in story.refused],
            "events": [to_builtins(decode(encode(event))) for event in story.events],
        }
    )
