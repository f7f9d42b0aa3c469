"""A bench for SQS's rules: the same calls to any SQS, and their results in a few words."""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aioboto3
import anyio
from aiobotocore.config import AioConfig
from botocore.exceptions import ClientError

from streamapp.testing import MemorySqs, VirtualClock, serve, settle
from streamapp.testing.faults.refusal import Refusal, spelling_of
from streamapp.testing.sqs.json_protocol import JsonProtocol

Fields = dict[str, Any]


class Refused(Exception):
    """SQS refused a call; *code* is the JSON protocol's name of the error."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Bench:
    """One SQS under test. *pass_time* waits for seconds there; *prefix* makes the names of queues unique."""

    call: Callable[[str, Fields], Awaitable[Fields]]
    pass_time: Callable[[float], Awaitable[None]]
    prefix: str = "t"
    is_virtual: bool = True

    async def __call__(self, operation: str, **said: object) -> Fields:
        """Make a call, by SQS's own names."""
        return await self.call(operation, said)

    async def code(self, operation: str, **said: object) -> str:
        """Return the code with which this call is refused, else "done"."""
        try:
            await self.call(operation, said)
        except Refused as refused:
            return refused.code
        return "done"

    def name(self, short: str) -> str:
        """Return a queue name that no other test has."""
        return f"{self.prefix}-{short}"

    async def queue(self, short: str = "q", **attributes: str) -> str:
        """Create a queue and return its URL."""
        if short.endswith(".fifo"):
            attributes = {"FifoQueue": "true", **attributes}
        answer = await self("CreateQueue", QueueName=self.name(short), Attributes=attributes)
        return str(answer["QueueUrl"])

    async def arn(self, url: str) -> str:
        """Return a queue's ARN."""
        return await self.attribute(url, "QueueArn")

    async def attribute(self, url: str, name: str) -> str:
        """Return one attribute of a queue."""
        answer = await self("GetQueueAttributes", QueueUrl=url, AttributeNames=[name])
        return str(answer["Attributes"][name])

    async def send(self, url: str, *bodies: str, **more: object) -> list[str]:
        """Send these bodies one by one; return the message ids."""
        answers = [await self("SendMessage", QueueUrl=url, MessageBody=body, **more) for body in bodies]
        return [answer["MessageId"] for answer in answers]

    async def receive(self, url: str, limit: int = 10, **more: object) -> list[Fields]:
        """Return the messages that one receive brings."""
        answer = await self("ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=limit, **more)
        messages: list[Fields] = answer.get("Messages", [])
        return messages

    async def bodies(self, url: str, limit: int = 10, **more: object) -> list[str]:
        """Return the bodies of the messages that one receive brings."""
        return [message["Body"] for message in await self.receive(url, limit, **more)]

    async def one(self, url: str, **more: object) -> Fields:
        """Receive the one message that there is."""
        (message,) = await self.receive(url, **more)
        return message

    async def entries(self, operation: str, url: str, *entries: Fields) -> list[object]:
        """Return the outcome of each entry of a batch.

        It is "done", or its code and whether the sender is at fault, or "all" and the code of the whole call.
        """
        numbered = [{"Id": str(n), **entry} for n, entry in enumerate(entries)]
        try:
            answer = await self(operation, QueueUrl=url, Entries=numbered)
        except Refused as refused:
            return [f"all: {refused.code}"]
        outcomes: dict[str, object] = {done["Id"]: "done" for done in answer.get("Successful", [])}
        outcomes |= {f["Id"]: [f["Code"], f["SenderFault"]] for f in answer.get("Failed", [])}
        return [outcomes.get(entry["Id"], "missing") for entry in numbered]


@asynccontextmanager
async def memory_bench() -> AsyncIterator[Bench]:
    """The rules themselves, with virtual time and no network."""
    clock = VirtualClock()
    wire = JsonProtocol(MemorySqs(clock=clock).simulator, "http://memory/0")

    async def call(operation: str, said: Fields) -> Fields:
        try:
            said = json.loads(json.dumps(said, default=lambda raw: b64encode(raw).decode()))
            return json.loads(json.dumps(await wire.call(operation, said)), object_hook=_binary)
        except Refusal as refusal:
            raise Refused(spelling_of(refusal.code).shape) from refusal

    yield Bench(call, clock.advance)


@asynccontextmanager
async def http_bench() -> AsyncIterator[Bench]:
    """The HTTP server for tests, with virtual time, and a plain client."""
    clock = VirtualClock()
    async with serve(MemorySqs(clock=clock)) as endpoint, client_bench(endpoint, "t") as bench:
        yield Bench(bench.call, clock.advance)


@asynccontextmanager
async def client_bench(endpoint: str, prefix: str, *, late: float = 0.0) -> AsyncIterator[Bench]:
    """Any server at *endpoint*, in real time, through a plain client; messages may come *late* seconds later."""
    session = aioboto3.Session("test", "test", region_name="us-east-1")
    # The client must not check parameters: the server's own error is what is tested.
    config = AioConfig(parameter_validation=False, retries={"total_max_attempts": 1})
    async with session.client("sqs", endpoint_url=endpoint, config=config) as client:

        async def call(operation: str, said: Fields) -> Fields:
            method = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
            try:
                answer: Fields = await getattr(client, method)(**said)
            except ClientError as error:
                details = error.response["Error"]
                code = details.get("QueryErrorCode") or details["Code"]
                raise Refused(spelling_of(code).shape) from error
            return answer

        async def pass_time(seconds: float) -> None:
            await anyio.sleep(seconds + late)

        yield Bench(call, pass_time, prefix, is_virtual=False)


async def seen(
    claim: Callable[[Bench], Awaitable[object]], opening: AbstractAsyncContextManager[Bench]
) -> object:
    """Return what the claim of *rule* sees on the bench that *opening* opens."""
    async with opening as bench:
        return await claim(bench)


def _binary(fields: Fields) -> Fields:
    if "BinaryValue" in fields:
        fields["BinaryValue"] = b64decode(fields["BinaryValue"])
    return fields


async def begun(bench: Bench) -> None:
    """Return when a call that was started has reached the server."""
    if not bench.is_virtual:
        await anyio.sleep(0.15)
    else:
        await settle()
        await anyio.sleep(0.02)
        await settle()
