"""Who the servers of one Redis are, and which of them has which key."""

from collections.abc import Callable, Mapping
from typing import Any

from redis.crc import key_slot

SLOTS = 16_384

Command = tuple[str | int | float | bytes, ...]

_KEY_AT = {"EVALSHA": 3, "XREAD": -2}
"""Where a command has its key, if that is not its second word."""


class Members:
    """Servers by name, which is `host:port`, each with its client; *is_stale* when they may be others by now.

    *clients* are those that the URL names, *connect* answers one for another member of their cluster.
    """

    def __init__(self, clients: Mapping[str, Any], connect: Callable[[str], Any]) -> None:
        # Who failed last comes last, where somebody has to be asked what the cluster looks like.
        self.clients = dict(clients)
        self.home = next(iter(clients))
        self.slots: list[str] | None = None
        """Who has each slot; None where one server has all keys."""
        self.is_stale = True
        self._named = frozenset(clients)
        self._connect = connect

    @property
    def masters(self) -> list[str]:
        """Who takes writes, sorted."""
        return [self.home] if self.slots is None else sorted(set(self.slots))

    def place_of(self, command: Command) -> str:
        """Return who has the key that *command* speaks of."""
        if self.slots is None:
            return self.home
        return self.slots[key_slot(str(command[_KEY_AT.get(str(command[0]), 1)]).encode())]

    def reach(self, host: str | None, port: int, told_by: str) -> str:
        """Return the name of a server that can be asked; one without an address is the one that spoke of it."""
        host = host if host not in {None, "", "?"} else told_by.rpartition(":")[0].strip("[]")
        if not (host and port):
            return told_by
        name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.client(name)
        return name

    def client(self, name: str) -> Any:  # noqa: ANN401 - its commands are untyped
        """Return the client of a server."""
        if name not in self.clients:
            self.clients[name] = self._connect(name)
        return self.clients[name]

    def learn(self, told_by: str, rows: list[Any] | None) -> None:
        """Take note of what *told_by* says of all slots, as CLUSTER SLOTS has it; None: it is no cluster's."""
        self.is_stale = False
        if rows is None:
            return
        # Who is asked for a slot that nobody serves says that the cluster is down.
        self.slots = [told_by] * SLOTS
        for first, last, (host, port, *_), *_ in rows:
            self.slots[first : last + 1] = [self.reach(host, port, told_by)] * (last + 1 - first)

    def moved(self, slot: int, name: str) -> None:
        """Take note of a slot's new server; where one went, others may have gone."""
        if self.slots is not None:
            self.slots[slot] = name
            self.is_stale = True

    def leave(self, name: str) -> None:
        """Take note that *name* failed."""
        self.is_stale = self.is_stale or self.slots is not None
        if name in self.clients:
            self.clients[name] = self.clients.pop(name)

    async def forget(self) -> None:
        """Close the connections to those that are members no more."""
        for name in self.clients.keys() - self._named - set(self.slots or ()):
            await self.clients.pop(name).aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        for client in self.clients.values():
            await client.aclose()
