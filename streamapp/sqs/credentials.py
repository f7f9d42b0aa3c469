"""AWS's own chain of settings and credentials, for calls that do without its client."""

from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from botocore.exceptions import NoCredentialsError
from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies

from streamapp.sqs.boto_errors import FOREIGN, ours_of
from streamapp.sqs.sigv4 import Keys


class _Credentials(Protocol):
    """Credentials that renew themselves."""

    async def get_frozen_credentials(self) -> Keys: ...


class _Session(Protocol):
    """What is used of the session below aioboto3's."""

    async def get_credentials(self) -> _Credentials | None: ...

    def get_config_variable(self, name: str) -> Any: ...  # noqa: ANN401 - botocore's


@dataclass(frozen=True, slots=True)
class Route:
    """How to reach the endpoint without the client; *trust* is the file of the authorities that may vouch for it."""

    host: str
    port: int
    authority: str
    is_tls: bool
    trust: str


class Chain:
    """Whose keys sign, and whose word vouches for the endpoint."""

    def __init__(self, session: _Session) -> None:
        self._session = session
        self._credentials: _Credentials | None = None

    async def keys(self) -> Keys:
        """Return the credentials to sign with now, renewed where they are about to expire."""
        try:
            if self._credentials is None:
                self._credentials = await self._session.get_credentials()
            if self._credentials is None:
                raise NoCredentialsError
            return await self._credentials.get_frozen_credentials()
        except FOREIGN as error:
            raise ours_of(error, "credentials") from error

    def route(self, endpoint: str) -> Route | None:
        """Return how to reach *endpoint* without the client, None where only the client knows: by a proxy."""
        parts = urlsplit(endpoint)
        host = parts.hostname
        is_plain = parts.path in {"", "/"} and not parts.query and parts.username is None
        if host is None or not is_plain or parts.scheme in get_environ_proxies(endpoint):
            return None
        is_tls = parts.scheme == "https"
        usual = 443 if is_tls else 80
        port = parts.port or usual
        name = f"[{host}]" if ":" in host else host
        trust = get_cert_path(self._session.get_config_variable("ca_bundle") or True)
        return Route(host, port, name if port == usual else f"{name}:{port}", is_tls, str(trust))
