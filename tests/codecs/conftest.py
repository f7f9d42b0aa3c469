"""How the codec tests decode."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any

import pytest

from streamapp_codecs import Decoded, Origin, pagamento, pedido, produto
from streamapp_codecs.dominio.eventos import Evento

CODECS = {"pedido": pedido.codec, "pagamento": pagamento.codec, "produto": produto.codec}


@pytest.fixture
def decode() -> Callable[..., Decoded[Evento]]:
    """Decode a body (text, or what is to be written as JSON) that came from the queue *stream*."""

    def decode_body(
        body: object, stream: str = "pedido", *, zone: tzinfo = UTC, **attributes: str
    ) -> Decoded[Evento]:
        origin = Origin(
            queue=f"{stream}-events",
            message_id="m",
            sent_at=datetime(2025, 7, 28, 18, tzinfo=UTC),
            attributes=attributes,
            zone=zone,
        )
        text = body if isinstance(body, str) else json.dumps(body)
        return CODECS[stream].decode(text, origin)

    return decode_body


@pytest.fixture
def one(decode: Callable[..., Decoded[Evento]]) -> Callable[..., Any]:
    """Decode a body that holds one event and nothing else, and return the event."""

    def decode_one(body: object, stream: str = "pedido", **rest: Any) -> Evento:
        decoded = decode(body, stream, **rest)
        assert decoded.error is None
        assert decoded.skipped == ()
        (event,) = decoded.events
        return event

    return decode_one


@pytest.fixture
def reason(decode: Callable[..., Decoded[Evento]]) -> Callable[..., str]:
    """Decode a body that holds nothing good, and return the reason, or "skipped"."""

    def decode_bad(body: object, stream: str = "pedido", **rest: Any) -> str:
        decoded = decode(body, stream, **rest)
        assert decoded.events == ()
        if decoded.error is None:
            assert decoded.skipped != ()
            return "skipped"
        return decoded.error.reason

    return decode_bad
