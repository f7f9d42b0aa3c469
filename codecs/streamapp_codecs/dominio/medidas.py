"""Read a product's quantity and its cooking time in minutes."""

from streamapp_codecs.codec import DecodeError
from streamapp_codecs.lenient.folding import is_blank
from streamapp_codecs.lenient.values import count, json_type

MAIOR_QUANTIDADE = 10_000
# A day: what claims to cook for longer was not counted in minutes.
MAIOR_PREPARO = 24 * 60


def ler_quantidade(valor: object, caminho: str) -> int:
    """Return how many, one where *valor* is empty; raises `DecodeError` if it is no quantity."""
    if is_blank(valor):
        return 1
    quantos = count(valor)
    if quantos is None or not 1 <= quantos <= MAIOR_QUANTIDADE:
        raise DecodeError("invalid_value", f"{caminho}: {json_type(valor)} that is no quantity")
    return quantos


def ler_preparo(valor: object) -> int | None:
    """Return a preparation time in minutes; None if it is empty, zero or no such time."""
    quantos = count(valor)
    return quantos if quantos is not None and 0 < quantos <= MAIOR_PREPARO else None
