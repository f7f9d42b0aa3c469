"""A batch that failed is tried again in smaller parts."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from streamapp.messages import Delivery, Queue
from streamapp.pipeline.leases import Lease
from streamapp.pipeline.parts import Parts

QUEUE = Queue("q", "url")


def leases(number: int) -> list[Lease]:
    """Return so many leases."""
    now = datetime.now(UTC)
    return [Lease(Delivery(QUEUE, str(n), "h", "{}", 1, now, 0.0), "h", 0.0) for n in range(number)]


@given(number=st.integers(1, 40), poison=st.sets(st.integers(0, 39)))
def test_each_message_that_fails_does_so_alone_and_no_other_does(number: int, poison: set[int]) -> None:
    """Whatever the poison is: who is alone when it fails is to blame."""
    these, parts = leases(number), Parts()
    alone: list[int] = []
    tried: list[list[Lease]] = [these]
    while tried:
        part = tried.pop()
        bad = [these.index(lease) for lease in part if these.index(lease) in poison]
        if bad:
            alone += bad if len(part) == 1 else []
            parts.failed(part, "ValueError")
        else:
            parts.done()
        if parts.waiting:
            tried.append(parts.begin())

    assert sorted(alone) == sorted(n for n in poison if n < number)
    assert parts.leases == []


def test_one_poison_message_costs_attempts_by_the_logarithm() -> None:
    """And no pause: of two halves only one fails."""
    these, parts = leases(128), Parts()
    parts.failed(these, "ValueError")
    attempts = 0
    while parts.waiting:
        part = parts.begin()
        attempts += 1
        assert not parts.is_pause_due
        if these[77] in part:
            parts.failed(part, "ValueError")
        else:
            parts.done()

    assert attempts == 14


def test_two_halves_that_fail_alike_ask_for_a_pause() -> None:
    """Then it is probably not a message, but what all of them need."""
    these, parts = leases(8), Parts()
    parts.failed(these, "ConnectionError")
    parts.failed(parts.begin(), "ConnectionError")
    assert not parts.is_pause_due
    parts.failed(parts.begin(), "ConnectionError")

    assert parts.is_pause_due
    assert [lease.delivery.message_id for lease in parts.begin()] == ["0", "1"]


def test_what_is_cleared_is_forgotten() -> None:
    """A worker that drains gives it back."""
    these, parts = leases(4), Parts()
    parts.failed(these, "ValueError")

    assert parts.clear() == these
    assert not parts.waiting


def test_however_many_parts_fail_alike_the_pauses_are_few() -> None:
    """One for each size: the good messages of a batch, and those behind it, wait for no more."""
    these, parts = leases(128), Parts()
    parts.failed(these, "ValueError")
    pauses = 0
    while parts.waiting:
        pauses += parts.is_pause_due
        parts.failed(parts.begin(), "ValueError")

    assert pauses == 6
    assert not parts.is_pause_due
