"""The state that the events of one product leave."""

from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from rigs.order_events import ENVIO, as_texts, em, produto, visible
from streamapp.state.hash_codec import HashCodec
from streamapp_agents.dominio.produto import Produto, aplicar_produto
from streamapp_codecs.dominio.eventos import EventoProduto


def folded(*eventos: EventoProduto) -> Produto:
    """Return the state that *eventos* leave, in this order."""
    estado = None
    for evento in eventos:
        estado = aplicar_produto(estado, evento)
    assert estado is not None
    return estado


V1 = produto("7", em(0), nome="Batata", categoria="Acompanhamento", preco="18.0", tempo_preparo=8)
V2 = produto("7", em(2), "produto_atualizado", nome="Batata M", preco="21", tempo_preparo=None)
V3 = produto("7", em(3), "produto_atualizado", nome="Batata G", preco="24", tempo_preparo=10)
FIM = produto("7", em(9), "produto_removido")


eventos_de_produto = st.builds(
    EventoProduto,
    id_produto=st.just("7"),
    tipo=st.sampled_from(["produto_criado", "produto_atualizado", "produto_removido"]),
    enviado_em=st.integers(0, 2).map(lambda minuto: ENVIO + timedelta(minutes=minuto)),
    quando=st.none() | st.builds(em, st.integers(0, 2), adiantado=st.booleans()),
    nome=st.none() | st.sampled_from("ab"),
    categoria=st.none() | st.sampled_from("ab"),
    preco=st.none() | st.sampled_from(["1", "1.0", "2"]).map(Decimal),
    tempo_preparo=st.none() | st.integers(0, 3),
    ativo=st.booleans(),
)


def test_the_newest_event_wins_whatever_came_last():
    """On a standard queue updates of a product arrive in any order."""
    esperado = {
        "id_produto": "7",
        "nome": "Batata G",
        "categoria": "Acompanhamento",
        "preco": "24.00",
        "tempo_preparo": "10",
        "ativo": "0",
        "atualizado_em": "2025-07-28T12:09:00Z",
    }

    for ordem in permutations((V1, V2, V3, FIM)):
        assert visible(folded(*ordem)) == esperado


def test_null_never_erases_a_product():
    """An update without a time does not state that there is none."""
    assert folded(V1, V2).tempo_preparo == 8
    assert folded(V1, produto("7", em(4), "produto_atualizado", tempo_preparo=0)).tempo_preparo == 8


def test_a_removal_only_makes_a_product_inactive():
    """Open orders still show the name of what was taken off the menu."""
    removido = folded(V1, produto("7", em(9), "produto_removido", nome="?", preco="0", tempo_preparo=1))

    assert (removido.nome, removido.preco, removido.tempo_preparo) == ("Batata", Decimal("18.00"), 8)
    assert removido.ativo is False
    assert removido.ficha == folded(V1).ficha


def test_an_update_after_the_removal_brings_the_product_back():
    """Shops take things off the menu and put them on again."""
    assert folded(V1, FIM, produto("7", em(10), "produto_atualizado")).ativo is True


def test_a_product_event_without_a_time_has_the_time_it_was_sent():
    """Nothing else gives it a place among the others."""
    sem_hora = produto("7", None, "produto_atualizado", nome="Batata XG")

    assert folded(sem_hora, V3).nome == "Batata XG"
    assert folded(sem_hora, V3).atualizado_em == ENVIO


def test_a_product_s_clock_ahead_outranks_nothing():
    """A wrong clock must not fix a price forever."""
    adiantado = produto("7", em(600, adiantado=True), "produto_atualizado", nome="?", preco="1")

    for ordem in ((V1, adiantado), (adiantado, V1)):
        assert (folded(*ordem).nome, folded(*ordem).atualizado_em) == ("Batata", em(0).em)


def test_a_repeated_product_event_changes_nothing():
    """The same object lets the caller skip the write."""
    antes = folded(V1, V3)

    assert aplicar_produto(antes, V1) is antes
    assert aplicar_produto(antes, V3) is antes


def test_a_product_survives_its_text_fields():
    """The state is kept as the text fields of a hash."""
    for estado in (folded(V1, V3, FIM), folded(produto("8"))):
        assert HashCodec(Produto).read(as_texts(estado)) == estado


@given(st.lists(eventos_de_produto, min_size=1, max_size=6), st.data())
def test_no_order_of_arrival_changes_a_product(eventos: list[EventoProduto], data: st.DataObject):
    """Standard queues promise neither order nor exactly one delivery."""
    repetidos = data.draw(st.lists(st.sampled_from(eventos), max_size=3))
    outra_ordem = data.draw(st.permutations(eventos + repetidos))

    um, outro = folded(*eventos), folded(*outra_ordem)

    assert um == outro
    assert as_texts(um) == as_texts(outro)
    assert msgspec.json.encode(um) == msgspec.json.encode(outro)
