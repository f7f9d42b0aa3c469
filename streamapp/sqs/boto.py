"""SQS through aioboto3: the reference for what each call answers, and the way of the rare ones."""

import json
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import urlsplit

import aioboto3
import anyio
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from streamapp.errors import ConfigError, Fault, ServiceError
from streamapp.messages import Delivery, Outgoing, Queue, Typed
from streamapp.sqs import wire as calls
from streamapp.sqs.boto_errors import FOREIGN, advice, ours
from streamapp.sqs.client import SYSTEM_ATTRIBUTES, Failure
from streamapp.sqs.credentials import Chain

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient

CONNECT_TIMEOUT = 3.0
"""Seconds to reach SQS; a region that takes longer is not usable."""

CALL_TIMEOUT = 5.0
"""Seconds that any call but a receive may take in all, retries included: whoever waits for it has others to try."""

SETUP_TIMEOUT = 15.0
"""Seconds that a call at start may take: an emulator's first answer is slow, and nobody holds messages yet."""

SLACK = 5.0
"""Seconds beyond its wait after which a receive is given up: the read timeout has to outlast the long poll."""


class _Session(Protocol):
    """What is used of aioboto3's session, which has a signature for each of AWS's services."""

    def client(self, service_name: str, *, config: AioConfig) -> "AbstractAsyncContextManager[SQSClient]": ...


class BotoSqs:
    """SQS over two clients, so that ten waiting polls never keep an acknowledgement from a connection."""

    def __init__(self, polls: "SQSClient", others: "SQSClient", chain: Chain) -> None:
        self._polls = polls
        self._calls = others
        self.chain = chain
        self.endpoint: str = others.meta.endpoint_url
        self.region: str = others.meta.region_name

    async def find(self, name: str) -> Queue:
        """Return the queue of this name or URL; a missing one is a CONFIGURATION fault."""
        if (region := region_of(name)) not in {None, self.region}:
            # SQS would be asked all the same, where such a queue does not exist, or is another one.
            detail = f"{name} is in {region}, but AWS_DEFAULT_REGION is {self.region}; set one of them right"
            raise ServiceError("SQS", Fault.CONFIGURATION, detail)
        with ours(SETUP_TIMEOUT, name):
            url = name
            if not name.startswith(("http://", "https://")):
                url = (await self._calls.get_queue_url(QueueName=name))["QueueUrl"]
            answer = await self._calls.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
            return _queue(url, {str(key): value for key, value in answer.get("Attributes", {}).items()})

    async def receive(self, queue: Queue, *, limit: int, wait: float) -> list[Delivery]:
        """Long-poll for 1..10 messages for *wait* seconds (0..20); answer as soon as there is one."""
        asked_at = anyio.current_time()
        with ours(wait + SLACK, queue.name):
            answer = await self._polls.receive_message(
                QueueUrl=queue.url,
                MaxNumberOfMessages=limit,
                WaitTimeSeconds=int(wait),
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=SYSTEM_ATTRIBUTES,  # type: ignore[arg-type]  # texts, not its literals
            )
            return [_delivery(queue, message, asked_at) for message in answer.get("Messages", [])]

    async def send(self, queue: Queue, messages: Sequence[Outgoing]) -> list[Failure | None]:
        """Send messages."""
        entries = calls.numbered([calls.entry(message) for message in messages])
        with ours(CALL_TIMEOUT, queue.name):
            answer = await self._calls.send_message_batch(QueueUrl=queue.url, Entries=entries)  # type: ignore[arg-type]  # built there
            return _outcomes(len(messages), answer)

    async def delete(self, queue: Queue, handles: Sequence[str]) -> list[Failure | None]:
        """Delete messages by receipt handle. Success is no proof: a stale handle may succeed and do nothing."""
        with ours(CALL_TIMEOUT, queue.name):
            answer = await self._calls.delete_message_batch(
                QueueUrl=queue.url,
                Entries=[{"Id": str(n), "ReceiptHandle": handle} for n, handle in enumerate(handles)],
            )
            return _outcomes(len(handles), answer)

    async def change_visibility(
        self, queue: Queue, changes: Sequence[tuple[str, int]]
    ) -> list[Failure | None]:
        """Let each message of (handle, seconds) come back that many seconds from now."""
        with ours(CALL_TIMEOUT, queue.name):
            answer = await self._calls.change_message_visibility_batch(
                QueueUrl=queue.url,
                Entries=[
                    {"Id": str(n), "ReceiptHandle": handle, "VisibilityTimeout": seconds}
                    for n, (handle, seconds) in enumerate(changes)
                ],
            )
            return _outcomes(len(changes), answer)

    async def create(self, name: str, attributes: Mapping[str, str]) -> Queue:
        """Create the queue, or set these attributes (SQS's names) of one that is there."""
        with ours(SETUP_TIMEOUT, name):
            try:
                url = (await self._calls.get_queue_url(QueueName=name))["QueueUrl"]
            except self._calls.exceptions.QueueDoesNotExist:
                created = await self._calls.create_queue(QueueName=name, Attributes=dict(attributes))  # type: ignore[arg-type]  # names are checked by SQS
                url = created["QueueUrl"]
            else:
                await self._calls.set_queue_attributes(QueueUrl=url, Attributes=dict(attributes))  # type: ignore[arg-type]  # as above
        return await self.find(url)

    async def attributes(self, queue: Queue) -> dict[str, str]:
        """Return all queue attributes, by SQS's names."""
        with ours(CALL_TIMEOUT, queue.name):
            answer = await self._calls.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["All"])
            return {str(name): value for name, value in answer.get("Attributes", {}).items()}

    async def clock(self, queue: Queue) -> datetime | None:
        """Return what time it is at SQS, to the second; None where it does not say."""
        with ours(CALL_TIMEOUT, queue.name):
            answer = await self._calls.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["QueueArn"])
            date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
            return None if date is None else parsedate_to_datetime(date)


