"""`streamapp board`: the app's boards, in a terminal."""

from typing import TYPE_CHECKING, Annotated

import typer

from streamapp.cli import options, setup
from streamapp.cli.terminal import output as out
from streamapp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streamapp.app import App
    from streamapp.cli.board.age import AgeLimits
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
            metavar="BOARD",
            help="Which one; without it, the app's first.",
            autocompletion=options.complete_board,
        ),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Print it once as a table, for pipes.")] = False,
    warn: Annotated[
        str | None,
        typer.Option(metavar="AGE", help="Age from which a card is nearly late. [its estimate]"),
    ] = None,
    late: Annotated[
        str | None, typer.Option(metavar="AGE", help="Age from which a card is late, as 15m.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print it once as JSON.")] = False,
    app: options.AppOption = setup.DEFAULT_APP,
) -> None:
    """Show a board until q or Ctrl-C. It is redrawn each second."""
    out.show_progress("looking …")
    from streamapp.cli.event_loop import run  # noqa: PLC0415 - slow to import

    config = setup.load_config()
    application = setup.load_app(app)
    chosen = _choose(application, name)
    limits = setup.seconds_of("--warn", warn), setup.seconds_of("--late", late)
    from streamapp.cli.terminal.live_view import can_redraw  # noqa: PLC0415 - slow to import

    if once or json or not can_redraw():
        columns = run(_look_once, application, config, chosen)
        _print(chosen, columns, limits, as_json=json)
    else:
        from streamapp.cli.board import drawing  # noqa: PLC0415 - slow to import

        run(drawing.show, application, config, chosen, limits)


def _choose(app: "App", name: str | None) -> "Board":
    for board in app.extras.boards:
        if name in {None, board.name}:
            return board
    raise NoBoard(name or "", [board.name for board in app.extras.boards])


async def _look_once(app: "App", config: "Config", board: "Board") -> "dict[str, list[Card]]":
    from streamapp.cli.board.reader import board_reader  # noqa: PLC0415 - slow to import

    async with setup.open_store(config) as store:
        return await board_reader(app, config, board, store).look()


def _print(
    board: "Board",
    columns: "Mapping[str, Sequence[Card]]",
    limits: "AgeLimits",
    *,
    as_json: bool,
) -> None:
    from datetime import UTC, datetime  # noqa: PLC0415 - beside its only use

    from streamapp.cli.board.age import age_text, mark_of  # noqa: PLC0415
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
            age_text(card, now) if board.shows_age else "",
            " ".join(filter(None, [mark_of(board, name, card, now, limits).word, *card.notes])),
            card.text,
        )
        for name, cards in reversed(list(columns.items()))  # what is ready comes first
        for card in cards
    ]
    if rows:
        out.print_lines(aligned(rows, width=out.width()))
    else:
        out.note(f"there is nothing on {board.name}")


def _as_json(card: "Card") -> dict[str, object]:
    since = None if card.since is None else card.since.isoformat().replace("+00:00", "Z")
    return {"key": card.key, "text": card.text, "since": since, "due": card.due, "notes": list(card.notes)}
