"""Rows 16 and 17: one order's history in any order, repeated, late, raced and cut off, through real commits."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cache
from itertools import permutations
from typing import Any

import pytest
from anyio import create_task_group
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from streamapp.flow.batcher import AGAIN
from streamapp.flow.outage import Outage
from streamapp.state.announcement import Announcement, pending_of
from streamapp.state.committer import Change, Committer
from streamapp.state.store import Confirmed
from streamapp.testing import Lose, MemoryStore, VirtualClock
from streamapp_agents.agentes import acompanhamentos
from streamapp_agents.dominio.acompanhamento import Acompanhamento, aplicar
from streamapp_agents.simulador import simular
from streamapp_codecs import pedido
from streamapp_codecs.codec import Origin
from streamapp_codecs.dominio.eventos import EventoPedido

LENGTH = 6
KEY = "streamapp:acompanhamento:order"
TTL = 60.0
SENT = datetime(2025, 7, 28, 18, tzinfo=UTC)


@cache
def histories() -> list[tuple[EventoPedido, ...]]:
    """Return the events of generated orders that have six different events."""
    rush = simular(
        60, 16, duplicados=0, fora_de_ordem=0, invalidos=0, inicio_em=datetime(2025, 7, 28, 15, tzinfo=UTC)
    )
    said: dict[str, list[EventoPedido]] = {}
    for message in rush.mensagens:
        origin = Origin(queue=message.queue, message_id="m", sent_at=SENT)
        for event in pedido.codec.decode(message.body, origin).events:
            if isinstance(event, EventoPedido):
                said.setdefault(event.id_pedido, []).append(event)
    return [tuple(events) for events in said.values() if len(events) == LENGTH]


def shown(state: Acompanhamento | None) -> object:
    """Return an order's state without its version."""
    if state is None:
        return None
    names = (
        "status",
        "status_pagamento",
        "conhecido",
        "cliente",
        "itens",
        "total",
        "tempo_estimado",
        "fatos",
    )
    return [getattr(state, name) for name in (*names, "criado_em", "atualizado_em", "alertas")]


def merged(events: Sequence[EventoPedido]) -> object:
    """Return the reference: the plain fold of these events, one after the other."""
    state: Acompanhamento | None = None
    for event in events:
        state = aplicar(state, event)
    return shown(state)


class Committing:
    """One worker's commits, and the announcements that are pending after them."""

    def __init__(self, store: MemoryStore) -> None:
        self._state = Committer(store, Outage("Redis", store.ping), ttl=TTL, barrier=False)

    async def deliver(self, events: Sequence[EventoPedido]) -> list[Announcement]:
        """Fold *events* in one flush; return what is pending then."""
        changes = [Change(acompanhamentos.folding, "order", KEY, event) for event in events]
        outcomes: list[Any] = [AGAIN]
        while outcomes[-1] is AGAIN:  # another worker changed the key meanwhile
            outcomes = list(await self._state.flush(changes))
        return list(outcomes[-1].pending)


def stored(store: MemoryStore) -> Acompanhamento | None:
    """Return the state in the hash."""
    return acompanhamentos.folding.hash_codec.read(store.hashes().get(KEY, {}))


async def test_all_720_orders_of_a_history_come_to_the_same(
    figure: Callable[[str], None], long: bool
) -> None:
    """Standard queues promise neither order nor exactly one delivery."""
    chosen = histories()[: 5 if long else 1]
    hidden = runs = 0
    for history in chosen:
        results: list[object] = []
        for order in permutations(history):
            store = MemoryStore()
            one, other = Committing(store), Committing(store)
            seen = False
            for n, event in enumerate(order):
                owed = await (one, other)[n % 2].deliver([event])
                seen = seen or event.criacao is not None
                assert bool(owed) == seen, "an order is announced once it is known, and not before"
                hidden += not seen
            before = store.hashes()
            await other.deliver(order[::-1])
            assert store.hashes() == before, "a repetition changed something"
            results.append(shown(stored(store)))
            runs += 1
        assert all(result == merged(history) for result in results)

    figure(
        f"{runs} orders of arrival of {len(chosen)} histories, each repeated whole: one final state a history, "
        f"0 changes by repetition; {hidden} times payments or the kitchen came before their order, hidden until it came"
    )
    assert len(chosen) > 0
    assert hidden > 0


