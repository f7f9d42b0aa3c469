"""Row 34: one key takes longer than a call may, or Redis is away: who does not need it goes on."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from faults.letters import Letters
from rigs import behind
from rigs.worker import Count, add
from streamapp import App, Stream
from streamapp.config import Config
from streamapp.errors import ServiceError, TimedOut
from streamapp.flow.outage import Outage, PerKey, SlowKey
from streamapp.redis.store import RedisStore
from streamapp.testing import Hang, MemoryStore
from streamapp.testing.state.memory_store import TIMEOUT
from streamapp_codecs import Json


class Ev(msgspec.Struct, frozen=True):
    """An event that adds *n* to a key."""

    key: str
    n: int = 1


class Slowly(MemoryStore):
    """A store that takes too long over hashes whose key ends so, until *is_cured*."""

    is_cured = False

    async def read(self, keys: Sequence[str]) -> list[dict[str, str] | ServiceError]:
        """Read."""
        if not self.is_cured and any(key.endswith("slow") for key in keys):
            await self.clock.sleep(TIMEOUT)
            raise TimedOut("Redis", "no reply")
        return await super().read(keys)


def app_of_two() -> App:
    """Return an app with an agent that keeps state, and one that does not."""
    app = App("slow")
    counts: Any = app.table("count", Count, fold=add)

    @app.agent("kept-events", Json(Ev), concurrency=20)
    async def kept(events: Stream[Ev]) -> None:
        async for event in events:
            await counts.update(event.key, event)

    @app.agent("free-events", Json(Ev), concurrency=5)
    async def free(events: Stream[Ev]) -> None:
        async for _ in events:
            pass

    return app


async def test_a_slow_key_is_no_outage(figure: Callable[[str], None], letters: Letters) -> None:
    """Its events come again until it is quick; none of them is lost, and all others are done meanwhile."""
    letters.attempts = 8
    async with app_of_two().test(Config(max_attempts=letters.attempts)) as t:
        t.store.__class__ = Slowly
        await t.send("kept-events", Ev("slow"))
        for n in range(30):
            await t.send("kept-events", *(Ev(f"k{n}") for _ in range(5)))
            await t.send("free-events", Ev("x"))
            await t.advance(1)
        await t.advance(1800)
        done = sum(state.total for state in t.table("count").values())
        free = len(t.sqs.ledger.deleted("free-events"))
        retried = t.tally.of("retry")
        t.store.is_cured = True  # type: ignore[attr-defined]
        await t.settle()

        assert (done, free) == (150, 30)
        assert t.table("count")["slow"] == Count(1, 1)
        assert t.dead("kept-events") == []
        others = [n for n in t.sqs.ledger.receives("kept-events").values() if n > 1]
    figure(
        f"150 of 150 other changes done beside a slow key, whose event came again {retried} times in half an hour"
    )
    assert len(others) == 1
    assert retried < 8  # each pause is twice the one before: SQS itself dead-letters what comes too often


async def test_an_agent_without_state_goes_on_while_redis_is_away() -> None:
    """It needs nothing of it."""
    async with app_of_two().test(Config(wait_seconds=2)) as t:
        await t.send("kept-events", Ev("a"))
        await t.send("free-events", Ev("a"))
        await t.settle()
        with t.store.faults.add("*", Hang()):
            await t.send("kept-events", *(Ev("a") for _ in range(5)))
            await t.advance(20)
            received = t.tally.of("received")
            await t.send("kept-events", *(Ev("a") for _ in range(5)))
            for _ in range(5):
                await t.send("free-events", *(Ev("a") for _ in range(10)))
                await t.advance(10)

            assert len(t.sqs.ledger.deleted("free-events")) == 51
            assert t.tally.of("received") == received + 50
        await t.settle()

        assert t.table("count")["a"] == Count(11, 11)
        assert t.tally.of("retry") == 0


@pytest.mark.usefixtures("one_server")
async def test_a_hash_that_blocks_redis_itself_is_found(
    store: RedisStore, redis_url: str, prefix: str
) -> None:
    """PING waits behind it, and yet it answers once the call that was given up is over."""
    small, huge = f"{prefix}small", f"{prefix}huge"
    async with behind.client(redis_url) as redis:
        await redis.hset(small, "a", "1")
        for start in range(0, 600_000, 100_000):
            await redis.hset(huge, mapping={str(n): "x" * 20 for n in range(start, start + 100_000)})
        store._servers._within = 0.05
        per_key = PerKey(Outage("Redis", store.ping))
        good, slow = await per_key.call(store.read, [small, huge], str)
        again = await per_key.call(store.read, [huge], str)
        await redis.unlink(huge)

    assert good == {"a": "1"}
    assert isinstance(slow, SlowKey)
    assert huge in str(slow)
    assert isinstance(again[0], SlowKey)
