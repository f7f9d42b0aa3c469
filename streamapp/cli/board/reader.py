"""Open the reader of one board."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamapp.app import App
    from streamapp.config import Config
    from streamapp.declared.boards import Board
    from streamapp.web.board_reader import BoardReader, HashReader

LOOK_EVERY = 1.0
"""Seconds between two readings: a customer does not notice a shorter delay."""


def board_reader(app: "App", config: "Config", board: "Board", store: "HashReader") -> "BoardReader":
    """Return a reader of *board*, for a look at any time."""
    from streamapp.web.board_reader import BoardReader  # noqa: PLC0415 - slow to import

    return BoardReader(board, store, app.tables[board.table].folding.keys_prefix(config.key_prefix))
