"""Read boards again and again for the terminal."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamapp.app import App
    from streamapp.config import Config
    from streamapp.declared.boards import Board
    from streamapp.web.board_reader import BoardReader, HashReader

LOOK_EVERY = 1.0
"""Seconds between two looks: a customer does not see a shorter one."""


def monitor(app: "App", config: "Config", board: "Board", store: "HashReader") -> "BoardReader":
    """Return what reads *board*."""
    from streamapp.web.board_reader import BoardReader  # noqa: PLC0415 - slow to import

    return BoardReader(board, store, app.tables[board.table].folding.keys_prefix(config.key_prefix))
