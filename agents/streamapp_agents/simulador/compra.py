"""What a customer orders, and how real producers spell the creation of that order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from streamapp_agents.simulador.cardapio import Prato
from streamapp_agents.simulador.texts import to_decimal, to_json, to_rfc3339


@dataclass(frozen=True, slots=True, kw_only=True)
class Compra:
    """What was ordered: *linhas* are products and quantities, *declarado* the total that is stated."""

    id_pedido: str
    cpf: str | None
    linhas: Sequence[tuple[Prato, int]]
    declarado: int
    em: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Forma:
    """A producer's spelling of a creation, and which parts of a purchase it contains."""

    corpo: Callable[[Compra, str], str]
    peso: int
    tem_hora: bool = True
    tem_cliente: bool = True
    tem_ids: bool = True
    tem_nomes: bool = False
    tem_precos: bool = True
    tem_total: bool = False


def _acompanhado(compra: Compra, uuid: str) -> str:
    """Return it as the first tracking service reads it; two units of a product are two lines."""
    del uuid
    linhas = [
        {"id": int(prato.id_produto), "preco": prato.centavos / 100} | quantidade
        for prato, unidades in compra.linhas
        for quantidade in ([{}, {}] if unidades == 2 else [{"quantidade": unidades}])  # noqa: PLR2004 - a pair
    ]
    dados = {
        "id_pedido": int(compra.id_pedido),
        "cliente": compra.cpf,
        "produtos": linhas,
        "status": "Recebido",
        "criado_em": to_rfc3339(compra.em),
    }
    return to_json({"event_type": "pedido_criado", "data": dados})


def _completo(compra: Compra, uuid: str) -> str:
    """Return it with all that this application can use."""
    del uuid
    linhas = [
        {
            "id_produto": prato.id_produto,
            "nome": prato.nome,
            "categoria": prato.categoria,
            "quantidade": unidades,
            "preco_unitario": to_decimal(prato.centavos),
        }
        for prato, unidades in compra.linhas
    ]
    dados = {
        "id_pedido": compra.id_pedido,
        "cpf_cliente": compra.cpf
        and f"{compra.cpf[:3]}.{compra.cpf[3:6]}.{compra.cpf[6:9]}-{compra.cpf[9:]}",
        "itens": linhas,
        "total_pedido": to_decimal(compra.declarado),
        "criado_em": to_rfc3339(compra.em),
    }
    return to_json({"event_type": "pedido_criado", "data": dados})


def _por_sns(compra: Compra, uuid: str) -> str:
    """Return it wrapped as SNS does without raw delivery."""
    return to_json(
        {
            "Type": "Notification",
            "MessageId": uuid,
            "TopicArn": "arn:aws:sns:us-east-1:000000000000:pedido-criado",
            "Message": _acompanhado(compra, uuid),
            "Timestamp": to_rfc3339(compra.em),
            "SignatureVersion": "1",
            "Signature": "EXEMPLO==",
        }
    )


def _de_textos(compra: Compra, uuid: str) -> str:
    """Return it with numbers as text, unknown values as null, and neither a time nor a CPF."""
    del uuid
    linhas = [
        {
            "id_produto": prato.id_produto,
            "quantidade_produto": str(unidades),
            "nome": None,
            "preco": None,
            "categoria": None,
            "uriImagem": None,
        }
        for prato, unidades in compra.linhas
    ]
    return to_json(
        {
            "id_pedido": compra.id_pedido,
            "id_cliente": "77",
            "valor_total": compra.declarado / 100,
            "status": "RECEBIDO",
            "status_pagamento": "PENDENTE",
            "tempo_espera": "35:00",
            "produtos": linhas,
        }
    )


def _por_nome(compra: Compra, uuid: str) -> str:
    """Return it with product names instead of ids, and with more of the customer than anyone should send."""
    del uuid
    linhas = [
        {
            "nomeProduto": prato.nome,
            "descricaoProduto": "",
            "precoProduto": prato.centavos / 100,
            "categoriaProduto": prato.categoria,
            "quantidadeItem": unidades,
        }
        for prato, unidades in compra.linhas
    ]
    return to_json(
        {
            "codigo": compra.id_pedido,
            "nomeCliente": "Maria",
            "emailCliente": "maria@exemplo.com",
            "cpfCliente": compra.cpf,
            "data": round(compra.em.timestamp() * 1000),
            "valorTotal": compra.declarado / 100,
            "itens": linhas,
        }
    )


FORMAS = (
    Forma(corpo=_acompanhado, peso=10),
    Forma(corpo=_completo, peso=6, tem_nomes=True, tem_total=True),
    Forma(corpo=_por_sns, peso=3),
    Forma(corpo=_de_textos, peso=2, tem_hora=False, tem_cliente=False, tem_precos=False, tem_total=True),
    Forma(corpo=_por_nome, peso=2, tem_ids=False, tem_nomes=True, tem_total=True),
)
