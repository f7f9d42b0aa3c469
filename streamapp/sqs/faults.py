"""What the error codes of SQS mean for us."""

from streamapp.errors import Fault

_LEASE_LOST = frozenset({"ReceiptHandleIsInvalid", "MessageNotInflight", "InvalidReceiptHandle"})


_LEASE_LOST_WORDS = (
    "Total VisibilityTimeout",  # 12 h are over
    "not available for visibility",  # it is visible, or gone
    "receipt handle has expired",  # FIFO only
)


_CAPACITY = frozenset({"OverLimit"})


_EXPIRED = (
    "the credentials have expired; renew them: AWS_SESSION_TOKEN, AWS_PROFILE, or whoever hands them out"
)


_UNKNOWN = "AWS does not know the credentials; see to AWS_ACCESS_KEY_ID, AWS_SESSION_TOKEN or AWS_PROFILE"


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
"""What is wrong, and what to do about it, by the code."""


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
        "413",  # a proxy's limit of a request: half of it may pass
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
    """Return the class of an SQS error by its code (`QueryErrorCode`, else `Code`); what is unknown may heal."""
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


def reason_of(code: str) -> str:
    """Return what a log line says of an SQS error: its code, and what to do where keys or the clock are wrong."""
    cure = _CREDENTIALS.get(_plain(code))
    return code if cure is None else f"{code}: {cure}"


def _plain(code: str) -> str:
    # Each protocol spells some of them in its own way.
    return code.removeprefix("AWS.SimpleQueueService.").removesuffix("Exception")
