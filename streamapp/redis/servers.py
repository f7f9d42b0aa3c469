"""The servers of one Redis or Valkey, alone or as a cluster: each command goes to the server that has its key.

The Redis client has a class of its own for clusters. It follows a redirection on another connection than the one of
the WAIT beside the command, so that this WAIT proves nothing about it. Redirections are therefore followed here.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from anyio import Lock, Semaphore, create_task_group
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    NoPermissionError,
    NoScriptError,
    RedisError,
)

from streamapp.errors import Fault, ServiceError
from streamapp.redis.errors import fault_of, is_read_only, service_error
from streamapp.redis.exchange import exchange
from streamapp.redis.topology import Command, Topology

TIMEOUT = 2.0
"""Seconds to reach a server, and to wait for its reply; ten times what a busy one needs."""

CONNECTIONS = 32
"""Calls under way at once; more would only wait inside Redis, which processes one after the other."""

ROUNDS = 5
"""Times that a command is sent at most: redirections and the loading of scripts both cost one."""

_Group = tuple[str, bool]
"""The name of a server, and whether to ask it for slots that are still being moved to it."""


class RedisServers:
    """Runs commands on the servers of *topology*, and loads *scripts* where they are missing.

    Every call raises only `ServiceError`. A command may make Redis wait up to *longest* seconds.
    """

    def __init__(self, topology: Topology, scripts: Sequence[str] = (), *, longest: float = 0.0) -> None:
        self._topology = topology
        self._scripts = scripts
        self._within = TIMEOUT + longest
        # The client raises when its pool of 100 is used up, which would look like an outage.
        self._places = Semaphore(CONNECTIONS, fast_acquire=True)
        self._updating = Lock()

    async def run(self, commands: Sequence[Command], *, replicas: int = 0) -> list[Any]:
        """Return each command's reply, or its own `RedisError`, with one round trip a server.

        When it returns, *replicas* of each server have its writes.
        """
        await self._update_topology()
        replies: list[Any] = [None] * len(commands)
        left: dict[int, str | None] = dict.fromkeys(range(len(commands)))
        for _ in range(ROUNDS if commands else 0):
            groups: defaultdict[_Group, list[int]] = defaultdict(list)
            for number, redirected in left.items():
                name = self._topology.server_of(commands[number]) if redirected is None else redirected
                groups[name, redirected is not None].append(number)
            sent = {group: [commands[number] for number in numbers] for group, numbers in groups.items()}
            left = {}
            for group, received in (await self._run_groups(sent, replicas)).items():
                for number, reply in zip(groups[group], received, strict=True):
                    replies[number] = reply
                    if isinstance(reply, RedisError):
                        left |= await self._after_error(number, group[0], reply)
            if not left:
                break
        return replies

    async def run_on_masters(self, *command: str | int) -> dict[str, Any]:
        """Return each master's reply to *command*, by the master's name."""
        return {name: await self._run_one(name, command) for name in await self.masters()}

    async def ping(self) -> None:
        """Check that all masters reply, and that a cluster serves all of its slots."""
        if not await self.is_cluster():
            await self.run_on_masters("PING")
            return
        for name, info in (await self.run_on_masters("CLUSTER INFO")).items():
            if info["cluster_state"] != "ok":
                self._topology.server_failed(name)
                raise ServiceError("Redis", Fault.TRANSIENT, "the cluster is down")

    async def scan(self, cursor: str, *options: str | int) -> tuple[list[str], str]:
        """Return some keys and the next cursor; the cursor is empty at the beginning and at the end.

        A key that moves between servers meanwhile may be missed.
        """
        masters = await self.masters()
        name, _, position = cursor.partition("|") if cursor else (masters[0], "", "0")
        keys: list[str] = []
        if name in masters:
            following, keys = await self._run_one(name, ("SCAN", position, *options))
            if following:
                return keys, f"{name}|{following}"
        after = [other for other in masters if other > name]
        return keys, f"{after[0]}|0" if after else ""

    async def is_cluster(self) -> bool:
        """Whether each server has only some of the keys, so that all keys of a command must be of one slot."""
        await self._update_topology()
        return self._topology.slots is not None

    async def server_of(self, key: str) -> str:
        """Return the name of the server that has *key*."""
        await self._update_topology()
        return self._topology.server_of(("TYPE", key))

    async def masters(self) -> list[str]:
        """Return the names of the servers that accept writes, sorted."""
        await self._update_topology()
        return self._topology.masters

    async def _update_topology(self) -> None:
        """If the topology is stale, take it from the first server that replies."""
        if not self._topology.is_stale:
            return
        async with self._updating:
            failed: ServiceError | None = None
            for name in list(self._topology.clients):
                if not self._topology.is_stale:
                    return
                try:
                    self._topology.update(name, await self._slots_of(name))
                    await self._topology.close_departed()
                except ServiceError as error:
                    failed = error
            if self._topology.is_stale and failed is not None:
                raise failed

    async def _slots_of(self, name: str) -> list[Any] | None:
        if self._topology.slots is None:
            (info,) = await self._run_at(name, [("INFO", "cluster")])
            if isinstance(info, RedisError):
                # Without the permission, or on a server without this command, there is no cluster to find.
                if isinstance(info, NoPermissionError) or fault_of(info) is Fault.SENDER:
                    return None
                raise service_error(info) from info
            if not info.get("cluster_enabled"):
                if len(self._topology.clients) > 1:
                    raise ServiceError(
                        "Redis", Fault.CONFIGURATION, "REDIS_URL names several servers that are no cluster"
                    )
                return None
        slots: list[Any] = await self._run_one(name, ("CLUSTER SLOTS",))
        return slots

    async def _after_error(self, number: int, name: str, error: RedisError) -> dict[int, str | None]:
        """Act on the *error* of the server *name*; return whether command *number* is sent again, and where to.

        The result is empty if it is not sent again. None stands for the server that has its key.
        """
        if isinstance(error, AskError):
            redirection: Any = error  # its members are untyped
            target = self._topology.server_at(redirection.host, redirection.port, name)
            if not isinstance(error, MovedError):
                return {number: target}
            self._topology.slot_moved(error.slot_id, target)
            return {number: None}
        if is_read_only(error):
            # A failover has made this server a replica: new connections find the new master.
            await self._topology.client(name).connection_pool.disconnect()
        if isinstance(error, ClusterDownError):
            self._topology.server_failed(name)
        return {}

    async def _run_groups(
        self, sent: Mapping[_Group, Sequence[Command]], replicas: int
    ) -> dict[_Group, list[Any]]:
        received: dict[_Group, list[Any]] = {}
        failed: list[ServiceError] = []

        async def run(group: _Group) -> None:
            try:
                received[group] = await self._run_at(
                    group[0], sent[group], asking=group[1], replicas=replicas
                )
            except ServiceError as error:
                failed.append(error)

        if len(sent) == 1:
            await run(next(iter(sent)))
        else:
            async with create_task_group() as tasks:
                for group in sent:
                    tasks.start_soon(run, group)
        if failed:
            raise failed[0]
        return received

    async def _run_at(
        self, name: str, commands: Sequence[Command], *, asking: bool = False, replicas: int = 0
    ) -> list[Any]:
        """Return the replies of one server; if it has lost our scripts, they are loaded again."""
        replies = await self._send(name, commands, asking=asking, replicas=replicas)
        if any(isinstance(reply, NoScriptError) for reply in replies):
            for loaded in await self._send(name, [("SCRIPT LOAD", text) for text in self._scripts]):
                if isinstance(loaded, RedisError):
                    raise service_error(loaded) from loaded
            # All commands are sent again, since each may be repeated without harm.
            replies = await self._send(name, commands, asking=asking, replicas=replicas)
        return replies

    async def _send(
        self, name: str, commands: Sequence[Command], *, asking: bool = False, replicas: int = 0
    ) -> list[Any]:
        # WAIT covers only the writes of its own connection, so it is sent on the same one.
        wait: list[Command] = [("WAIT", replicas, int(TIMEOUT * 500))] if replicas else []
        sent = [each for command in commands for each in (("ASKING",), command)] if asking else commands
        try:
            async with self._places:
                replies = await exchange(self._topology.client(name), [*sent, *wait], self._within)
        except RedisError as error:
            self._topology.server_failed(name)
            raise service_error(error) from error
        if replicas:
            acknowledged = replies.pop()
            if isinstance(acknowledged, RedisError):
                raise service_error(acknowledged) from acknowledged
            if acknowledged < replicas:
                raise ServiceError(
                    "Redis", Fault.TRANSIENT, f"fewer than {replicas} replicas have the commit"
                )
        return replies[1::2] if asking else replies

    async def _run_one(self, name: str, command: Command) -> Any:  # noqa: ANN401 - Redis's reply
        (reply,) = await self._run_at(name, [command])
        if isinstance(reply, RedisError):
            raise service_error(reply) from reply
        return reply
