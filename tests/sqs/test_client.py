"""SQS by the AWS client and by our own calls, on moto's server, and on ours where something has to go wrong."""

import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from anyio import create_task_group, current_time, fail_after
from anyio.lowlevel import checkpoint

from streamapp.cli.demo.servers import local_aws
from streamapp.errors import ConfigError, Fault, ServiceError
from streamapp.flow.outage import Outage
from streamapp.messages import Outgoing, Queue, Typed
from streamapp.observe.counters import Counters
from streamapp.outbox.sender import Sender
from streamapp.sqs.boto import BotoSqs, is_local, open_aws, region_of
from streamapp.sqs.direct import DirectSqs
from streamapp.sqs.message_client import open_message_client
from streamapp.testing import Drip, Fail, Garble, Hang, MemorySqs, Partial, Reset
from streamapp.testing.sqs.server import serve


@pytest.fixture(params=["aioboto3", "fast"])
def client(request: pytest.FixtureRequest) -> str:
    """Whose calls messages take."""
    return str(request.param)


@pytest.fixture
async def aws(
    client: str, moto_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[BotoSqs | DirectSqs]:
    """Either client on moto's server."""
    for name, value in local_aws(moto_endpoint).items():
        monkeypatch.setenv(name, value)
    async with open_aws() as plain, open_message_client(plain, client) as opened:
        yield opened


@pytest.fixture
async def memory() -> MemorySqs:
    """An SQS that can be told to fail."""
    return MemorySqs()


@pytest.fixture
async def faulty(
    client: str, memory: MemorySqs, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[BotoSqs | DirectSqs]:
    """Either client on it, over HTTP."""
    async with serve(memory) as endpoint:
        for name, value in local_aws(endpoint).items():
            monkeypatch.setenv(name, value)
        async with open_aws() as plain, open_message_client(plain, client) as opened:
            yield opened


async def test_a_message_goes_in_and_comes_out(aws: BotoSqs | DirectSqs, prefix: str) -> None:
    """Body, attributes and counts survive both ways."""
    queue = await aws.create(prefix, {"VisibilityTimeout": "7"})
    typed = {
        "n": Typed("Number", "7"),
        "seal": Typed("Binary.x", b"\x00\xff"),
        "id": Typed("String.uuid", "é"),
    }
    await aws.send(queue, [Outgoing("é\n{}", {"kind": "a b"}, typed=typed)])
    before = current_time()
    (delivery,) = await aws.receive(queue, limit=10, wait=1)

    assert (delivery.body, delivery.attributes, delivery.receives) == ("é\n{}", {"kind": "a b"}, 1)
    assert delivery.typed == typed, "as it came"
    assert queue.visibility == 7
    assert before <= delivery.asked_at <= current_time()
    assert delivery.sent_at.tzinfo is not None


async def test_a_deleted_message_is_gone_and_a_released_one_is_back(
    aws: BotoSqs | DirectSqs, prefix: str
) -> None:
    """The three things that can become of a message in hand."""
    queue = await aws.create(prefix, {})
    await aws.send(queue, [Outgoing("a"), Outgoing("b")])
    first, second = await aws.receive(queue, limit=10, wait=1)

    assert await aws.delete(queue, [first.handle]) == [None]
    assert await aws.change_visibility(queue, [(second.handle, 0)]) == [None]

    (again,) = await aws.receive(queue, limit=10, wait=1)
    assert (again.message_id, again.receives) == (second.message_id, 2)


async def test_an_empty_receive_is_an_empty_list(aws: BotoSqs | DirectSqs, prefix: str) -> None:
    """SQS leaves the key out of its answer."""
    queue = await aws.create(prefix, {})

    assert await aws.receive(queue, limit=1, wait=0) == []


async def test_a_queue_is_found_by_name_and_by_url(aws: BotoSqs | DirectSqs, prefix: str) -> None:
    """Its variable may hold either."""
    created = await aws.create(prefix, {})

    assert await aws.find(created.name) == await aws.find(created.url) == created


async def test_creating_again_sets_what_changed(aws: BotoSqs | DirectSqs, prefix: str) -> None:
    """`queues create` may be run as often as one likes."""
    await aws.create(prefix, {"VisibilityTimeout": "7"})
    again = await aws.create(prefix, {"VisibilityTimeout": "9"})

    assert again.visibility == 9
    assert (await aws.attributes(again))["VisibilityTimeout"] == "9"


async def test_a_missing_queue_is_a_configuration_fault(aws: BotoSqs | DirectSqs, prefix: str) -> None:
    """At start it ends the start; somebody has to create it."""
    with pytest.raises(ServiceError) as caught:
        await aws.find(prefix)

    assert caught.value.fault is Fault.CONFIGURATION


async def test_a_handle_that_is_none_is_a_lost_lease(aws: BotoSqs | DirectSqs, prefix: str) -> None:
    """The entry fails, and the call does not."""
    queue = await aws.create(prefix, {})
    (failure,) = await aws.change_visibility(queue, [("nonsense", 5)])

    assert failure is not None


async def test_without_credentials_nothing_is_sent(
    moto_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said in words, with what to set."""
    for name, value in local_aws(moto_endpoint).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises((ServiceError, ConfigError), match="AWS_ACCESS_KEY_ID"):
        async with open_aws() as aws:
            await aws.find("any")


@pytest.mark.parametrize(("status", "kind"), [(200, ServiceError), (500, ConfigError)])
async def test_credentials_that_come_too_late_or_not_at_all_are_told_in_our_words(
    status: int, kind: type[Exception], memory: MemorySqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chain raises what no client error is, and quotes what came; it must neither end a worker nor be seen."""
    over = {"AccessKeyId": "a", "SecretAccessKey": "b", "Token": "c", "Expiration": "2020-01-01T00:00:00Z"}

    async def credentials(_: web.Request) -> web.Response:
        return web.json_response(over, status=status)

    app = web.Application()
    app.router.add_get("/", credentials)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with serve(memory) as endpoint:
        for name, value in local_aws(endpoint).items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            monkeypatch.setenv(name, "/dev/null")
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        monkeypatch.setattr("aiobotocore.utils.AioContainerMetadataFetcher.RETRY_ATTEMPTS", 1)
        with pytest.raises(kind) as caught:
            async with open_aws() as aws:
                await aws.find("any")
    await runner.cleanup()

    assert getattr(caught.value, "fault", Fault.CREDENTIALS) is Fault.CREDENTIALS
    assert "AccessKeyId" not in str(caught.value)


async def test_without_a_region_the_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The chain of settings is AWS's own; what is missing in it is named."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(ConfigError, match="AWS_DEFAULT_REGION"):
        async with open_aws():
            pass


async def test_an_endpoint_that_refuses_is_transient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network heals."""
    for name, value in local_aws("http://127.0.0.1:1").items():
        monkeypatch.setenv(name, value)
    async with open_aws() as aws:
        with pytest.raises(ServiceError) as caught:
            await aws.find("any")

    assert caught.value.fault is Fault.TRANSIENT


async def test_a_silent_server_is_given_up_at_the_deadline(
    faulty: BotoSqs | DirectSqs, memory: MemorySqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing waits for ever, and what heals is transient."""
    queue = await faulty.create("q", {})
    for module in ("sqs.boto", "sqs.direct"):
        monkeypatch.setattr(f"streamapp.{module}.SLACK", 0.2)
        monkeypatch.setattr(f"streamapp.{module}.CALL_TIMEOUT", 0.2)
    began = current_time()
    with memory.faults.add("*", Hang()):
        with pytest.raises(ServiceError) as polled:
            await faulty.receive(queue, limit=1, wait=0)
        with pytest.raises(ServiceError) as sent:
            await faulty.send(queue, [Outgoing("x")])

    assert (polled.value.fault, sent.value.fault) == (Fault.TRANSIENT, Fault.TRANSIENT)
    assert current_time() - began < 10


HOSTILE = [
    Reset(),
    Garble(),
    Garble(b""),
    Garble(b"\xff\x00"),
    Garble(b"[]"),
    Garble(b"null"),
    Garble(b'"x"'),
    Garble(b'{"Messages":[{}]}'),
    Garble(b'{"Messages":"x"}'),
    Garble(b'{"Messages":[{"MessageId":"1","ReceiptHandle":"2","Attributes":{"SentTimestamp":"x"}}]}'),
    Garble(status=500),
    Garble(status=403),
    Garble(b"", status=503),
    Fail("RequestThrottled"),
    Fail("ServiceUnavailable"),
]


async def test_whatever_comes_back_only_a_service_error_is_raised(
    faulty: BotoSqs | DirectSqs, memory: MemorySqs
) -> None:
    """An exception of another kind would end the worker, and a garbled answer is no success."""
    wrong: list[tuple[str, str, object]] = []
    other_batches = {"send", "delete", "change_visibility"}

    async def call(effect: object, operation: str, queue: Queue) -> None:
        calls = {
            "receive": lambda: faulty.receive(queue, limit=1, wait=0),
            "send": lambda: faulty.send(queue, [Outgoing("x")]),
            "delete": lambda: faulty.delete(queue, ["h"]),
            "change_visibility": lambda: faulty.change_visibility(queue, [("h", 1)]),
            "find": lambda: faulty.find(queue.name),
            "attributes": lambda: faulty.attributes(queue),
        }
        try:
            answer = await calls[operation]()
        except ServiceError as error:
            if error.fault not in {Fault.TRANSIENT, Fault.CONFIGURATION}:
                wrong.append((repr(effect), operation, error))
        except Exception as error:  # noqa: BLE001 - that is what must not be
            wrong.append((repr(effect), operation, error))
        else:
            if operation in other_batches and None in list(answer):
                wrong.append((repr(effect), operation, answer))

    async with create_task_group() as tasks:
        for number, effect in enumerate(HOSTILE):
            await memory.create(f"q{number}", {})
            queue = await faulty.find(f"q{number}")
            memory.faults.add("*", effect, queue=queue.name)
            for operation in ("receive", "find", "attributes", *other_batches):
                tasks.start_soon(call, effect, operation, queue)

    assert wrong == []


async def test_entries_that_the_answer_does_not_name_were_not_done(
    faulty: BotoSqs | DirectSqs, memory: MemorySqs
) -> None:
    """HTTP 200 is no success of each entry."""
    queue = await faulty.create("q", {})
    memory.faults.add("send", Partial(0b0101, missing=True), times=1)
    outcomes = await faulty.send(queue, [Outgoing(str(n)) for n in range(4)])

    assert [outcome is None for outcome in outcomes] == [False, True, False, True]


@pytest.mark.parametrize("identity", ["00", "\u0660", "10", "x", ""])
async def test_an_id_that_was_not_asked_about_is_no_success(
    faulty: BotoSqs | DirectSqs, memory: MemorySqs, identity: str
) -> None:
    """Only the very id that an entry had speaks of it."""
    queue = await faulty.create("q", {})
    answer = json.dumps(
        {"Successful": [{"Id": identity, "MessageId": "m", "MD5OfMessageBody": "d"}]}
    ).encode()
    memory.faults.add("send", Garble(answer), times=1)
    (failure,) = await faulty.send(queue, [Outgoing("x")])

    assert failure is not None
    assert not failure.is_final


async def test_a_sender_fault_is_passed_on(faulty: BotoSqs | DirectSqs, memory: MemorySqs) -> None:
    """Whether an entry may go again is SQS's to say."""
    queue = await faulty.create("q", {})
    memory.faults.add("send", Partial(1, code="InvalidMessageContents", sender_fault=True), times=1)
    (failure,) = await faulty.send(queue, [Outgoing("x")])

    assert failure is not None
    assert (failure.code, failure.sender_fault) == ("InvalidMessageContents", True)


async def test_a_batch_that_a_proxy_finds_too_large_goes_in_halves(
    faulty: BotoSqs | DirectSqs, memory: MemorySqs
) -> None:
    """Nginx takes 1 MiB in all by default, and knows none of SQS's codes; the same again is vain."""
    queue = await faulty.create("q", {})
    outbox = Sender(faulty, queue, Outage("SQS", checkpoint), Counters())
    memory.faults.add("send", Garble(b"<h1>413</h1>", status=413, took_effect=False), times=1)
    async with create_task_group() as tasks:
        await tasks.start(outbox.batcher.run)
        with fail_after(30):
            outcomes = await outbox.batcher.submit_all([Outgoing("x"), Outgoing("y")])
        outbox.batcher.close()

    assert outcomes == [None, None]
    assert sorted(memory.bodies(queue)) == ["x", "y"]
    assert len(memory.ledger.calls("send")) == 3


async def test_a_dripping_answer_is_given_up(
    faulty: BotoSqs | DirectSqs, memory: MemorySqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read timeout alone would wait for each byte."""
    for module in ("sqs.boto", "sqs.direct"):
        monkeypatch.setattr(f"streamapp.{module}.SLACK", 0.3)
    queue = await faulty.create("q", {})
    memory.faults.add("receive", Drip(0.05), times=1)
    began = current_time()
    with pytest.raises(ServiceError):
        await faulty.receive(queue, limit=1, wait=0)

    assert current_time() - began < 2


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://sqs.sa-east-1.amazonaws.com/123/orders", "sa-east-1"),
        ("https://sa-east-1.queue.amazonaws.com/123/orders", "sa-east-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/123/orders", "cn-north-1"),
        ("https://queue.amazonaws.com/123/orders", None),
        ("http://localhost:4566/000000000000/orders", None),
        ("http://sqs.sa-east-1.localhost.localstack.cloud:4566/000000000000/orders", None),
        ("orders", None),
    ],
)
def test_a_url_of_a_queue_names_its_region(url: str, region: str | None) -> None:
    """What names none is anywhere."""
    assert region_of(url) == region


async def test_a_queue_of_another_region_is_told_by_both_regions(aws: BotoSqs) -> None:
    """SQS would be asked in the wrong region, and say that there is no such queue."""
    with pytest.raises(ServiceError, match=r"is in eu-west-1, but AWS_DEFAULT_REGION is us-east-1") as caught:
        await aws.find("https://sqs.eu-west-1.amazonaws.com/123456789012/orders")

    assert caught.value.fault is Fault.CONFIGURATION


@pytest.mark.parametrize(
    ("endpoint", "local"),
    [
        ("http://localhost:4566", True),
        ("http://127.0.0.1:9324", True),
        ("http://[::1]:1", True),
        ("http://[2001:db8::5]:4566", False),
        ("http://[fe80::1%25eth0]:4566", False),
        ("http://elasticmq:9324", True),
        ("http://sqs.localhost", True),
        ("https://sqs.sa-east-1.amazonaws.com", False),
        ("https://localhost.evil.com", False),
    ],
)
def test_an_emulator_is_known_by_its_host(endpoint: str, local: bool) -> None:
    """What may be destroyed without asking."""
    assert is_local(endpoint) is local
