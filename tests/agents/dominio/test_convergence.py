"""No order of arrival and no repetition changes the final state of an order."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from rigs.order_events import (
    ENVIO,
    anunciados,
    as_texts,
    catalogo,
    cozinha,
    criado,
    em,
    folded,
    item,
    pagamento,
    produto,
    soma_de,
    visible,
)
from streamapp.state.hash_codec import HashCodec
from streamapp_agents.dominio.acompanhamento import Acompanhamento, ComCatalogo, aplicar
from streamapp_agents.dominio.fatos import COZINHA, POSTO_PAGAMENTO, Fatos, unir
from streamapp_agents.dominio.ficha import Ficha
from streamapp_agents.dominio.registro import Registro
from streamapp_codecs.dominio.eventos import Criacao, EventoPedido, Item, Pagamento


def talvez(valores: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Return *valores*, or None in half of the cases: producers leave much out."""
    return st.none() | valores


# Small ranges on purpose: merges go wrong where times, products or payments are equal.
instantes = st.builds(em, st.integers(0, 2), adiantado=st.booleans())
envios = st.integers(0, 2).map(lambda minuto: ENVIO + timedelta(minutes=minuto))
precos = st.sampled_from(["1", "1.00", "2.5", "0.125"]).map(Decimal)
linhas = st.builds(
    Item,
    id_produto=talvez(st.sampled_from("123")),
    nome=talvez(st.sampled_from("ab")),
    categoria=talvez(st.sampled_from(["LANCHE", "Bebida"])),
    quantidade=st.integers(1, 3),
    preco=talvez(precos),
    tempo_preparo=talvez(st.integers(0, 3)),
)


@st.composite
def criacoes(draw: Callable[..., object]) -> Criacao:
    """Return a creation as a codec makes it: the sum is that of the lines."""
    itens = draw(talvez(st.lists(linhas, min_size=1, max_size=3).map(tuple)))
    return Criacao(
        cliente=draw(talvez(st.sampled_from("ab"))),
        itens=itens,
        soma=soma_de(itens) if itens else None,
        total=draw(talvez(precos)),
    )


pagamentos = st.builds(
    Pagamento, status=st.sampled_from(list(POSTO_PAGAMENTO)), id_pagamento=talvez(st.sampled_from("78"))
)
eventos_de_pedido = st.builds(
    EventoPedido,
    id_pedido=st.just("1001"),
    tipo=st.just("pedido_criado"),
    enviado_em=envios,
    quando=talvez(instantes),
    criacao=talvez(criacoes()),
    status=talvez(st.sampled_from(COZINHA)),
    pagamento=talvez(pagamentos),
)


