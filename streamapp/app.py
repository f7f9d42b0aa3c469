"""An app: what it declares, and how it is tested."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from streamapp.config import Config
from streamapp.declared.agent_form import check_form
from streamapp.declared.extras import Extras
from streamapp.declared.index import Index
from streamapp.declared.registry import Registry
from streamapp.declared.sink import Encoder, Sink
from streamapp.declared.table import Table
from streamapp.pipeline.agent import BACKOFF, Agent, Handler
from streamapp_codecs import Decoder

if TYPE_CHECKING:
    from streamapp.testing.trial import Trial

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)
E = TypeVar("E")
M = TypeVar("M")


class App:
    """A stream processing application. Declaring does nothing: the worker runs what was declared."""

    def __init__(self, name: str, *, extras: Extras | None = None) -> None:
        self.registry = Registry(name, extras or Extras())
        """All declarations of the app."""

    def __repr__(self) -> str:
        return f"<App {self.name}>"

    @property
    def name(self) -> str:
        """What the app is called."""
        return self.registry.name

    @property
    def extras(self) -> Extras:
        """What the app declares for people."""
        return self.registry.extras

    @property
    def agents(self) -> Mapping[str, Agent]:
        """All agents, by name."""
        return self.registry.agents

    @property
    def sinks(self) -> Mapping[str, Sink[Any]]:
        """All sinks, by queue."""
        return self.registry.sinks

    @property
    def tables(self) -> Mapping[str, Table[Any, Any]]:
        """All tables, by name."""
        return self.registry.tables

    def agent(
        self,
        queue: str,
        codec: Decoder[T],
        *,
        name: str | None = None,
        concurrency: int | None = None,
        instances: int | None = None,
        backoff: float = BACKOFF,
        timeout: float | None = None,
        sink: Sink[Any] | None = None,
    ) -> Callable[[Handler[T]], Handler[T]]:
        """Declare the decorated function to be the agent of *queue*; it stays an ordinary function.

        Raises `ConfigError` for one that can never be an agent, such as a plain `def`.
        """

        def declare(handler: Handler[T]) -> Handler[T]:
            called = name or str(getattr(handler, "__name__", handler))
            check_form(called, handler)
            self.registry.add_agent(
                Agent(called, queue, codec, handler, concurrency, instances, backoff, timeout, sink)
            )
            return handler

        return declare

    def sink(self, queue: str, codec: Encoder[M], *, identity: Callable[[M], str] | None = None) -> Sink[M]:
        """Declare a destination queue for messages of one type."""
        sink = Sink(queue, codec, identity)
        self.registry.add_sink(sink)
        return sink

    def table(
        self,
        name: str,
        of: type[S],
        *,
        fold: Callable[[S | None, E], S | None],
        announce: Callable[[S | None, S | None], Any] | None = None,
        to: Sink[Any] | None = None,
        expires: bool = True,
        once: bool = False,
        identity: Callable[[E], str] | None = None,
    ) -> Table[S, E]:
        """Declare typed state by key; *announce* returns what a change sends *to* a sink.

        *once* and *identity* are for a fold that must not see an event twice, such as a counter: see `Table`.
        """
        table: Table[S, E] = Table(
            name, of, fold=fold, announce=announce, to=to, expires=expires, once=once, identity=identity
        )
        self.registry.add_table(table)
        return table

    def index(self, name: str) -> Index:
        """Declare sets of keys, by key."""
        return Index(name)

    def test(
        self, config: Config | None = None, *, dead_letters: bool = True, seed: int = 0
    ) -> "AbstractAsyncContextManager[Trial]":
        """Run the app in a test: the real engine, with an SQS and a store in memory of its own.

            async with app.test() as t:
                await t.send("clicks", Hit("home"), Hit("home"))
                await t.settle()
                assert t.table("page")["home"] == Page(hits=2)
                assert t.sent("popular-pages") == []
                assert t.dead("clicks") == []

        It works on asyncio and on trio. Waiting takes no real time: while all tasks wait, the clock jumps ahead; so do
        backoffs, visibility timeouts and the timeouts of the test itself. No environment variable is read: *config* is
        the default one, or what you give. With *dead_letters* each agent's queue has a dead-letter queue. *seed* decides
        message ids, and what faults leave to chance.
        """
        from streamapp.testing.trial import open_trial  # noqa: PLC0415 - a worker has no need of it

        return open_trial(self.registry, config or Config(), dead_letters=dead_letters, seed=seed)
