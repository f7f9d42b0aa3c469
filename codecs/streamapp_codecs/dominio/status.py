"""What status words mean: an order's and a payment's."""

from streamapp_codecs.codec import DecodeError
from streamapp_codecs.dominio.eventos import Status, StatusPagamento
from streamapp_codecs.dominio.vocabulario import PAGAMENTO, PEDIDO
from streamapp_codecs.lenient.values import json_type
from streamapp_codecs.lenient.vocabulary import Vocabulary

STATUS_PEDIDO: Vocabulary[Status] = Vocabulary(PEDIDO)
STATUS_PAGAMENTO: Vocabulary[StatusPagamento] = Vocabulary(PAGAMENTO)


def aprovacao(valor: object) -> StatusPagamento | None:
    """Return the word that `foiAprovado` stands for; raises `DecodeError` if it is no boolean."""
    if valor is None:
        return None
    if not isinstance(valor, bool):
        raise DecodeError("invalid_value", f"foi_aprovado: {json_type(valor)}")
    return "pago" if valor else "falhou"
