"""A value with the time of its event: of two registers, the newer one wins."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Generic, TypeVar

import msgspec

from streamapp_codecs.dominio.eventos import Instante

T = TypeVar("T")

_canonico = msgspec.json.Encoder(order="deterministic")


class Registro(msgspec.Struct, Generic[T], frozen=True, omit_defaults=True):
    """A value, the time *em* of the event that stated it, and whether that time is ahead of its message."""

    valor: T
    em: datetime
    adiantado: bool = False


def registrar(valor: T | None, quando: Instante) -> Registro[T] | None:
    """Return *valor* as stated at *quando*; None if it is unknown, so that null erases nothing."""
    return None if valor is None else Registro(valor, quando.em, quando.adiantado)


def valor_de(registro: Registro[T] | None) -> T | None:
    """Return the value of *registro*, None if there is no register."""
    return None if registro is None else registro.valor


def prevalecer(um: Registro[T], outro: Registro[T]) -> Registro[T]:
    """Return the register that wins: one that is not ahead, then the newer, then the one with the larger hash."""
    if um.adiantado != outro.adiantado:
        return outro if um.adiantado else um
    if um.em != outro.em:
        return um if um.em > outro.em else outro
    if um.valor == outro.valor:
        return um
    return um if _resumo(um.valor) > _resumo(outro.valor) else outro


def mais_novo(um: Instante, outro: Instante) -> Instante:
    """Return the newer time; one that is ahead is older than any that is not."""
    if um.adiantado != outro.adiantado:
        return outro if um.adiantado else um
    return um if um.em >= outro.em else outro


def juntar(unir: Callable[[T, T], T], um: T | None, outro: T | None) -> T | None:
    """Merge *um* and *outro* with *unir*. If one is None, return the other."""
    if um is None:
        return outro
    return um if outro is None else unir(um, outro)


def _resumo(valor: object) -> bytes:
    return hashlib.sha256(_canonico.encode(valor)).digest()
