"""The AWS client's errors, turned into our own."""

from collections.abc import Generator
from contextlib import contextmanager

import msgspec
from anyio import fail_after
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    SSLError,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import (
    HTTPClientError as ClientHTTPError,
)
from botocore.parsers import ResponseParserError

from streamapp.errors import Fault, ServiceError
from streamapp.sqs.faults import fault_of, reason_of

CLIENT_ERRORS = (
    BotoCoreError,
    ClientError,
    ClientHTTPError,
    # The response to a request for a role's credentials is not XML, but for example a proxy's page.
    ResponseParserError,
    OSError,
    # The response is not one of SQS's: from the client's parser, and from our own reading.
    msgspec.MsgspecError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    # Credentials have expired. A `RecursionError`, of a response nested too deep, is one too.
    RuntimeError,
)
"""What a call may raise."""


_CREDENTIALS_ERRORS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    SSOError,
    TokenRetrievalError,
    RuntimeError,
)
"""What looking for credentials may raise."""


@contextmanager
def bounded(seconds: float, subject: str) -> Generator[None]:
    """Limit a call about *subject* to *seconds*, and raise each failure of it as a `ServiceError`."""
    try:
        with fail_after(seconds):
            yield
    except TimeoutError as error:
        raise ServiceError("SQS", Fault.TRANSIENT, f"{subject}: no response within {seconds:g} s") from error
    except CLIENT_ERRORS as error:
        raise service_error(error, subject) from error


def service_error(error: Exception, subject: str) -> ServiceError:
    """Return *error* as a `ServiceError` that names *subject*."""
    if isinstance(error, ClientError):
        details = error.response.get("Error", {})
        code = str(details.get("QueryErrorCode") or details.get("Code") or "Unknown")
        # The text may quote what was sent, so only the code is passed on.
        fault = fault_of(code, str(details.get("Message") or ""))
        return ServiceError("SQS", fault, f"{subject}: {reason_of(code)}", code)
    if isinstance(error, _CREDENTIALS_ERRORS) and not isinstance(error, RecursionError):
        return ServiceError("SQS", Fault.CREDENTIALS, f"{subject}: {advice(error)}")
    if isinstance(error, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        untrusted = "the certificate is not trusted; name the file of its authority in AWS_CA_BUNDLE"
        return ServiceError("SQS", Fault.CONFIGURATION, f"{subject}: {untrusted}")
    return ServiceError("SQS", Fault.TRANSIENT, f"{subject}: {type(error).__name__}")


def advice(error: Exception) -> str:
    """Return what is wrong with AWS's settings, and what to set."""
    match error:
        case NoRegionError():
            return "no region is set; set AWS_DEFAULT_REGION, or region in your profile"
        case NoCredentialsError() | PartialCredentialsError():
            return (
                "no credentials were found; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            )
        case CredentialRetrievalError():
            # Its text quotes the response, secrets included.
            return "no credentials could be retrieved; check AWS_PROFILE, the role, or the service that issues them"
        case SSOError() | TokenRetrievalError():
            return "the SSO session has ended; run `aws sso login`"
        case RuntimeError() if not isinstance(error, RecursionError):
            # The client raises it when newly issued credentials have already expired.
            return "the credentials have expired, and so have the new ones; check the role, or the service that issues them"
        case _:
            # The text of any other error may quote the response.
            name = type(error).__name__
            is_of_settings = isinstance(error, (BotoCoreError, ValueError, OSError))
            return (
                str(error) if is_of_settings else f"the response with the credentials cannot be read: {name}"
            )