@asynccontextmanager
async def open_aws(*, polls: int = 10) -> AsyncGenerator[BotoSqs]:
    """Open SQS with AWS's own chain of settings and credentials; *polls* receives may wait at once.

    Raises `ConfigError` when there is no region, no such profile, or a chain that fails.
    """
    async with AsyncExitStack() as stack:
        try:
            below = get_session()
            session = cast("_Session", aioboto3.Session(botocore_session=below))
            # A poll is asked again anyway, so its client must not; and it must outlast a long poll.
            poll_config = _config(read_timeout=30, max_pool_connections=polls + 2, attempts=1)
            poll_client = await stack.enter_async_context(session.client("sqs", config=poll_config))
            call_config = _config(read_timeout=5, max_pool_connections=32, attempts=3)
            call_client = await stack.enter_async_context(session.client("sqs", config=call_config))
        except FOREIGN as error:
            raise ConfigError(f"AWS: {advice(error)}") from error
        yield BotoSqs(poll_client, call_client, Chain(cast("Any", below)))


def is_local(endpoint: str) -> bool:
    """Whether *endpoint* is an emulator on this machine or in this compose network, not AWS."""
    host = urlsplit(endpoint).hostname or ""
    if ":" in host:
        return ip_address(host).is_loopback
    return host == "127.0.0.1" or "." not in host or host.endswith(".localhost")


def region_of(url: str) -> str | None:
    """Return the region that a queue's URL names, None where it names none, as a name of a queue and an emulator's."""
    match = re.match(r"https://(?:sqs\.([a-z0-9-]+)|([a-z0-9-]+)\.queue)\.(?:amazonaws\.com|api\.aws)", url)
    return None if match is None else match[1] or match[2]


def _config(*, read_timeout: float, max_pool_connections: int, attempts: int) -> AioConfig:
    return AioConfig(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=read_timeout,
        max_pool_connections=max_pool_connections,
        retries={"mode": "standard", "total_max_attempts": attempts},
        # Both save time at every call: the name is rebuilt for each, and what is sent here is well-formed.
        user_agent="streamapp",
        parameter_validation=False,
    )


def _queue(url: str, attributes: Mapping[str, str]) -> Queue:
    redrive = json.loads(attributes.get("RedrivePolicy") or "{}")
    target = redrive.get("deadLetterTargetArn")
    receives = redrive.get("maxReceiveCount")
    return Queue(
        name=url.rstrip("/").rsplit("/", 1)[-1],
        url=url,
        visibility=float(attributes.get("VisibilityTimeout", 30)),
        max_bytes=int(attributes.get("MaximumMessageSize", 1_048_576)),
        fifo=attributes.get("FifoQueue") == "true",
        dead_letters=target.rsplit(":", 1)[-1] if target else None,
        max_receives=int(receives) if receives else None,
    )


def _delivery(queue: Queue, message: Mapping[str, Any], asked_at: float) -> Delivery:
    system = message.get("Attributes", {})
    return Delivery(
        queue=queue,
        message_id=message["MessageId"],
        handle=message["ReceiptHandle"],
        body=message.get("Body", ""),
        receives=int(system.get("ApproximateReceiveCount") or 1),
        sent_at=datetime.fromtimestamp(int(system.get("SentTimestamp") or 0) / 1000, UTC),
        asked_at=asked_at,
        attributes={
            name: value.get("StringValue", "")
            for name, value in message.get("MessageAttributes", {}).items()
            if value.get("DataType") == "String"
        },
        group=system.get("MessageGroupId"),
        typed={
            name: Typed(value["DataType"], value.get("BinaryValue", value.get("StringValue", "")))
            for name, value in message.get("MessageAttributes", {}).items()
            if value.get("DataType") != "String"
        },
        xray=system.get("AWSTraceHeader"),
    )


def _outcomes(entries: int, answer: Mapping[str, Any]) -> list[Failure | None]:
    """Return one outcome an entry; an entry that the answer does not name, by the very id it had, was not done."""
    outcomes: dict[str, Failure | None] = {str(n): Failure("MissingFromAnswer") for n in range(entries)}
    outcomes |= {done["Id"]: None for done in answer.get("Successful", [])}
    for failed in answer.get("Failed", []):
        outcomes[failed["Id"]] = Failure(
            failed.get("Code", "Unknown"), bool(failed.get("SenderFault")), failed.get("Message", "")
        )
    return [outcomes[str(n)] for n in range(entries)]
