"""The times of events, in every spelling that was seen, as aware UTC; what is no time is no error."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal

from streamapp_codecs.codec import Origin
from streamapp_codecs.dominio.eventos import Instante
from streamapp_codecs.lenient.values import is_lista, is_numero

# Ahead of its message's SentTimestamp by more than this, a time is kept for the record only.
_ADIANTE = timedelta(minutes=5)
# Before it, a time is what a library writes for none: 0001-01-01, 1970-01-01.
_PRIMEIRO_ANO = 2000
_EPOCA = datetime(1970, 1, 1, tzinfo=UTC)
# A number that would lie beyond it counts something else: 20250728120000 is a date without its signs.
_ULTIMO_ANO_DE_EPOCA = 2100
# Epoch numbers tell their unit by their size: seconds reach 1e11 in the year 5138, milliseconds did in 1973.
_MICROS_POR_UNIDADE = (
    (Decimal("1e11"), Decimal("1e6")),
    (Decimal("1e14"), Decimal("1e3")),
    (Decimal("1e17"), Decimal(1)),
    (Decimal("1e20"), Decimal("1e-3")),
)
_MAIOR_TEXTO = 64
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)|\d{8}(?:$|T)", re.ASCII)
_ZONA_AO_FIM = re.compile(r"(?P<utc>\s*UTC|z)$|\[[^\]]*\]$|\s(?=[+-]\d{2}:?\d{2}$)", re.ASCII)
_EPOCA_EM_TEXTO = re.compile(r"\d{9,20}(?:\.\d{1,9})?", re.ASCII)
_DIA_PRIMEIRO = re.compile(
    r"(\d{2})/(\d{2})/(\d{4})(?:[ T,]\s*(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6})\d*)?)?)?", re.ASCII
)


def instante(valor: object, origin: Origin) -> Instante | None:
    """Return the time that *valor* states, and whether it lies ahead of its message."""
    em = momento(valor, origin.zone)
    return None if em is None else Instante(em, em - origin.sent_at > _ADIANTE)


def momento(valor: object, zone: tzinfo) -> datetime | None:
    """Return the time that *valor* states in UTC, from 2000 on; *zone* is that of a time without one."""
    try:
        lido = _ler(valor)
        if lido is None or lido.year < _PRIMEIRO_ANO - 1:
            return None
        em = (lido if lido.tzinfo is not None else lido.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return em if em.year >= _PRIMEIRO_ANO else None


def _ler(valor: object) -> datetime | None:
    if isinstance(valor, str):
        return _de_texto(valor)
    if is_numero(valor):
        return _de_epoca(Decimal(valor))
    return _de_lista(valor) if is_lista(valor) else None


def _de_texto(texto: str) -> datetime | None:
    texto = texto.strip()
    if len(texto) > _MAIOR_TEXTO:
        return None
    if _ISO.match(texto):
        return _de_iso(texto)
    if _EPOCA_EM_TEXTO.fullmatch(texto):
        return _de_epoca(Decimal(texto))
    dia_primeiro = _DIA_PRIMEIRO.fullmatch(texto)
    return None if dia_primeiro is None else _de_dia_primeiro(dia_primeiro)


def _de_iso(texto: str) -> datetime:
    try:
        return datetime.fromisoformat(texto)
    except ValueError:
        return datetime.fromisoformat(_ZONA_AO_FIM.sub(lambda fim: "Z" if fim["utc"] else "", texto))


def _de_dia_primeiro(achado: re.Match[str]) -> datetime:
    dia, mes, ano, hora, minuto, segundo, fracao = achado.groups(default="0")
    micros = int(fracao.ljust(6, "0"))
    return datetime(int(ano), int(mes), int(dia), int(hora), int(minuto), int(segundo), micros)  # noqa: DTZ001


def _de_epoca(numero: Decimal) -> datetime | None:
    if not numero.is_finite() or numero < 0:
        return None
    for limite, micros in _MICROS_POR_UNIDADE:
        if numero < limite:
            em = _EPOCA + timedelta(microseconds=int(numero * micros))
            return em if em.year <= _ULTIMO_ANO_DE_EPOCA else None
    return None


def _de_lista(valor: list[object]) -> datetime | None:
    """Read what Jackson makes of a LocalDateTime: year, month, day, hour, minute, second, nanoseconds."""
    partes = [parte for parte in valor if isinstance(parte, int) and not isinstance(parte, bool)]
    if len(partes) != len(valor) or not 3 <= len(partes) <= 7 or len(partes) == 4:
        return None
    ano, mes, dia, hora, minuto, segundo, nanos = partes + [0] * (7 - len(partes))
    return datetime(ano, mes, dia, hora, minuto, segundo, nanos // 1000)  # noqa: DTZ001 - its zone comes later
