"""A cluster of Valkeys: three masters, each with replicas; a slot can be moved, and a member can be killed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chaos.valkey import Valkey, free_port
from redis import Redis

MASTERS = 3
SLOTS = 16_384


class Cluster:
    """*masters* share the slots in three equal parts; *url* names them all."""

    def __init__(self, folder: Path, *, replicas: int = 0, node_timeout: int = 15_000) -> None:
        self.nodes: list[Valkey] = []
        self._buses: dict[int, int] = {}
        for number in range(MASTERS * (1 + replicas)):
            bus = free_port()
            node = Valkey(
                folder / str(number),
                *("--cluster-enabled", "yes", "--cluster-port", str(bus)),
                *("--cluster-node-timeout", str(node_timeout), "--cluster-require-full-coverage", "yes"),
            )
            self.nodes.append(node)
            self._buses[node.port] = bus
        self.masters = self.nodes[:MASTERS]
        self.url = "redis://" + ",".join(f"127.0.0.1:{node.port}" for node in self.masters) + "/0"

    def start(self) -> "Cluster":
        """Start all servers, join them, and assign the slots; return when all serve."""
        for node in self.nodes:
            node.start()
        first = self.nodes[0]
        for node in self.nodes:
            ask(node, "CONFIG SET", "cluster-allow-replica-migration", "no")
            if node is not first:
                ask(node, "CLUSTER MEET", "127.0.0.1", first.port, self._buses[first.port])
        for number, node in enumerate(self.masters):
            low, high = SLOTS * number // MASTERS, SLOTS * (number + 1) // MASTERS - 1
            ask(node, "CLUSTER ADDSLOTSRANGE", low, high)
        until(lambda: all(self.info(it)["cluster_known_nodes"] == str(len(self.nodes)) for it in self.nodes))
        for number, node in enumerate(self.nodes[MASTERS:]):
            ask(node, "CLUSTER REPLICATE", ask(self.masters[number % MASTERS], "CLUSTER MYID"))
        self.wait()
        return self

    def wait(self) -> None:
        """Return when all running members serve, and each master knows its replicas."""
        until(lambda: all(self.info(node)["cluster_state"] == "ok" for node in self.nodes if node.is_running))

    def info(self, node: Valkey) -> dict[str, str]:
        """Return the CLUSTER INFO of *node*."""
        return dict(ask(node, "CLUSTER INFO"))

    def master_of(self, slot: int) -> Valkey:
        """Return the master of a slot."""
        for node in self.masters:
            for first, last, (_, port, *_), *_ in ask(node, "CLUSTER SLOTS"):
                if first <= slot <= last:
                    return next(it for it in self.nodes if it.port == port)
        raise AssertionError(slot)

    @contextmanager
    def moving(self, slot: int) -> Iterator[tuple[Valkey, Valkey]]:
        """Move a slot: its keys, and new ones, migrate while the context is open; afterwards the slot has moved."""
        source = self.master_of(slot)
        target = next(node for node in self.masters if node is not source)
        here, there = ask(source, "CLUSTER MYID"), ask(target, "CLUSTER MYID")
        ask(target, "CLUSTER SETSLOT", slot, "IMPORTING", here)
        ask(source, "CLUSTER SETSLOT", slot, "MIGRATING", there)
        yield source, target
        while keys := ask(source, "CLUSTER GETKEYSINSLOT", slot, 100):
            ask(source, "MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
        for node in (target, source):
            ask(node, "CLUSTER SETSLOT", slot, "NODE", there)

    def kill(self) -> None:
        """Kill all members."""
        for node in self.nodes:
            node.kill()


def ask(node: Valkey, *words: object) -> Any:
    """Return the reply of one server."""
    with Redis.from_url(node.url, decode_responses=True) as redis:
        return redis.execute_command(*words)


def until(holds: Any, within: float = 60.0) -> None:
    """Return when *holds* returns true."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, "the cluster did not come to serve"  # clock: patience
        time.sleep(0.02)


@contextmanager
def cluster(folder: Path, **options: Any) -> Iterator[Cluster]:
    """Run a cluster while the context is open."""
    it = Cluster(folder, **options)
    try:
        yield it.start()
    finally:
        it.kill()
