"""SQS over connections of our own for the calls that move messages: a twentieth of the AWS client's cost, the same outcomes."""

import ssl
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager

from anyio import current_time, move_on_after

from streamapp.errors import ConfigError, Fault, ServiceError
from streamapp.messages import Delivery, Outgoing, Queue
from streamapp.sqs import wire
from streamapp.sqs.boto import CALL_TIMEOUT, SLACK, BotoSqs
from streamapp.sqs.client import Failure
from streamapp.sqs.credentials import Route
from streamapp.sqs.faults import fault_of, reason_of
from streamapp.sqs.http_pool import ConnectionPool, NoResponse, Response
from streamapp.sqs.sigv4 import Signer, UnusableCredentials

_OK = 200
_NO_RESPONSE = Response(0, b"")


class DirectSqs:
    """SQS: the four calls that move messages use connections of their own, all others use the AWS client.

    A call is repeated here only if its kept connection had been closed. That is safe for all four: to delete or to
    change visibility twice does no harm, messages hidden by a lost receive come again, and readers of SQS must
    expect a message to be sent twice.
    """

    def __init__(
        self, aws: BotoSqs, signer: Signer, *, polls: ConnectionPool, others: ConnectionPool
    ) -> None:
        self._aws = aws
        self._signer = signer
        # Two pools: ten waiting polls never take the connection that a delete needs.
        self._polls = polls
        self._others = others

    async def find(self, name: str) -> Queue:
        """Return the queue of this name or URL; a missing queue is a CONFIGURATION fault."""
        return await self._aws.find(name)

    async def receive(
        self, queue: Queue, *, limit: int, wait: float, visibility: int | None = None
    ) -> list[Delivery]:
        """Wait up to *wait* seconds (0..20) for 1..10 messages, invisible to others for *visibility* seconds."""
        asked_at = current_time()
        request = wire.receive(queue, limit, wait, visibility)
        body = await self._call(self._polls, "ReceiveMessage", request, queue, wait + SLACK)
        try:
            return wire.deliveries(queue, wire.decode_receive(body), asked_at)
        except wire.UNREADABLE as error:
            raise _unreadable(queue, error) from error

    async def send(self, queue: Queue, messages: Sequence[Outgoing]) -> list[Failure | None]:
        """Send messages."""
        request = wire.send(queue, messages)
        return await self._batch("SendMessageBatch", request, queue, len(messages))

    async def delete(self, queue: Queue, handles: Sequence[str]) -> list[Failure | None]:
        """Delete messages by receipt handle. Success proves nothing: SQS may accept a stale handle and do nothing."""
        request = wire.delete(queue, handles)
        return await self._batch("DeleteMessageBatch", request, queue, len(handles))

    async def change_visibility(
        self, queue: Queue, changes: Sequence[tuple[str, int]]
    ) -> list[Failure | None]:
        """Make the message of each (handle, seconds) visible again that many seconds from now."""
        request = wire.change_visibility(queue, changes)
        return await self._batch("ChangeMessageVisibilityBatch", request, queue, len(changes))

    async def create(self, name: str, attributes: Mapping[str, str]) -> Queue:
        """Create the queue, or set these attributes (SQS's names) of an existing one."""
        return await self._aws.create(name, attributes)

    async def attributes(self, queue: Queue) -> dict[str, str]:
        """Return all attributes of the queue, by SQS's names."""
        return await self._aws.attributes(queue)

    async def _batch(
        self, operation: str, request: bytes, queue: Queue, entries: int
    ) -> list[Failure | None]:
        body = await self._call(self._others, operation, request, queue, CALL_TIMEOUT)
        try:
            return wire.outcomes(entries, wire.decode_batch(body))
        except wire.UNREADABLE as error:
            raise _unreadable(queue, error) from error

    async def _call(
        self, pool: ConnectionPool, operation: str, request: bytes, queue: Queue, seconds: float
    ) -> bytes:
        """Return the body of the response to *operation*; every failure is a `ServiceError`."""
        status, body = _NO_RESPONSE
        try:
            with move_on_after(seconds) as scope:
                # Read for each call: the credentials of a role or a session are renewed before they expire.
                credentials = await self._aws.settings.credentials()
                head = self._signer.head(credentials, operation, request, time.time())
                status, body = await pool.exchange(head + request)
            if scope.cancelled_caught:
                raise NoResponse(f"no response within {seconds:g} s")  # noqa: TRY301 - handled as those from below
        except UnusableCredentials as error:
            raise ServiceError("SQS", Fault.CREDENTIALS, f"{queue.name}: {error}") from error
        except NoResponse as error:
            raise ServiceError("SQS", Fault.TRANSIENT, f"{queue.name}: {error}") from error
        if status != _OK:
            code, text = wire.refusal(status, body)
            # The text may quote what was sent, so only the code is passed on.
            raise ServiceError("SQS", fault_of(code, text), f"{queue.name}: {reason_of(code)}", code)
        return body


@asynccontextmanager
async def open_direct(aws: BotoSqs, route: Route, *, polls: int = 10) -> AsyncGenerator[DirectSqs]:
    """Open our own connections to *aws*'s endpoint; up to *polls* receives wait at once.

    Raises `ConfigError` if the CA bundle cannot be read.
    """
    tls = _tls_context(route.ca_bundle) if route.is_tls else None
    waiting = ConnectionPool(route.host, route.port, tls=tls, most=polls + 2)
    others = ConnectionPool(route.host, route.port, tls=tls, most=32)
    try:
        yield DirectSqs(aws, Signer(aws.region, route.authority), polls=waiting, others=others)
    finally:
        waiting.close()
        others.close()


def _tls_context(ca_bundle: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_bundle)
    except OSError as error:
        raise ConfigError(
            f"AWS_CA_BUNDLE, or ca_bundle in your profile: expected a file of certificates, got {ca_bundle!r}: "
            f"{error.strerror}"
        ) from error


def _unreadable(queue: Queue, error: Exception) -> ServiceError:
    return ServiceError("SQS", Fault.TRANSIENT, f"{queue.name}: {type(error).__name__}")
