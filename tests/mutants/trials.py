"""Small apps in which a variant of the engine does what the engine itself must not."""

from typing import Any

import msgspec
from anyio import create_task_group, sleep

from streamapp import App, Reject, Retry, Stream
from streamapp_codecs import Json


class Event(msgspec.Struct, frozen=True):
    """An event."""

    key: str
    n: int


class State(msgspec.Struct):
    """A state, and what is announced of it."""

    key: str
    n: int = 0


def app_of(agent: Any, *, in_place: bool = False) -> App:
    """Return an app that calls *agent* with its stream and its table."""
    app = App("trial")

    def fold(state: State | None, event: Event) -> State:
        if state is None or not in_place:
            return State(event.key, max(event.n, state.n if state else 0))
        state.n = max(event.n, state.n)
        return state

    out = app.sink("out", Json(State))
    table = app.table("t", State, fold=fold, announce=lambda _, after: after, to=out)

    @app.agent("in", Json(Event), concurrency=1)
    async def declared(stream: Stream[Event]) -> None:
        await agent(stream, table)

    return app


def calls(t: Any) -> list[tuple[str, str]]:
    """Return what was sent and deleted, in order."""
    return [(it.operation, it.queue) for it in t.sqs.ledger.entries if it.message_id]


async def a_rejected_message_is_dead_lettered_at_once() -> None:
    """`Reject` says that it can never succeed, whatever another task of its agent raises."""

    async def agent(stream: Any, _: Any) -> None:
        async for _event in stream:
            raise ExceptionGroup("tasks", [Retry(5), Reject("bad")])

    async with app_of(agent).test() as t:
        await t.send("in", Event("a", 1))
        await t.settle()

        assert [letter.reason for letter in t.dead("in")] == ["bad"]


async def an_update_under_way_is_announced_before_the_delete() -> None:
    """Its message brings it again otherwise: once deleted, it brings nothing."""

    async def agent(stream: Any, table: Any) -> None:
        async with create_task_group() as tasks:
            async for event in stream:
                tasks.start_soon(table.update, event.key, event)
                await sleep(0)

    async with app_of(agent).test() as t:
        await t.send("in", Event("a", 1))
        await t.advance(30)
        order = calls(t)

        assert ("send", "out") in order[: order.index(("delete", "in"))]


async def a_rejected_update_is_announced_before_its_dead_letter() -> None:
    """Nothing brings the message again that would send the announcement."""

    async def agent(stream: Any, table: Any) -> None:
        async for event in stream:
            await table.update(event.key, event)
            raise Reject("no")

    async with app_of(agent).test() as t:
        await t.send("in", Event("a", 1))
        await t.advance(30)
        order = calls(t)

        assert ("send", "out") in order[: order.index(("delete", "in"))]


async def a_fold_that_mutates_announces_or_fails() -> None:
    """A change that is stored and never announced is lost for whoever follows the announcements."""

    async def agent(stream: Any, table: Any) -> None:
        async for event in stream:
            await table.update(event.key, event)

    async with app_of(agent, in_place=True).test() as t:
        await t.send("in", Event("a", 1))
        await t.settle()
        await t.send("in", Event("a", 2))
        await t.settle()

        assert t.sent("out")[-1] == t.table("t")["a"]
