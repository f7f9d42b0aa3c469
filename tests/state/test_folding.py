"""How events change the states of one table."""

from typing import Any

from rigs.worker import Count, add
from streamapp.state.destination import Destination
from streamapp.state.folding import Folding
from streamapp.state.hash_codec import HashCodec
from streamapp.state.keys import plain

OUT = Destination("out", str)


def folding(announce: Any = None, to: Destination | None = None) -> Folding:
    """Return how a table of counts folds."""
    return Folding("count", HashCodec(Count), add, announce, to)


def test_an_announcement_goes_to_the_group_of_its_key() -> None:
    """So a FIFO queue keeps the announcements of one key in order."""
    announced = folding(lambda _, after: after.total, OUT).announcement(None, Count(3, 1), "a")

    assert announced == OUT.outgoing(3, "a")


def test_a_change_of_which_there_is_nothing_to_say_has_no_announcement() -> None:
    """A table may announce some of its changes, or none."""
    changes = None, Count(3, 1), "a"

    assert folding(lambda _before, _after: None, OUT).announcement(*changes) is None
    assert folding(None, OUT).announcement(*changes) is None
    assert folding(lambda _, after: after).announcement(*changes) is None


def test_a_state_is_kept_under_prefix_table_and_key() -> None:
    """A scan finds all states of a table by how their keys begin."""
    table = folding()

    assert table.redis_key("shop:", "a") == "shop:count:a"
    assert table.redis_key("shop:", "a:b") == table.keys_prefix("shop:") + plain("a:b")
