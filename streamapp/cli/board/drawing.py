"""A board that is redrawn in place, on the alternate screen, in any size of the terminal."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from textwrap import wrap

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.table import Table
from rich.text import Text

from streamapp.app import App
from streamapp.cli import setup
from streamapp.cli.board.age import AgeLimits, age_text, mark_of
from streamapp.cli.board.reader import LOOK_EVERY, board_reader
from streamapp.cli.terminal.live_view import LiveView, console, redraw
from streamapp.cli.terminal.sanitize import printable
from streamapp.config import Config
from streamapp.declared.boards import Board, Card
from streamapp.errors import ServiceError

NARROW = 26
"""Width that a column of the board needs. With less, the columns stand below each other."""

GAP = 2
"""Spaces between two columns of the board."""

INDENT = "    "
"""Stands before the text of a card that is below its number."""

_STYLES = {"new": "bold green", "usual": "", "warn": "yellow", "late": "bold red", "old": "dim"}


async def show(app: App, config: Config, board: Board, limits: AgeLimits) -> None:
    """Show *board* until `q` is pressed. While Redis does not answer, the last state stays, with its age."""
    async with setup.open_store(config) as store:
        reader = board_reader(app, config, board, store)
        drawing = BoardDrawing(board, await reader.look(), limits)

        async def draw() -> None:
            try:
                drawing.update(await reader.look())
            except ServiceError:
                drawing.is_live = False
            view.live.refresh()

        with LiveView(lambda: Live(drawing, console=console(), screen=True, auto_refresh=False)) as view:
            await redraw(view, draw, LOOK_EVERY)


class BoardDrawing:
    """A heading, and the columns with as many cards as have room."""

    def __init__(self, board: Board, columns: Mapping[str, Sequence[Card]], limits: AgeLimits) -> None:
        self._board = board
        self._limits = limits
        self.update(columns)

    def update(self, columns: Mapping[str, Sequence[Card]]) -> None:
        """Draw these columns from now on."""
        self._columns = columns
        self._seen_at = time.monotonic()
        self.is_live = True

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, height = options.max_width, options.height or console.height
        yield self._head(width)
        columns = self._columns
        busy = sum(bool(cards) for cards in columns.values()) or 1
        if width >= NARROW * len(columns):
            # An empty column is as wide as its heading.
            empty = {name: len(_heading(name, cards)) for name, cards in columns.items() if not cards}
            each = (width - sum(empty.values()) - GAP * len(columns)) // busy
            grid = Table.grid(padding=(0, GAP))
            for name in columns:
                grid.add_column(width=empty.get(name, each), no_wrap=True)
            grid.add_row(*(self._column(name, cards, height - 2, each) for name, cards in columns.items()))
            yield grid
        else:
            room = (height - 1 - len(columns)) // busy + 1
            # In a list, what is ready comes first: that is what people wait for.
            for name, cards in reversed(list(columns.items())):
                yield self._column(name, cards, room, width)

    def _head(self, width: int) -> Text:
        words = self._board.words
        now = datetime.now().astimezone().strftime("%H:%M:%S")
        if self.is_live:
            dot, style = f"● {words.live}", "green"
        else:
            dot, style = f"○ {words.stale} {time.monotonic() - self._seen_at:.0f} s", "bold red"
        title = printable(self._board.title or self._board.name)
        gap = max(1, width - len(title) - len(now) - len(dot) - 4)
        return Text.assemble(
            (f" {title}", "bold"), " " * gap, now, " ", (dot, style), no_wrap=True, overflow="ellipsis"
        )

    def _column(self, name: str, cards: Sequence[Card], room: int, width: int) -> Text:
        now = datetime.now(UTC)
        lines = [Text(_heading(name, cards), style="bold underline")]
        drawn = [self._card(name, card, now) for card in cards]
        if not any(card.text for card in cards):
            shown = _side_by_side([card[0] for card in drawn], width)
        elif len(folded := [line for card in drawn for line in _folded(card, width)]) < room:
            shown = folded
        else:
            shown = [Text("  ").join(card) for card in drawn]
        lines += shown if len(shown) < room else shown[: max(0, room - 2)]
        hidden = len(shown) - len(lines) + 1
        if hidden:
            lines.append(Text(f"+ {hidden} {self._board.words.more}", style="dim"))
        for line in lines:
            line.truncate(width, overflow="ellipsis")
        return Text("\n").join(lines)

    def _card(self, column: str, card: Card, now: datetime) -> list[Text]:
        """Return the card's number, age and marks, and its text if it has one."""
        mark = mark_of(self._board, column, card, now, self._limits)
        parts = [f"#{printable(card.key)}"]
        if self._board.shows_age and card.since is not None:
            parts.append(age_text(card, now))
        # Before the text, which may be long and be cut off.
        parts += [printable(word) for word in (mark.word, *card.notes) if word]
        head = Text("  ".join(parts), style=_STYLES[mark.level])
        return [head, Text(printable(card.text))] if card.text else [head]


def _heading(name: str, cards: Sequence[Card]) -> str:
    return f"{printable(name).upper()} ({len(cards)})"


def _folded(card: Sequence[Text], width: int) -> list[Text]:
    """Return a card on one line if it fits, else with its text below."""
    head, *texts = card
    line = Text("  ").join(card)
    if not texts or line.cell_len <= width:
        return [line]
    return [
        head,
        *(Text(INDENT + part) for part in wrap(texts[0].plain, width - len(INDENT), break_on_hyphens=False)),
    ]


def _side_by_side(cards: Sequence[Text], width: int) -> list[Text]:
    """Put short cards beside each other, in rows."""
    if not cards:
        return []
    each = max(card.cell_len for card in cards) + 3
    across = max(1, width // each)
    rows: list[Text] = []
    for start in range(0, len(cards), across):
        row = Text()
        for card in cards[start : start + across]:
            padded = card.copy()
            padded.pad_right(each - card.cell_len)
            row.append_text(padded)
        rows.append(row)
    return rows
