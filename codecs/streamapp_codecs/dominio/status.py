"""A status as a message states it, looked up in its entity's vocabulary."""

import re
from collections.abc import Mapping
from typing import Final, Generic, TypeVar

import msgspec

from streamapp_codecs.codec import DecodeError
from streamapp_codecs.dominio.eventos import Status, StatusPagamento
from streamapp_codecs.dominio.vocabulario import PAGAMENTO, PEDIDO
from streamapp_codecs.lenient.folding import dobrar, is_vazio
from streamapp_codecs.lenient.values import is_numero, tipo_json

C = TypeVar("C", bound=str)

_NUMERO = re.compile(r"\s*[+-]?[0-9]+(?:[.,][0-9]+)?\s*")


class Dito(msgspec.Struct, Generic[C], frozen=True):
    """What a status field says: *palavra* as it came, *status* where the word is known."""

    status: C | None = None
    palavra: str | None = None


_MAIOR_NUMERO: Final = 32


class Vocabulario(Generic[C]):
    """The words of one entity; an unknown word is None."""

    def __init__(self, tabela: Mapping[C, tuple[str, ...]]) -> None:
        self._indice: dict[str, C] = {
            dobrar(palavra): status for status, palavras in tabela.items() for palavra in palavras
        }

    def significado(self, palavra: str) -> C | None:
        """Return what *palavra* means here; a feminine ending is read as the masculine one."""
        dobrada = dobrar(palavra)
        achado = self._indice.get(dobrada)
        if achado is None and dobrada.endswith("a"):
            return self._indice.get(dobrada[:-1] + "o")
        return achado

    def ler(self, valor: object, caminho: str) -> Dito[C]:
        """Return what *valor* says.

        A number is undecidable: each producer counts its own way. Raises `DecodeError` for that and for
        whatever is no word.
        """
        if isinstance(valor, str):
            return self._ler_texto(valor, caminho)
        if valor is None:
            return Dito()
        raise DecodeError(
            "undecidable" if is_numero(valor) else "invalid_value", f"{caminho}: {tipo_json(valor)}"
        )

    def _ler_texto(self, texto: str, caminho: str) -> Dito[C]:
        status = self.significado(texto)
        if status is not None:
            return Dito(status, texto)
        if is_vazio(texto):
            return Dito()
        if len(texto) <= _MAIOR_NUMERO and _NUMERO.fullmatch(texto):
            raise DecodeError("undecidable", f"{caminho}: number in a string")
        return Dito(None, texto)


STATUS_PEDIDO: Vocabulario[Status] = Vocabulario(PEDIDO)
STATUS_PAGAMENTO: Vocabulario[StatusPagamento] = Vocabulario(PAGAMENTO)


def aprovacao(valor: object) -> StatusPagamento | None:
    """Return what `foiAprovado` says; raises `DecodeError` where it is no boolean."""
    if valor is None:
        return None
    if not isinstance(valor, bool):
        raise DecodeError("invalid_value", f"foi_aprovado: {tipo_json(valor)}")
    return "pago" if valor else "falhou"
