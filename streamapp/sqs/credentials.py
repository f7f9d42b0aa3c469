"""AWS credentials, and how to reach the endpoint, from AWS's own chain of settings: for calls without its client."""

from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from botocore.exceptions import NoCredentialsError
from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies

from streamapp.sqs.boto_errors import CLIENT_ERRORS, service_error
from streamapp.sqs.sigv4 import Credentials


class _RenewedCredentials(Protocol):
    """Credentials that botocore renews before they expire."""

    async def get_frozen_credentials(self) -> Credentials: ...


class _BotocoreSession(Protocol):
    """What is used of botocore's session."""

    async def get_credentials(self) -> _RenewedCredentials | None: ...

    def get_config_variable(self, name: str) -> Any: ...  # noqa: ANN401 - botocore's


@dataclass(frozen=True, slots=True)
class Route:
    """How to reach the endpoint without the AWS client.

    *authority* is the text of the Host header, *ca_bundle* the file of the certificate authorities to trust.
    """

    host: str
    port: int
    authority: str
    is_tls: bool
    ca_bundle: str


class AwsSettings:
    """AWS credentials, and the route to the endpoint with its CA bundle."""

    def __init__(self, session: _BotocoreSession) -> None:
        self._session = session
        self._credentials: _RenewedCredentials | None = None

    async def credentials(self) -> Credentials:
        """Return the credentials to sign with now, renewed if they are about to expire. Raises `ServiceError`."""
        try:
            if self._credentials is None:
                self._credentials = await self._session.get_credentials()
            if self._credentials is None:
                raise NoCredentialsError
            return await self._credentials.get_frozen_credentials()
        except CLIENT_ERRORS as error:
            raise service_error(error, "credentials") from error

    def route(self, endpoint: str) -> Route | None:
        """Return how to reach *endpoint*; None if that takes the AWS client: through a proxy, or below a path."""
        parts = urlsplit(endpoint)
        host = parts.hostname
        is_plain = parts.path in {"", "/"} and not parts.query and parts.username is None
        if host is None or not is_plain or parts.scheme in get_environ_proxies(endpoint):
            return None
        is_tls = parts.scheme == "https"
        usual = 443 if is_tls else 80
        port = parts.port or usual
        name = f"[{host}]" if ":" in host else host
        ca_bundle = get_cert_path(self._session.get_config_variable("ca_bundle") or True)
        return Route(host, port, name if port == usual else f"{name}:{port}", is_tls, str(ca_bundle))
