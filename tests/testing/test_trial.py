"""`App.test`: the real engine in memory, in time that the test moves, on both of anyio's back ends."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import msgspec
import pytest
from anyio import current_time

from streamapp import App, Config, Reject, Retry, Skip, Stream
from streamapp.testing import Duplicate, Fail, Lose, Slow
from streamapp.testing.clocks.loop_time import NeverAtRest
from streamapp.testing.trial import NotInApp, NotSettled, SendRefused
from streamapp.testing.trial_values import DeadLetter
from streamapp_codecs import Json


class Hit(msgspec.Struct):
    """An event."""

    page: str


class Page(msgspec.Struct, frozen=True):
    """A state."""

    hits: int = 0


class Popular(msgspec.Struct):
    """An announcement."""

    hits: int


class Site:
    """An app that counts hits; *on_hit* is called with each before it is counted."""

    def __init__(self, on_hit: Any = None, queue: str = "clicks", **options: Any) -> None:
        self.app = App("site")
        self.seen: list[str] = []
        popular = self.app.sink("popular-pages", Json(Popular))
        pages = self.app.table(
            "page",
            Page,
            fold=lambda page, _: Page((page.hits if page else 0) + 1),
            announce=lambda _, page: Popular(page.hits) if page and page.hits % 2 == 0 else None,
            to=popular,
        )

        @self.app.agent(queue, Json(Hit), **options)
        async def clicks(stream: Stream[Hit]) -> None:
            async for hit in stream:
                self.seen.append(hit.page)
                if on_hit is not None:
                    await on_hit(hit, self.seen)
                await pages.update(hit.page, hit)

    def test(self, *args: Any, **options: Any) -> Any:
        """Run the app under test."""
        return self.app.test(*args, **options)


@asynccontextmanager
async def measured(least: float, below: float = float("inf")) -> AsyncIterator[None]:
    """Check that so many seconds pass for the app. *below* is a jump too much: no slow machine adds as much."""
    began = current_time()
    yield
    assert least <= current_time() - began < below  # clock: jumps


async def test_what_is_sent_becomes_state_announcements_and_dead_letters() -> None:
    """All that an agent does can be seen, whatever the type of the values that are sent."""
    async with Site().test() as t:
        await t.send("clicks", Hit("home"), {"page": "home"}, '{"page":"a"}', b'{"page":"b"}', "nonsense")
        await t.settle()

        assert t.table("page") == {"home": Page(2), "a": Page(1), "b": Page(1)}
        assert t.sent("popular-pages") == [Popular(2)]
        assert t.dead("clicks") == [DeadLetter("nonsense", "not_json", "the body is not JSON")]


async def test_an_app_with_nothing_to_do_is_settled() -> None:
    """No time passes."""
    async with Site().test() as t, measured(0, 60):
        await t.settle()

        assert t.table("page") == {}


async def test_an_app_is_tested_again_and_again() -> None:
    """Nothing of a test is left in the next."""
    site = Site()
    for _ in range(3):
        async with site.test() as t:
            await t.send("clicks", Hit("home"))
            await t.settle()

            assert t.table("page") == {"home": Page(1)}


async def test_a_retry_comes_after_its_time_which_takes_none() -> None:
    """The agent is called again 60 s later, and the test goes on at once."""

    async def retry(hit: Hit, seen: list[str]) -> None:
        if seen.count(hit.page) < 4:
            raise Retry(after=60)

    site = Site(retry)
    async with site.test() as t, measured(180, 240):
        await t.send("clicks", Hit("home"))
        await t.settle()

        assert site.seen == ["home"] * 4
        assert t.table("page") == {"home": Page(1)}


async def test_an_agent_that_raises_has_its_message_dead_lettered_after_its_attempts() -> None:
    """With the backoffs between them, and others unharmed."""

    async def fail(hit: Hit, _: list[str]) -> None:
        if hit.page == "bad":
            raise ZeroDivisionError

    site = Site(fail)
    async with site.test(Config(max_attempts=3)) as t:
        await t.send("clicks", Hit("bad"), Hit("home"))
        await t.settle()

        assert site.seen.count("bad") == 3
        assert t.dead("clicks") == [DeadLetter('{"page":"bad"}', "attempts_exhausted", "ZeroDivisionError")]
        assert t.table("page") == {"home": Page(1)}


async def test_reject_and_skip_end_a_message_at_once() -> None:
    """One to the dead letters, one nowhere."""

    async def decide(hit: Hit, _: list[str]) -> None:
        raise Reject("spam", "too many") if hit.page == "spam" else Skip("boring")

    async with Site(decide).test() as t, measured(0, 60):
        await t.send("clicks", Hit("spam"), Hit("other"))
        await t.settle()

        assert t.dead("clicks") == [DeadLetter('{"page":"spam"}', "spam", "too many")]
        assert t.table("page") == {}


async def test_what_fails_for_ever_without_dead_letters_does_not_settle() -> None:
    """The test gets an error that names what is left, and does not wait for ever."""

    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    async with Site(fail).test(dead_letters=False) as t:
        await t.send("clicks", Hit("bad"))

        with pytest.raises(
            NotSettled, match=r"within 3600 s: clicks holds 1 .*received up to [1-9]\d* times"
        ):
            await t.settle()
        assert t.dead("clicks") == []


async def test_an_agent_that_never_returns_does_not_settle() -> None:
    """Its lease is extended for as long as the test waits."""

    async def wait(*_: object) -> None:
        await anyio.sleep_forever()

    async with Site(wait).test() as t:
        await t.send("clicks", Hit("home"))

        with pytest.raises(NotSettled, match="in flight or delayed 1, received up to 1 times"):
            await t.settle(within=300)


async def test_a_loop_that_waits_for_nothing_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the test would wait for ever."""
    monkeypatch.setattr("streamapp.testing.clocks.loop_time.PATIENCE", 0.2)

    async def spin(*_: object) -> None:
        while True:
            await anyio.lowlevel.checkpoint()

    async with Site(spin).test() as t:
        await t.send("clicks", Hit("home"))

        with pytest.raises(NeverAtRest):
            await t.settle()


