"""Our own calls and the AWS client's: for each refusal of SQS, the same class of error."""

from pathlib import Path

import pytest

from sqs.clients import OPERATIONS, Both, outcome
from streamapp.cli.demo.servers import local_aws
from streamapp.errors import ConfigError, Fault
from streamapp.messages import Outgoing
from streamapp.sqs.boto import BotoSqs, open_aws
from streamapp.sqs.client import Failure
from streamapp.sqs.message_client import open_message_client
from streamapp.testing import Fail, Garble, Partial, Reset
from streamapp.testing.faults.refusal import _SPELLINGS

# The AWS client repeats calls after these, which takes long, so only a few of them are tested.
SLOW = {"InternalError", "ServiceUnavailable", "RequestThrottled", "KmsThrottled"}


CODES = [*(code for code in _SPELLINGS if code not in SLOW), "RequestExpired", "SomethingNew"]


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_each_refusal_is_the_same_error_from_both_clients(both: Both, operation: str) -> None:
    """The classes of errors belong to SQS, not to a client."""
    texts = {"InvalidParameterValue": "Total VisibilityTimeout for the message is beyond the limit"}
    for code in CODES:
        with both.memory.faults.add(operation, Fail(code, texts.get(code, ""))):
            expected = await outcome(OPERATIONS[operation], both.aws, both.queue)
            assert await outcome(OPERATIONS[operation], both.direct, both.queue) == expected
            assert isinstance(expected, tuple)


@pytest.mark.parametrize(
    "effect",
    [Fail("RequestThrottled"), Fail("InternalError"), Garble(status=503), Garble(b"", status=500), Reset()],
)
async def test_temporary_failures_are_transient_from_both_clients(
    both: Both, effect: Fail | Garble | Reset
) -> None:
    """The text of the failure does not matter."""
    with both.memory.faults.add("*", effect):
        for operation in ("receive", "delete"):
            by_aws = await outcome(OPERATIONS[operation], both.aws, both.queue)
            by_direct = await outcome(OPERATIONS[operation], both.direct, both.queue)
            assert isinstance(by_aws, tuple)
            assert isinstance(by_direct, tuple)
            assert by_aws[0] is by_direct[0] is Fault.TRANSIENT


@pytest.mark.parametrize("operation", ["send", "delete", "change_visibility"])
async def test_each_failed_entry_is_the_same_from_both_clients(both: Both, operation: str) -> None:
    """A response with HTTP 200 may contain failures."""
    for effect in (
        Partial(0b01, code="KmsThrottled"),
        Partial(0b11, code="InvalidMessageContents", sender_fault=True),
        Partial(0b01, missing=True),
    ):
        with both.memory.faults.add(operation, effect):
            expected = await outcome(OPERATIONS[operation], both.aws, both.queue)
            assert await outcome(OPERATIONS[operation], both.direct, both.queue) == expected


async def test_an_unreadable_response_is_not_a_success(both: Both) -> None:
    """The AWS client reads it as an empty response; our own client reports the error."""
    with both.memory.faults.add("*", Garble()):
        for operation in OPERATIONS.values():
            found = await outcome(operation, both.direct, both.queue)
            assert isinstance(found, tuple)
            assert found[0] is Fault.TRANSIENT


async def test_an_invalid_handle_fails_alone(both: Both) -> None:
    """The other entries of the batch are deleted."""
    await both.direct.send(both.queue, [Outgoing("x")])
    (delivery,) = await both.direct.receive(both.queue, limit=1, wait=0)

    outcomes = await both.direct.delete(both.queue, ["nonsense", delivery.handle])

    assert outcomes == [Failure("ReceiptHandleIsInvalid", sender_fault=True), None]


@pytest.mark.parametrize("text", [None, "", "no certificate"])
async def test_an_invalid_ca_bundle_is_a_config_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None
) -> None:
    """The error names the file, because somebody may have mistyped its path."""
    bundle = tmp_path / "bundle.pem"
    if text is not None:
        bundle.write_text(text)
    for name, value in local_aws("https://127.0.0.1:9324").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))

    with pytest.raises(ConfigError, match=rf"AWS_CA_BUNDLE.*{bundle}"):
        async with open_aws() as plain, open_message_client(plain, "fast"):
            pass


async def test_the_setting_selects_the_client_for_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """If our own connections do not work in some network, the AWS client may."""
    for name, value in local_aws("http://127.0.0.1:9324").items():
        monkeypatch.setenv(name, value)

    async with open_aws() as plain, open_message_client(plain, "aioboto3") as sqs:
        assert type(sqs) is BotoSqs
