"""Our own calls compared with the AWS client's: for each way in which SQS refuses, the same class of error."""

from pathlib import Path

import pytest

from sqs.clients import OPERATIONS, Both, outcome
from streamapp.cli.demo.servers import local_aws
from streamapp.cli.setup import open_calls
from streamapp.errors import ConfigError, Fault
from streamapp.messages import Outgoing
from streamapp.sqs.boto import BotoSqs, open_aws
from streamapp.sqs.client import Failure
from streamapp.testing import Fail, Garble, Partial, Reset
from streamapp.testing.faults.refusal import _SPELLINGS

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


async def test_a_handle_that_is_none_fails_alone(both: Both) -> None:
    """Its neighbours are deleted."""
    await both.fast.send(both.queue, [Outgoing("x")])
    (delivery,) = await both.fast.receive(both.queue, limit=1, wait=0)

    outcomes = await both.fast.delete(both.queue, ["nonsense", delivery.handle])

    assert outcomes == [Failure("ReceiptHandleIsInvalid", sender_fault=True), None]


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
        async with open_aws() as plain, open_calls(plain, "fast"):
            pass


async def test_the_setting_says_whose_calls_messages_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody whose network is stranger than we thought has a way out."""
    for name, value in local_aws("http://127.0.0.1:9324").items():
        monkeypatch.setenv(name, value)

    async with open_aws() as plain, open_calls(plain, "aioboto3") as sqs:
        assert type(sqs) is BotoSqs
