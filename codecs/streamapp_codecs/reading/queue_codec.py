"""The codec of one queue: the canonical path first, then the tolerant one; it never raises."""

from collections.abc import Mapping
from typing import cast

import msgspec

from streamapp_codecs.codec import HIDDEN, Decoded, DecodeError, Origin, Shown
from streamapp_codecs.dominio.eventos import Evento, EventoPedido, EventoProduto
from streamapp_codecs.dominio.vocabulario import Entity
from streamapp_codecs.reading import canonical, tolerant
from streamapp_codecs.reading.masking import mask_body

MAX_BODY = 256 * 1024
"""Bytes of UTF-8; the former limit of an SQS message."""


class QueueCodec:
    """What an agent of a queue subscribes with.

    *entity* is what the queue's messages are about where they name no entity themselves. *canonical* and
    *tolerant* count the bodies that each path took; *wire* are the shapes of the canonical path.
    """

    def __init__(self, entity: Entity) -> None:
        self.entity: Entity = entity
        self.wire = canonical.SHAPES[entity]
        self.canonical = 0
        self.tolerant = 0

    @property
    def paths(self) -> Mapping[str, int]:
        """How many bodies each path took: the tolerant one takes ten times as long."""
        return {"fast": self.canonical, "tolerant": self.tolerant}

    def decode(self, body: str, origin: Origin) -> Decoded[Evento]:
        """Return all that *body* holds. Total: it raises nothing, whatever the body is."""
        if _is_too_large(body):
            return Decoded(error=DecodeError("too_large", f"body of more than {MAX_BODY} bytes"))
        try:
            event = canonical.decode(body, origin)
            if event is not None:
                self.canonical += 1
                return Decoded((event,))
            self.tolerant += 1
            return tolerant.decode(body, self.entity, origin)
        # The paths catch all that they expect. This is for what nobody expected in a body: it must become a dead
        # letter, and not end the agent.
        except RecursionError:
            return Decoded(error=DecodeError("too_deep", "arrays or objects nested too deep"))
        except (ValueError, ArithmeticError):
            return Decoded(error=DecodeError("invalid_value", "a value that cannot be read"))

    def show(self, body: str, decoded: Decoded[object] | None) -> Shown:
        """Return what viewers may see of *body*, which is empty if only kind and key are wanted.

        *decoded* is what `decode` returned for it, if it was called.
        """
        kind = key = None
        entity = self.entity
        if decoded is not None and decoded.events:
            if not all(isinstance(it, EventoProduto) for it in decoded.events):
                entity = "pedido"  # on any queue, a name in it is then no product's
            event = cast("Evento", decoded.events[0])
            kind = event.tipo
            key = event.id_pedido if isinstance(event, EventoPedido) else event.id_produto
        elif decoded is not None and decoded.skipped:
            kind = decoded.skipped[0]
        masked = mask_body(body, entity)
        if kind is None and masked is not None:
            kind, key = _declared(masked, self.entity)
        return Shown(kind, key, masked)


class _Dados(msgspec.Struct):
    id_pedido: str | int | None = None
    id_produto: str | int | None = None


class _Body(msgspec.Struct):
    event_type: str | None = None
    data: _Dados = msgspec.field(default_factory=_Dados)


_BODY = msgspec.json.Decoder(_Body)


def _declared(masked: bytes, entity: Entity) -> tuple[str | None, str | None]:
    """Return the kind and the key that a body without an event names, so that its dead letter can be found.

    They are taken from the body as it is shown, *masked*, and only from where producers should put them.
    """
    try:
        body = _BODY.decode(masked)
    except msgspec.MsgspecError:
        return None, None
    stated = body.data.id_produto if entity == "produto" else body.data.id_pedido
    key = None if stated is None or "*" in str(stated) else str(stated)
    return None if body.event_type == HIDDEN else body.event_type, key


def _is_too_large(body: str) -> bool:
    if len(body) > MAX_BODY:
        return True
    # A character has four bytes at most.
    return 4 * len(body) > MAX_BODY and len(body.encode("utf-8", "surrogatepass")) > MAX_BODY
