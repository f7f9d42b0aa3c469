"""Fixtures for what is sent."""

import pytest

from streamapp.flow.backoff import Backoff


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once: a test learns nothing from waiting."""
    monkeypatch.setattr("streamapp.flow.outage.AGAIN", Backoff(0.0002, 0.001))
    monkeypatch.setattr("streamapp.outbox.sender.AGAIN", Backoff(0.0002, 0.001))
