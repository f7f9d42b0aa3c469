"""Kinds: an entity and a word, in every spelling."""

import pytest

from streamapp_codecs.envelopes.kinds import Indicios, Tipo, classificar, resolver

_CRIADO = Tipo("pedido", "criar")
_ATUALIZADO = Tipo("pedido", "atualizar")
_PAGAMENTO = Tipo("pagamento", "atualizar")


@pytest.mark.parametrize(
    ("texto", "tipo"),
    [
        ("pedido_criado", _CRIADO),
        ("PedidoCriado", _CRIADO),
        ("pedidoCriado", _CRIADO),
        ("pedido.criado", _CRIADO),
        ("PEDIDO_CRIADO", _CRIADO),
        ("pedidocriado", _CRIADO),
        ("PEDIDO-CRIADO", _CRIADO),
        ("order.created", _CRIADO),
        ("OrderCreatedEvent", _CRIADO),
        ("NovoPedidoValidado", _CRIADO),
        ("novo_pedido", _CRIADO),
        ("pedido_recebido", _CRIADO),
        ("br.com.lanchonete.pedido.criado.v1", _CRIADO),
        ("pedido-criado.fifo", _CRIADO),
        ("pedido_status_atualizado", _ATUALIZADO),
        ("PEDIDO_STATUS_ATUALIZADO", _ATUALIZADO),
        ("pedidostatusatualizado", _ATUALIZADO),
        ("StatusPedidoAtualizado", _ATUALIZADO),
        ("order.status.changed", _ATUALIZADO),
        ("pedido_pronto", Tipo("pedido", status="Pronto")),
        ("PedidoEmPreparação", Tipo("pedido", status="Em preparação")),
        ("pedido_cancelado", Tipo("pedido", status="Cancelado")),
        ("pedido_status_alterado_pronto", Tipo("pedido", "atualizar", status="Pronto")),
        ("pedido_aguardando_pagamento", Tipo("pedido", status="Recebido")),
        ("pedido_pagamento_atualizado", _PAGAMENTO),
        ("PedidoStatusPagamentoAtualizado", _PAGAMENTO),
        ("pagamento.processado", _PAGAMENTO),
        ("pagamento_criado", Tipo("pagamento", "criar")),
        ("pagamento_confirmado", Tipo("pagamento", pagamento="pago")),
        ("PagamentoAprovado", Tipo("pagamento", pagamento="pago")),
        ("PagamentoRecebido", Tipo("pagamento", pagamento="pago")),
        ("order_payment_approved", Tipo("pagamento", pagamento="pago")),
        ("order_payment_failed", Tipo("pagamento", pagamento="falhou")),
        ("falha_no_pagamento", Tipo("pagamento", pagamento="falhou")),
        ("pagamento_falha_no_pagamento", Tipo("pagamento", pagamento="falhou")),
        ("PaymentFalhaNoPagamento", Tipo("pagamento", pagamento="falhou")),
        ("pagamento_estorno_no_pagamento", None),
        ("payment.refunded", Tipo("pagamento", pagamento="estornado")),
        ("compra_aprovada", None),
        ("PRODUCT_CREATED", Tipo("produto", "criar")),
        ("PRODUCT_UPDATED", Tipo("produto", "atualizar")),
        ("PRODUCT_DELETED", Tipo("produto", "remover")),
        ("produto_removido", Tipo("produto", "remover")),
        ("pedido_pago", None),
        ("pedido_removido", None),
        ("pagamento_removido", None),
        ("evento_invalido", None),
        ("cliente.criado", None),
        ("cliente_criado", None),
        ("estoque_atualizado", None),
        ("acompanhamento_atualizado", None),
        ("pedido_produto_adicionado", None),
        ("pedido", Tipo("pedido")),
        ("pagamento-events", Tipo("pagamento")),
        ("evento", None),
        ("", None),
        ("🍔", None),
        ("pedido_criado" * 50, None),
    ],
)
def test_a_kind_is_read_whatever_its_spelling(texto, tipo) -> None:
    """Each team has its own."""
    assert classificar(texto, "pedido") == tipo


@pytest.mark.parametrize(
    ("palavra", "acao"), [("criado", "criar"), ("atualizado", "atualizar"), ("nova", "criar")]
)
def test_a_word_alone_speaks_of_the_queues_entity(palavra, acao) -> None:
    """The queue is all that names one then."""
    assert classificar(palavra, "produto") == Tipo("produto", acao)


def test_the_same_word_means_another_thing_of_another_entity() -> None:
    """Vocabularies belong to entities, never to all."""
    assert classificar("recebido", "pedido") == Tipo("pedido", "criar")
    assert classificar("recebido", "pagamento") == Tipo("pagamento", pagamento="pago")


def test_the_innermost_kind_wins() -> None:
    """It is the producer's own; what is outside was put round it."""
    indicios = Indicios(explicitos=(("pedido_criado", True), ("PagamentoAprovado", True)))

    assert resolver(indicios, "produto") == _CRIADO


def test_an_unknown_kind_is_named() -> None:
    """It is skipped under its own name."""
    indicios = Indicios(explicitos=(("cupom_emitido", True), ("pedido_criado", True)))

    assert resolver(indicios, "pedido") == "cupom_emitido"


def test_a_name_that_may_hold_other_things_gives_way_to_an_envelopes_kind() -> None:
    """`tipo` is a kind in one message, and take-away in another."""
    assert resolver(Indicios(explicitos=(("viagem", False), ("pedido_criado", True))), "pedido") == _CRIADO
    assert resolver(Indicios(explicitos=(("viagem", False), ("order", True))), "produto") == Tipo("pedido")
    assert resolver(Indicios(explicitos=(("viagem", False),)), "pedido") == "viagem"


@pytest.mark.parametrize("topico", ["lanchonete", "pedido-pago", "pedido-events"])
def test_a_topic_that_is_no_kind_says_nothing(topico) -> None:
    """A topic may be named after anything."""
    assert resolver(Indicios(indicios=(topico,)), "pedido") == Tipo("pedido")


def test_a_topic_may_name_the_entity() -> None:
    """A queue may be subscribed to another entity's topic."""
    assert resolver(Indicios(indicios=("pagamento-events",)), "pedido") == Tipo("pagamento")


def test_a_topic_adds_the_word_to_its_own_entity_only() -> None:
    """An order's topic says nothing about what became of a payment."""
    pagamento = Indicios(explicitos=(("pagamento", True),), indicios=("pedido-criado",))
    pedido = Indicios(explicitos=(("pedido", True),), indicios=("pedido-criado",))

    assert resolver(pagamento, "pedido") == Tipo("pagamento")
    assert resolver(pedido, "pagamento") == _CRIADO


def test_a_wrapper_names_the_entity_before_the_queue_does() -> None:
    """`{"pagamento": {}}` is a payment on any queue."""
    assert resolver(Indicios(entidade="pagamento"), "pedido") == Tipo("pagamento")
    assert resolver(Indicios(entidade="pagamento", explicitos=(("aprovado", True),)), "pedido") == Tipo(
        "pagamento", pagamento="pago"
    )
