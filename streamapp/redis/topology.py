"""The topology of one Redis: its servers, and which of them has which key."""

from collections.abc import Callable, Mapping
from typing import Any

from redis.crc import key_slot

SLOTS = 16_384
"""The hash slots of a cluster: each key belongs to one, and each master serves some."""

Command = tuple[str | int | float | bytes, ...]

_KEY_AT = {"EVALSHA": 3, "XREAD": -2}
"""Where a command has its key, if that is not its second word."""


class Topology:
    """Servers by name, which is `host:port`, each with its client; *is_stale* if they may have changed.

    *clients* are the servers in the URL. *connect* returns a client for any other server of their cluster.
    """

    def __init__(self, clients: Mapping[str, Any], connect: Callable[[str], Any]) -> None:
        # In the order in which they are asked for the topology: the one that failed last comes last.
        self.clients = dict(clients)
        self.home = next(iter(clients))
        self.slots: list[str] | None = None
        """The server of each slot; None if one server has all keys."""
        self.is_stale = True
        self._named = frozenset(clients)
        self._connect = connect

    @property
    def masters(self) -> list[str]:
        """The servers that accept writes, sorted."""
        return [self.home] if self.slots is None else sorted(set(self.slots))

    def server_of(self, command: Command) -> str:
        """Return the name of the server that has the key of *command*."""
        if self.slots is None:
            return self.home
        return self.slots[key_slot(str(command[_KEY_AT.get(str(command[0]), 1)]).encode())]

    def server_at(self, host: str | None, port: int, source: str) -> str:
        """Return the name of the server at this address, and connect to it if it is new.

        A server without an address is *source*, the one that sent the address.
        """
        host = host if host not in {None, "", "?"} else source.rpartition(":")[0].strip("[]")
        if not (host and port):
            return source
        name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.client(name)
        return name

    def client(self, name: str) -> Any:  # noqa: ANN401 - its commands are untyped
        """Return the client of a server."""
        if name not in self.clients:
            self.clients[name] = self._connect(name)
        return self.clients[name]

    def update(self, source: str, rows: list[Any] | None) -> None:
        """Take over the reply of *source* to CLUSTER SLOTS; None means that it belongs to no cluster."""
        self.is_stale = False
        if rows is None:
            return
        # A slot that no server serves is left to *source*, which replies that the cluster is down.
        self.slots = [source] * SLOTS
        for first, last, (host, port, *_), *_ in rows:
            self.slots[first : last + 1] = [self.server_at(host, port, source)] * (last + 1 - first)

    def slot_moved(self, slot: int, name: str) -> None:
        """Record the new server of a slot; other slots may have moved as well, so the topology is stale."""
        if self.slots is not None:
            self.slots[slot] = name
            self.is_stale = True

    def server_failed(self, name: str) -> None:
        """Record that the server *name* failed; in a cluster, the topology is then stale."""
        self.is_stale = self.is_stale or self.slots is not None
        if name in self.clients:
            self.clients[name] = self.clients.pop(name)

    async def close_departed(self) -> None:
        """Close the connections to servers that have left the cluster."""
        for name in self.clients.keys() - self._named - set(self.slots or ()):
            await self.clients.pop(name).aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        for client in self.clients.values():
            await client.aclose()
