"""The record of one attempt at a message."""

from typing import Any

from rigs.worker import AnyJson, Rig
from streamapp_codecs import Decoded, Shown


class Unshown(AnyJson):
    """A codec that fails to show a body."""

    def show(self, body: str, decoded: Decoded[object] | None) -> Shown:
        """Fail, as untested code does."""
        del decoded
        raise KeyError(body)


async def test_a_body_that_cannot_be_shown_is_processed_and_counted(rig: Rig) -> None:
    """Viewers miss a record, and the worker lives."""

    async def nothing(events: Any) -> None:
        async for _ in events:
            pass

    rig.agent(nothing, codec=Unshown())
    kept = rig.keep_records()
    await rig.send(['"one"', '"two"'])
    assert await rig.work_off()

    assert (rig.tally.of("ok"), rig.tally.of("tap_dropped")) == (2, 2)
    assert kept.records == []
