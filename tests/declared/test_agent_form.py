"""A function that can never be an agent is refused where it is declared, with the right form."""

import functools
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

import msgspec
import pytest

from streamapp import App, Stream
from streamapp.errors import ConfigError
from streamapp_codecs import Json


class Hit(msgspec.Struct, frozen=True):
    """An event."""

    page: str


class Iterates(Protocol):
    """What a stream does."""

    def __aiter__(self) -> Any:
        """Iterate."""


async def takes_an_event(hit: Hit) -> None:
    """Take an event."""


async def takes_a_text(hit: "str") -> None:
    """Take a text."""


async def takes_events(hits: list[Hit]) -> None:
    """Take a list."""


async def takes_an_event_or_none(hit: Hit | None) -> None:
    """Take an event or nothing."""


async def takes_nothing() -> None:
    """Take nothing."""


async def takes_two(stream: Stream[Hit], other: int) -> None:
    """Take two."""


def is_plain(stream: Stream[Hit]) -> None:
    """Do something, and return nothing."""
    if not stream:
        return
    print(stream)  # noqa: T201 - any call


def is_a_generator(stream: Any) -> Any:
    """Yield."""
    yield from stream


class Plain:
    """A callable that is not async."""

    def __call__(self, stream: Stream[Hit]) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (takes_an_event, "is no Stream"),
        (takes_a_text, "is no Stream"),
        (takes_events, "is no Stream"),
        (takes_an_event_or_none, "is no Stream"),
        (takes_nothing, "one argument"),
        (takes_two, "one argument"),
        (is_plain, "is not async"),
        (is_a_generator, "is not async"),
        (Plain(), "is not async"),
        (functools.partial(is_plain), "is not async"),
    ],
)
def test_what_can_never_be_an_agent_is_refused(function: Any, why: str) -> None:
    """At run time each message would fail, and end in the dead-letter queue."""
    with pytest.raises(ConfigError, match=why) as raised:
        App("a").agent("clicks", Json(Hit))(function)

    assert "stream: Stream[Event]" in str(raised.value)
    assert "async for event in stream" in str(raised.value)


async def usual(stream: Stream[Hit]) -> None:
    """Do what agents do."""


async def without(stream):  # type: ignore[no-untyped-def]
    """Do it without annotations."""


async def yields(stream: AsyncIterator[Hit]) -> AsyncIterator[Hit]:
    """Yield each."""
    async for hit in stream:
        yield hit


async def wide(stream: AsyncIterable[Hit] | None = None, *, more: int = 1) -> None:
    """Take more than is given."""


async def structural(stream: Iterates) -> None:
    """Take what iterates."""


async def unknown(stream: "Nowhere") -> None:  # type: ignore[name-defined]  # noqa: F821 - the claim
    """Name a type that is not there."""


async def second(more: int, stream: Stream[Hit]) -> None:
    """Take the stream last."""


def returns_one(stream: Any) -> Awaitable[None]:
    """Return what an agent returns."""
    return usual(stream)


def undocumented(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate without `wraps`."""

    def inner(*args: Any) -> Any:
        return function(*args)

    return inner


def documented(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate with `wraps`."""

    @functools.wraps(function)
    def inner(*args: Any) -> Any:
        return function(*args)

    return inner


class Holder:
    """Methods and a callable."""

    async def method(self, stream: Stream[Hit]) -> None:
        """Do it."""

    async def __call__(self, stream: Stream[Hit]) -> None:
        """Do it."""


@pytest.mark.parametrize(
    "function",
    [
        *(usual, without, yields, wide, structural, unknown, returns_one),
        *(functools.partial(second, 1), Holder().method, Holder(), documented(usual), undocumented(usual)),
        lambda stream: usual(stream),  # noqa: PLW0108 - a plain function that returns something
    ],
)
def test_what_may_be_an_agent_is_declared(function: Any) -> None:
    """What inspection cannot tell is not refused."""
    app = App("a")
    app.agent("clicks", Json(Hit), name="it")(function)

    assert app.agents["it"].handler is function
