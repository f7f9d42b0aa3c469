"""The SQS for tests over HTTP: faults of the transport, and the server as a process."""

import signal
import sys
from collections.abc import AsyncIterator

import aioboto3
import anyio
import pytest
from anyio.abc import Process

from streamapp.cli.demo.servers import local_aws
from streamapp.errors import Fault, ServiceError
from streamapp.messages import Outgoing, Queue
from streamapp.sqs.boto import BotoSqs, open_aws
from streamapp.sqs.client import Failure
from streamapp.testing import (
    MISSING,
    Drip,
    Effect,
    Fail,
    Garble,
    Hang,
    Lose,
    MemorySqs,
    Partial,
    Reset,
    serve,
)


@pytest.fixture
def anyio_backend() -> str:
    """Asyncio, because aiohttp needs it."""
    return "asyncio"


@pytest.fixture
async def sqs() -> MemorySqs:
    """An SQS in real time."""
    return MemorySqs()


@pytest.fixture
async def client(sqs: MemorySqs, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[BotoSqs]:
    """The engine's own client, connected to the server for tests."""
    async with serve(sqs) as endpoint:
        for name, value in local_aws(endpoint).items():
            monkeypatch.setenv(name, value)
        async with open_aws() as opened:
            yield opened


@pytest.fixture
async def queue(client: BotoSqs) -> Queue:
    """A queue, as the engine's client finds it."""
    return await client.create("q", {"VisibilityTimeout": "30"})


async def test_the_engines_client_and_memory_see_one_queue(
    sqs: MemorySqs, client: BotoSqs, queue: Queue
) -> None:
    """What a test arranges in memory a worker sees over HTTP."""
    await sqs.send(queue, [Outgoing("olá", {"kind": "pedido"}, group="g")])

    (delivery,) = await client.receive(queue, limit=10, wait=0)
    outcomes = await client.delete(queue, [delivery.handle, "garbage"])

    assert (delivery.body, delivery.attributes, delivery.group) == ("olá", {"kind": "pedido"}, "g")
    assert outcomes == [None, Failure("ReceiptHandleIsInvalid", sender_fault=True)]
    assert len(sqs.ledger.deleted("q")) == 1


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        (Fail("RequestThrottled"), Fault.TRANSIENT),
        (Fail("InternalError"), Fault.TRANSIENT),
        (Fail("ServiceUnavailable", status=503), Fault.TRANSIENT),
        (Fail("ExpiredToken"), Fault.CREDENTIALS),
        (Fail("AccessDenied"), Fault.CONFIGURATION),
        (Fail("OverLimit"), Fault.CAPACITY),
        (Lose(), Fault.TRANSIENT),
        (Reset(took_effect=False), Fault.TRANSIENT),
        (Garble(status=502), Fault.TRANSIENT),
    ],
)
async def test_the_engines_client_sees_the_fault(
    sqs: MemorySqs, client: BotoSqs, queue: Queue, effect: Effect, expected: Fault
) -> None:
    """In memory and over HTTP a fault is the same fault."""
    sqs.faults.add("receive", effect)

    with pytest.raises(ServiceError) as caught:
        await client.receive(queue, limit=1, wait=0)

    assert caught.value.fault is expected


async def test_entries_fail_or_are_missing_over_http(sqs: MemorySqs, client: BotoSqs, queue: Queue) -> None:
    """The response names some entries, and others not."""
    sqs.faults.add("send", Partial(0b001, "KmsThrottled"), times=1)
    sqs.faults.add("send", Partial(0b100, missing=True), times=1)

    outcomes = await client.send(queue, [Outgoing(str(n)) for n in range(3)])

    assert outcomes == [Failure("KmsThrottled"), None, Failure(MISSING)]
    assert sqs.bodies(queue) == ["1"]


@pytest.mark.parametrize("effect", [Hang(), Hang(took_effect=True), Drip(0.05)])
async def test_silence_and_a_drip_outlast_the_caller(
    sqs: MemorySqs, client: BotoSqs, queue: Queue, effect: Effect
) -> None:
    """A read timeout does not see a drip; a deadline does."""
    with sqs.faults.add("attributes", effect), anyio.move_on_after(0.3) as scope:
        await client.attributes(queue)

    assert scope.cancelled_caught
    assert await client.attributes(queue)


@pytest.mark.parametrize("body", [b"", b"<html>Bad Gateway</html>", b"{"])
async def test_a_plain_client_takes_garbage_for_an_empty_response(sqs: MemorySqs, body: bytes) -> None:
    """The client does not tell the two apart, so its callers must check for what a response has to hold."""
    await sqs.create("q", {})
    session = aioboto3.Session("test", "test", region_name="us-east-1")
    sqs.faults.add("attributes", Garble(body))

    async with serve(sqs) as endpoint, session.client("sqs", endpoint_url=endpoint) as client:
        answer = await client.get_queue_attributes(QueueUrl=f"{endpoint}/0/q", AttributeNames=["All"])

    assert "Attributes" not in answer


async def test_it_runs_as_a_process_of_its_own() -> None:
    """Workers under test may be processes."""
    command = [sys.executable, "-m", "streamapp.testing", "--port", "0", "--queue", "q"]

    async with await anyio.open_process(command) as process:
        endpoint = await first_line(process)
        session = aioboto3.Session("test", "test", region_name="us-east-1")
        async with session.client("sqs", endpoint_url=endpoint) as client:
            url = (await client.get_queue_url(QueueName="q"))["QueueUrl"]
        process.send_signal(signal.SIGTERM)
        ended = await process.wait()

    assert url == f"{endpoint}/000000000000/q"
    assert ended == 0


async def first_line(process: Process) -> str:
    """Return the first line that a process prints."""
    assert process.stdout is not None
    text = b""
    with anyio.fail_after(20):
        while not text.endswith(b"\n"):
            text += await process.stdout.receive()
    return text.decode().strip()
