"""Row 39: good messages in the company of bad ones, in one batch, one group and one key: none is dead-lettered for them."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import anyio
import msgspec
import pytest

from streamapp import App, Json, Reject, Skip, Stream
from streamapp.testing import Fail


class Numbered(msgspec.Struct, frozen=True):
    """An event."""

    n: int


class Keyed(msgspec.Struct, frozen=True):
    """An event of one key."""

    key: str
    n: int


class Seen(msgspec.Struct, frozen=True):
    """A state that takes each number once."""

    key: str
    ns: tuple[int, ...]


def dead(trial: Any, queue: str) -> list[int]:
    """Return the numbers of the dead letters of *queue*."""
    return [msgspec.json.decode(letter.body)["n"] for letter in trial.dead(queue)]


def receives(trial: Any, queue: str) -> Counter[str]:
    """Return how often each message of *queue* was received."""
    return Counter(entry.message_id for entry in trial.sqs.ledger.received(queue))


@pytest.mark.parametrize("size", [10, 100])
@pytest.mark.parametrize("within", [0.5, 30])
async def test_one_poison_event_in_a_batch_dies_alone(
    size: int, within: float, long: bool, figure: Callable[[str], None]
) -> None:
    """Its attempts are its own; a receive is paid by no other."""
    for seed in range(10 if long else 2):
        app, done = App("b"), list[int]()

        @app.agent("in-events", Json(Numbered), concurrency=100, instances=1)
        async def agent(stream: Stream[Numbered], done: list[int] = done) -> None:
            async for batch in stream.take(100, within=within):
                if any(event.n == 0 for event in batch):
                    raise RuntimeError("poison")
                done.extend(event.n for event in batch)

        async with app.test(seed=seed) as t:
            await t.send("in-events", *[Numbered(n) for n in range(size)])
            await t.settle(within=100_000)

            assert dead(t, "in-events") == [0]
            assert sorted(done) == list(range(1, size))
            assert [n for n in receives(t, "in-events").values() if n > 1] == [5]
    figure(f"batches of up to {size} within {within} s: 0 good messages dead-lettered, each received once")


@pytest.mark.parametrize(
    ("decision", "ends"), [(Skip("a test order"), []), (Reject("bad"), [0])], ids=["skip", "reject"]
)
async def test_a_decision_that_comes_out_of_a_batch_is_of_one_message(
    decision: Exception, ends: list[int]
) -> None:
    """Which of them, the batch does not say: it is tried again, smaller."""
    app, done = App("c"), list[int]()

    @app.agent("in-events", Json(Numbered), concurrency=20, instances=1)
    async def agent(stream: Stream[Numbered]) -> None:
        async for batch in stream.take(20, within=1):
            for event in batch:
                if event.n == 0:
                    raise decision
                done.append(event.n)

    async with app.test() as t:
        await t.send("in-events", *[Numbered(n) for n in range(20)])
        await t.settle(within=100_000)

        assert dead(t, "in-events") == ends
        assert set(done) == set(range(1, 20))
        assert t.tally.of("skipped", "in-events") == 1 - len(ends)
        assert set(receives(t, "in-events").values()) == {1}


async def test_an_agent_ends_single_events_of_a_batch() -> None:
    """It knows which one is bad, and the others are done."""
    app, tries = App("d"), Counter[int]()

    @app.agent("in-events", Json(Numbered), concurrency=20, instances=1)
    async def agent(stream: Stream[Numbered]) -> None:
        async for batch in stream.take(20, within=1):
            for event in batch:
                tries[event.n] += 1
                if event.n == 1:
                    batch.fail(event, ValueError("one"))
                elif event.n == 2:
                    batch.skip(event)
                elif event.n == 3:
                    batch.reject(event, "three")

    async with app.test() as t:
        await t.send("in-events", *[Numbered(n) for n in range(20)])
        await t.settle(within=100_000)

        assert [(letter.reason, msgspec.json.decode(letter.body)["n"]) for letter in t.dead("in-events")] == [
            ("three", 3),
            ("attempts_exhausted", 1),
        ]
        assert t.tally.of("skipped", "in-events") == 1
        assert t.tally.of("ok", "in-events") == 17
        assert tries[1] == 6  # one in company, which counts for nobody, and five alone
        assert sum(tries.values()) == 25


@pytest.mark.parametrize("poison", [1, 3])
async def test_those_behind_poison_in_a_group_pay_neither_receive_nor_attempt(
    poison: int, figure: Callable[[str], None]
) -> None:
    """A healthy one that then fails once has four attempts left."""
    app, tries, done = App("fifo"), Counter[int](), list[int]()

    @app.agent("in-events.fifo", Json(Numbered), concurrency=10)
    async def agent(stream: Stream[Numbered]) -> None:
        async for event in stream:
            tries[event.n] += 1
            if event.n < poison or tries[event.n] == 1:
                raise RuntimeError("fails")
            done.append(event.n)

    async with app.test() as t:
        await t.send("in-events.fifo", *[Numbered(n) for n in range(10)])
        await t.settle(within=100_000)

        assert dead(t, "in-events.fifo") == list(range(poison))
        assert done == list(range(poison, 10))
        assert set(receives(t, "in-events.fifo").values()) == {1}
    figure(f"{poison} poison of 10 in one group: the others received once, attempts 2 of 5")


async def test_slow_messages_of_one_group_hold_no_places_of_others() -> None:
    """Those that wait lend their tokens: 40 of one group, three places."""
    app, ends = App("fifo"), dict[str, float]()

    @app.agent("in-events.fifo", Json(Keyed), concurrency=3)
    async def agent(stream: Stream[Keyed]) -> None:
        async for event in stream:
            await anyio.sleep(10)
            ends[f"{event.key}{event.n}"] = anyio.current_time()

    async with app.test() as t:
        for n in range(40):
            await t.send("in-events.fifo", Keyed("slow", n), group="slow")
        for key in ("a", "b"):
            await t.send("in-events.fifo", Keyed(key, 0), group=key)
        await t.settle(within=100_000)

    first = min(ends.values())
    assert ends["a0"] - first < 20  # clock: virtual
    assert ends["b0"] - first < 20  # clock: virtual
    assert list(ends)[-1] == "slow39"


@pytest.mark.parametrize("code", ["ServiceUnavailable", "AWS.SimpleQueueService.NonExistentQueue"])
async def test_a_key_that_owes_all_it_may_keeps_its_messages_in_hand(
    code: str, figure: Callable[[str], None]
) -> None:
    """The sink is away for ten minutes: nobody is received again, and nobody is dead-lettered."""
    app = App("hot")
    out = app.sink("out-events", Json(Seen))

    def fold(state: Seen | None, event: Keyed) -> Seen:
        if state is None:
            return Seen(event.key, (event.n,))
        return state if event.n in state.ns else Seen(event.key, tuple(sorted((*state.ns, event.n))))

    table = app.table("hot", Seen, fold=fold, announce=lambda _, after: after, to=out)

    @app.agent("in-events", Json(Keyed), concurrency=100)
    async def agent(stream: Stream[Keyed]) -> None:
        async for event in stream:
            await table.update(event.key, event)

    async with app.test() as t:
        t.sqs.faults.add("send", Fail(code), queue="out-events", seconds=600)
        await t.send("in-events", *[Keyed("x", n) for n in range(100)])
        await t.settle(within=100_000)

        assert t.dead("in-events") == []
        assert len(t.table("hot")["x"].ns) == 100
        assert len(t.sent("out-events")) == 100
        assert set(receives(t, "in-events").values()) == {1}
    figure(f"100 events of one key, the sink away for 600 s ({code}): 0 dead-lettered, each received once")


@pytest.mark.parametrize("way", ["reject", "fail"])
async def test_what_an_event_owes_is_sent_before_its_message_goes(way: str) -> None:
    """A rejected message, or one at its last attempt, does not take its announcement with it."""
    app = App("b")
    out = app.sink("out-events", Json(Seen))
    table = app.table(
        "t", Seen, fold=lambda state, event: state or Seen(event.key, ()), announce=lambda _, a: a, to=out
    )

    @app.agent("in-events", Json(Keyed))
    async def agent(stream: Stream[Keyed]) -> None:
        async for event in stream:
            await table.update(event.key, event)
            raise Reject("no") if way == "reject" else RuntimeError("x")

    async with app.test() as t:
        await t.send("in-events", Keyed("a", 0))
        await t.settle(within=100_000)

        entries = t.sqs.ledger.entries
        (deleted,) = [
            e.at for e in entries if e.operation == "delete" and e.queue == "in-events" and e.message_id
        ]
        (sent,) = [
            e.at for e in entries if e.operation == "send" and e.queue == "out-events" and e.message_id
        ]
        assert sent < deleted
