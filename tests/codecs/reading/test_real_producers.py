"""Payloads that public services really send, one by one, and what each must be decoded to."""

from decimal import Decimal
from typing import Any

import pytest

from streamapp_codecs.dominio.eventos import EventoPedido, EventoProduto

# Each: where it was seen, the queue, the body, and what it states: an id, the kind, and the facts that matter.
_APPLIED: list[tuple[str, str, object, dict[str, Any]]] = [
    (
        "monolith, entity",
        "pedido",
        {
            "id": 31,
            "cliente_cpf": "52998224725",
            "status": "Recebido",
            "status_pagamento": "Pendente",
            "time_stamp": "00:15:00",
            "ultima_atualizacao": "2025-07-28T12:00:00",
            "total": 22.5,
            "produtos": [
                {
                    "id": 1,
                    "nomeProduto": "X-Salada",
                    "categoriaProduto": "Lanche",
                    "descricaoProduto": "d",
                    "personalizacaoProduto": {"String": "", "Valid": False},
                    "precoProduto": 22.5,
                }
            ],
        },
        {
            "id": "31",
            "tipo": "pedido_criado",
            "status": "Recebido",
            "pagamento": "pendente",
            "total": "22.50",
        },
    ),
    (
        "monolith, transfer object",
        "pedido",
        {
            "id": "31",
            "identificacao": "529.982.247-25 - Maria",
            "tempoEstimado": 900,
            "itens": [
                {"produtoId": 1, "nomeProduto": "X", "quantidade": 2, "precoUnitario": 22.5, "subtotal": 45}
            ],
            "cliente": "529.982.247-25 - Maria",
            "total": 45,
        },
        {"id": "31", "tipo": "pedido_criado", "cliente": "***.982.247-**", "soma": "45.00", "quando": None},
    ),
    (
        "xLinaMeloox/app-fastfood-pedido",
        "pedido",
        {
            "id_pedido": "1013",
            "id_cliente": "77",
            "valor_total": 51.0,
            "status": "RECEBIDO",
            "status_pagamento": "PENDENTE",
            "tempo_espera": "35:00",
            "produtos": [
                {
                    "id_produto": "1",
                    "quantidade_produto": "2",
                    "nome": None,
                    "preco": None,
                    "categoria": None,
                    "uriImagem": None,
                }
            ],
        },
        {
            "id": "1013",
            "tipo": "pedido_criado",
            "cliente": None,
            "total": "51.00",
            "soma": None,
            "quando": None,
        },
    ),
    (
        "fiap-challenge-group-37 PedidoPagoEvento",
        "pedido",
        {"idPedido": 9, "itens": [{"nome": "X-Burger", "quantidade": 2}]},
        {"id": "9", "tipo": "pedido_criado", "soma": None},
    ),
    (
        "soat1-grupo18/fase5-ms-producao",
        "pedido",
        {
            "pedidoId": "b3c1f0aa-7a2e-4c6b-9b5c-1d2e3f4a5b6c",
            "clienteId": "c3c1f0aa-7a2e-4c6b-9b5c-1d2e3f4a5b6c",
            "preco": 20.0,
            "itens": [
                {
                    "nome": "X",
                    "descricao": "d",
                    "categoria": "LANCHE",
                    "imagem": "i",
                    "quantidade": 1,
                    "precoUnitario": 20.0,
                }
            ],
        },
        {
            "id": "b3c1f0aa-7a2e-4c6b-9b5c-1d2e3f4a5b6c",
            "tipo": "pedido_criado",
            "total": "20.00",
            "soma": "20.00",
        },
    ),
    (
        "FiapTeam17 PedidoCriarDto",
        "pedido",
        {
            "identificacaoPedido": 5,
            "identificacaoCliente": "52998224725",
            "observacao": "sem cebola",
            "itens": [{"produtoId": 3, "nomeProduto": "X", "quantidade": 1}],
        },
        {"id": "5", "tipo": "pedido_criado", "cliente": "***.982.247-**"},
    ),
    (
        "FiapTeam17 status",
        "pedido",
        {"idPedido": 5, "status": "EM_PREPARACAO"},
        {"id": "5", "tipo": "pedido_status_atualizado", "status": "Em preparação"},
    ),
    (
        "EvertonSilva/fiap_techchallenge_preparacao",
        "pedido",
        {
            "codigo": "A-0042",
            "nomeCliente": "Maria",
            "emailCliente": "maria@exemplo.com",
            "cpfCliente": "01234567890",
            "data": 1753715100000,
            "valorTotal": 24.5,
            "itens": [
                {
                    "nomeProduto": "Suco",
                    "descricaoProduto": "",
                    "precoProduto": 6.5,
                    "categoriaProduto": "BEBIDA",
                    "quantidadeItem": 1,
                }
            ],
        },
        {
            "id": "A-0042",
            "tipo": "pedido_criado",
            "cliente": "***.345.678-**",
            "total": "24.50",
            "soma": "6.50",
        },
    ),
    (
        "fabianogoes kitchen, in",
        "pedido",
        {
            "id": 8,
            "items": [{"id": 1, "quantity": 2, "product": {"id": 5, "name": "Fries", "category": "SIDE"}}],
        },
        {"id": "8", "tipo": "pedido_criado"},
    ),
    (
        "fabianogoes kitchen, out",
        "pedido",
        {"orderId": 8, "status": "KITCHEN_READY"},
        {"id": "8", "tipo": "pedido_status_atualizado", "status": "Pronto"},
    ),
    (
        "ed-wantuil",
        "pedido",
        {"orderId": 8, "customerId": 2, "created": "2025-07-28", "amount": 10.5},
        {"id": "8", "tipo": "pedido_criado", "cliente": None, "total": "10.50"},
    ),
    (
        "andersonfer",
        "pedido",
        {"pedidoId": 8, "valor": 10.5, "cpf": "52998224725"},
        {"id": "8", "tipo": "pedido_criado", "cliente": "***.982.247-**", "total": "10.50"},
    ),
    (
        "FIAP-Tech/pedidos-app",
        "pedido",
        {
            "idPedido": 8,
            "cliente": {"nome": "Maria", "cpf": "52998224725"},
            "dataPedido": "2025-07-28T12:00:00",
            "totalPedido": 36,
            "formaPagamento": "PIX",
            "pedidoProdutos": [{"idProduto": 3, "descricao": "X", "quantidade": 2, "preco": 18}],
        },
        {"id": "8", "tipo": "pedido_criado", "cliente": "***.982.247-**", "total": "36.00", "soma": "36.00"},
    ),
    (
        "Joao-Victordss/pedido-de-restaurante-serverless",
        "pedido",
        {
            "pedidoId": "pedido-20251111120000",
            "cliente": "Maria",
            "itens": ["Pizza"],
            "mesa": 5,
            "timestamp": "2025-07-28T12:00:00.123456",
        },
        {"id": "pedido-20251111120000", "tipo": "pedido_criado", "cliente": None},
    ),
    (
        "rafaelgil/fast-food-pagamento",
        "pagamento",
        {"id": 4, "status": "PAGO", "pedidoId": 8},
        {"id": "8", "tipo": "pagamento_atualizado", "pagamento": "pago", "id_pagamento": "4"},
    ),
    (
        "soat1-grupo18, payment",
        "pagamento",
        {"pagamentoId": "p", "pedidoId": "o", "clienteId": "c", "total": 20, "status": "RECUSADO"},
        {"id": "o", "pagamento": "falhou", "id_pagamento": "p"},
    ),
    (
        "teamG11/microservico-pagamentos",
        "pagamento",
        {"id": "12", "status": "em preparacao", "statusPagamento": "recebido"},
        {"id": "12", "status": "Em preparação", "pagamento": "pago", "id_pagamento": None},
    ),
    (
        "FiapTeam17 PedidoPagamentoDto",
        "pagamento",
        {"IdPedido": 5, "foiAprovado": False},
        {"id": "5", "pagamento": "falhou"},
    ),
    (
        "Fiap-Tech-Challenge-G27/ms-producao",
        "pagamento",
        {"identifier": {"orderId": "o-1"}, "status": "approved"},
        {"id": "o-1", "pagamento": "pago"},
    ),
    (
        "tc-backend-s4-order",
        "pagamento",
        {
            "creationDate": "2025-07-28T12:00:00Z",
            "content": [{"transactionNumber": "b3c1f0aa-7a2e-4c6b-9b5c-1d2e3f4a5b6c", "status": "APPROVED"}],
        },
        {"id": "b3c1f0aa-7a2e-4c6b-9b5c-1d2e3f4a5b6c", "pagamento": "pago", "quando": 12},
    ),
    (
        "Mercado Pago",
        "pagamento",
        {"id": 99, "external_reference": "1001", "status": "charged_back", "transaction_amount": 10},
        {"id": "1001", "pagamento": "estornado", "id_pagamento": "99"},
    ),
    (
        "pagamentos-app",
        "pagamento",
        {
            "event_type": "pagamento_criado",
            "data": {
                "id_pagamento": 459371,
                "id_pedido": "7598432",
                "valor": "43.2",
                "status": "Pendente",
                "data_criacao": "2025-07-28T12:00:20.123456",
            },
        },
        {"id": "7598432", "tipo": "pagamento_criado", "pagamento": "pendente", "quando": 12},
    ),
    (
        "BSTK docs",
        "pedido",
        {"evento": "PedidoCriado", "pedidoId": 3, "itens": ["X"], "dataHora": "2025-07-28T12:00:00"},
        {"id": "3", "tipo": "pedido_criado", "quando": 12},
    ),
    (
        "fiap-9soat-snackbar/snackbar-management",
        "produto",
        {
            "messageId": "3f1c8a52",
            "eventType": "PRODUCT_CREATED",
            "timestamp": 1753704000.371865219,
            "productId": "7",
            "name": "Batata",
            "category": "Lanche",
            "description": "d",
            "price": 9.99,
            "cookingTime": 5,
        },
        {"id": "7", "tipo": "produto_criado", "quando": 12},
    ),
    (
        "monolith, product",
        "produto",
        {
            "id": 1,
            "nomeProduto": "X-Salada",
            "categoriaProduto": "Lanche",
            "descricaoProduto": "d",
            "precoProduto": 22.5,
            "personalizacaoProduto": None,
        },
        {"id": "1", "tipo": "produto_atualizado"},
    ),
    (
        "Flask pedidos service",
        "produto",
        {"id": 1, "nome": "X", "categoria": "LANCHE", "preco": 22.5, "descricao": "d", "disponivel": True},
        {"id": "1", "tipo": "produto_atualizado"},
    ),
]

