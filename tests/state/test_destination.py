"""How a value becomes a message for a queue."""

from streamapp.state.destination import Destination

DESTINATION = Destination("out", str)


def test_a_value_becomes_a_message_of_its_group() -> None:
    """A FIFO queue keeps the order within a group, and drops a message whose deduplication id it has seen."""
    identity, message = DESTINATION.outgoing(5, "a")

    assert (message.body, message.group, message.deduplication) == ("5", "a", identity)


def test_the_same_content_in_the_same_group_has_the_same_identity() -> None:
    """A message that is sent again after a crash is dropped as a repetition; that of another order is not."""
    (first, _), (again, _) = DESTINATION.outgoing(5, "a"), DESTINATION.outgoing(5, "a")

    assert first == again
    assert len({first, DESTINATION.outgoing(6, "a")[0], DESTINATION.outgoing(5, "b")[0]}) == 3


def test_a_declared_identity_replaces_that_of_the_content() -> None:
    """An application may have an id of its own for what it sends."""
    destination = Destination("out", str, identity=lambda value: f"id-{value}")

    assert destination.outgoing(5, "a")[0] == destination.outgoing(5, "b")[0] == "id-5"
