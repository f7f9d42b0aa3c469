"""SQS's errors, and how its protocols spell them."""

from dataclasses import dataclass

from streamapp.errors import StreamappError


class Refusal(StreamappError):
    """SQS refused a call or one entry of a batch.

    *code* is the code as an entry of a batch has it; *status* is HTTP's, where it is not the code's usual one.
    """

    def __init__(
        self, code: str, message: str = "", *, sender_fault: bool = True, status: int | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.sender_fault = sender_fault
        self.status = status


@dataclass(frozen=True, slots=True)
class Spelling:
    """The names of one error on the wire: *shape* in the JSON protocol, *query* in the older query protocol."""

    shape: str
    query: str
    status: int = 400


_OLD = "AWS.SimpleQueueService."
_SPELLINGS = {
    "QueueDoesNotExist": Spelling("QueueDoesNotExist", _OLD + "NonExistentQueue"),
    "QueueNameExists": Spelling("QueueNameExists", "QueueAlreadyExists"),
    "ReceiptHandleIsInvalid": Spelling("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", 404),
    "InvalidAddress": Spelling("InvalidAddress", "InvalidAddress", 404),
    "PurgeQueueInProgress": Spelling("PurgeQueueInProgress", _OLD + "PurgeQueueInProgress", 403),
    "OverLimit": Spelling("OverLimit", "OverLimit", 403),
    "RequestThrottled": Spelling("RequestThrottled", "RequestThrottled", 403),
    "InvalidSecurity": Spelling("InvalidSecurity", "InvalidSecurity", 403),
    "InvalidParameterValue": Spelling("InvalidParameterValueException", "InvalidParameterValue"),
    "MissingParameter": Spelling("MissingRequiredParameterException", "MissingParameter"),
    "KmsThrottled": Spelling("KmsThrottled", "KMS.ThrottlingException"),
    "KmsAccessDenied": Spelling("KmsAccessDenied", "KMS.AccessDeniedException"),
    "KmsDisabled": Spelling("KmsDisabled", "KMS.DisabledException"),
    "KmsInvalidState": Spelling("KmsInvalidState", "KMS.InvalidStateException"),
    "KmsInvalidKeyUsage": Spelling("KmsInvalidKeyUsage", "KMS.InvalidKeyUsageException"),
    "KmsNotFound": Spelling("KmsNotFound", "KMS.NotFoundException"),
    "KmsOptInRequired": Spelling("KmsOptInRequired", "KMS.OptInRequired", 403),
    "AccessDenied": Spelling("AccessDeniedException", "AccessDenied", 403),
    "ExpiredToken": Spelling("ExpiredTokenException", "ExpiredToken", 403),
    "InvalidClientTokenId": Spelling("UnrecognizedClientException", "InvalidClientTokenId", 403),
    "SignatureDoesNotMatch": Spelling("InvalidSignatureException", "SignatureDoesNotMatch", 403),
    "InternalError": Spelling("InternalFailure", "InternalError", 500),
    "ServiceUnavailable": Spelling("ServiceUnavailableException", "ServiceUnavailable", 503),
} | {
    name: Spelling(name, _OLD + name)
    for name in (
        "BatchEntryIdsNotDistinct",
        "BatchRequestTooLong",
        "EmptyBatchRequest",
        "InvalidBatchEntryId",
        "MessageNotInflight",
        "QueueDeletedRecently",
        "TooManyEntriesInBatchRequest",
        "UnsupportedOperation",
    )
}


def spelling_of(code: str) -> Spelling:
    """Return the names of this code on the wire; an unknown code is its own name."""
    return _SPELLINGS.get(code) or Spelling(code, code)
