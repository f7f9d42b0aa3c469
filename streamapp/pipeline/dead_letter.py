"""A dead letter: the body as it came, and the reason."""

import re
from typing import NamedTuple

import msgspec

from streamapp.messages import Outgoing
from streamapp.pipeline.leases import Lease
from streamapp.sqs.client import MAX_ATTRIBUTES

_ILLEGAL = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
"""Characters that SQS takes in no message: it would refuse the dead letter."""


_LONGEST_DETAIL = 900
"""Characters that leave room for what is said beside it; an attribute of ours has 1,024."""

_OURS = ("streamapp-reason", "streamapp-detail", "streamapp-source")


class Why(NamedTuple):
    """Why a message did not succeed: one word, and a detail that never holds a value of the message."""

    reason: str | None
    detail: str | None


NO_REASON = Why(None, None)


def letter(lease: Lease, why: Why) -> Outgoing:
    """Return what goes to the dead-letter queue: the body byte for byte, and three attributes of ours.

    The message's own attributes are kept as far as SQS has room for them beside ours; the detail tells how many are not.
    """
    delivery = lease.delivery
    room = MAX_ATTRIBUTES - len(_OURS)
    theirs = [(name, value) for name, value in delivery.attributes.items() if name not in _OURS]
    typed = [(name, value) for name, value in delivery.typed.items() if name not in _OURS]
    total = len(theirs) + len(typed)
    detail = why.detail or ""
    if total > room:
        lost = (
            f"{total - room} of its {total} attributes left out: SQS takes {MAX_ATTRIBUTES}, ours among them"
        )
        detail = f"{detail[:_LONGEST_DETAIL]}; {lost}" if detail else lost
    ours = {
        "streamapp-reason": _legal(why.reason or ""),
        "streamapp-detail": _legal(detail),
        "streamapp-source": msgspec.json.encode(
            {
                "queue": delivery.queue.name,
                "message_id": delivery.message_id,
                "receive_count": delivery.receives,
            }
        ).decode(),
    }
    return Outgoing(
        delivery.body,
        dict(theirs[:room]) | ours,
        group=delivery.group,
        deduplication=delivery.message_id,
        typed=dict(typed[: max(0, room - len(theirs))]),
    )


def _legal(text: str) -> str:
    """Return *text* as SQS accepts it for an attribute: not empty, without control characters, not long."""
    return _ILLEGAL.sub("?", text)[:1024] or "-"