class History(RuleBasedStateMachine):
    """Two processes and one order; the stored state must always be the merge of what was delivered so far."""

    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self._exit = ExitStack()
        self._portal: BlockingPortal = self._exit.enter_context(start_blocking_portal())
        self._store = MemoryStore(clock=VirtualClock())
        self._processes = [Committing(self._store), Committing(self._store)]
        self._delivered: set[int] = set()
        self._told: dict[str, str] = {}
        self._events: tuple[EventoPedido, ...] = ()

    @initialize(number=st.integers(0, 7))
    def begin(self, number: int) -> None:
        """Choose the order."""
        self._events = histories()[number % len(histories())]

    @rule(which=st.integers(0, 1), numbers=st.lists(st.integers(0, LENGTH - 1), min_size=1, max_size=4))
    def deliver(self, which: int, numbers: list[int]) -> None:
        """One process folds a batch and dies before it announces anything."""
        self._portal.call(self._processes[which].deliver, [self._events[n] for n in numbers])
        self._delivered.update(numbers)

    @rule(one=st.integers(0, LENGTH - 1), other=st.integers(0, LENGTH - 1))
    def race(self, one: int, other: int) -> None:
        """Both processes change the order at once."""
        self._portal.call(_race, self._processes, [self._events[one], self._events[other]])
        self._delivered.update((one, other))

    @rule(number=st.integers(0, LENGTH - 1))
    def lose_the_answer(self, number: int) -> None:
        """A commit is made, and its response is lost."""
        self._store.faults.add("commit", Lose(), times=1)
        self._portal.call(self._processes[0].deliver, [self._events[number]])
        self._store.faults.clear()
        self._delivered.add(number)

    @rule(confirmed=st.booleans())
    def announce(self, confirmed: bool) -> None:
        """What is pending is sent; the confirmation may be lost with the process."""
        fields = self._store.hashes().get(KEY, {})
        owed = pending_of(KEY, fields, "acompanhamento-events", TTL)
        for it in owed:
            assert self._told.setdefault(it.id, it.message.body) == it.message.body
        if confirmed and owed:
            self._portal.call(
                self._store.confirm, [Confirmed(KEY, [(it.id, it.place.mark) for it in owed], ttl=TTL)]
            )

    @invariant()
    def is_the_merge_of_what_was_delivered(self) -> None:
        """I2, after each step."""
        History.steps += 1
        assert shown(stored(self._store)) == merged([self._events[n] for n in sorted(self._delivered)])

    def teardown(self) -> None:
        """I3: when nothing is pending, every version of a known order was announced, and the last one is the state."""
        with self._exit:
            self.announce(confirmed=True)
        state = stored(self._store)
        said = {it["versao"]: it for it in _data(self._told.values())}
        assert sorted(said) == list(range(1, (state.versao if state else 0) + 1))
        if state is not None and said:
            assert said[state.versao]["status"] == state.status
            assert said[state.versao]["status_pagamento"] == state.status_pagamento


def _data(bodies: Any) -> Iterator[dict[str, Any]]:
    for body in bodies:
        yield json.loads(body)["data"]


async def _race(processes: Sequence[Committing], events: Sequence[EventoPedido]) -> None:
    async with create_task_group() as tasks:
        for process, event in zip(processes, events, strict=True):
            tasks.start_soon(process.deliver, [event])


@pytest.mark.timeout(900)
def test_whatever_happens_on_the_way_the_state_is_the_merge(
    long: bool, figure: Callable[[str], None]
) -> None:
    """Repeated, late, raced and cut off: the state is the merge after each step."""
    examples, steps = (200, 50) if long else (20, 30)
    History.steps = 0
    run_state_machine_as_test(
        History,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )

    figure(
        f"{examples} stories of up to {steps} steps, {History.steps} states in all: 0 differ from the reference"
    )
