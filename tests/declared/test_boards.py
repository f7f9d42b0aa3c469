"""Live views of an app's state."""

from streamapp.declared.boards import Board, Card


def test_a_board_needs_no_more_than_its_columns() -> None:
    """Its cards then show the key alone, and stay as long as their hash has a column."""
    board = Board(name="open", table="count", columns=["open"], column_of=lambda fields: fields.get("status"))

    assert board.column_of({"status": "open"}) == "open"
    assert board.card("7", {"status": "open"}) == Card("7")
    assert not board.is_over({"status": "open"})