_REFUSED: list[tuple[str, str, object, str]] = [
    (
        "rs-renato/fast-n-foodious-ms-pedido",
        "pedido",
        {
            "pedido": {
                "id": 1,
                "clienteId": 2,
                "dataInicio": "2023-08-30",
                "estadoPedido": 1,
                "ativo": True,
                "total": 10,
                "itensPedido": [{"pedidoId": 1, "produtoId": 3, "quantidade": 1, "id": 9, "produto": {}}],
            }
        },
        "undecidable",
    ),
    (
        "WillianViegas, order",
        "pedido",
        {
            "Id": "65f0c0ffee65f0c0ffee65f0",
            "Numero": 3,
            "Produtos": [{"Id": "1", "Nome": "X", "Descricao": "d", "Preco": 10.0, "CategoriaId": "c"}],
            "Usuario": {
                "Id": "u",
                "Nome": "Maria",
                "Email": "m@x.br",
                "CPF": "52998224725",
                "Senha": "s3nha",
            },
            "Total": 10.0,
            "Status": "1",
            "DataCriacao": "2024-05-20T09:52:22.1234567-03:00",
            "IdCarrinho": "c",
            "Pagamento": {},
        },
        "undecidable",
    ),
    (
        "GHBAlbuquerque, saga step",
        "pedido",
        {
            "headers": {
                "sagaId": "s",
                "orderId": "o",
                "messageType": "RESPONSE",
                "microsservice": "PAGAMENTO",
            },
            "body": {
                "orderId": "o",
                "customerId": "c",
                "paymentId": "p",
                "executedStep": "x",
                "stepSuccessful": True,
            },
        },
        "undecidable",
    ),
    ("WeltonJunior/Restaurante_Nuvem", "pedido", "b3c1f0aa-7a2e-4c6b-9b5c-1d2e3f4a5b6c", "not_json"),
    ("rafaelgil, error queue", "pagamento", {"pedidoId": 8}, "undecidable"),
    (
        "rs-renato, payment",
        "pagamento",
        {"pagamento": {"id": 12, "_id": "65f0", "pedidoId": 1005, "transacaoId": "t", "estadoPagamento": 1}},
        "undecidable",
    ),
    (
        "teamG11, inbound",
        "pagamento",
        {"id_pedido": 1, "id_cliente": 2, "valor_final": 10.5},
        "undecidable",
    ),
    (
        "WillianViegas, payment",
        "pagamento",
        {"Id": "65f0", "OrderDePagamento": "3", "Status": "OK", "DataTransacao": "2024-05-20T09:52:22"},
        "missing_field",
    ),
]


