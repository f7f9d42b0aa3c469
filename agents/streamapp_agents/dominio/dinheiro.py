"""Money: decimal, never float, and one text for one amount."""

from decimal import ROUND_HALF_UP, Context, Decimal

_CENTAVO = Decimal("0.01")
# Wide enough for any amount that a codec lets through: quantize raises where digits do not fit.
_LARGO = Context(prec=100, rounding=ROUND_HALF_UP)


def preco_canonico(valor: Decimal | None) -> Decimal | None:
    """Return *valor* with at least two places and no idle zeros after them: 18 and 18.000 are one price."""
    if valor is None:
        return None
    centavos = em_centavos(valor)
    return centavos if centavos == valor else valor.normalize(_LARGO)


def em_centavos(valor: Decimal) -> Decimal:
    """Return *valor* with two places, half a centavo rounded up."""
    return valor.quantize(_CENTAVO, context=_LARGO)
