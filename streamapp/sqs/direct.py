"""SQS without the AWS client on the way of a message: a twentieth of its cost, and the same outcomes."""

import ssl
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager

from anyio import current_time, move_on_after

from streamapp.errors import ConfigError, Fault, ServiceError
from streamapp.messages import Delivery, Outgoing, Queue
from streamapp.sqs import wire as calls
from streamapp.sqs.boto import CALL_TIMEOUT, SLACK, BotoSqs
from streamapp.sqs.client import Failure
from streamapp.sqs.credentials import Route
from streamapp.sqs.faults import fault_of, reason_of
from streamapp.sqs.http_pool import Answer, Connections, NoAnswer
from streamapp.sqs.sigv4 import KeysUnusable, Signer

_OK = 200
_NOTHING = Answer(0, b"")


class DirectSqs:
    """SQS, where the four calls that messages take have connections of their own; the rest is the AWS client's.

    Nothing is tried again here but a call whose kept connection was closed meanwhile. That is safe for all four:
    deleting and changing visibility do the same twice, what a lost receive hides comes again, and a message sent
    twice is what its readers expect of SQS.
    """

    def __init__(self, aws: BotoSqs, signer: Signer, *, polls: Connections, others: Connections) -> None:
        self._aws = aws
        self._signer = signer
        # Ten waiting polls never keep an acknowledgement from a connection.
        self._polls = polls
        self._others = others

    async def find(self, name: str) -> Queue:
        """Return the queue of this name or URL; a missing one is a CONFIGURATION fault."""
        return await self._aws.find(name)

    async def receive(self, queue: Queue, *, limit: int, wait: float) -> list[Delivery]:
        """Long-poll for 1..10 messages for *wait* seconds (0..20); answer as soon as there is one."""
        asked_at = current_time()
        asked = calls.receive(queue, limit, wait)
        answer = await self._call(self._polls, "ReceiveMessage", asked, queue, wait + SLACK)
        try:
            return calls.deliveries(queue, answer, asked_at)
        except calls.UNREADABLE as error:
            raise _unreadable(queue, error) from error

    async def send(self, queue: Queue, messages: Sequence[Outgoing]) -> list[Failure | None]:
        """Send messages."""
        asked = calls.send(queue, messages)
        return await self._batch("SendMessageBatch", asked, queue, len(messages))

    async def delete(self, queue: Queue, handles: Sequence[str]) -> list[Failure | None]:
        """Delete messages by receipt handle. Success is no proof: a stale handle may succeed and do nothing."""
        asked = calls.delete(queue, handles)
        return await self._batch("DeleteMessageBatch", asked, queue, len(handles))

    async def change_visibility(
        self, queue: Queue, changes: Sequence[tuple[str, int]]
    ) -> list[Failure | None]:
        """Let each message of (handle, seconds) come back that many seconds from now."""
        asked = calls.change_visibility(queue, changes)
        return await self._batch("ChangeMessageVisibilityBatch", asked, queue, len(changes))

    async def create(self, name: str, attributes: Mapping[str, str]) -> Queue:
        """Create the queue, or set these attributes (SQS's names) of one that is there."""
        return await self._aws.create(name, attributes)

    async def attributes(self, queue: Queue) -> dict[str, str]:
        """Return all queue attributes, by SQS's names."""
        return await self._aws.attributes(queue)

    async def _batch(self, operation: str, asked: bytes, queue: Queue, entries: int) -> list[Failure | None]:
        answer = await self._call(self._others, operation, asked, queue, CALL_TIMEOUT)
        try:
            return calls.outcomes(entries, answer)
        except calls.UNREADABLE as error:
            raise _unreadable(queue, error) from error

    async def _call(
        self, connections: Connections, operation: str, asked: bytes, queue: Queue, seconds: float
    ) -> bytes:
        """Return the body of the answer to *operation*; every failure is a `ServiceError`."""
        status, body = _NOTHING
        try:
            with move_on_after(seconds) as scope:
                # Asked anew each time: keys of a role or a session are renewed before they expire.
                keys = await self._aws.chain.keys()
                head = self._signer.head(keys, operation, asked, time.time())
                status, body = await connections.exchange(head + asked)
            if scope.cancelled_caught:
                raise NoAnswer(f"no answer within {seconds:g} s")  # noqa: TRY301 - as its kind from below
        except KeysUnusable as error:
            raise ServiceError("SQS", Fault.CREDENTIALS, f"{queue.name}: {error}") from error
        except NoAnswer as error:
            raise ServiceError("SQS", Fault.TRANSIENT, f"{queue.name}: {error}") from error
        if status != _OK:
            code, text = calls.refusal(status, body)
            # The text may quote what was sent, so only the code is passed on.
            raise ServiceError("SQS", fault_of(code, text), f"{queue.name}: {reason_of(code)}")
        return body


@asynccontextmanager
async def open_fast(aws: BotoSqs, route: Route, *, polls: int = 10) -> AsyncGenerator[DirectSqs]:
    """Open the fast way to the endpoint of *aws*; *polls* receives may wait at once.

    Raises `ConfigError` when whom to trust cannot be read.
    """
    tls = _trusting(route.trust) if route.is_tls else None
    waiting = Connections(route.host, route.port, tls=tls, most=polls + 2)
    others = Connections(route.host, route.port, tls=tls, most=32)
    try:
        yield DirectSqs(aws, Signer(aws.region, route.authority), polls=waiting, others=others)
    finally:
        waiting.close()
        others.close()


def _trusting(file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=file)
    except OSError as error:
        raise ConfigError(
            f"AWS_CA_BUNDLE, or ca_bundle in your profile: expected a file of certificates, got {file!r}: "
            f"{error.strerror}"
        ) from error


def _unreadable(queue: Queue, error: Exception) -> ServiceError:
    return ServiceError("SQS", Fault.TRANSIENT, f"{queue.name}: {type(error).__name__}")