def _said(event: EventoPedido | EventoProduto) -> dict[str, Any]:
    quando = None if event.quando is None else event.quando.em.hour
    if isinstance(event, EventoProduto):
        return {"id": event.id_produto, "tipo": event.tipo, "quando": quando}
    criacao, pagamento = event.criacao, event.pagamento
    return {
        "id": event.id_pedido,
        "tipo": event.tipo,
        "status": event.status,
        "quando": quando,
        "pagamento": pagamento and pagamento.status,
        "id_pagamento": pagamento and pagamento.id_pagamento,
        "cliente": criacao and criacao.cliente,
        "total": criacao and _text(criacao.total),
        "soma": criacao and _text(criacao.soma),
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


@pytest.mark.parametrize(("stream", "body", "said"), [c[1:] for c in _APPLIED], ids=[c[0] for c in _APPLIED])
def test_a_real_payload_says_what_its_producer_meant(one, stream, body, said) -> None:
    """The tracking service that these teams run refuses nearly all of them."""
    event = one(body, stream)

    assert said.items() <= _said(event).items()
    assert not any(secret in repr(event) for secret in ("Maria", "maria@", "52998224725", "529.982.247-25"))


@pytest.mark.parametrize(
    ("stream", "body", "expected"), [c[1:] for c in _REFUSED], ids=[c[0] for c in _REFUSED]
)
def test_a_real_payload_that_cannot_be_decided_is_not_guessed(reason, stream, body, expected) -> None:
    """Its meaning is in the name of a queue, in a routing key, or in a number that each producer counts differently."""
    assert reason(body, stream) == expected
