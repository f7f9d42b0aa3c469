"""What viewers may see of a body: the fields that the shop works with, and of what is left only that it is there."""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache, partial
from typing import Final, NamedTuple

import msgspec

from streamapp_codecs.codec import HIDDEN, DecodeError
from streamapp_codecs.dominio import campos
from streamapp_codecs.dominio.cpf import mascarar
from streamapp_codecs.dominio.unknown import visivel
from streamapp_codecs.dominio.vocabulario import Entidade
from streamapp_codecs.lenient.fields import Campo
from streamapp_codecs.lenient.folding import dobrar
from streamapp_codecs.lenient.reader import ler_json
from streamapp_codecs.lenient.values import is_lista, is_objeto

_MAIS_FUNDO: Final = 5
_ID = re.compile(r"[\w.:/+-]{1,64}", re.ASCII)
_MOMENTO = re.compile(r"[0-9T:.,Z+/ -]{1,40}")
_NUMERO = re.compile(r"(?:R\$\s*)?[0-9.,-]{1,20}")
_ONZE_DIGITOS = re.compile(r"\s*[0-9]{3}\.?[0-9]{3}\.?[0-9]{3}-?[0-9]{2}(?:\.0)?\s*")
_TAMANHOS_DE_CPF = range(10, 15)
_MENOR_CPF, _ACIMA_DE_CPF = 10**9, 10**11

_DECODER = msgspec.json.Decoder()
_ENCODER = msgspec.json.Encoder()

_Mostrar = Callable[[object], object]


class _Regra(NamedTuple):
    """What is shown under a name.

    *nome* is the name as it is shown. *mostrar* answers what is shown of a value; None hides it. Inside a product,
    a name is the product's and no customer's: *abre* says that what lies under this name is one, *mantem* that it
    still is.
    """

    nome: str
    mostrar: _Mostrar | None
    no_produto: _Mostrar | None
    abre: bool
    mantem: bool


def mascarar_corpo(corpo: str, propria: Entidade) -> bytes | None:
    """Return *corpo* as JSON in which nothing is personal; None where it is no JSON.

    *propria* is the entity of the queue that it came from.
    """
    try:
        return _ENCODER.encode(_mostrado(_ler(corpo), propria == "produto", 0))
    except (DecodeError, RecursionError, ValueError, ArithmeticError):
        return None


def _ler(corpo: str) -> object:
    try:
        return _DECODER.decode(corpo)
    except (msgspec.MsgspecError, UnicodeError):
        return ler_json(corpo)


def _mostrado(valor: object, produto: bool, fundo: int) -> object:  # noqa: FBT001 - on everybody's path
    if is_objeto(valor):
        return _objeto(valor, produto, fundo)
    if is_lista(valor):
        return [_mostrado(parte, produto, fundo) for parte in valor]
    return valor if valor is None or isinstance(valor, bool) else HIDDEN


def _objeto(objeto: dict[str, object], produto: bool, fundo: int) -> dict[str, object]:  # noqa: FBT001 - as above
    mostrado: dict[str, object] = {}
    for nome, valor in objeto.items():
        regra = _regra(nome)
        tipo = type(valor)
        if tipo is dict or tipo is list:
            mostrado[regra.nome] = _mostrado(valor, regra.abre or (produto and regra.mantem), fundo)
        elif valor is None or tipo is bool:
            mostrado[regra.nome] = valor
        elif tipo is str and valor[:1] in _ABRE:  # type: ignore[index]  # it is a str
            mostrado[regra.nome] = _texto(str(valor), produto and regra.mantem, fundo)
        else:
            mostrar = regra.no_produto if produto else regra.mostrar
            mostrado[regra.nome] = HIDDEN if mostrar is None else mostrar(valor)
    return mostrado


_ABRE = frozenset("{[")


def _texto(texto: str, produto: bool, fundo: int) -> object:  # noqa: FBT001 - as above
    """Return JSON in a string, as envelopes have it, masked as well."""
    if fundo == _MAIS_FUNDO:
        return HIDDEN
    try:
        return _ENCODER.encode(_mostrado(_ler(texto), produto, fundo + 1)).decode()
    except (DecodeError, ValueError, ArithmeticError):
        return HIDDEN


# -- values ---------------------------------------------------------------------------------------------------


