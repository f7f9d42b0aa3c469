"""SQS over aioboto3: the reference for what each call returns, and the client of the rare calls."""

import json
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import urlsplit

import aioboto3
import anyio
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from streamapp.errors import ConfigError, Fault, ServiceError
from streamapp.messages import Delivery, Outgoing, Queue
from streamapp.sqs import wire
from streamapp.sqs.boto_errors import CLIENT_ERRORS, advice, bounded
from streamapp.sqs.client import SYSTEM_ATTRIBUTES, Failure
from streamapp.sqs.credentials import AwsSettings
from streamapp.sqs.names import name_in_arn, parse_arn, queue_name, region_of

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient

CONNECT_TIMEOUT = 3.0
"""Seconds to reach SQS; a region that takes longer is not usable."""

CALL_TIMEOUT = 5.0
"""Seconds that any call but a receive may take, retries included: its caller repeats it if need be."""

SETUP_TIMEOUT = 15.0
"""Seconds that a call at start may take: an emulator's first response is slow, and no message is in hand yet."""

SLACK = 5.0
"""Seconds beyond its wait that a receive may take: the timeout has to outlast the long poll."""


class _AioSession(Protocol):
    """What is used of aioboto3's session, whose own type has an overload for each of AWS's services."""

    def client(self, service_name: str, *, config: AioConfig) -> "AbstractAsyncContextManager[SQSClient]": ...


class BotoSqs:
    """SQS over two clients, so that ten waiting polls never take the connection that a delete needs."""

    def __init__(self, polls: "SQSClient", others: "SQSClient", settings: AwsSettings) -> None:
        self._polls = polls
        self._calls = others
        self.settings = settings
        self.endpoint: str = others.meta.endpoint_url
        self.region: str = others.meta.region_name

    async def find(self, name: str) -> Queue:
        """Return the queue of this name, URL or ARN; a missing queue is a CONFIGURATION fault."""
        arn = parse_arn(name)
        # An emulator has one region for all clients, whatever theirs is.
        is_anywhere = arn is not None and is_local(self.endpoint)
        if not is_anywhere and (region := region_of(name)) not in {None, self.region}:
            # The call would go to this region, where the queue is missing or is another one.
            detail = f"{name} is in {region}, but AWS_DEFAULT_REGION is {self.region}; correct one of the two"
            raise ServiceError("SQS", Fault.CONFIGURATION, detail)
        with bounded(SETUP_TIMEOUT, name):
            url = name
            if arn is not None:
                # The caller's own account may have a queue of the same name.
                found = await self._calls.get_queue_url(
                    QueueName=arn.name, QueueOwnerAWSAccountId=arn.account
                )
                url = found["QueueUrl"]
            elif not name.startswith(("http://", "https://")):
                url = (await self._calls.get_queue_url(QueueName=name))["QueueUrl"]
            response = await self._calls.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
            return _queue(url, {str(key): value for key, value in response.get("Attributes", {}).items()})

    async def receive(
        self, queue: Queue, *, limit: int, wait: float, visibility: int | None = None
    ) -> list[Delivery]:
        """Wait up to *wait* seconds (0..20) for 1..10 messages, invisible to others for *visibility* seconds."""
        asked_at = anyio.current_time()
        more: dict[str, Any] = {} if visibility is None else {"VisibilityTimeout": visibility}
        with bounded(wait + SLACK, queue.name):
            response = await self._polls.receive_message(
                QueueUrl=queue.url,
                MaxNumberOfMessages=limit,
                WaitTimeSeconds=int(wait),
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=SYSTEM_ATTRIBUTES,  # type: ignore[arg-type]  # str, not its literals
                **more,
            )
            return wire.deliveries(queue, wire.convert_receive(response), asked_at)

    async def send(self, queue: Queue, messages: Sequence[Outgoing]) -> list[Failure | None]:
        """Send messages."""
        entries = wire.numbered([wire.entry(message) for message in messages])
        with bounded(CALL_TIMEOUT, queue.name):
            response = await self._calls.send_message_batch(QueueUrl=queue.url, Entries=entries)  # type: ignore[arg-type]  # plain dicts
            return wire.outcomes(len(messages), wire.convert_batch(response))

    async def delete(self, queue: Queue, handles: Sequence[str]) -> list[Failure | None]:
        """Delete messages by receipt handle. Success proves nothing: SQS may accept a stale handle and do nothing."""
        with bounded(CALL_TIMEOUT, queue.name):
            response = await self._calls.delete_message_batch(
                QueueUrl=queue.url,
                Entries=[{"Id": str(n), "ReceiptHandle": handle} for n, handle in enumerate(handles)],
            )
            return wire.outcomes(len(handles), wire.convert_batch(response))

    async def change_visibility(
        self, queue: Queue, changes: Sequence[tuple[str, int]]
    ) -> list[Failure | None]:
        """Make the message of each (handle, seconds) visible again that many seconds from now."""
        with bounded(CALL_TIMEOUT, queue.name):
            response = await self._calls.change_message_visibility_batch(
                QueueUrl=queue.url,
                Entries=[
                    {"Id": str(n), "ReceiptHandle": handle, "VisibilityTimeout": seconds}
                    for n, (handle, seconds) in enumerate(changes)
                ],
            )
            return wire.outcomes(len(changes), wire.convert_batch(response))

    async def create(self, name: str, attributes: Mapping[str, str]) -> Queue:
        """Create the queue, or set these attributes (SQS's names) of an existing one."""
        with bounded(SETUP_TIMEOUT, name):
            try:
                url = (await self._calls.get_queue_url(QueueName=name))["QueueUrl"]
            except self._calls.exceptions.QueueDoesNotExist:
                created = await self._calls.create_queue(QueueName=name, Attributes=dict(attributes))  # type: ignore[arg-type]  # names are checked by SQS
                url = created["QueueUrl"]
            else:
                await self._calls.set_queue_attributes(QueueUrl=url, Attributes=dict(attributes))  # type: ignore[arg-type]  # as above
        return await self.find(url)

    async def attributes(self, queue: Queue) -> dict[str, str]:
        """Return all attributes of the queue, by SQS's names."""
        with bounded(CALL_TIMEOUT, queue.name):
            response = await self._calls.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["All"])
            return {str(name): value for name, value in response.get("Attributes", {}).items()}

    async def clock(self, queue: Queue) -> datetime | None:
        """Return the time of SQS's clock, to the second; None if the response has no date."""
        with bounded(CALL_TIMEOUT, queue.name):
            response = await self._calls.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["QueueArn"])
            date = response["ResponseMetadata"]["HTTPHeaders"].get("date")
            return None if date is None else parsedate_to_datetime(date)


