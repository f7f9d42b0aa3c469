"""The record of one attempt at a message."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from rigs.worker import AnyJson, Rig
from streamapp.messages import Delivery, Queue
from streamapp.observe.tap_record import TapRecord
from streamapp.pipeline.attempt import EFFECTS, LONGEST_TEXT, Attempt
from streamapp.pipeline.leases import Lease
from streamapp.state.committer import Changed
from streamapp.state.update import Update
from streamapp_codecs import Decoded, Shown


class Unshown(AnyJson):
    """A codec that fails to show a body."""

    def show(self, body: str, decoded: Decoded[object] | None) -> Shown:
        """Fail, as untested code does."""
        del decoded
        raise KeyError(body)


async def test_a_body_that_cannot_be_shown_is_processed_and_counted(rig: Rig) -> None:
    """Viewers miss a record; the message is processed all the same."""

    async def nothing(events: Any) -> None:
        async for _ in events:
            pass

    rig.agent(nothing, codec=Unshown())
    kept = rig.keep_records()
    await rig.send(['"one"', '"two"'])
    assert await rig.work_off()

    assert (rig.tally.of("ok"), rig.tally.of("tap_dropped")) == (2, 2)
    assert kept.records == []


def attempt(*changed: tuple[str, dict[str, str], dict[str, str]]) -> TapRecord:
    """Return the record of an attempt that changed these keys, each from some fields to others."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    delivery = Delivery(Queue("q", "url"), "m", "handle", "{}", 1, now, 0.0)
    done = [
        Update("t", key, None, Changed(None, is_new=True, pending=(), before=before, after=after))
        for key, before, after in changed
    ]
    line = Attempt(Lease(delivery, "handle", 30.0), None, "ok", done=done).line("worker")
    return msgspec.json.decode(line, type=TapRecord)


def test_a_record_holds_the_fields_that_changed_without_bookkeeping() -> None:
    """An operator asks what a message did; the token of a commit does not help."""
    record = attempt(("k", {"_t": "1", "a": "1", "b": "2"}, {"_t": "2", "a": "1", "c": "3"}))

    assert [it.fields for it in record.effects] == [{"b": ("2", None), "c": (None, "3")}]


def test_a_record_is_short_however_much_changed() -> None:
    """The records of all messages share a bounded part of Redis."""
    record = attempt(*((f"k{n}", {}, {"a": "x" * 1000}) for n in range(EFFECTS + 5)))
    (_, text) = record.effects[0].fields["a"]

    assert len(record.effects) == EFFECTS
    assert text is not None
    assert (len(text), text[-1]) == (LONGEST_TEXT, "…")
