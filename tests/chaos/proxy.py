"""A TCP proxy that can be cut and pointed elsewhere, without the rights that a firewall needs."""

from contextlib import suppress

from anyio import (
    TASK_STATUS_IGNORED,
    BrokenResourceError,
    CancelScope,
    ClosedResourceError,
    EndOfStream,
    Event,
    connect_tcp,
    create_task_group,
    create_tcp_listener,
)
from anyio.abc import ByteStream, SocketAttribute, SocketStream, TaskStatus


class Proxy:
    """Forwards connections from its *port* to *target*, both on loopback."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self._open = Event()
        self._open.set()
        self._links: set[CancelScope] = set()

    @property
    def url(self) -> str:
        """The URL for a Redis client."""
        return f"redis://127.0.0.1:{self.port}/0"

    async def run(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Serve for ever."""
        async with await create_tcp_listener(local_host="127.0.0.1") as listener:
            self.port = listener.extra(SocketAttribute.local_port)
            task_status.started()
            await listener.serve(self._pass_on)

    def cut(self) -> None:
        """Forward nothing from now on, without closing connections."""
        self._open = Event()

    def lead_to(self, target: int) -> None:
        """Close all connections, with the bytes on their way, and forward new ones to *target*."""
        self.target = target
        self._open.set()
        for link in self._links:
            link.cancel()

    async def _pass_on(self, near: SocketStream) -> None:
        with CancelScope() as scope:
            self._links.add(scope)
            try:
                async with (
                    near,
                    await connect_tcp("127.0.0.1", self.target) as far,
                    create_task_group() as pumps,
                ):
                    pumps.start_soon(self._pump, near, far, pumps.cancel_scope)
                    pumps.start_soon(self._pump, far, near, pumps.cancel_scope)
            except OSError:
                pass  # nothing listens there: the client sees its connection closed
            finally:
                self._links.discard(scope)

    async def _pump(self, source: ByteStream, to: ByteStream, both: CancelScope) -> None:
        with suppress(EndOfStream, BrokenResourceError, ClosedResourceError):
            while True:
                data = await source.receive()
                await self._open.wait()
                await to.send(data)
        both.cancel()
