"""How the codec tests decode."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any

import pytest

from streamapp_codecs import pagamento, pedido, produto
from streamapp_codecs.codec import Decoded, Origin
from streamapp_codecs.dominio.eventos import Evento

CODECS = {"pedido-events": pedido.codec, "pagamento-events": pagamento.codec, "produto-events": produto.codec}


@pytest.fixture
def decodificar() -> Callable[..., Decoded[Evento]]:
    """Decode a body (text, or what is to be written as JSON) that came by *fila*."""

    def decode(
        corpo: object, fila: str = "pedido", *, zone: tzinfo = UTC, **attributes: str
    ) -> Decoded[Evento]:
        origin = Origin(
            queue=f"{fila}-events",
            message_id="m",
            sent_at=datetime(2025, 7, 28, 18, tzinfo=UTC),
            attributes=attributes,
            zone=zone,
        )
        texto = corpo if isinstance(corpo, str) else json.dumps(corpo)
        return CODECS[f"{fila}-events"].decode(texto, origin)

    return decode


@pytest.fixture
def um(decodificar: Callable[..., Decoded[Evento]]) -> Callable[..., Any]:
    """Decode a body that holds one event and nothing else, and answer the event."""

    def decode(corpo: object, fila: str = "pedido", **resto: Any) -> Evento:
        decoded = decodificar(corpo, fila, **resto)
        assert decoded.error is None
        assert decoded.skipped == ()
        (evento,) = decoded.events
        return evento

    return decode


@pytest.fixture
def motivo(decodificar: Callable[..., Decoded[Evento]]) -> Callable[..., str]:
    """Decode a body that holds nothing good, and answer the reason, or "skipped"."""

    def decode(corpo: object, fila: str = "pedido", **resto: Any) -> str:
        decoded = decodificar(corpo, fila, **resto)
        assert decoded.events == ()
        if decoded.error is None:
            assert decoded.skipped != ()
            return "skipped"
        return decoded.error.reason

    return decode
