"""The tap's streams on a cluster."""

from chaos.cluster import Cluster
from streamapp.observe.tap_writer import TapEntry
from streamapp.redis.tap import open_tap


async def test_the_tap_finds_the_stream_of_each_queue(valkeys: Cluster, prefix: str) -> None:
    """No command can wait for streams of two slots, but they are read together all the same."""
    queues = [f"q{n}" for n in range(6)]
    async with open_tap(valkeys.url, f"{prefix}:") as taps:
        assert await taps.after(dict.fromkeys(queues, "0-0"), wait=0.05) == {}
        await taps.append([TapEntry(queue, f"of {queue}".encode(), 1, 100) for queue in queues])

        found = await taps.after(dict.fromkeys(queues, "0-0"), wait=5.0)

        assert await taps.queues() == queues
        assert {queue: [lines for _, lines in page] for queue, page in found.items()} == {
            queue: [f"of {queue}"] for queue in queues
        }
        assert await taps.last_id("q3") == found["q3"][-1][0]
