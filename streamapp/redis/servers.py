"""Redis or Valkey as one server or as a cluster, where each command goes to the one that has its key.

The client has a class of its own for clusters. It sends a command that was redirected again on another connection,
when the WAIT beside it has spoken for the first one and proves nothing; so redirections are followed here.
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
    ReadOnlyError,
    RedisError,
)

from streamapp.errors import Fault, ServiceError
from streamapp.redis.errors import fault_of, service_error
from streamapp.redis.exchange import exchange
from streamapp.redis.topology import Command, Members

TIMEOUT = 2.0
"""Seconds to reach a server, and to wait for an answer; ten times what a busy one needs."""

CONNECTIONS = 32
"""Calls under way at once; more would only wait in Redis, which does one after the other."""

ROUNDS = 5
"""Times that a command is sent at most: to who had its slot, to who has it, and again when the scripts were taught."""

_Group = tuple[str, bool]
"""Who is asked, and whether for slots that are only on their way there."""


class Servers:
    """Asks the *members*, and teaches *scripts* to those that lack them. Every call raises only `ServiceError`.

    A command may ask Redis to wait up to *longest* seconds.
    """

    def __init__(self, members: Members, scripts: Sequence[str] = (), *, longest: float = 0.0) -> None:
        self._members = members
        self._scripts = scripts
        self._within = TIMEOUT + longest
        # The client raises when its pool of 100 is used up, which would look like an outage.
        self._places = Semaphore(CONNECTIONS, fast_acquire=True)
        self._learning = Lock()

    async def ask(self, commands: Sequence[Command], *, replicas: int = 0) -> list[Any]:
        """Return each command's answer or the `RedisError` that is its own, in one round trip a server.

        When it returns, *replicas* of each server have what it wrote.
        """
        await self._know()
        answers: list[Any] = [None] * len(commands)
        left: dict[int, str | None] = dict.fromkeys(range(len(commands)))
        for _ in range(ROUNDS if commands else 0):
            groups: defaultdict[_Group, list[int]] = defaultdict(list)
            for number, place in left.items():
                asked = self._members.place_of(commands[number]) if place is None else place
                groups[asked, place is not None].append(number)
            asks = {group: [commands[number] for number in numbers] for group, numbers in groups.items()}
            left = {}
            for group, given in (await self._at_once(asks, replicas)).items():
                for number, answer in zip(groups[group], given, strict=True):
                    answers[number] = answer
                    if isinstance(answer, RedisError):
                        left |= await self._again(number, group[0], answer)
            if not left:
                break
        return answers

    async def ask_each(self, *command: str | int) -> dict[str, Any]:
        """Return what each master answers, by its name."""
        return {name: await self._one(name, command) for name in await self.masters()}

    async def ping(self) -> None:
        """Return when all masters answer, and a cluster serves all of its slots."""
        if not await self.is_cluster():
            await self.ask_each("PING")
            return
        for name, info in (await self.ask_each("CLUSTER INFO")).items():
            if info["cluster_state"] != "ok":
                self._members.leave(name)
                raise ServiceError("Redis", Fault.TRANSIENT, "the cluster is down")

    async def scan(self, cursor: str, *options: str | int) -> tuple[list[str], str]:
        """Return some keys and where to go on; that is empty at the beginning and at the end.

        Keys that go from one server to another meanwhile may be missed.
        """
        masters = await self.masters()
        name, _, position = cursor.partition("|") if cursor else (masters[0], "", "0")
        keys: list[str] = []
        if name in masters:
            following, keys = await self._one(name, ("SCAN", position, *options))
            if following:
                return keys, f"{name}|{following}"
        after = [other for other in masters if other > name]
        return keys, f"{after[0]}|0" if after else ""

    async def is_cluster(self) -> bool:
        """Whether each server has some of the keys only, and a command may speak of those of one slot only."""
        await self._know()
        return self._members.slots is not None

    async def masters(self) -> list[str]:
        """Return who takes writes, sorted."""
        await self._know()
        return self._members.masters

    async def _know(self) -> None:
        """Ask, if need be, who the members are: the first of them that answers says it."""
        if not self._members.is_stale:
            return
        async with self._learning:
            failed: ServiceError | None = None
            for name in list(self._members.clients):
                if not self._members.is_stale:
                    return
                try:
                    self._members.learn(name, await self._slots_of(name))
                    await self._members.forget()
                except ServiceError as error:
                    failed = error
            if self._members.is_stale and failed is not None:
                raise failed

    async def _slots_of(self, name: str) -> list[Any] | None:
        if self._members.slots is None:
            (info,) = await self._at(name, [("INFO", "cluster")])
            if isinstance(info, RedisError):
                # Some who have no right to ask, or a server that does not know the word, have none to hide.
                if isinstance(info, NoPermissionError) or fault_of(info) is Fault.SENDER:
                    return None
                raise service_error(info) from info
            if not info.get("cluster_enabled"):
                if len(self._members.clients) > 1:
                    raise ServiceError(
                        "Redis", Fault.CONFIGURATION, "REDIS_URL names several servers, which are no cluster"
                    )
                return None
        slots: list[Any] = await self._one(name, ("CLUSTER SLOTS",))
        return slots

    async def _again(self, number: int, name: str, error: RedisError) -> dict[int, str | None]:
        """Do what can be done about the *error* of *name*; answer where to send the command again, None: where it belongs."""
        if isinstance(error, AskError):
            its: Any = error  # untyped, as all that it says
            place = self._members.reach(its.host, its.port, name)
            if not isinstance(error, MovedError):
                return {number: place}
            self._members.moved(error.slot_id, place)
            return {number: None}
        if isinstance(error, ReadOnlyError):
            # A failover made this server a replica: new connections find the new master.
            await self._members.client(name).connection_pool.disconnect()
        if isinstance(error, ClusterDownError):
            self._members.leave(name)
        return {}

    async def _at_once(
        self, asks: Mapping[_Group, Sequence[Command]], replicas: int
    ) -> dict[_Group, list[Any]]:
        given: dict[_Group, list[Any]] = {}
        failed: list[ServiceError] = []

        async def ask(group: _Group) -> None:
            try:
                given[group] = await self._at(group[0], asks[group], asking=group[1], replicas=replicas)
            except ServiceError as error:
                failed.append(error)

        if len(asks) == 1:
            await ask(next(iter(asks)))
        else:
            async with create_task_group() as tasks:
                for group in asks:
                    tasks.start_soon(ask, group)
        if failed:
            raise failed[0]
        return given

    async def _at(
        self, name: str, commands: Sequence[Command], *, asking: bool = False, replicas: int = 0
    ) -> list[Any]:
        """Return what one server answers; one that lost our scripts is taught them again."""
        answers = await self._send(name, commands, asking=asking, replicas=replicas)
        if any(isinstance(answer, NoScriptError) for answer in answers):
            for refused in await self._send(name, [("SCRIPT LOAD", text) for text in self._scripts]):
                if isinstance(refused, RedisError):
                    raise service_error(refused) from refused
            # A command that was done is done again without harm.
            answers = await self._send(name, commands, asking=asking, replicas=replicas)
        return answers

    async def _send(
        self, name: str, commands: Sequence[Command], *, asking: bool = False, replicas: int = 0
    ) -> list[Any]:
        # WAIT speaks of the writes of its own connection only, so it goes with them.
        wait: list[Command] = [("WAIT", replicas, int(TIMEOUT * 500))] if replicas else []
        asked = [word for command in commands for word in (("ASKING",), command)] if asking else commands
        try:
            async with self._places:
                answers = await exchange(self._members.client(name), [*asked, *wait], self._within)
        except RedisError as error:
            self._members.leave(name)
            raise service_error(error) from error
        if replicas:
            heard = answers.pop()
            if isinstance(heard, RedisError):
                raise service_error(heard) from heard
            if heard < replicas:
                raise ServiceError(
                    "Redis", Fault.TRANSIENT, f"fewer than {replicas} replicas have the commit"
                )
        return answers[1::2] if asking else answers

    async def _one(self, name: str, command: Command) -> Any:  # noqa: ANN401 - Redis's answer
        (answer,) = await self._at(name, [command])
        if isinstance(answer, RedisError):
            raise service_error(answer) from answer
        return answer
