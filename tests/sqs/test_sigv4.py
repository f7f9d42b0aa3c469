"""Our signatures equal those of botocore's signer."""

import datetime as dt
from dataclasses import dataclass
from unittest.mock import patch

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from streamapp.sqs.sigv4 import Signer, UnusableCredentials


@dataclass(frozen=True)
class Request:
    """One request to be signed."""

    credentials: ReadOnlyCredentials
    operation: str
    body: bytes
    now: float
    region: str
    host: str


_printable = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=60)
# White space at the ends of a header is not part of its value, so a token has none there.
_token = _printable.filter(lambda text: text == text.strip())

requests = st.builds(
    Request,
    credentials=st.builds(
        ReadOnlyCredentials,
        st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=16, max_size=32),
        _printable,
        st.one_of(st.none(), _token, st.just("IQoJb3JpZ2luX2VjE//+== ")),
        st.none(),
    ),
    operation=st.sampled_from(
        ["ReceiveMessage", "SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"]
    ),
    body=st.binary(max_size=300),
    now=st.floats(0, 4_102_444_799),
    region=st.sampled_from(["us-east-1", "sa-east-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1"]),
    host=st.sampled_from(["sqs.us-east-1.amazonaws.com", "127.0.0.1:4566", "[::1]:9324", "elasticmq"]),
)


def fields_of(head: bytes) -> dict[str, str]:
    """Return the header fields of *head*, by their names in lower case."""
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST / HTTP/1.1"
    assert lines[-2:] == ["", ""]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:-2])}


def botocore_authorization(case: Request, sent: dict[str, str]) -> str:
    """Return botocore's Authorization header for the same request."""
    request = AWSRequest(
        "POST",
        f"https://{case.host}/",
        headers={
            name: sent[name]
            for name in ("host", "content-type", "x-amz-target", "user-agent")
            if name in sent
        },
        data=case.body,
    )
    moment = dt.datetime.fromtimestamp(int(case.now), dt.UTC)
    with patch("botocore.auth.get_current_datetime", lambda: moment):
        SigV4Auth(case.credentials, "sqs", case.region).add_auth(request)
    return str(request.headers["Authorization"])


@given(requests)
@settings(max_examples=600, deadline=None)
def test_each_signature_equals_that_of_botocore(case: Request) -> None:
    """AWS must accept our signature for all credentials, times and bodies."""
    signer = Signer(case.region, case.host)

    sent = fields_of(signer.head(case.credentials, case.operation, case.body, case.now))

    assert sent["authorization"] == botocore_authorization(case, sent)
    assert sent.get("x-amz-security-token") == (case.credentials.token or None)
    assert int(sent["content-length"]) == len(case.body)


@given(st.lists(requests, min_size=2, max_size=6))
@settings(max_examples=60, deadline=None)
def test_the_daily_key_follows_credentials_and_clock(cases: list[Request]) -> None:
    """After a renewal or after midnight the old key must not be used."""
    first = cases[0]
    signer = Signer(first.region, first.host)

    for case in cases:
        here = Request(case.credentials, case.operation, case.body, case.now, first.region, first.host)
        sent = fields_of(signer.head(here.credentials, here.operation, here.body, here.now))
        assert sent["authorization"] == botocore_authorization(here, sent)


@pytest.mark.parametrize(
    "credentials",
    [
        ReadOnlyCredentials("AKID", "secret", "token\r\nX-Amz-Target: AmazonSQS.DeleteQueue"),
        ReadOnlyCredentials("AKID", "secret", "token\n"),
        ReadOnlyCredentials("AKID\r\n\r\nGET / HTTP/1.1", "secret", None),
        ReadOnlyCredentials("AKID", "secret", "\0"),
        ReadOnlyCredentials("AKID", "secret\n", None),
    ],
)
def test_credentials_that_would_end_their_header_are_refused(credentials: ReadOnlyCredentials) -> None:
    """The value of an environment variable must not be able to add a request."""
    with pytest.raises(UnusableCredentials):
        Signer("us-east-1", "localhost").head(credentials, "ReceiveMessage", b"{}", 0)


@pytest.mark.parametrize("text", ["t\udcff", 7, ["t"], b"t"], ids=repr)
@pytest.mark.parametrize("which", ["access_key", "secret_key", "token"])
def test_credentials_that_are_not_text_are_refused(which: str, text: object) -> None:
    """The service that issues credentials may send anything; that must not end a worker."""
    credentials = ReadOnlyCredentials("AKID", "secret", "token")._replace(**{which: text})

    with pytest.raises(UnusableCredentials, match="not text"):
        Signer("us-east-1", "localhost").head(credentials, "ReceiveMessage", b"{}", 0)
