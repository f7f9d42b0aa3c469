"""`streamapp board`: the app's monitors, in a terminal."""

from typing import TYPE_CHECKING, Annotated

import typer

from streamapp.cli import setup
from streamapp.cli.board.reader import monitor
from streamapp.cli.terminal import output as out
from streamapp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streamapp.app import App
    from streamapp.config import Config
    from streamapp.declared.boards import Board, Card

EXAMPLES = """
\b
Examples:
  streamapp board
  streamapp board cliente
  streamapp board --once | grep Pronto
  streamapp board cozinha --warn 5m --late 8m
"""


class NoBoard(ConfigError):
    """The app has no board of this name."""

    def __init__(self, name: str, known: "Sequence[str]") -> None:
        super().__init__(
            f"there is no board{name and f' {name!r}'}; this app has {', '.join(known) or 'none'}"
        )


def board(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="BOARD", help="Which one; the app's first if not said.", autocompletion=setup.board_names
        ),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Print it once as a table, for pipes.")] = False,
    warn: Annotated[
        str | None,
        typer.Option(metavar="AGE", help="Age from which a card is nearly late; else its estimate."),
    ] = None,
    late: Annotated[
        str | None, typer.Option(metavar="AGE", help="Age from which a card is late, as 15m.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print it once as JSON.")] = False,
    app: setup.AppOption = setup.DEFAULT_APP,
) -> None:
    """Show a board until q or Ctrl-C. It is drawn again each second."""
    out.say_soon("looking …")
    import anyio  # noqa: PLC0415 - slow to import

    config = setup.load_config()
    application = setup.load_app(app)
    chosen = _choose(application, name)
    ages = setup.seconds_of("--warn", warn), setup.seconds_of("--late", late)
    from streamapp.cli.terminal.screen import is_lively  # noqa: PLC0415 - slow to import

    if once or json or not is_lively():
        columns = anyio.run(_look_once, application, config, chosen)
        _print(chosen, columns, ages, as_json=json)
    else:
        from streamapp.cli.board import picture as board_picture  # noqa: PLC0415 - slow to import

        anyio.run(board_picture.show, application, config, chosen, ages)


def _choose(app: "App", name: str | None) -> "Board":
    for board in app.extras.boards:
        if name in {None, board.name}:
            return board
    raise NoBoard(name or "", [board.name for board in app.extras.boards])


async def _look_once(app: "App", config: "Config", board: "Board") -> "dict[str, list[Card]]":
    async with setup.open_store(config) as store:
        return await monitor(app, config, board, store).look()


def _print(
    board: "Board",
    columns: "Mapping[str, Sequence[Card]]",
    ages: "tuple[float | None, float | None]",
    *,
    as_json: bool,
) -> None:
    from datetime import UTC, datetime  # noqa: PLC0415 - beside its only use

    from streamapp.cli.board.age import clock, standing  # noqa: PLC0415
    from streamapp.cli.terminal.columns import aligned  # noqa: PLC0415 - slow to import

    now = datetime.now(UTC)
    if as_json:
        found = {name: [_as_json(card) for card in cards] for name, cards in columns.items()}
        out.print_json({"board": board.name, "columns": found})
        return
    rows = [
        (
            name,
            f"#{card.key}",
            clock(card, now) if board.shows_age else "",
            " ".join(filter(None, [standing(board, name, card, now, ages).word, *card.notes])),
            card.text,
        )
        for name, cards in reversed(list(columns.items()))  # what is ready, first
        for card in cards
    ]
    if rows:
        out.tell(aligned(rows, width=out.width()))
    else:
        out.note(f"nothing stands on {board.name}")


def _as_json(card: "Card") -> dict[str, object]:
    since = None if card.since is None else card.since.isoformat().replace("+00:00", "Z")
    return {"key": card.key, "text": card.text, "since": since, "due": card.due, "notes": list(card.notes)}
