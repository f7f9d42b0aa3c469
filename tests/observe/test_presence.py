"""A worker is visible while it runs."""

from anyio import fail_after

from rigs.worker import Add, Rig
from streamapp.redis.tap import RedisTap


async def test_a_running_worker_reports_its_counters_and_removes_its_report_at_the_end(
    rig: Rig, taps: RedisTap
) -> None:
    """`status` has to know all workers without contacting them."""
    rig.count()
    await rig.send([Add("a")])

    async with rig.running():
        with fail_after(10):
            while not any(it.counts["orders"].get("ok") for it in await taps.workers()):
                await rig.sqs.attributes(rig.queues["orders"])
        (present,) = await taps.workers()

    assert (present.worker, present.queues, present.in_hand) == (rig.tap.worker, ("orders",), {"orders": 0})
    assert present.counts["out"]["sent"] == 1
    assert await taps.workers() == [], "it removed its report"
