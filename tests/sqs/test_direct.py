"""Our own calls against the AWS client's: for every way in which SQS can say no, the same class of error."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from msgspec.structs import replace

from streamapp.cli.demo.servers import local_aws
from streamapp.errors import ConfigError, Fault, ServiceError
from streamapp.messages import Outgoing, Queue, Typed
from streamapp.sqs.boto import BotoSqs, open_aws
from streamapp.sqs.client import Failure, Sqs
from streamapp.sqs.direct import DirectSqs, open_fast
from streamapp.sqs.message_client import open_message_client
from streamapp.testing import Fail, Garble, MemorySqs, Partial, Reset
from streamapp.testing.faults.refusal import _SPELLINGS
from streamapp.testing.sqs.message import Letter
from streamapp.testing.sqs.server import serve

XRAY = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


@dataclass(frozen=True)
class Both:
    """The same SQS by both clients."""

    memory: MemorySqs
    aws: BotoSqs
    fast: DirectSqs
    queue: Queue


@pytest.fixture
async def both(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Both]:
    """Both clients on our server."""
    memory = MemorySqs()
    async with serve(memory) as endpoint:
        for name, value in local_aws(endpoint).items():
            monkeypatch.setenv(name, value)
        async with open_aws() as aws:
            queue = await aws.create("q", {})
            route = aws.chain.route(aws.endpoint)
            assert route is not None
            async with open_fast(aws, route) as fast:
                yield Both(memory, aws, fast, queue)


Operation = Callable[[Sqs, Queue], Awaitable[object]]

OPERATIONS: dict[str, Operation] = {
    "receive": lambda sqs, queue: sqs.receive(queue, limit=1, wait=0),
    "send": lambda sqs, queue: sqs.send(queue, [Outgoing("x"), Outgoing("y", {"a": "é"}, "g")]),
    "delete": lambda sqs, queue: sqs.delete(queue, ["h", "i"]),
    "change_visibility": lambda sqs, queue: sqs.change_visibility(queue, [("h", 1)]),
}


async def outcome(operation: Operation, sqs: Sqs, queue: Queue) -> object:
    """Return what came of a call: its answer, or the class of its error and what it says."""
    try:
        return await operation(sqs, queue)
    except ServiceError as error:
        return error.fault, str(error)


# Those that heal are tried again by the AWS client, which takes its time; a few stand for all.
SLOW = {"InternalError", "ServiceUnavailable", "RequestThrottled", "KmsThrottled"}
CODES = [*(code for code in _SPELLINGS if code not in SLOW), "RequestExpired", "SomethingNew"]


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_every_refusal_is_the_same_by_both(both: Both, operation: str) -> None:
    """The table of errors speaks of SQS, not of a client."""
    texts = {"InvalidParameterValue": "Total VisibilityTimeout for the message is beyond the limit"}
    for code in CODES:
        with both.memory.faults.add(operation, Fail(code, texts.get(code, ""))):
            expected = await outcome(OPERATIONS[operation], both.aws, both.queue)
            assert await outcome(OPERATIONS[operation], both.fast, both.queue) == expected
            assert isinstance(expected, tuple)


@pytest.mark.parametrize(
    "effect",
    [Fail("RequestThrottled"), Fail("InternalError"), Garble(status=503), Garble(b"", status=500), Reset()],
)
async def test_what_heals_is_transient_by_both(both: Both, effect: Fail | Garble | Reset) -> None:
    """Whatever its words."""
    with both.memory.faults.add("*", effect):
        for operation in ("receive", "delete"):
            by_aws = await outcome(OPERATIONS[operation], both.aws, both.queue)
            by_fast = await outcome(OPERATIONS[operation], both.fast, both.queue)
            assert isinstance(by_aws, tuple)
            assert isinstance(by_fast, tuple)
            assert by_aws[0] is by_fast[0] is Fault.TRANSIENT


@pytest.mark.parametrize("operation", ["send", "delete", "change_visibility"])
async def test_every_failed_entry_is_the_same_by_both(both: Both, operation: str) -> None:
    """HTTP 200 carries failures too."""
    for effect in (
        Partial(0b01, code="KmsThrottled"),
        Partial(0b11, code="InvalidMessageContents", sender_fault=True),
        Partial(0b01, missing=True),
    ):
        with both.memory.faults.add(operation, effect):
            expected = await outcome(OPERATIONS[operation], both.aws, both.queue)
            assert await outcome(OPERATIONS[operation], both.fast, both.queue) == expected


async def test_an_answer_that_cannot_be_read_is_no_success(both: Both) -> None:
    """The AWS client takes one for an empty answer; here a poll is told that something is wrong."""
    with both.memory.faults.add("*", Garble()):
        for operation in OPERATIONS.values():
            found = await outcome(operation, both.fast, both.queue)
            assert isinstance(found, tuple)
            assert found[0] is Fault.TRANSIENT


FULL = (
    '{"MessageId": "1", "ReceiptHandle": "h", "Body": "b", "Attributes": {"SentTimestamp": "1000"}, '
    '"MessageAttributes": {"a": {"DataType": "String", "StringValue": "x"}}}'
)
BINARY = '{"DataType": "Binary", "StringValue": null, "BinaryValue": "eA=="}'
NULLS = [
    ("Body", '"Body": "b"', '"Body": null'),
    ("Attributes", '{"SentTimestamp": "1000"}', "null"),
    ("SentTimestamp", '"1000"', 'null, "ApproximateReceiveCount": null'),
    ("MessageAttributes", '{"a": {"DataType": "String", "StringValue": "x"}}', "null"),
    ("StringValue", '"StringValue": "x"', '"StringValue": null'),
    ("StringValue of bytes", '{"DataType": "String", "StringValue": "x"}', BINARY),
    ("BinaryValue", '"StringValue": "x"', '"StringValue": "x", "BinaryValue": null'),
]


@pytest.mark.parametrize(("told", "by"), [pytest.param(told, by, id=what) for what, told, by in NULLS])
async def test_null_is_as_good_as_nothing_by_both(both: Both, told: str, by: str) -> None:
    """Emulators in Go and Java write it; one such message must not spoil all that came with it."""
    assert told in FULL
    garbled = Garble(f'{{"Messages": [{FULL.replace(told, by)}, {FULL}]}}'.encode())
    with both.memory.faults.add("receive", garbled):
        by_aws = await both.aws.receive(both.queue, limit=2, wait=0)
        by_fast = await both.fast.receive(both.queue, limit=2, wait=0)

    assert [replace(each, asked_at=0.0) for each in by_fast] == [
        replace(each, asked_at=0.0) for each in by_aws
    ]
    assert (by_fast[1].body, by_fast[1].attributes) == ("b", {"a": "x"})


@pytest.mark.parametrize("field", ["Code", "SenderFault", "Message"])
async def test_null_spoils_no_outcome_of_a_batch(both: Both, field: str) -> None:
    """What cannot be read is sent again, for ever."""
    failed = {"Id": "1", "Code": "InvalidMessageContents", "SenderFault": True, "Message": "m"}
    answer = {"Successful": [{"Id": "0", "MessageId": "m"}], "Failed": [{**failed, field: None}]}
    with both.memory.faults.add("send", Garble(json.dumps(answer).encode())):
        expected = await OPERATIONS["send"](both.aws, both.queue)
        assert await OPERATIONS["send"](both.fast, both.queue) == expected

    assert isinstance(expected, list)
    assert expected[0] is None
    assert isinstance(expected[1], Failure)


@pytest.mark.parametrize("text", ["message", "Message"])
async def test_a_refusal_without_words_keeps_its_code_by_both(both: Both, text: str) -> None:
    """The code alone says what to do."""
    kind = "com.amazonaws.sqs#QueueDoesNotExist"
    garbled = Garble(json.dumps({"__type": kind, text: None}).encode(), status=400)
    with both.memory.faults.add("*", garbled):
        for operation in OPERATIONS.values():
            expected = await outcome(operation, both.aws, both.queue)
            assert isinstance(expected, tuple)
            assert expected[0] is Fault.CONFIGURATION
            assert await outcome(operation, both.fast, both.queue) == expected


TYPED = {"n": Typed("Number", "7"), "seal": Typed("Binary.x", b"\x00\xff")}


async def test_both_bring_the_same_deliveries(both: Both) -> None:
    """Body, attributes, group, counts and times, to the letter."""
    bodies = ["é\n{}", "\U0001f354", '"\\', "x" * 200_000]
    for body in bodies:
        await both.fast.send(
            both.queue, [Outgoing(body, {"kind": "a b", "c": "ç\u00a0"}, "tenant", typed=TYPED)]
        )
    by_fast = [(await both.fast.receive(both.queue, limit=1, wait=0))[0] for _ in bodies]
    await both.fast.change_visibility(both.queue, [(each.handle, 0) for each in by_fast])
    by_aws = [(await both.aws.receive(both.queue, limit=1, wait=0))[0] for _ in bodies]

    def told(deliveries: list[object]) -> list[object]:
        fields = ("message_id", "body", "sent_at", "attributes", "group", "queue", "typed")
        return [tuple(getattr(each, name) for name in fields) for each in deliveries]

    assert told([*by_fast]) == told([*by_aws])
    assert [each.body for each in by_fast] == bodies
    assert [each.typed for each in by_fast] == [TYPED] * 4
    assert [each.receives for each in [*by_fast, *by_aws]] == [1] * 4 + [2] * 4
    assert await both.fast.delete(both.queue, [each.handle for each in by_aws]) == [None] * 4
    assert both.memory.bodies(both.queue) == []


async def test_both_tell_where_xray_says_that_a_message_was_made(both: Both) -> None:
    """AWS's own services put their header there, and no attribute."""
    letters = [Letter("a", trace=XRAY), Letter("b", trace=XRAY), Letter("c")]
    await both.memory.service.send("q", letters, ["0", "1", "2"])

    (by_fast,) = await both.fast.receive(both.queue, limit=1, wait=0)
    by_aws, without = await both.aws.receive(both.queue, limit=2, wait=0)

    assert (by_fast.xray, by_aws.xray, without.xray) == (XRAY, XRAY, None)


