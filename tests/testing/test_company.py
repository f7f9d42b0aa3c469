"""What others have to do with a message's trouble: they are received once, and wait for a moment at most."""

import anyio
import msgspec
import pytest

from streamapp import App, Retry, Stream
from streamapp.testing import Effect, Fail, Partial
from streamapp_codecs import Json


class Ev(msgspec.Struct, frozen=True):
    """An event."""

    key: str


@pytest.mark.parametrize("effect", [Fail("RequestThrottled"), Fail("ExpiredToken"), Partial(1)], ids=repr)
async def test_done_messages_whose_deletes_fail_are_received_once(effect: Effect) -> None:
    """SQS would dead-letter them in the end, though they are done."""
    app = App("d")

    @app.agent("in", Json(Ev), concurrency=10)
    async def agent(stream: Stream[Ev]) -> None:
        async for _ in stream:
            pass

    async with app.test() as t:
        t.sqs.faults.add("delete", effect, seconds=600)
        await t.send("in", *(Ev(f"k{n}") for n in range(30)))
        await t.settle()

        assert t.dead("in") == []
        assert len(t.sqs.ledger.received("in")) == 30


async def test_good_messages_of_a_batch_wait_for_seconds_however_many_others_fail() -> None:
    """All parts of it fail in the same way, as they do when what all of them need is away."""
    app, done = App("b"), dict[str, float]()

    @app.agent("in", Json(Ev), concurrency=100, instances=1)
    async def agent(stream: Stream[Ev]) -> None:
        async for batch in stream.take(100, within=1):
            if any(event.key.startswith("bad") for event in batch):
                raise RuntimeError
            done.update({event.key: anyio.current_time() for event in batch})

    async with app.test() as t:
        began = anyio.current_time()
        await t.send("in", *(Ev(f"bad{n}" if n % 2 else f"k{n}") for n in range(100)))
        await t.settle()

        assert len(t.dead("in")) == len(done) == 50
        assert max(done.values()) - began < 60  # clock: virtual


@pytest.mark.parametrize("concurrency", [1, 5])
async def test_groups_that_wait_for_their_next_attempt_hold_no_place_of_another(concurrency: int) -> None:
    """They are many more than the places, and wait for minutes."""
    app, done = App("g"), dict[str, float]()

    @app.agent("in.fifo", Json(Ev), concurrency=concurrency)
    async def agent(stream: Stream[Ev]) -> None:
        async for event in stream:
            if event.key == "bad":
                raise Retry(600)
            done[event.key] = anyio.current_time()

    async with app.test() as t:
        for n in range(40):
            await t.send("in.fifo", Ev("bad"), Ev(f"behind{n}"), group=f"bad{n}")
        await t.advance(2)
        began = anyio.current_time()
        for n in range(20):
            await t.send("in.fifo", Ev(f"k{n}"), group=f"g{n}")
        await t.settle(within=20_000)

        assert len(t.dead("in.fifo")) == 40
        assert len(done) == 60
        assert max(done[f"k{n}"] for n in range(20)) - began < 60  # clock: virtual


@pytest.mark.parametrize("queue", ["in", "in.fifo"])
@pytest.mark.parametrize("instances", [1, 2, None])
async def test_batches_that_hold_all_places_do_not_wait_for_company(
    instances: int | None, queue: str
) -> None:
    """None can come before one of them goes on."""
    app, done = App("r"), dict[str, float]()

    @app.agent(queue, Json(Ev), concurrency=3, instances=instances)
    async def agent(stream: Stream[Ev]) -> None:
        async for batch in stream.take(100, within=60):
            done.update({event.key: anyio.current_time() for event in batch})

    async with app.test() as t:
        began = anyio.current_time()
        for n in range(21):
            await t.send(queue, Ev(f"k{n}"), group=f"g{n}")
        await t.settle()

        assert len(done) == 21
        assert max(done.values()) - began < 60  # clock: virtual


class Tally(msgspec.Struct, frozen=True):
    """A state."""

    n: int
    tags: tuple[int, ...] = ()


@pytest.mark.parametrize(
    "broken",
    [
        Tally("x"),  # type: ignore[arg-type]  # the claim
        Tally(True),
        Tally(None),  # type: ignore[arg-type]  # the claim
        Tally(1, ("x",)),  # type: ignore[arg-type]  # the claim
    ],
    ids=repr,
)
async def test_a_state_that_could_not_be_read_again_ends_its_own_event(broken: Tally) -> None:
    """Stored, it would fail all later events of its key."""
    app = App("u")

    def fold(state: Tally | None, event: Ev) -> Tally:
        return broken if event.key == "bad" else Tally((state.n if state else 0) + 1)

    table = app.table("t", Tally, fold=fold)

    @app.agent("in", Json(Ev), concurrency=10)
    async def agent(stream: Stream[Ev]) -> None:
        async for event in stream:
            await table.update("one", event)

    async with app.test() as t:
        await t.send("in", Ev("a"), Ev("bad"), Ev("b"))
        await t.settle()
        await t.send("in", Ev("c"))
        await t.settle()

        assert ['"bad"' in letter.body for letter in t.dead("in")] == [True]
        assert t.table("t")["one"] == Tally(3)
