"""Everything that one app declares: its agents, sinks and tables, and its extras."""

from typing import Any, TypeVar

from streamapp.declared.extras import Extras
from streamapp.declared.sink import Sink
from streamapp.declared.table import Table
from streamapp.errors import ConfigError
from streamapp.pipeline.agent import Agent

T = TypeVar("T")


class Registry:
    """The declarations of the app *name*, in the order in which they were made. No name is declared twice."""

    def __init__(self, name: str, extras: Extras) -> None:
        self.name = name
        self.extras = extras
        self.agents: dict[str, Agent] = {}
        """By name."""
        self.sinks: dict[str, Sink[Any]] = {}
        """By queue."""
        self.tables: dict[str, Table[Any, Any]] = {}
        """By name."""

    def add_agent(self, agent: Agent) -> None:
        """Add *agent*. Raises `DeclaredTwice` for a second one of its name or of its queue."""
        if any(it.queue == agent.queue for it in self.agents.values()):
            # Two agents on one queue would each see a part of its messages.
            raise DeclaredTwice("agent of queue", agent.queue)
        _add(self.agents, "agent", agent.name, agent)

    def add_sink(self, sink: Sink[Any]) -> None:
        """Add *sink*. Raises `DeclaredTwice` for a second one of its queue."""
        _add(self.sinks, "sink", sink.queue, sink)

    def add_table(self, table: Table[Any, Any]) -> None:
        """Add *table*. Raises `DeclaredTwice` for a second one of its name."""
        _add(self.tables, "table", table.name, table)


class DeclaredTwice(ConfigError):
    """Two declarations claim one name."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"{kind} {name!r} is declared twice; give the second one another name")


def _add(declared: dict[str, T], kind: str, name: str, value: T) -> None:
    if name in declared:
        raise DeclaredTwice(kind, name)
    declared[name] = value
