"""What is unwise in the settings of a source queue and of its dead-letter queue."""

import json
from typing import Any

import pytest

from streamapp.config import Config
from streamapp.messages import Queue
from streamapp.sqs.queue_flaws import letters_flaws, source_flaws

WELL = Queue("orders", "http://sqs/orders", visibility=60, dead_letters="orders-dlq", max_receives=8)
SOURCE = {"MessageRetentionPeriod": "345600", "QueueArn": "arn:orders"}
LETTERS = {"MessageRetentionPeriod": "1209600"}


def test_good_settings_have_no_flaw() -> None:
    """A check with false alarms is soon turned off."""
    assert [*source_flaws(WELL, Config()), *letters_flaws(WELL, SOURCE, LETTERS)] == []


@pytest.mark.parametrize(
    ("change", "words", "is_problem"),
    [
        ({"dead_letters": None}, "no redrive policy", True),
        ({"max_receives": 2}, "maxReceiveCount 2", True),
        ({"max_receives": 5}, "before their reason is written", False),
        ({"visibility": 20.0}, "visibility timeout 20 s", False),
        ({"visibility": 0.0}, "visibility timeout 0 s", False),
        ({"visibility": 3600.0}, "wait so long", False),
    ],
)
def test_flaws_of_a_source_queue(change: dict[str, Any], words: str, is_problem: bool) -> None:
    """Each of these has cost somebody messages or hours."""
    fields = {
        "name": "orders",
        "url": "",
        "visibility": 60.0,
        "dead_letters": "orders-dlq",
        "max_receives": 8,
    }

    (flaw,) = source_flaws(Queue(**(fields | change)), Config())

    assert words in flaw.text
    assert flaw.cure == "streamapp queues create"
    assert flaw.is_problem is is_problem


def test_a_visibility_timeout_may_be_as_short_as_a_lease() -> None:
    """Then it changes nothing: the worker asks for no more."""
    queue = Queue("orders", "", visibility=30, dead_letters="orders-dlq", max_receives=8)

    assert list(source_flaws(queue, Config(wait_seconds=20))) == []
    assert list(source_flaws(Queue("o", "", visibility=29, dead_letters="d", max_receives=8), Config()))


@pytest.mark.parametrize(
    ("letters", "words"),
    [
        ({"FifoQueue": "true"}, "of the other kind"),
        ({"MessageRetentionPeriod": "345600"}, "letters vanish"),
        ({"RedriveAllowPolicy": '{"redrivePermission":"denyAll"}'}, "takes no letters"),
        (
            {
                "RedriveAllowPolicy": json.dumps(
                    {"redrivePermission": "byQueue", "sourceQueueArns": ["arn:b"]}
                )
            },
            "takes no letters",
        ),
        ({"RedrivePolicy": "{}"}, "moves them on"),
    ],
)
def test_flaws_of_a_dead_letter_queue(letters: dict[str, str], words: str) -> None:
    """The last place for a message must accept it and keep it."""
    (flaw,) = letters_flaws(WELL, SOURCE, LETTERS | letters)

    assert words in flaw.text
    assert flaw.cure
