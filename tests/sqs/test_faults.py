"""Each error of SQS has a class."""

import pytest

from streamapp.errors import Fault, ServiceError
from streamapp.sqs.client import Failure, failure_of
from streamapp.sqs.faults import fault_of, reason_of

TABLE = {
    Fault.TRANSIENT: """RequestThrottled Throttling ThrottlingException ThrottledException KmsThrottled
        KMS.ThrottlingException InternalError InternalFailure ServiceUnavailable 500 502 503 504 SomethingNew MissingFromAnswer""",
    Fault.CAPACITY: "OverLimit",
    Fault.CREDENTIALS: """ExpiredToken ExpiredTokenException InvalidClientTokenId UnrecognizedClientException
        SignatureDoesNotMatch InvalidSignatureException RequestExpired InvalidSecurity IncompleteSignature
        MissingAuthenticationToken""",
    Fault.CONFIGURATION: """AccessDenied AccessDeniedException QueueDoesNotExist QueueDeletedRecently
        AWS.SimpleQueueService.NonExistentQueue KmsAccessDenied KmsNotFound KmsDisabled KmsInvalidState
        KmsOptInRequired KmsInvalidKeyUsage KmsInvalidGrantToken InvalidAddress OptInRequired AuthorizationError
        KMS.AccessDeniedException KMS.DisabledException KMS.NotFoundException KMS.InvalidStateException""",
    Fault.LEASE_LOST: "ReceiptHandleIsInvalid MessageNotInflight AWS.SimpleQueueService.MessageNotInflight",
    Fault.SENDER: """InvalidMessageContents InvalidParameterValue InvalidParameterCombination MissingParameter
        413 BatchRequestTooLong AWS.SimpleQueueService.BatchRequestTooLong TooManyEntriesInBatchRequest
        AWS.SimpleQueueService.TooManyEntriesInBatchRequest EmptyBatchRequest
        AWS.SimpleQueueService.EmptyBatchRequest BatchEntryIdsNotDistinct InvalidBatchEntryId
        UnsupportedOperation AWS.SimpleQueueService.UnsupportedOperation InvalidAttributeName
        InvalidAttributeValue QueueNameExists""",
}


@pytest.mark.parametrize(
    ("code", "fault"), [(code, fault) for fault, codes in TABLE.items() for code in codes.split()]
)
def test_a_code_has_its_class(code: str, fault: Fault) -> None:
    """The table of error classes, line by line."""
    assert fault_of(code) is fault


@pytest.mark.parametrize("code", TABLE[Fault.CREDENTIALS].split())
def test_the_reason_for_wrong_credentials_or_a_wrong_clock_says_what_to_do(code: str) -> None:
    """The person on call may never have seen the code before."""
    said = reason_of(code)

    assert said.startswith(f"{code}: ")
    assert any(cure in said for cure in ("renew them", "check AWS_", "set the clock"))


@pytest.mark.parametrize(
    "text",
    [
        (
            "Value x for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for "
            "visibility timeout change."
        ),
        "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]",
    ],
)
def test_some_lost_leases_are_recognised_by_their_text(text: str) -> None:
    """SQS has no code of its own for these two."""
    assert fault_of("InvalidParameterValue", text) is Fault.LEASE_LOST


@pytest.mark.parametrize(
    ("failure", "is_final"),
    [
        (Failure("InvalidMessageContents", sender_fault=True), True),
        (Failure("InvalidMessageContents"), True),
        (Failure("SomethingNew", sender_fault=True), True),
        (Failure("InternalError"), False),
        (Failure("KmsThrottled", sender_fault=True), False),
        (Failure("KMS.AccessDeniedException", sender_fault=True), False),
        (Failure("KMS.KMSInternalException", sender_fault=True), False),
        (Failure("AccessDenied", sender_fault=True), False),
        (Failure("ExpiredToken", sender_fault=True), False),
        (Failure("RequestThrottled", sender_fault=True), False),
        (Failure("MissingFromAnswer"), False),
    ],
)
def test_an_entry_that_will_never_succeed_is_final(failure: Failure, is_final: bool) -> None:
    """A message refused permanently is parked; all others are sent again."""
    assert failure.is_final is is_final


def test_a_call_that_failed_as_a_whole_gives_each_entry_its_class() -> None:
    """The text of an error may hold words of another class; the class that its call found is the right one."""
    failure = failure_of(ServiceError("SQS", Fault.CONFIGURATION, "orders: AccessDenied", "AccessDenied"))

    assert (failure.code, failure.fault, failure.is_final) == ("AccessDenied", Fault.CONFIGURATION, False)
    assert failure_of(ServiceError("SQS", Fault.TRANSIENT, "no response")).code == "TRANSIENT"
