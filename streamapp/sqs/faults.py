"""Error codes of SQS, and what to do about each."""

from streamapp.errors import Fault

_LEASE_LOST = frozenset({"ReceiptHandleIsInvalid", "MessageNotInflight", "InvalidReceiptHandle"})

_LEASE_LOST_WORDS = (
    "Total VisibilityTimeout",  # 12 h are over
    "not available for visibility",  # the message is visible again, or deleted
    "receipt handle has expired",  # FIFO only
)

_CAPACITY = frozenset({"OverLimit"})

_EXPIRED = "the credentials have expired; renew them: AWS_SESSION_TOKEN, AWS_PROFILE, or the service that issues them"

_UNKNOWN = "AWS does not know the credentials; check AWS_ACCESS_KEY_ID, AWS_SESSION_TOKEN or AWS_PROFILE"

_MISSIGNED = "this machine's clock or AWS_SECRET_ACCESS_KEY is wrong; set the clock, or the key"

_CREDENTIALS = {
    "ExpiredToken": _EXPIRED,
    "InvalidClientTokenId": _UNKNOWN,
    "UnrecognizedClient": _UNKNOWN,
    "InvalidSecurity": _UNKNOWN,
    "IncompleteSignature": _UNKNOWN,
    "MissingAuthenticationToken": _UNKNOWN,
    "SignatureDoesNotMatch": _MISSIGNED,
    "InvalidSignature": _MISSIGNED,
    "RequestExpired": _MISSIGNED,
}
"""What is wrong and what to do about it, by code."""

_CONFIGURATION = frozenset(
    {
        "AccessDenied",
        "QueueDoesNotExist",
        "NonExistentQueue",
        "QueueDeletedRecently",
        "KmsAccessDenied",
        "KmsNotFound",
        "KmsDisabled",
        "KmsInvalidState",
        "KmsOptInRequired",
        "KmsInvalidKeyUsage",
        "KmsInvalidGrantToken",
        "AuthorizationError",
        "InvalidAddress",
        "OptInRequired",
    }
)

_SENDER = frozenset(
    {
        "InvalidMessageContents",
        "InvalidParameterValue",
        "InvalidParameterCombination",
        "MissingParameter",
        "MissingRequiredParameter",
        "MessageTooLong",
        "BatchRequestTooLong",
        "413",  # a proxy's size limit: half of the request may pass
        "TooManyEntriesInBatchRequest",
        "EmptyBatchRequest",
        "BatchEntryIdsNotDistinct",
        "InvalidBatchEntryId",
        "UnsupportedOperation",
        "InvalidAttributeName",
        "InvalidAttributeValue",
        "QueueNameExists",
    }
)


def fault_of(code: str, message: str = "") -> Fault:
    """Return the class of an SQS error by its code (`QueryErrorCode`, else `Code`); an unknown code is TRANSIENT."""
    code = _plain(code)
    if code in _LEASE_LOST or any(words in message for words in _LEASE_LOST_WORDS):
        return Fault.LEASE_LOST
    for codes, fault in (
        (_CAPACITY, Fault.CAPACITY),
        (_CREDENTIALS, Fault.CREDENTIALS),
        (_CONFIGURATION, Fault.CONFIGURATION),
        (_SENDER, Fault.SENDER),
    ):
        if code in codes:
            return fault
    return Fault.TRANSIENT


def heals_by_itself(code: str) -> bool:
    """Whether *code* says that SQS throttles, or that the key service does or has a failure of its own."""
    return "Throttl" in code or _plain(code).startswith("Kms")


def reason_of(code: str) -> str:
    """Return the reason for a log line: the code, and for wrong credentials or a wrong clock what to do about it."""
    remedy = _CREDENTIALS.get(_plain(code))
    return code if remedy is None else f"{code}: {remedy}"


def _plain(code: str) -> str:
    # SQS's two protocols, query and JSON, spell some codes differently.
    return code.removeprefix("AWS.SimpleQueueService.").removesuffix("Exception").replace("KMS.", "Kms", 1)
