"""Single values as JSON holds them: ids, prices, quantities, texts.

Numbers with a fraction or an exponent arrive as `Decimal`, made from their own text; see `leitura.py`.
Each function raises `DecodeError` with a path and a type, never with the value.
"""

import re
from decimal import Decimal
from typing import TypeGuard

from streamapp_codecs.codec import DecodeError
from streamapp_codecs.lenient.folding import is_vazio

MAIOR_ID = 256
MAIOR_TEXTO = 200
MAIOR_QUANTIDADE = 10_000
MAIOR_PRECO = Decimal(1_000_000_000)
# A day: whatever claims to cook for longer was not counted in minutes.
MAIOR_PREPARO = 24 * 60

_CONTROLES = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CENTAVO = Decimal("0.01")
# Floats summed by a producer drag digits behind them; ten places keep any price that was meant.
_PRECISO = Decimal("1e-10")
_MAIOR_NUMERO = 40
_NUMEROS = (int, Decimal)
# 43.2, 43,20, 1.234,56, 1,234.56, with or without R$. One separator alone is the decimal one.
_DINHEIRO = re.compile(
    r"(?:R\$\s*)?(?P<sinal>-?)(?:"
    r"(?P<simples>[0-9]+(?:[.,][0-9]+)?)"
    r"|(?P<ponto>[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+|[0-9]{1,3}(?:\.[0-9]{3}){2,})"
    r"|(?P<virgula>[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+|[0-9]{1,3}(?:,[0-9]{3}){2,})"
    r")"
)


def tipo_json(valor: object) -> str:
    """Return the JSON type of *valor*, for people."""
    if valor is None:
        return "null"
    if isinstance(valor, bool):
        return "boolean"
    if isinstance(valor, str):
        return "string"
    if isinstance(valor, list):
        return "array"
    return "object" if isinstance(valor, dict) else "number"


def is_objeto(valor: object) -> TypeGuard[dict[str, object]]:
    """Whether *valor* is a JSON object."""
    return isinstance(valor, dict)


def is_lista(valor: object) -> TypeGuard[list[object]]:
    """Whether *valor* is a JSON array."""
    return isinstance(valor, list)


def is_numero(valor: object) -> TypeGuard[int | Decimal]:
    """Whether *valor* is a JSON number; a boolean is none."""
    return isinstance(valor, _NUMEROS) and not isinstance(valor, bool)


def exigir_id(valor: object, caminho: str) -> str:
    """Return the id that has to be there: 42, 42.0 and "42" are one id, "0042" is another."""
    lido = ler_id(valor, caminho)
    if lido is None:
        raise DecodeError("missing_field", caminho)
    return lido


def ler_id(valor: object, caminho: str) -> str | None:
    """Return an id as an opaque string; None where *valor* is empty."""
    if valor is None:
        return None
    if isinstance(valor, str):
        lido = valor.strip()
        if not lido:
            return None
    elif is_numero(valor):
        inteiro = _inteiro(valor)
        lido = "" if inteiro is None else str(inteiro)
    else:
        raise DecodeError("invalid_value", f"{caminho}: {tipo_json(valor)}")
    # A control character would be lost or misread wherever the id is shown, and then name another order.
    if not lido or len(lido) > MAIOR_ID or _tem_controles(lido):
        raise DecodeError("invalid_value", f"{caminho}: {tipo_json(valor)} that is no id")
    return lido


def preco(valor: object, caminho: str) -> Decimal | None:
    """Return an amount with two places at least; None where *valor* is empty."""
    if is_vazio(valor):
        return None
    quantia = _dinheiro(valor)
    if quantia is None or not quantia.is_finite() or not 0 <= quantia <= MAIOR_PRECO:
        raise DecodeError("invalid_value", f"{caminho}: {tipo_json(valor)} that is no price")
    centavos = quantia.copy_abs().quantize(_CENTAVO)  # -0.0 is no price of its own
    if centavos == quantia:
        return centavos
    quantia = quantia.quantize(_PRECISO).normalize()
    centavos = quantia.quantize(_CENTAVO)
    return centavos if centavos == quantia else quantia


def quantidade(valor: object, caminho: str) -> int:
    """Return how many; one where *valor* is empty."""
    if is_vazio(valor):
        return 1
    quantos = _contagem(valor)
    if quantos is None or not 1 <= quantos <= MAIOR_QUANTIDADE:
        raise DecodeError("invalid_value", f"{caminho}: {tipo_json(valor)} that is no quantity")
    return quantos


def minutos(valor: object) -> int | None:
    """Return a preparation time in minutes; None where it is empty, zero or no such time."""
    quantos = _contagem(valor)
    return quantos if quantos is not None and 0 < quantos <= MAIOR_PREPARO else None


def texto(valor: object) -> str | None:
    """Return the text that people will read, without control characters; None where there is none."""
    if not isinstance(valor, str):
        return None
    curto = valor.strip()[:MAIOR_TEXTO]
    return (_CONTROLES.sub(" ", curto).strip() if _tem_controles(curto) else curto) or None


def _tem_controles(texto: str) -> bool:
    return not texto.isprintable() and _CONTROLES.search(texto) is not None


def _inteiro(numero: int | Decimal) -> int | None:
    if isinstance(numero, int):
        return numero if numero.bit_length() <= 4 * MAIOR_ID else None
    if not numero.is_finite() or numero.adjusted() > MAIOR_ID or numero != numero.to_integral_value():
        return None
    return int(numero)


def _contagem(valor: object) -> int | None:
    if is_numero(valor):
        return _inteiro(valor)
    if isinstance(valor, str) and len(valor) <= _MAIOR_NUMERO and re.fullmatch(r"\s*[0-9]+\s*", valor):
        return int(valor)
    return None


def _dinheiro(valor: object) -> Decimal | None:
    if isinstance(valor, str):
        return _dinheiro_em_texto(valor.strip())
    return Decimal(valor) if is_numero(valor) else None


def _dinheiro_em_texto(texto: str) -> Decimal | None:
    achado = _DINHEIRO.fullmatch(texto) if len(texto) <= _MAIOR_NUMERO else None
    if achado is None:
        return None
    sinal, simples, ponto, virgula = achado.groups()
    if simples is not None:
        return Decimal(sinal + simples.replace(",", "."))
    if ponto is not None:
        return Decimal(sinal + ponto.replace(".", "").replace(",", "."))
    return Decimal(sinal + virgula.replace(",", ""))
