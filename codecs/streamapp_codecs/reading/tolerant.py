"""The tolerant path, for a body that is not canonical: open it, look up its fields, translate its words."""

from streamapp_codecs.codec import Decoded, DecodeError, Origin
from streamapp_codecs.dominio.eventos import Evento
from streamapp_codecs.dominio.vocabulario import Entity
from streamapp_codecs.envelopes.kinds import resolve
from streamapp_codecs.envelopes.parts import Part, parts
from streamapp_codecs.lenient.skipped import Skipped, unknown_kind
from streamapp_codecs.reading.pagamento import ler_pagamento
from streamapp_codecs.reading.pedido import ler_pedido
from streamapp_codecs.reading.produto import ler_produto


def decode(body: str, own: Entity, origin: Origin) -> Decoded[Evento]:
    """Return all that *body* holds; *own* is the entity of the queue that it came from."""
    events: list[Evento] = []
    skipped: list[str] = []
    first_error: DecodeError | None = None
    for part in parts(body, own, origin):
        read = _read(part, own, origin) if isinstance(part, Part) else part
        if isinstance(read, DecodeError):
            first_error = first_error or read
        elif isinstance(read, Skipped):
            skipped.append(read.name)
        else:
            events.append(read)
    return Decoded(tuple(events), tuple(skipped), first_error)


def _read(part: Part, own: Entity, origin: Origin) -> Evento | Skipped | DecodeError:
    kind = resolve(part.clues, own)
    if isinstance(kind, str):
        return unknown_kind(kind)
    try:
        if kind.entity == "pedido":
            return ler_pedido(part.fields, kind, origin)
        if kind.entity == "pagamento":
            return ler_pagamento(part.fields, kind, origin)
        return ler_produto(part.fields, kind, origin)
    except DecodeError as error:
        return error
