"""The running parts that all agents of a worker share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from streamapp.config import Config
from streamapp.flow.batcher import Batcher
from streamapp.flow.outage import Outage
from streamapp.flow.solitude import Solitude
from streamapp.observe.counters import Counters
from streamapp.outbox.announcer import Announcer
from streamapp.outbox.sender import Sender
from streamapp.state.committer import Change, Changed
from streamapp.state.reads import Lookup
from streamapp.state.store import Store

if TYPE_CHECKING:
    from streamapp.observe.tracing import Tracing


@dataclass(slots=True)
class StoreUse:
    """Whether an agent uses the store: it *is_used* from the first table or index that the agent turns to."""

    is_used: bool = False


@dataclass(frozen=True, slots=True)
class Runtime:
    """The running parts behind what is declared: tables, sinks, indexes.

    *changes* are flushed by `Committer.flush`. *store_use* is of one agent. *tracing* is None if nothing is traced.
    *solitude* lets one message be processed alone in the process. With *is_rehearsal* nothing is written or sent.
    """

    config: Config
    counters: Counters
    store: Store
    store_outage: Outage
    lookup: Lookup
    changes: Batcher[Change, Changed]
    announcer: Announcer
    senders: Mapping[str, Sender]
    store_use: StoreUse = field(default_factory=StoreUse)
    tracing: "Tracing | None" = None
    solitude: Solitude = field(default_factory=Solitude)
    is_rehearsal: bool = False
