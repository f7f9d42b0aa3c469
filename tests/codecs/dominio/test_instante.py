"""An event's time, and whether it is ahead of its message."""

from datetime import timedelta

import pytest


def test_a_time_far_ahead_of_its_message_is_marked(one) -> None:
    """An event of a clock that runs ahead must not win over every later event."""
    near = one({"id": 7, "status": "Pronto", "atualizado_em": "2025-07-28T18:05:00Z"})
    far = one({"id": 7, "status": "Pronto", "atualizado_em": "2025-07-28T18:05:00.000001Z"})

    assert near.quando.adiantado is False
    assert far.quando.adiantado is True
    assert far.quando.em - near.quando.em == timedelta(microseconds=1)


@pytest.mark.parametrize("time", ["2999-01-01T00:00:00Z", "31/12/9999", [2101, 1, 1]])
def test_no_time_is_too_far_ahead_to_be_marked(one, time) -> None:
    """The further a clock is ahead, the more important the mark."""
    assert one({"id": 7, "status": "Pronto", "atualizado_em": time}).quando.adiantado is True
