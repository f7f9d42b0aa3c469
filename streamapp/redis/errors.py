"""Errors of Redis and its client, turned into our own."""

import re

from redis.asyncio.sentinel import MasterNotFoundError
from redis.exceptions import (
    AskError,
    AuthenticationError,
    ClusterDownError,
    DataError,
    MasterDownError,
    NoPermissionError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
)
from redis.exceptions import (
    TimeoutError as RedisTimeoutError,
)

from streamapp.errors import Fault, ServiceError, TimedOut

_CAPACITY = ("OOM", "MISCONF")
_DENIED = (
    "ACL failure in script",  # Valkey's text for NOPERM within a script
    "The user executing the script can't",  # Redis's text for it
)
_CONFIGURATION = (
    *("NOAUTH", "WRONGPASS", "NOPERM", "CROSSSLOT", "WRONGTYPE"),
    "CERTIFICATE_VERIFY_FAILED",  # in the text of OpenSSL, which the client raises as a lost connection
    "HELLO must be called with the client already authenticated",  # the client raises it as a lost connection
    *_DENIED,
)
_NOPERM = "NOPERM: the user in REDIS_URL lacks a permission; deploy/redis lists all that are needed"
_QUOTED = re.compile(r"""(?:^|(?<=[\s:(]))['"`]""")
"""The beginning of something quoted; the apostrophe in a word is none."""

LONGEST_TEXT = 200
"""Characters of a server's text that are told."""


def fault_of(error: RedisError) -> Fault:  # noqa: PLR0911 - one a class
    """Return the class of a Redis error; an unknown one is SENDER, a request that will never succeed."""
    words = str(error)
    if isinstance(error, (AuthenticationError, NoPermissionError)) or any(
        it in words for it in _CONFIGURATION
    ):
        return Fault.CONFIGURATION
    if isinstance(error, (RedisConnectionError, RedisTimeoutError)):
        return Fault.TRANSIENT
    if isinstance(error, (ReadOnlyError, MasterDownError, ClusterDownError, TryAgainError, AskError)):
        # An AskError (a MovedError is one too) has been followed as far as it leads.
        # By class, because the client removes the code from the text of errors that it has a class for.
        return Fault.TRANSIENT
    if isinstance(error, DataError):
        return Fault.SENDER
    if any(word in words for word in _CAPACITY) or type(error).__name__ == "OutOfMemoryError":
        return Fault.CAPACITY
    transient = ("LOADING", "BUSY", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "NOREPLICAS", "READONLY")
    if any(word in words for word in transient) or not isinstance(error, ResponseError):
        return Fault.TRANSIENT
    return Fault.SENDER


def is_read_only(error: RedisError) -> bool:
    """Whether a replica refused a write. Redis 6 wraps that in the error of the script that wrote."""
    return isinstance(error, ReadOnlyError) or "READONLY" in str(error)


def error_of_key(error: RedisError) -> ServiceError:
    """Convert *error* to a `ServiceError`: return it if only one key is concerned, else raise it."""
    ours = service_error(error)
    if ours.heals or "WRONGTYPE" not in str(error):
        raise ours from error
    return ours


def service_error(error: RedisError) -> ServiceError:
    """Return *error* as a `ServiceError`."""
    fault, detail = fault_of(error), _detail(error)
    if isinstance(error, RedisTimeoutError) and fault is Fault.TRANSIENT:
        return TimedOut("Redis", detail)
    return ServiceError("Redis", fault, detail)


def _detail(error: RedisError) -> str:
    words = str(error)
    if isinstance(error, NoPermissionError) or any(it in words for it in _DENIED):
        return _NOPERM
    if "CERTIFICATE_VERIFY_FAILED" in words:
        return "its certificate is not trusted; add ssl_ca_certs=FILE to REDIS_URL, with the certificate of its authority"
    if isinstance(error, MasterNotFoundError):
        return words.partition(" : ")[0]  # what follows is the repr of each Sentinel
    if is_read_only(error):
        return "READONLY: a replica refused a write"
    if isinstance(error, ResponseError):
        # What a server quotes may be what was sent.
        return f"{type(error).__name__}: {_QUOTED.split(words, maxsplit=1)[0][:LONGEST_TEXT].strip()}"
    return (
        f"{type(error).__name__}: {words}"
        if isinstance(error, RedisConnectionError)
        else type(error).__name__
    )
