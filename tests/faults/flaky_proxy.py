"""A TCP proxy that goes silent, drips or recovers on command: network failures on any machine."""

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import urlsplit

from anyio import (
    BrokenResourceError,
    ClosedResourceError,
    EndOfStream,
    Event,
    connect_tcp,
    create_task_group,
    create_tcp_listener,
    sleep,
)
from anyio.abc import ByteReceiveStream, ByteSendStream, SocketAttribute, SocketStream

GONE = (BrokenResourceError, ClosedResourceError, EndOfStream, OSError)


class FlakyProxy:
    """A connection to a server, through which all bytes of both directions go."""

    def __init__(self, endpoint: str) -> None:
        self._to = urlsplit(endpoint)
        self._is_open = Event()
        self._is_open.set()
        self.drip = 0.0
        """Seconds between two bytes of responses; 0 is no delay."""

    def cut(self) -> None:
        """Forward nothing and close nothing, as when a router has forgotten a connection."""
        self._is_open = Event()

    def heal(self) -> None:
        """Forward all bytes again, the held ones included."""
        self.drip = 0.0
        self._is_open.set()

    async def serve(self, near: SocketStream) -> None:
        """Serve one connection."""
        assert self._to.hostname is not None
        assert self._to.port is not None
        async with (
            near,
            await connect_tcp(self._to.hostname, self._to.port) as far,
            create_task_group() as tasks,
        ):

            async def carry(source: ByteReceiveStream, target: ByteSendStream, drips: bool) -> None:
                try:
                    while True:
                        some = await source.receive()
                        await self._is_open.wait()
                        await self._send(target, some, drips)
                except GONE:
                    tasks.cancel_scope.cancel()

            tasks.start_soon(carry, near, far, False)
            tasks.start_soon(carry, far, near, True)

    async def _send(self, target: ByteSendStream, some: bytes, drips: bool) -> None:
        while drips and self.drip and some:
            await target.send(some[:1])
            some = some[1:]
            await sleep(self.drip)
        if some:
            await target.send(some)


@asynccontextmanager
async def proxy_to(endpoint: str) -> AsyncIterator[tuple[FlakyProxy, str]]:
    """Yield a proxy to *endpoint*, and its own endpoint."""
    proxy = FlakyProxy(endpoint)
    listener = await create_tcp_listener(local_host="127.0.0.1")
    async with listener, create_task_group() as tasks:
        tasks.start_soon(listener.serve, proxy.serve)
        yield proxy, f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}"
        tasks.cancel_scope.cancel()


@contextmanager
def dropped(port: int) -> Iterator[None]:
    """Drop all loopback packets to and from *port* while the context is open."""
    rules = [
        ["OUTPUT", "-o", "lo", "-p", "tcp", side, str(port), "-j", "DROP"] for side in ("--dport", "--sport")
    ]
    added: list[list[str]] = []
    try:
        for rule in rules:
            subprocess.run(["iptables", "-w", "-A", *rule], check=True, capture_output=True)
            added.append(rule)
        yield
    finally:
        for rule in added:
            subprocess.run(["iptables", "-w", "-D", *rule], check=True, capture_output=True)


def may_drop() -> bool:
    """Whether iptables is installed, and this process may use it."""
    try:
        done = subprocess.run(["iptables", "-w", "-S", "OUTPUT"], check=False, capture_output=True)
    except FileNotFoundError:
        return False
    return done.returncode == 0
