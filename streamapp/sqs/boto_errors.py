"""What the AWS client raises, as errors of our own."""

from collections.abc import Generator
from contextlib import contextmanager

from anyio import fail_after
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import (
    HTTPClientError as ClientHTTPError,
)
from botocore.parsers import ResponseParserError

from streamapp.errors import Fault, ServiceError
from streamapp.sqs.faults import fault_of, reason_of

FOREIGN = (
    BotoCoreError,
    ClientError,
    ClientHTTPError,
    # Of an answer that is no XML, as a proxy's page in place of those who hand out a role's keys.
    ResponseParserError,
    OSError,
    # The parser's and ours, on an answer that is none of SQS's.
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    # The chain's, of credentials that are over; a `RecursionError`, of an answer nested too deep, is one too.
    RuntimeError,
)
"""What a call may raise in place of an answer."""


_OF_CHAIN = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    SSOError,
    TokenRetrievalError,
    RuntimeError,
)
"""What the chain of credentials may raise."""


@contextmanager
def ours(seconds: float, subject: str) -> Generator[None]:
    """Bound a call about *subject* to *seconds* and make every failure of it a `ServiceError`."""
    try:
        with fail_after(seconds):
            yield
    except TimeoutError as error:
        raise ServiceError("SQS", Fault.TRANSIENT, f"{subject}: no answer within {seconds:g} s") from error
    except FOREIGN as error:
        raise ours_of(error, subject) from error


def ours_of(error: Exception, subject: str) -> ServiceError:
    """Return *error* as ours."""
    if isinstance(error, ClientError):
        details = error.response.get("Error", {})
        code = str(details.get("QueryErrorCode") or details.get("Code") or "Unknown")
        # The text may quote what was sent, so only the code is passed on.
        return ServiceError(
            "SQS", fault_of(code, str(details.get("Message") or "")), f"{subject}: {reason_of(code)}"
        )
    if isinstance(error, _OF_CHAIN) and not isinstance(error, RecursionError):
        return ServiceError("SQS", Fault.CREDENTIALS, f"{subject}: {advice(error)}")
    return ServiceError("SQS", Fault.TRANSIENT, f"{subject}: {type(error).__name__}")


def advice(error: Exception) -> str:
    """Return what is wrong with the settings of AWS, and what to set."""
    match error:
        case NoRegionError():
            return "no region is set; set AWS_DEFAULT_REGION, or region in your profile"
        case NoCredentialsError() | PartialCredentialsError():
            return (
                "no credentials were found; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            )
        case CredentialRetrievalError():
            # Its text quotes what came, secrets included.
            return "credentials could not be had; see to AWS_PROFILE, the role, or whoever hands them out"
        case SSOError() | TokenRetrievalError():
            return "the SSO session is over; run `aws sso login`"
        case RuntimeError() if not isinstance(error, RecursionError):
            # So says the chain where what it is handed out is over already.
            return "the credentials have expired, and so have their successors; see to the role, or whoever hands them out"
        case _:
            # The text of any other may quote what came, too.
            name = type(error).__name__
            is_of_settings = isinstance(error, (BotoCoreError, ValueError, OSError))
            return str(error) if is_of_settings else f"what hands out credentials cannot be read: {name}"
