"""Amounts of money as decimals: from numbers, and from text with points, commas and R$."""

import re
from decimal import Decimal

from streamapp_codecs.codec import DecodeError
from streamapp_codecs.lenient.folding import is_blank
from streamapp_codecs.lenient.values import MAX_NUMBER_TEXT, is_number, json_type

MAX_PRICE = Decimal(1_000_000_000)

_CENT = Decimal("0.01")
# Floats that a producer sums have too many digits in the end; ten places keep any price that was meant.
_PRECISE = Decimal("1e-10")
# 43.2, 43,20, 1.234,56, 1,234.56, with or without R$. One separator alone is the decimal one.
_MONEY = re.compile(
    r"(?:R\$\s*)?(?P<sign>-?)(?:"
    r"(?P<plain>[0-9]+(?:[.,][0-9]+)?)"
    r"|(?P<points>[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+|[0-9]{1,3}(?:\.[0-9]{3}){2,})"
    r"|(?P<commas>[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+|[0-9]{1,3}(?:,[0-9]{3}){2,})"
    r")"
)


def read_price(value: object, path: str) -> Decimal | None:
    """Return an amount with two places at least, None if *value* is empty; raises `DecodeError`."""
    if is_blank(value):
        return None
    amount = _amount(value)
    if amount is None or not amount.is_finite() or not 0 <= amount <= MAX_PRICE:
        raise DecodeError("invalid_value", f"{path}: {json_type(value)} that is no price")
    cents = amount.copy_abs().quantize(_CENT)  # -0.0 is no price of its own
    if cents == amount:
        return cents
    amount = amount.quantize(_PRECISE).normalize()
    cents = amount.quantize(_CENT)
    return cents if cents == amount else amount


def _amount(value: object) -> Decimal | None:
    if isinstance(value, str):
        return _amount_in_text(value.strip())
    return Decimal(value) if is_number(value) else None


def _amount_in_text(text: str) -> Decimal | None:
    match = _MONEY.fullmatch(text) if len(text) <= MAX_NUMBER_TEXT else None
    if match is None:
        return None
    sign, plain, points, commas = match.groups()
    if plain is not None:
        return Decimal(sign + plain.replace(",", "."))
    if points is not None:
        return Decimal(sign + points.replace(".", "").replace(",", "."))
    return Decimal(sign + commas.replace(",", ""))