async def test_an_agent_that_sleeps_for_hours_keeps_its_message() -> None:
    """The heartbeat is the real one: the message is received once."""

    async def sleep(*_: object) -> None:
        await anyio.sleep(3600)

    async with Site(sleep).test() as t, measured(3600, 7200):
        await t.send("clicks", Hit("home"))
        await t.settle(within=4000)

        assert len(t.sqs.ledger.received("clicks")) == 1


async def test_a_thread_has_all_the_time_it_needs() -> None:
    """Time must not jump while a thread works in real time."""

    async def work(*_: object) -> None:
        with anyio.fail_after(60):
            await anyio.to_thread.run_sync(time.sleep, 0.3)

    async with Site(work).test() as t, measured(0.3):
        await t.send("clicks", Hit("home"))
        await t.settle()

        assert t.table("page") == {"home": Page(1)}
        assert t.tally.of("retry") == 0, "time jumped to the agent's own limit"


async def test_a_message_on_its_way_is_not_settled() -> None:
    """Between a receive and its lease it is neither in the queue nor in hand."""
    async with Site().test() as t:
        t.sqs.faults.add("receive", Slow(5), queue="clicks")
        await t.send("clicks", *(Hit("home") for _ in range(30)))
        await t.settle()

        assert t.table("page") == {"home": Page(30)}


async def test_a_message_that_is_delayed_is_waited_for() -> None:
    """A duplicate that comes in ten minutes comes."""
    site = Site()
    async with site.test() as t, measured(600):
        t.sqs.faults.add("receive", Duplicate(after=600), times=1)
        await t.send("clicks", Hit("home"))
        await t.settle()

        assert site.seen == ["home", "home"]


async def test_faults_cost_time_and_nothing_else() -> None:
    """A test can make services fail, and the engine that handles it is the real one."""
    async with Site().test() as t:
        t.sqs.faults.add("send", Lose(), queue="popular-pages", times=2)
        t.sqs.faults.add("delete", Fail("InternalError"), times=5)
        t.store.faults.add("*", Fail("LOADING"), seconds=60)
        await t.send("clicks", Hit("home"), Hit("home"))
        await t.settle()

        assert t.table("page") == {"home": Page(2)}
        assert set(map(str, t.sent("popular-pages"))) == {"Popular(hits=2)"}


async def test_fifo_queues_keep_the_order_of_a_group() -> None:
    """A failing message holds up its own group only, and goes to FIFO dead letters."""

    async def fail(hit: Hit, _: list[str]) -> None:
        if hit.page == "a2":
            raise ZeroDivisionError

    site = Site(fail, queue="clicks.fifo")
    async with site.test(Config(max_attempts=2)) as t:
        await t.send("clicks.fifo", *(Hit(f"a{n}") for n in range(5)), group="a")
        await t.send("clicks.fifo", *(Hit(f"b{n}") for n in range(5)), group="b")
        await t.settle()

        assert [page for page in site.seen if page < "b"] == ["a0", "a1", "a2", "a2", "a3", "a4"]
        assert [page for page in site.seen if page >= "b"] == ["b0", "b1", "b2", "b3", "b4"]
        assert [dead.body for dead in t.dead("clicks.fifo")] == ['{"page":"a2"}']


