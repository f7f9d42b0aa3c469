"""A TCP link of the rig's own, which can be cut and led elsewhere: it needs no rights that a test may lack."""

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
    """Passes connections to its own *port* on to *target*, both on loopback."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self._open = Event()
        self._open.set()
        self._links: set[CancelScope] = set()

    @property
    def url(self) -> str:
        """Where a Redis client finds it."""
        return f"redis://127.0.0.1:{self.port}/0"

    async def run(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Serve for ever."""
        async with await create_tcp_listener(local_host="127.0.0.1") as listener:
            self.port = listener.extra(SocketAttribute.local_port)
            task_status.started()
            await listener.serve(self._pass_on)

    def cut(self) -> None:
        """Let nothing through from now on; neither side is told."""
        self._open = Event()

    def lead_to(self, target: int) -> None:
        """Drop all connections, with what is on its way in them, and pass new ones on to *target*."""
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
                pass  # nobody is there: the client sees its connection closed
            finally:
                self._links.discard(scope)

    async def _pump(self, source: ByteStream, to: ByteStream, both: CancelScope) -> None:
        with suppress(EndOfStream, BrokenResourceError, ClosedResourceError):
            while True:
                data = await source.receive()
                await self._open.wait()
                await to.send(data)
        both.cancel()
