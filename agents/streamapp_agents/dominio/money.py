"""Money: decimal, never float, and one text for one amount."""

from decimal import ROUND_HALF_UP, Context, Decimal

_CENT = Decimal("0.01")
# Wide enough for any amount that a codec accepts: quantize raises where digits do not fit.
_WIDE = Context(prec=100, rounding=ROUND_HALF_UP)


def canonical_price(value: Decimal | None) -> Decimal | None:
    """Return *value* with at least two places and no further zeros after them: 18 and 18.000 are one price."""
    if value is None:
        return None
    cents = to_cents(value)
    return cents if cents == value else value.normalize(_WIDE)


def to_cents(value: Decimal) -> Decimal:
    """Return *value* with two places, half a cent rounded up."""
    return value.quantize(_CENT, context=_WIDE)
