"""Envelopes that services make themselves: `{event_type, data}`, `{headers, body}`, `{pedido: {}}`."""

from collections.abc import Iterator

from streamapp_codecs.dominio import campos
from streamapp_codecs.dominio.vocabulario import ENTIDADES, Entidade
from streamapp_codecs.envelopes.aws import recusar_s3
from streamapp_codecs.envelopes.envelope import Conteudo, Envelope, conteudo
from streamapp_codecs.envelopes.kinds import Tipo, resolver
from streamapp_codecs.lenient.fields import Camada
from streamapp_codecs.lenient.folding import dobrar_nomes
from streamapp_codecs.lenient.values import is_objeto

# Under such a name lies what an envelope is about; the objects around it may still hold an id or a time.
# EventBridge says `detail`.
_CONTEUDO = (
    *("detail", "data", "dados", "payload", "body", "content", "conteudo", "message", "mensagem"),
    *("evento", "event"),
)
_CABECALHO = ("headers", "header", "metadata")

_ENTIDADE_DE: dict[str, Entidade] = {
    nome: entidade for entidade, nomes in ENTIDADES.items() for nome in nomes
}
# An object with such a name beside `pedido: {}` is itself the event, and `pedido` is one of its fields.
_NOMES_DE_EVENTO = frozenset(
    nome
    for campo in (
        *(campos.ID_PEDIDO, campos.ID_PAGAMENTO, campos.ID_PRODUTO),
        *(campos.STATUS_PEDIDO, campos.STATUS_PAGAMENTO, campos.FOI_APROVADO, campos.ITENS),
    )
    for nome, resto in campo.caminhos
    if not resto
) - {"id", *_ENTIDADE_DE}

_IDS_EM_OBJETOS = frozenset((nome, resto) for nome, resto in campos.ID_PEDIDO.caminhos if resto)


def abrir_objeto(objeto: Camada, fora: Envelope) -> Iterator[Conteudo] | None:
    """Return what *objeto* wraps; None where it is no envelope but the event itself."""
    for nome in _CONTEUDO:
        if nome in objeto and (dentro := conteudo(objeto[nome])) is not None:
            cabecalhos = [dobrar_nomes(c) for n in _CABECALHO if is_objeto(c := objeto.get(n))]
            for cabecalho in cabecalhos:
                fora = fora.com_tipos(cabecalho)
            return _partes(dentro, fora.com_tipos(objeto).dentro(_sem(objeto, nome), *cabecalhos))
    if "detailtype" in objeto and "detail" in objeto:
        # EventBridge's own id is no order's, however little it brings.
        return _partes({}, fora.com_tipos(objeto).dentro(_sem(objeto, "detail")))
    metadados = objeto.get("metadata")
    if is_objeto(metadados) and (dentro := conteudo(dobrar_nomes(metadados).get("data"))) is not None:
        return _partes(dentro, fora.com_tipos(objeto).dentro(_sem(objeto, "metadata")))
    return _abrir_entidade(objeto, fora.com_tipos(objeto))


def _abrir_entidade(objeto: Camada, fora: Envelope) -> Iterator[Conteudo] | None:
    """Open `{pedido: {}}`: the name says whose event it is, unless a kind says otherwise."""
    nomes = [nome for nome in objeto if nome in _ENTIDADE_DE]
    if not nomes or not _NOMES_DE_EVENTO.isdisjoint(objeto):
        return None
    esperada, nomeada = _entidade_esperada(fora)
    # Of `{pedido: {}, pagamento: {}}` the one that the kind, else the queue, speaks of.
    for nome in sorted(nomes, key=lambda nome: _ENTIDADE_DE[nome] != esperada):
        entidade = _ENTIDADE_DE[nome]
        dentro = conteudo(objeto[nome])
        if dentro is None or _so_diz_qual(nome, dentro):
            continue
        if entidade != esperada and (nomeada or "id" in objeto or isinstance(dentro, list)):
            continue
        return _partes(dentro, fora.com_entidade(entidade).dentro(_sem(objeto, nome)))
    return None


def _entidade_esperada(fora: Envelope) -> tuple[Entidade, bool]:
    tipo = resolver(fora.indicios, fora.propria)
    # A topic that is a whole kind names it as the body would.
    if not isinstance(tipo, Tipo) or not (fora.indicios.explicitos or tipo.is_completo):
        return fora.propria, False
    return tipo.entidade, True


def _so_diz_qual(nome: str, dentro: dict[str, object] | list[object]) -> bool:
    """Whether *dentro* is the order's id alone: `{pedido: {id: 7}, produtos: []}` is an order's event itself."""
    if isinstance(dentro, list) or not dentro:
        return False
    return all((nome, (de_dentro,)) in _IDS_EM_OBJETOS for de_dentro in dobrar_nomes(dentro))


def _partes(dentro: dict[str, object] | list[object], envelope: Envelope) -> Iterator[Conteudo]:
    recusar_s3(dentro)
    partes: list[object] = dentro if isinstance(dentro, list) else [dentro]
    for parte in partes:
        yield parte, envelope


def _sem(objeto: Camada, nome: str) -> Camada:
    return {outro: valor for outro, valor in objeto.items() if outro != nome}