async def test_a_handle_that_is_none_fails_alone(both: Both) -> None:
    """Its neighbours are deleted."""
    await both.fast.send(both.queue, [Outgoing("x")])
    (delivery,) = await both.fast.receive(both.queue, limit=1, wait=0)

    outcomes = await both.fast.delete(both.queue, ["nonsense", delivery.handle])

    assert outcomes == [Failure("ReceiptHandleIsInvalid", sender_fault=True), None]


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[str, list[dict[str, str]]]]:
    """Run a server that answers an empty receive, and writes down the headers of each request."""
    heard: list[dict[str, str]] = []

    async def handle(request: web.Request) -> web.Response:
        heard.append(dict(request.headers))
        attributes = request.headers["X-Amz-Target"].endswith("GetQueueAttributes")
        return web.Response(text=json.dumps({"Attributes": {}} if attributes else {}))

    async with answering(handle) as endpoint:
        yield endpoint, heard


@asynccontextmanager
async def saying(status: int, text: str) -> AsyncIterator[str]:
    """Run a server that says the same to everybody."""

    async def handle(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text)

    async with answering(handle) as endpoint:
        yield endpoint


@asynccontextmanager
async def answering(handle: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    """Run a server of one handler; answer where."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_keys_that_were_renewed_are_signed_with(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A role's keys live for an hour, a worker for weeks."""
    keys, process = tmp_path / "keys.json", tmp_path / "config"
    process.write_text(f"[default]\ncredential_process = cat {keys}\n")
    # Those that expire within minutes are asked for again at each call.
    soon = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    renewed = {"Version": 1, "SecretAccessKey": "s", "Expiration": soon}

    def renew(number: int) -> None:
        keys.write_text(
            json.dumps({**renewed, "AccessKeyId": f"KEY{number}", "SessionToken": f"token{number}"})
        )

    async with listening() as (endpoint, heard):
        for name, value in local_aws(endpoint).items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(process))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        queue = Queue("q", f"{endpoint}/0/q")
        renew(1)
        async with open_aws() as plain, open_message_client(plain, "fast") as sqs:
            for number in (1, 2):
                renew(number)
                assert await sqs.receive(queue, limit=1, wait=0) == []

    assert [each["X-Amz-Security-Token"] for each in heard] == ["token1", "token2"]
    assert "Credential=KEY2/" in heard[-1]["Authorization"]


