"""`streamapp show`: the story of one thing that the app tracks - what is stored of it, and what made it so."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from streamapp.cli import out, setup
from streamapp.cli.exits import NOT_FOUND
from streamapp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streamapp.app import App
    from streamapp.config import Config
    from streamapp.owed import Announcement
    from streamapp.tap_record import TapRecord

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
        what = "say which with --table" if name is None else f"there is no table {name!r}"
        super().__init__(f"{what}; this app has {', '.join(known) or 'none'}")


@dataclass(frozen=True, slots=True)
class Story:
    """What is known of one key: its hash, what that owes to the outside, and what viewers were told of it.

    *place* is where its hash lives, *refused* are announcements which SQS refused for good.
    """

    key: str
    place: str
    fields: "Mapping[str, str]"
    pending: "Sequence[Announcement]"
    refused: "Sequence[Announcement]"
    events: "Sequence[TapRecord]"

    @property
    def state(self) -> dict[str, str]:
        """The fields that are no bookkeeping."""
        return {name: text for name, text in self.fields.items() if not name.startswith("_")}


def show(
    key: Annotated[str, typer.Argument(metavar="ID", help="What to tell of: the order's id.")],
    table: Annotated[str | None, typer.Option(metavar="NAME", help="Another table of the app.")] = None,
    json: setup.JsonOption = False,
    app: setup.AppOption = setup.DEFAULT_APP,
) -> None:
    """Tell what is stored of ID, and each event that made it so. Exit 4 if unknown.

    Events are told by the tap, which keeps the newest of each queue (STREAMAPP_TAP_MAXLEN).
    """
    out.say_soon("looking …")
    import anyio  # noqa: PLC0415 - slow to import

    config = setup.load_config()
    application = setup.load_app(app)
    name = _table(application, table)
    story = anyio.run(_read, application, config, name, key)
    word = application.portrait.word if application.portrait and application.portrait.table == name else name
    if not story.fields and not story.events:
        out.note(f"{word} #{key} is not known")
        raise typer.Exit(NOT_FOUND)
    if json:
        _print_json(story)
    else:
        from streamapp.cli.show_lines import story_lines  # noqa: PLC0415 - slow to import

        out.tell(story_lines(application, config, name, word, story, out.width()))


def _table(app: "App", name: str | None) -> str:
    if name is None and app.portrait is not None:
        return app.portrait.table
    if name is None and len(app.tables) == 1:
        return next(iter(app.tables))
    if name is None or name not in app.tables:
        raise NoTable(name, list(app.tables))
    return name


async def _read(app: "App", config: "Config", name: str, key: str) -> Story:
    from streamapp.errors import ServiceError  # noqa: PLC0415 - beside its only use
    from streamapp.owed import pending_of  # noqa: PLC0415 - slow to import
    from streamapp.store import PARKED  # noqa: PLC0415
    from streamapp.tap_reader import TapReader  # noqa: PLC0415

    table = app.tables[name]
    place = table.redis_key(config.key_prefix, key)
    async with setup.open_store(config) as store, setup.open_taps(config) as taps:
        (fields,) = await store.read([place])
        if isinstance(fields, ServiceError):
            raise fields
        reader = TapReader(taps)
        await reader.open()
        events = await reader.history(wanted=lambda record: _is_about(record, name, key))
    pending = pending_of(place, fields, table.sink_name or "", None)
    refused = pending_of(place, fields, table.sink_name or "", None, begins=PARKED)
    return Story(key, place, fields, pending, refused, events)


def _is_about(record: "TapRecord", table: str, key: str) -> bool:
    return record.key == key or any(it.table == table and it.key == key for it in record.effects)


def _print_json(story: Story) -> None:
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
