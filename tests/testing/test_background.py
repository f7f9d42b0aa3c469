"""What an agent starts and does not wait for: it is waited for before the message is deleted, or it is refused."""

import asyncio
from collections.abc import Callable
from typing import Any

import anyio
import msgspec
import pytest

from streamapp import App, Stream
from streamapp.errors import EventOver, NotInEvent
from streamapp_codecs import Json


class Ev(msgspec.Struct, frozen=True):
    """An event."""

    key: str


class St(msgspec.Struct, frozen=True):
    """A state, and what is announced of it."""

    key: str


Work = Callable[[Ev], Any]


class Hasty:
    """An app whose agent starts *work* for each event in a task, and goes on after *pause* seconds."""

    def __init__(self, pause: float = 0.0) -> None:
        self.app = App("hasty")
        self.sink = self.app.sink("out", Json(St))
        self.table = self.app.table("t", St, fold=self.fold, announce=lambda _, after: after, to=self.sink)
        self.work: Work = self.update
        self.errors: list[Exception] = []
        self.fails = 0

        @self.app.agent("in", Json(Ev), concurrency=1)
        async def agent(stream: Stream[Ev]) -> None:
            async with anyio.create_task_group() as tasks:
                async for event in stream:
                    tasks.start_soon(self.safely, event)
                    await anyio.sleep(pause)

    def fold(self, state: St | None, event: Ev) -> St:
        """Fold; raise the first *fails* times."""
        self.fails -= 1
        if self.fails >= 0:
            raise ValueError
        return state or St(event.key)

    async def update(self, event: Ev) -> None:
        """Update."""
        await self.table.update(event.key, event)

    async def send(self, event: Ev) -> None:
        """Send."""
        await self.sink.send(St(event.key))

    async def safely(self, event: Ev) -> None:
        """Work, and keep the error to itself, as a task does that nobody awaits."""
        try:
            await self.work(event)
        except Exception as error:  # noqa: BLE001 - the claim
            self.errors.append(error)


def order(t: Any) -> list[tuple[str, str]]:
    """Return what was called that matters, in order."""
    wanted = {("send", "out"), ("delete", "in")}
    return [
        (it.operation, it.queue)
        for it in t.sqs.ledger.entries
        if it.message_id and (it.operation, it.queue) in wanted
    ]


def slow_commits(t: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each commit take a second."""
    commit = t.store.commit

    async def slow(commits: Any) -> Any:
        await anyio.sleep(1)
        return await commit(commits)

    monkeypatch.setattr(t.store, "commit", slow)


@pytest.mark.parametrize("way", ["update", "send"])
async def test_what_is_under_way_is_waited_for_before_the_delete(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message must not be deleted before its effect is durable."""
    it = Hasty(pause=0.1)
    it.work = getattr(it, way)
    async with it.app.test() as t:
        slow_commits(t, monkeypatch)
        await t.send("in", Ev("a"))
        await t.settle()

        assert order(t) == [("send", "out"), ("delete", "in")]
        assert it.errors == []


async def test_what_fails_after_its_event_fails_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else looks at the error."""
    it = Hasty(pause=0.1)
    it.fails = 1
    async with it.app.test() as t:
        slow_reads(t, monkeypatch)
        await t.send("in", Ev("a"))
        await t.settle()

        assert t.tally.of("retry", "in") == 1
        assert order(t) == [("send", "out"), ("delete", "in")]


def slow_reads(t: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each read take a second."""
    read = t.store.read

    async def slow(keys: Any) -> Any:
        await anyio.sleep(1)
        return await read(keys)

    monkeypatch.setattr(t.store, "read", slow)


async def test_what_begins_after_its_event_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    """Its message may be deleted already; and the log tells it where the task's exception is lost."""
    it = Hasty()

    async def late(event: Ev) -> None:
        await anyio.sleep(5)
        await it.update(event)

    it.work = late
    async with it.app.test() as t:
        await t.send("in", Ev("a"), Ev("b"))
        await t.advance(60)

        assert [type(error) for error in it.errors] == [EventOver] * 2
        assert isinstance(it.errors[0], NotInEvent)
        assert "<Table t>" in str(it.errors[0])
        assert len([record for record in caplog.records if "after its event" in record.getMessage()]) == 2
        assert dict(t.table("t")) == {}


@pytest.mark.parametrize("way", ["update", "update_many", "send"])
async def test_a_call_without_await_fails_its_event(way: str, caplog: pytest.LogCaptureFixture) -> None:
    """The effect is missing, and Python only warns."""
    app = App("forgetful")
    sink = app.sink("out", Json(St))
    table = app.table("t", St, fold=lambda state, event: state or St(event.key))

    @app.agent("in", Json(Ev))
    async def agent(stream: Stream[Ev]) -> None:
        async for event in stream:
            if way == "send":
                sink.send(St(event.key))
            elif way == "update":
                table.update(event.key, event)
            else:
                table.update_many([(event.key, event)])

    async with app.test() as t:
        await t.send("in", Ev("a"))
        await t.settle()

        assert [letter.detail for letter in t.dead("in")] == ["NotAwaited"]
        assert "write `await`" in caplog.text


async def test_a_call_that_a_task_awaits_later_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The task has the call, and had no time to begin it."""
    app = App("later")
    table = app.table(
        "t",
        St,
        fold=lambda state, event: state or St(event.key),
        announce=lambda _, after: after,
        to=app.sink("out", Json(St)),
    )

    async def wait_for(call: Any) -> None:
        await call

    @app.agent("in", Json(Ev))
    async def agent(stream: Stream[Ev]) -> None:
        async with anyio.create_task_group() as tasks:
            async for event in stream:
                tasks.start_soon(wait_for, table.update(event.key, event))

    async with app.test() as t:
        slow_commits(t, monkeypatch)
        await t.send("in", Ev("a"), Ev("b"))
        await t.settle()

        assert set(t.table("t")) == {"a", "b"}
        assert order(t).index(("delete", "in")) > 0
        assert t.dead("in") == []


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_an_agent_that_asks_in_another_task_works_in_its_own() -> None:
    """`asyncio.wait_for` makes a task of what it waits for, and that task's context ends with it."""
    app = App("w")
    table = app.table("t", St, fold=lambda state, event: state or St(event.key))

    async def following(stream: Stream[Ev]) -> Ev:
        return await anext(stream)

    @app.agent("in", Json(Ev), instances=1)
    async def agent(stream: Stream[Ev]) -> None:
        while True:
            try:
                event = await asyncio.create_task(following(stream))
            except StopAsyncIteration:
                return
            await table.update(event.key, event)

    async with app.test() as t:
        await t.send("in", *(Ev(f"k{n}") for n in range(5)))
        await t.settle()

        assert len(t.table("t")) == 5
        assert t.dead("in") == []
