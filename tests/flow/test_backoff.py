"""Pauses between tries."""

from hypothesis import given
from hypothesis import strategies as st

from streamapp.flow.backoff import Backoff, spread


def test_pauses_grow_to_their_limit() -> None:
    """Each is a random time up to a limit that doubles, so that callers that failed together come back apart."""
    backoff = Backoff(first=0.2, longest=2.0)

    longest = [max(backoff.pause(failures) for _ in range(200)) for failures in range(1, 30)]

    assert longest[0] <= 0.2
    assert 0.2 < longest[1] <= 0.4
    assert 1.0 < max(longest) <= 2.0


@given(failures=st.integers(1, 10**9), first=st.floats(0, 1e6))
def test_no_number_of_failures_overflows(failures: int, first: float) -> None:
    """A message may have been received any number of times."""
    pause = Backoff(first, 900.0).pause(failures)

    assert 0 <= pause <= min(900.0, first * 2.0 ** min(failures - 1, 30))


def test_what_is_spread_keeps_its_mean() -> None:
    """It varies by a half."""
    times = [spread(300) for _ in range(1000)]

    assert 150 <= min(times) < 200
    assert 400 < max(times) <= 450