@asynccontextmanager
async def open_aws(*, polls: int = 10) -> AsyncGenerator[BotoSqs]:
    """Open SQS with AWS's own chain of settings and credentials; *polls* receives may wait at once.

    Raises `ConfigError` when there is no region, no such profile, or a chain that fails.
    """
    for name, value in os.environ.items():
        if name.startswith("AWS_") and value != value.strip():
            # What comes out of a secret or a console often ends in a newline; the client would sign and send that.
            os.environ[name] = value.strip()
    async with AsyncExitStack() as stack:
        try:
            botocore_session = get_session()
            session = cast("_AioSession", aioboto3.Session(botocore_session=botocore_session))
            # The poller repeats a failed poll, so this client does not; and its timeout must outlast a long poll.
            poll_config = _config(read_timeout=30, max_pool_connections=polls + 2, attempts=1)
            poll_client = await stack.enter_async_context(session.client("sqs", config=poll_config))
            call_config = _config(read_timeout=5, max_pool_connections=32, attempts=3)
            call_client = await stack.enter_async_context(session.client("sqs", config=call_config))
        except CLIENT_ERRORS as error:
            raise ConfigError(f"AWS: {advice(error)}") from error
        yield BotoSqs(poll_client, call_client, AwsSettings(cast("Any", botocore_session)))


def is_local(endpoint: str) -> bool:
    """Whether *endpoint* is an emulator on this machine or in this compose network, and not AWS."""
    host = urlsplit(endpoint).hostname or ""
    if ":" in host:
        return ip_address(host).is_loopback
    return host == "127.0.0.1" or "." not in host or host.endswith(".localhost")


def _config(*, read_timeout: float, max_pool_connections: int, attempts: int) -> AioConfig:
    return AioConfig(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=read_timeout,
        max_pool_connections=max_pool_connections,
        retries={"mode": "standard", "total_max_attempts": attempts},
        # Both save time at every call: the user agent would be built anew, and valid parameters checked.
        user_agent="streamapp",
        parameter_validation=False,
    )


def _queue(url: str, attributes: Mapping[str, str]) -> Queue:
    redrive = json.loads(attributes.get("RedrivePolicy") or "{}")
    target = redrive.get("deadLetterTargetArn")
    receives = redrive.get("maxReceiveCount")
    return Queue(
        name=queue_name(url),
        url=url,
        visibility=float(attributes.get("VisibilityTimeout", 30)),
        max_bytes=int(attributes.get("MaximumMessageSize", 1_048_576)),
        fifo=attributes.get("FifoQueue") == "true",
        dead_letters=name_in_arn(target) if target else None,
        max_receives=int(receives) if receives else None,
        dead_letters_arn=target,
    )