def _id(valor: object) -> object:
    if isinstance(valor, str):
        if not _ID.fullmatch(valor):
            return HIDDEN
        return valor if len(valor) not in _TAMANHOS_DE_CPF else mascarar(valor) or valor
    # A range would be searched number by number for one with a fraction.
    pode_ser = isinstance(valor, int | float | Decimal) and _MENOR_CPF <= valor < _ACIMA_DE_CPF
    return mascarar(valor) or HIDDEN if pode_ser else valor


def _palavra(valor: object) -> object:
    return (visivel(valor) or HIDDEN) if isinstance(valor, str) else _id(valor)


def _que_casa(padrao: re.Pattern[str], valor: object) -> object:
    if isinstance(valor, str) and not padrao.fullmatch(valor):
        return HIDDEN
    # Eleven digits are neither a price nor a time.
    return HIDDEN if _ONZE_DIGITOS.fullmatch(str(valor)) else valor


def _cliente(valor: object) -> object:
    return mascarar(valor) or HIDDEN


def _nome_de_produto(valor: object) -> object:
    if not isinstance(valor, str):
        return _id(valor)
    return valor if "@" not in valor and sum(map(str.isdigit, valor)) <= 8 else HIDDEN


_momento = partial(_que_casa, _MOMENTO)
_numero = partial(_que_casa, _NUMERO)

# -- names ----------------------------------------------------------------------------------------------------


def _nomes(*de: Campo) -> frozenset[str]:
    """Return all names of these fields; of `cliente.cpf` the last one."""
    return frozenset((primeiro, *resto)[-1] for campo in de for primeiro, resto in campo.caminhos)


_CLIENTE = _nomes(campos.CLIENTE)
_PRODUTO = frozenset({*_nomes(campos.ITENS), "produto", "product"})
_ENVELOPE = frozenset(
    dobrar(nome)
    for nome in (
        *("detail", "data", "dados", "payload", "body", "content", "conteudo", "message", "mensagem"),
        *("evento", "event", "categoria", "category"),
    )
)
# The first that has a name says what is shown under it.
_DE_TODOS: tuple[tuple[frozenset[str], _Mostrar], ...] = (
    (_CLIENTE, _cliente),
    (frozenset(map(dobrar, (*campos.TIPO, *campos.TIPO_TALVEZ, *campos.TIPO_INDICIO))), _palavra),
    (_nomes(campos.STATUS_PEDIDO, campos.STATUS_PAGAMENTO, campos.STATUS, campos.ATIVO), _palavra),
    (
        _nomes(campos.CRIADO_EM, campos.ATUALIZADO_EM, campos.PAGO_EM, campos.OCORRIDO_EM)
        | frozenset({"tempoestimado", "tempoespera"}),
        _momento,
    ),
    (_nomes(campos.TOTAL, campos.QUANTIDADE, campos.PRECO, campos.TEMPO_PREPARO), _numero),
    (frozenset({"versao", "version"}), _numero),
    (_nomes(campos.FOI_APROVADO), _palavra),
)
_IDS = frozenset({"id", "eventid", "idacompanhamento"}) | _nomes(
    *(campos.ID_PEDIDO, campos.ID_PAGAMENTO, campos.ID_PRODUTO, campos.ID),
    *(campos.CODIGO_PEDIDO, campos.CODIGO_PRODUTO),
)
_DE_PRODUTO = ((_nomes(campos.NOME, campos.CATEGORIA), _nome_de_produto),)
_MAIOR_NOME = 64


def _regra(nome: str) -> _Regra:
    return _lembrada(nome) if len(nome) <= _MAIOR_NOME else _OCULTA


@lru_cache(maxsize=4096)
def _lembrada(nome: str) -> _Regra:
    dobrado = dobrar(nome)
    geral = next((mostrar for nomes, mostrar in _DE_TODOS if dobrado in nomes), None)
    if geral is None and dobrado in _IDS:
        geral = _id
    no_produto = next((mostrar for nomes, mostrar in _DE_PRODUTO if dobrado in nomes), None)
    return _Regra(
        nome=visivel(nome) or HIDDEN,
        mostrar=geral,
        no_produto=no_produto or geral,
        abre=dobrado in _PRODUTO,
        mantem=dobrado in _ENVELOPE,
    )


_OCULTA = _Regra(HIDDEN, None, None, abre=False, mantem=False)