async def test_keys_that_cannot_be_had_are_a_credentials_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, both: Both
) -> None:
    """The chain raises what it likes, a RuntimeError among others, and the worker lives on."""
    expired = {"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "s", "Expiration": "2020-01-01T00:00:00Z"}
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    (tmp_path / "keys.json").write_text(json.dumps(expired))

    for client in ("aioboto3", "fast"):
        (tmp_path / "config").write_text("[default]\ncredential_process = false\n")
        with pytest.raises(ConfigError, match="credentials could not be had"):
            async with open_aws() as plain, open_message_client(plain, client):
                pass
        (tmp_path / "config").write_text(f"[default]\ncredential_process = cat {tmp_path / 'keys.json'}\n")
        async with open_aws() as plain, open_message_client(plain, client) as sqs:
            with pytest.raises(ServiceError) as caught:
                await sqs.delete(both.queue, ["h"])
        assert caught.value.fault is Fault.CREDENTIALS
        assert "the credentials have expired" in str(caught.value)


NO_XML = {
    "page": (403, "<!DOCTYPE html><html><body>Blocked by CANARY<br></body></html>"),
    "cut": (200, "<AssumeRoleResponse><Credentials><SecretAccessKey>CANARY"),
    "text": (503, "upstream connect error: CANARY"),
}


@pytest.mark.parametrize("client", ["aioboto3", "fast"])
@pytest.mark.parametrize("said", NO_XML)
async def test_a_role_whose_keys_come_as_no_xml_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, both: Both, client: str, said: str
) -> None:
    """A proxy before STS has its own words; the worker outlives them and does not repeat them."""
    (tmp_path / "config").write_text("[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n")
    (tmp_path / "keys").write_text("[base]\naws_access_key_id = a\naws_secret_access_key = s\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "keys"))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    async with saying(*NO_XML[said]) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts)
        async with open_aws() as plain, open_message_client(plain, client) as sqs:
            for operation in ("receive", "delete"):
                with pytest.raises(ServiceError) as caught:
                    await OPERATIONS[operation](sqs, both.queue)
                assert caught.value.fault is Fault.TRANSIENT
                assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize("text", ["[]", "{}", "null", '"CANARY"', '{"AccessKeyId": 1}', "[" * 5000])
async def test_keys_that_come_as_something_else_end_the_start_in_one_line(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Whoever hands them out may be another service altogether."""
    for name, value in local_aws("http://127.0.0.1:9324").items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    async with saying(200, text) as keys:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", keys)
        with pytest.raises(ConfigError, match="what hands out credentials cannot be read") as caught:
            async with open_aws():
                pass

    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "endpoint", "client"),
    [
        ({}, "http://127.0.0.1:9324", DirectSqs),
        ({}, "https://sqs.sa-east-1.amazonaws.com", DirectSqs),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "https://sqs.sa-east-1.amazonaws.com", BotoSqs),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "http://127.0.0.1:9324", DirectSqs),
        (
            {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": ".amazonaws.com"},
            "https://sqs.sa-east-1.amazonaws.com",
            DirectSqs,
        ),
        ({"http_proxy": "http://proxy:3128"}, "http://sqs.internal:9324", BotoSqs),
        ({}, "http://127.0.0.1:9324/some/path", BotoSqs),
        ({}, "http://user:word@127.0.0.1:9324", BotoSqs),
    ],
)
async def test_where_only_the_aws_client_knows_the_way_it_goes(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], endpoint: str, client: type[object]
) -> None:
    """A proxy must not be gone round."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in (local_aws(endpoint) | environment).items():
        monkeypatch.setenv(name, value)

    async with open_aws() as plain, open_message_client(plain, "fast") as sqs:
        assert type(sqs) is client


@pytest.mark.parametrize("text", [None, "", "no certificate"])
async def test_a_file_of_certificates_that_is_none_is_a_wrong_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None
) -> None:
    """It is named, for its path was typed by somebody."""
    bundle = tmp_path / "bundle.pem"
    if text is not None:
        bundle.write_text(text)
    for name, value in local_aws("https://127.0.0.1:9324").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))

    with pytest.raises(ConfigError, match=rf"AWS_CA_BUNDLE.*{bundle}"):
        async with open_aws() as plain, open_message_client(plain, "fast"):
            pass


async def test_the_setting_says_whose_calls_messages_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody whose network is stranger than we thought has a way out."""
    for name, value in local_aws("http://127.0.0.1:9324").items():
        monkeypatch.setenv(name, value)

    async with open_aws() as plain, open_message_client(plain, "aioboto3") as sqs:
        assert type(sqs) is BotoSqs