async def test_agents_in_a_row_settle_together() -> None:
    """What one yields the next consumes, and both can be seen."""
    app = App("chain")
    totals = app.table("total", Page, fold=lambda page, _: Page((page.hits if page else 0) + 1))

    @app.agent("first", Json(Hit), sink=app.sink("second", Json(Hit)))
    async def first(stream: Stream[Hit]) -> AsyncIterator[Hit]:
        async for hit in stream:
            yield Hit(hit.page.upper())

    @app.agent("second", Json(Hit))
    async def second(stream: Stream[Hit]) -> None:
        async for batch in stream.take(10, within=5):
            await totals.update_many([(hit.page, hit) for hit in batch])

    async with app.test() as t:
        await t.send("first", Hit("a"), Hit("b"), Hit("a"))
        await t.settle()

        assert sorted(hit.page for hit in t.sent("second")) == ["A", "A", "B"]
        assert t.table("total") == {"A": Page(2), "B": Page(1)}


async def test_a_state_is_found_by_a_key_that_is_stored_as_its_hash() -> None:
    """The test uses the key that the agent used."""
    async with Site().test() as t:
        await t.send("clicks", Hit("/a page?"))
        await t.settle()

        assert t.table("page")["/a page?"] == Page(1)
        with pytest.raises(KeyError, match="another"):
            t.table("page")["another"]


async def test_the_environment_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's variables must not change the result of a test; a test may set its own."""
    monkeypatch.setenv("STREAMAPP_KEY_PREFIX", "theirs:")
    monkeypatch.setenv("CLICKS_QUEUE_URL", "theirs")
    for config, queue, prefix in (
        (None, "clicks", "streamapp:"),
        (Config(key_prefix="mine:", queues={"CLICKS_QUEUE_URL": "http://x/0/mine"}), "mine", "mine:"),
    ):
        async with Site().test(config) as t:
            await t.send("clicks", Hit("home"))
            await t.settle()

            assert list(t.store.hashes()) == [f"{prefix}page:home"]
            assert len(t.sqs.ledger.received(queue)) == 1
            assert t.table("page") == {"home": Page(1)}


async def test_advance_lets_time_pass() -> None:
    """State is forgotten when its time has come."""
    async with Site().test(Config(state_ttl=600)) as t:
        await t.send("clicks", Hit("home"))
        await t.settle()
        await t.advance(590)
        before = t.table("page")
        await t.advance(20)

        assert before == {"home": Page(1)}
        assert t.table("page") == {}


async def test_a_name_that_the_app_does_not_have_is_an_error() -> None:
    """A misspelt name must not look like an empty queue."""
    async with Site().test() as t:
        for use in (lambda: t.table("pages"), lambda: t.sent("popular"), lambda: t.dead("click")):
            with pytest.raises(NotInApp, match=r"page|popular-pages|clicks"):
                use()
        with pytest.raises(NotInApp, match="clicks"):
            await t.send("click", Hit("home"))
        with pytest.raises(SendRefused, match="clicks"):
            await t.send("clicks", "\0")


async def test_a_test_that_fails_fails_at_once_and_as_itself() -> None:
    """There is no exception group and no long poll to wait for, and the loop has its own time again."""
    before = current_time() - time.monotonic()

    async def wait(*_: object) -> None:
        await anyio.sleep_forever()

    async def fail() -> None:
        async with Site(wait).test() as t:
            await t.send("clicks", Hit("home"))
            await t.advance(10_000)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    after = current_time() - time.monotonic()
    assert abs(after - before) < 5_000  # clock: whether it is the same again


async def test_the_end_of_a_test_is_a_drain() -> None:
    """Messages in hand are finished and nothing stays hidden, without real time passing."""

    async def work(*_: object) -> None:
        await anyio.sleep(5)

    async with Site(work).test() as trial:
        await trial.send("clicks", Hit("home"))
        await trial.advance(1)

    assert trial.table("page") == {"home": Page(1)}
    assert trial.sqs.ledger.in_flight("clicks") == []


async def test_the_app_s_wall_clock_moves_with_its_time() -> None:
    """A message sent an hour later has that time."""
    async with Site().test() as t:
        began = t.sqs.clock.wall()
        await t.advance(3600)

        assert 3600 <= (t.sqs.clock.wall() - began).total_seconds() < 7200  # clock: jumps
