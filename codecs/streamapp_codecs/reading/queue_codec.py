"""The codec of one queue: the canonical path first, then the tolerant one; nothing escapes it."""

from collections.abc import Mapping
from typing import cast

import msgspec

from streamapp_codecs.codec import HIDDEN, Decoded, DecodeError, Origin, Shown
from streamapp_codecs.dominio.eventos import Evento, EventoPedido, EventoProduto
from streamapp_codecs.dominio.vocabulario import Entidade
from streamapp_codecs.reading import canonical as canonico
from streamapp_codecs.reading import tolerant as tolerante
from streamapp_codecs.reading.masking import mascarar_corpo

MAIOR_CORPO = 256 * 1024
"""Bytes of UTF-8; the limit of what SQS itself used to take."""


class CodecDeFila:
    """What an agent of a queue subscribes with.

    *entidade* is what the queue's messages speak of where they do not say it themselves. *canonicos* and
    *tolerantes* count the bodies that each path took; *wire* are the shapes that the first one knows.
    """

    def __init__(self, entidade: Entidade) -> None:
        self.entidade: Entidade = entidade
        self.wire = canonico.FORMAS[entidade]
        self.canonicos = 0
        self.tolerantes = 0

    @property
    def paths(self) -> Mapping[str, int]:
        """How many bodies each path took: a producer that strays costs ten times as much."""
        return {"fast": self.canonicos, "tolerant": self.tolerantes}

    def decode(self, body: str, origin: Origin) -> Decoded[Evento]:
        """Return all that *body* holds. Total: it raises nothing, whatever the body is."""
        if _is_grande(body):
            return Decoded(error=DecodeError("too_large", f"body of more than {MAIOR_CORPO} bytes"))
        try:
            evento = canonico.decodificar(body, origin)
            if evento is not None:
                self.canonicos += 1
                return Decoded((evento,))
            self.tolerantes += 1
            return tolerante.decodificar(body, self.entidade, origin)
        # What the paths foresee never gets here: this is for what nobody foresaw in a body, so that it is a
        # dead letter and not a crash.
        except RecursionError:
            return Decoded(error=DecodeError("too_deep", "arrays or objects nested too deep"))
        except (ValueError, ArithmeticError):
            return Decoded(error=DecodeError("invalid_value", "a value that cannot be read"))

    def show(self, body: str, decoded: Decoded[object] | None) -> Shown:
        """Return what viewers may see of *body*, which is empty where only kind and key are wanted.

        *decoded* is what `decode` made of it, if it was asked.
        """
        tipo = chave = None
        entidade = self.entidade
        if decoded is not None and decoded.events:
            if not all(isinstance(it, EventoProduto) for it in decoded.events):
                entidade = "pedido"  # whichever queue it came by, a name in it is no product's
            evento = cast("Evento", decoded.events[0])
            tipo = evento.tipo
            chave = evento.id_pedido if isinstance(evento, EventoPedido) else evento.id_produto
        elif decoded is not None and decoded.skipped:
            tipo = decoded.skipped[0]
        mostrado = mascarar_corpo(body, entidade)
        if tipo is None and mostrado is not None:
            tipo, chave = _declarados(mostrado, self.entidade)
        return Shown(tipo, chave, mostrado)


class _Dados(msgspec.Struct):
    id_pedido: str | int | None = None
    id_produto: str | int | None = None


class _Corpo(msgspec.Struct):
    event_type: str | None = None
    data: _Dados = msgspec.field(default_factory=_Dados)


_CORPO = msgspec.json.Decoder(_Corpo)


def _declarados(mostrado: bytes, entidade: Entidade) -> tuple[str | None, str | None]:
    """Return the kind and the key that a body names which holds no event: a viewer wants to find its dead letter.

    Only what the masked body *mostrado* shows is told, and only where producers should put it.
    """
    try:
        corpo = _CORPO.decode(mostrado)
    except msgspec.MsgspecError:
        return None, None
    dito = corpo.data.id_produto if entidade == "produto" else corpo.data.id_pedido
    chave = None if dito is None or "*" in str(dito) else str(dito)
    return None if corpo.event_type == HIDDEN else corpo.event_type, chave


def _is_grande(corpo: str) -> bool:
    if len(corpo) > MAIOR_CORPO:
        return True
    # A character has four bytes at most.
    return 4 * len(corpo) > MAIOR_CORPO and len(corpo.encode("utf-8", "surrogatepass")) > MAIOR_CORPO
