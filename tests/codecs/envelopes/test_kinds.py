"""Kinds: an entity and a word, in every spelling."""

import pytest

from streamapp_codecs.envelopes.kinds import Clues, Kind, classify, resolve

_CRIADO = Kind("pedido", "criar")
_ATUALIZADO = Kind("pedido", "atualizar")
_PAGAMENTO = Kind("pagamento", "atualizar")


@pytest.mark.parametrize(
    ("text", "kind"),
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
        ("pedido_pronto", Kind("pedido", status="Pronto")),
        ("PedidoEmPreparação", Kind("pedido", status="Em preparação")),
        ("pedido_cancelado", Kind("pedido", status="Cancelado")),
        ("pedido_status_alterado_pronto", Kind("pedido", "atualizar", status="Pronto")),
        ("pedido_aguardando_pagamento", Kind("pedido", status="Recebido")),
        ("pedido_pagamento_atualizado", _PAGAMENTO),
        ("PedidoStatusPagamentoAtualizado", _PAGAMENTO),
        ("pagamento.processado", _PAGAMENTO),
        ("pagamento_criado", Kind("pagamento", "criar")),
        ("pagamento_confirmado", Kind("pagamento", pagamento="pago")),
        ("PagamentoAprovado", Kind("pagamento", pagamento="pago")),
        ("PagamentoRecebido", Kind("pagamento", pagamento="pago")),
        ("order_payment_approved", Kind("pagamento", pagamento="pago")),
        ("order_payment_failed", Kind("pagamento", pagamento="falhou")),
        ("falha_no_pagamento", Kind("pagamento", pagamento="falhou")),
        ("pagamento_falha_no_pagamento", Kind("pagamento", pagamento="falhou")),
        ("PaymentFalhaNoPagamento", Kind("pagamento", pagamento="falhou")),
        ("pagamento_estorno_no_pagamento", None),
        ("payment.refunded", Kind("pagamento", pagamento="estornado")),
        ("compra_aprovada", None),
        ("PRODUCT_CREATED", Kind("produto", "criar")),
        ("PRODUCT_UPDATED", Kind("produto", "atualizar")),
        ("PRODUCT_DELETED", Kind("produto", "remover")),
        ("produto_removido", Kind("produto", "remover")),
        ("pedido_pago", None),
        ("pedido_removido", None),
        ("pagamento_removido", None),
        ("evento_invalido", None),
        ("cliente.criado", None),
        ("cliente_criado", None),
        ("estoque_atualizado", None),
        ("acompanhamento_atualizado", None),
        ("pedido_produto_adicionado", None),
        ("pedido", Kind("pedido")),
        ("pagamento-events", Kind("pagamento")),
        ("evento", None),
        ("", None),
        ("🍔", None),
        ("pedido_criado" * 50, None),
    ],
)
def test_a_kind_is_read_whatever_its_spelling(text, kind) -> None:
    """Each team has its own."""
    assert classify(text, "pedido") == kind


@pytest.mark.parametrize(
    ("word", "action"), [("criado", "criar"), ("atualizado", "atualizar"), ("nova", "criar")]
)
def test_a_word_alone_is_about_the_queues_entity(word, action) -> None:
    """Then only the queue names one."""
    assert classify(word, "produto") == Kind("produto", action)


def test_the_same_word_means_another_thing_of_another_entity() -> None:
    """Each entity has a vocabulary of its own."""
    assert classify("recebido", "pedido") == Kind("pedido", "criar")
    assert classify("recebido", "pagamento") == Kind("pagamento", pagamento="pago")


def test_the_innermost_kind_wins() -> None:
    """It is the producer's own; the others were put around it later."""
    clues = Clues(explicit=(("pedido_criado", True), ("PagamentoAprovado", True)))

    assert resolve(clues, "produto") == _CRIADO


def test_an_unknown_kind_is_named() -> None:
    """It is skipped under its own name."""
    clues = Clues(explicit=(("cupom_emitido", True), ("pedido_criado", True)))

    assert resolve(clues, "pedido") == "cupom_emitido"


def test_a_name_that_may_hold_other_things_gives_way_to_an_envelopes_kind() -> None:
    """`tipo` is a kind in one message, and take-away in another."""
    assert resolve(Clues(explicit=(("viagem", False), ("pedido_criado", True))), "pedido") == _CRIADO
    assert resolve(Clues(explicit=(("viagem", False), ("order", True))), "produto") == Kind("pedido")
    assert resolve(Clues(explicit=(("viagem", False),)), "pedido") == "viagem"


@pytest.mark.parametrize("topic", ["lanchonete", "pedido-pago", "pedido-events"])
def test_a_topic_that_is_no_kind_says_nothing(topic) -> None:
    """A topic may be named after anything."""
    assert resolve(Clues(hints=(topic,)), "pedido") == Kind("pedido")


def test_a_topic_may_name_the_entity() -> None:
    """A queue may be subscribed to another entity's topic."""
    assert resolve(Clues(hints=("pagamento-events",)), "pedido") == Kind("pagamento")


def test_a_topic_adds_the_word_to_its_own_entity_only() -> None:
    """An order's topic states nothing about a payment."""
    pagamento = Clues(explicit=(("pagamento", True),), hints=("pedido-criado",))
    pedido = Clues(explicit=(("pedido", True),), hints=("pedido-criado",))

    assert resolve(pagamento, "pedido") == Kind("pagamento")
    assert resolve(pedido, "pagamento") == _CRIADO


def test_a_wrapper_names_the_entity_before_the_queue_does() -> None:
    """`{"pagamento": {}}` is a payment on any queue."""
    assert resolve(Clues(entity="pagamento"), "pedido") == Kind("pagamento")
    assert resolve(Clues(entity="pagamento", explicit=(("aprovado", True),)), "pedido") == Kind(
        "pagamento", pagamento="pago"
    )
