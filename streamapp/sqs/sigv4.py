"""Sign requests to SQS as AWS asks: Signature Version 4, of a POST to `/` with a JSON body."""

import hmac
import re
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from streamapp.errors import StreamappError

_SIGNED = "content-type;host;x-amz-date;x-amz-target"
_SIGNED_WITH_TOKEN = "content-type;host;x-amz-date;x-amz-security-token;x-amz-target"  # noqa: S105 - names

# Control characters, and lone surrogates: Python reads invalid UTF-8 in a variable as the latter.
_UNSENDABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


class Credentials(Protocol):
    """AWS credentials as they are now; *token* is None unless they belong to a session."""

    @property
    def access_key(self) -> str:
        """The public part."""
        ...

    @property
    def secret_key(self) -> str:
        """The key that signs; it is never sent."""
        ...

    @property
    def token(self) -> str | None:
        """The token of the session."""
        ...


class UnusableCredentials(StreamappError):
    """Credentials are not text, or contain characters that would end the header that they are sent in."""

    def __init__(self) -> None:
        super().__init__(
            "the credentials contain a control character, or are not text; check how they are quoted and where they are cut"
        )


@dataclass(frozen=True, slots=True)
class _DailyKey:
    """What all signatures with these credentials have in common on one day."""

    credentials: tuple[str, str, str | None]
    date: str
    scope: str
    signing_key: bytes


class Signer:
    """Writes the head of each request to one endpoint; *host* is the text of the Host header."""

    def __init__(self, region: str, host: str) -> None:
        self._region = region
        self._host = host
        self._today: _DailyKey | None = None

    def head(self, credentials: Credentials, operation: str, body: bytes, now: float) -> bytes:
        """Return the head of the request *operation* with *body*, signed at *now* (Unix time, seconds).

        Raises `UnusableCredentials`.
        """
        at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        today = self._daily_key(credentials, at[:8])
        token = credentials.token
        # AWS signs the token with each run of white space as one space; it is sent unchanged.
        signed_token = f"x-amz-security-token:{' '.join(token.split())}\n" if token else ""
        names = _SIGNED_WITH_TOKEN if token else _SIGNED
        canonical = (
            "POST\n/\n\n"
            f"content-type:application/x-amz-json-1.0\nhost:{self._host}\nx-amz-date:{at}\n"
            f"{signed_token}x-amz-target:AmazonSQS.{operation}\n\n"
            f"{names}\n{sha256(body).hexdigest()}"
        )
        text = f"AWS4-HMAC-SHA256\n{at}\n{today.scope}\n{sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(today.signing_key, text.encode(), "sha256").hex()
        sent_token = f"X-Amz-Security-Token: {token}\r\n" if token else ""
        return (
            f"POST / HTTP/1.1\r\nHost: {self._host}\r\nUser-Agent: streamapp\r\n"
            "Content-Type: application/x-amz-json-1.0\r\n"
            f"X-Amz-Date: {at}\r\nX-Amz-Target: AmazonSQS.{operation}\r\n{sent_token}"
            f"Authorization: AWS4-HMAC-SHA256 Credential={credentials.access_key}/{today.scope}, "
            f"SignedHeaders={names}, Signature={signature}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode()

    def _daily_key(self, credentials: Credentials, date: str) -> _DailyKey:
        today = self._today
        these = (credentials.access_key, credentials.secret_key, credentials.token)
        if today is None or today.date != date or today.credentials != these:
            if not all(
                _is_sendable(each)
                for each in (credentials.access_key, credentials.secret_key, credentials.token or "")
            ):
                raise UnusableCredentials
            key = f"AWS4{credentials.secret_key}".encode()
            for part in (date, self._region, "sqs", "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            today = _DailyKey(these, date, f"{date}/{self._region}/sqs/aws4_request", key)
            self._today = today
        return today


def _is_sendable(value: object) -> bool:
    return isinstance(value, str) and not _UNSENDABLE.search(value)