def registros(valores: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Return a register, or None."""
    return talvez(st.builds(Registro, valores, instantes.map(lambda instante: instante.em), st.booleans()))


fichas = st.dictionaries(
    st.sampled_from("123"),
    st.builds(
        Ficha,
        nome=registros(st.sampled_from("ab")),
        categoria=registros(st.sampled_from(["LANCHE", "Bebida"])),
        tempo_preparo=registros(st.integers(1, 3)),
    ),
    max_size=2,
)
eventos = eventos_de_pedido | st.builds(
    ComCatalogo, id_pedido=st.just("1001"), evento=eventos_de_pedido, fichas=fichas
)
historias = st.lists(eventos, min_size=1, max_size=8)


def fatos_de(evento: EventoPedido | ComCatalogo) -> Fatos:
    """Return what *evento* alone states."""
    estado = aplicar(None, evento)
    assert estado is not None
    return estado.fatos


fatos = st.lists(eventos.map(fatos_de), max_size=3).map(lambda varios: merged(*varios) if varios else Fatos())


def merged(*varios: Fatos) -> Fatos:
    """Return all merged, from the left."""
    juntos = Fatos()
    for um in varios:
        juntos = unir(juntos, um)
    return juntos


@settings(max_examples=200)
@given(historias, st.data())
def test_no_order_of_arrival_changes_an_order(
    historia: list[EventoPedido | ComCatalogo], data: st.DataObject
):
    """Standard queues promise neither order nor exactly one delivery."""
    repetidos = data.draw(st.lists(st.sampled_from(historia), max_size=4))
    outra_ordem = data.draw(st.permutations(historia + repetidos))

    um, outro = folded(*historia), folded(*outra_ordem)

    assert visible(um) == visible(outro)
    assert msgspec.json.encode(um.fatos) == msgspec.json.encode(outro.fatos)


@settings(max_examples=200)
@given(historias, st.lists(fichas, max_size=3), st.data())
def test_a_fan_out_may_come_at_any_time(
    historia: list[EventoPedido | ComCatalogo], vistas: list[dict[str, Ficha]], data: st.DataObject
):
    """The catalogue reaches a known order whenever its product changes."""
    espalhados = [ComCatalogo(id_pedido="1001", fichas=vista) for vista in vistas]
    resto = data.draw(st.permutations(historia[1:] + espalhados))

    assert visible(folded(historia[0], *resto)) == visible(folded(*historia, *espalhados))


@given(fatos, fatos)
def test_merging_facts_is_commutative(uns: Fatos, outros: Fatos):
    """It must not matter which came first."""
    assert unir(uns, outros) == unir(outros, uns)


@given(fatos, fatos, fatos)
def test_merging_facts_is_associative(uns: Fatos, outros: Fatos, terceiros: Fatos):
    """It must not matter which were merged before."""
    assert unir(unir(uns, outros), terceiros) == unir(uns, unir(outros, terceiros))


@given(fatos, fatos)
def test_merging_facts_is_idempotent(uns: Fatos, outros: Fatos):
    """A repetition adds nothing, and the same object shows it."""
    juntos = unir(uns, outros)

    assert unir(juntos, outros) is juntos
    assert unir(juntos, juntos) is juntos
    assert unir(uns, Fatos()) is uns


@given(historias)
def test_announcements_end_with_the_final_state(historia: list[EventoPedido | ComCatalogo]):
    """A consumer that keeps the newest announcement has the state of the order."""
    estado = folded(*historia)

    ditos = anunciados(*historia)

    assert bool(ditos) == estado.conhecido
    if ditos:
        dito = ditos[-1].data
        assert (dito.status, dito.status_pagamento) == (estado.status, estado.status_pagamento)
        assert (dito.tempo_estimado, dito.versao) == (estado.tempo_estimado, estado.versao)


@given(historias)
def test_versao_counts_the_announcements(historia: list[EventoPedido | ComCatalogo]):
    """It orders the announcements of an order without a gap."""
    ditos = [dito.data for dito in anunciados(*historia)]

    assert [dito.versao for dito in ditos] == list(range(1, folded(*historia).versao + 1))
    assert [dito.status_anterior for dito in ditos] == [None, *(dito.status for dito in ditos)][: len(ditos)]


@given(historias)
def test_an_order_survives_its_text_fields(historia: list[EventoPedido | ComCatalogo]):
    """The state is stored as the text fields of a hash, and read back before the next event."""
    estado = folded(*historia)

    lido = HashCodec(Acompanhamento).read(as_texts(estado))

    assert lido == estado
    assert lido is not None
    assert as_texts(lido) == as_texts(estado)
    assert aplicar(lido, historia[-1]) is lido


def test_all_720_orders_of_one_history_come_to_the_same():
    """Six events of one lunch, in each order in which they can arrive."""
    fichas_do_dia = catalogo(produto("1", nome="X-Salada", categoria="Lanche"))
    historia = [
        ComCatalogo(
            id_pedido="1001",
            evento=criado(item("1", 2), item("2", 1, "6", categoria="BEBIDA")),
            fichas=fichas_do_dia,
        ),
        pagamento("pendente", quando=em(1)),
        pagamento("pago", quando=em(1)),
        cozinha("Em preparação", em(3)),
        cozinha("Pronto", em(24)),
        cozinha("Finalizado", em(31)),
    ]
    esperado = {
        "id_pedido": "1001",
        "status": "Finalizado",
        "status_pagamento": "pago",
        "conhecido": "1",
        "cliente": "***.982.247-**",
        "itens": (
            '[{"id_produto":"1","nome":"X-Salada","categoria":"Lanche","quantidade":2,"preco":"22.50"},'
            '{"id_produto":"2","categoria":"BEBIDA","quantidade":1,"preco":"6.00"}]'
        ),
        "total": "51.00",
        "tempo_estimado": "00:26:00",
        "criado_em": "2025-07-28T12:00:00Z",
        "atualizado_em": "2025-07-28T12:31:00Z",
        "alertas": "[]",
    }

    for ordem in permutations(historia):
        assert visible(folded(*ordem)) == esperado
