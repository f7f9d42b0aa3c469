"""The boards as all watchers see them, kept up to date by what happens in the queues."""

import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

import msgspec
import pytest
from anyio import create_memory_object_stream, create_task_group, fail_after

from streamapp.declared.boards import Card
from streamapp.errors import Fault, ServiceError
from streamapp.web import live_boards
from streamapp.web.live_boards import LiveBoards


class Reader:
    """A board with one column; *error* is raised by the next look."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.error: ServiceError | None = None

    async def look(self) -> dict[str, list[Card]]:
        """Return the cards."""
        error, self.error = self.error, None
        if error is not None:
            raise error
        return {"open": [Card(key) for key in self.keys]}


class Feed:
    """The ids of what happened in one queue."""

    def __init__(self) -> None:
        self.send, self.receive = create_memory_object_stream[str](10)

    async def last_id(self, queue: str) -> str:  # noqa: ARG002 - it has one queue
        """Return the first id."""
        return "1-0"

    async def after(
        self,
        positions: Mapping[str, str],
        wait: float,  # noqa: ARG002 - the test's own deadline
    ) -> Mapping[str, Sequence[tuple[str, str]]]:
        """Return the next id that was sent."""
        return {queue: [(await self.receive.receive(), "")] for queue in positions}


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def feed() -> Iterator[Feed]:
    feed = Feed()
    with feed.send, feed.receive:
        yield feed


@pytest.fixture
async def boards(reader: Reader, feed: Feed, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LiveBoards]:
    """Boards that run, without their pauses."""
    monkeypatch.setattr(live_boards, "AT_MOST_EVERY", 0)
    monkeypatch.setattr(live_boards, "PAUSE", 0)
    live = LiveBoards({"kitchen": reader}, feed, ["orders"])  # type: ignore[dict-item]  # a reader by its one method
    async with create_task_group() as tasks:
        tasks.start_soon(live.run)
        with fail_after(30):
            await live.change(30)
        yield live
        tasks.cancel_scope.cancel()


def shown(live: LiveBoards) -> list[str]:
    """Return the keys of the kitchen's cards."""
    (column,) = msgspec.json.decode(live.now["kitchen"])
    return [card["key"] for card in column["cards"]]


async def test_a_change_wakes_those_who_wait_for_it(boards: LiveBoards, reader: Reader, feed: Feed) -> None:
    """A board on the wall shows an order when it is ready, not some seconds later."""
    reader.keys = ["1"]

    with fail_after(30):
        await feed.send.send("2-0")
        changed = await boards.change(30)

    assert changed
    assert shown(boards) == ["1"]
    assert boards.id == "2-0"


async def test_without_a_change_nobody_is_woken(boards: LiveBoards, feed: Feed) -> None:
    """Most of what happens changes no board, and is not sent to every browser."""
    await feed.send.send("2-0")

    assert not await boards.change(0.05)
    assert boards.id == "1-0"


async def test_an_outage_of_redis_is_logged_and_survived(
    boards: LiveBoards, reader: Reader, feed: Feed, caplog: pytest.LogCaptureFixture
) -> None:
    """The board must follow again afterwards, without a restart."""
    reader.error = ServiceError("Redis", Fault.TRANSIENT, "TimeoutError")
    reader.keys = ["1"]

    with caplog.at_level(logging.WARNING), fail_after(30):
        await feed.send.send("2-0")
        await boards.change(30)

    assert [record.getMessage() for record in caplog.records] == ["the boards cannot be read"]
    assert shown(boards) == ["1"]
