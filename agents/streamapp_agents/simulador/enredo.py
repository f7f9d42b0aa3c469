"""The stories of an order: its status words, and what must be shown in the end."""

from dataclasses import dataclass

from streamapp_agents.dominio.situacao import Inicio
from streamapp_codecs.dominio.eventos import Status, StatusPagamento


@dataclass(frozen=True, slots=True)
class Desfecho:
    """What must be shown in the end; it is written by hand for each story and never computed."""

    status: Status
    pagamento: StatusPagamento
    alertas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Enredo:
    """One story: the words of each attempt to pay, then the kitchen's.

    *automatico* is how it ends where a paid order starts by itself, *manual* how it ends where the kitchen starts it;
    None if that is the same. With *pedido_atrasado* the order's creation is sent after its payments.
    """

    nome: str
    peso: int
    pagamentos: tuple[tuple[StatusPagamento, ...], ...] = ()
    cozinha: tuple[Status, ...] = ()
    pedido_atrasado: bool = False
    automatico: Desfecho
    manual: Desfecho | None = None

    def desfecho(self, inicio: Inicio) -> Desfecho:
        """Return how the story ends."""
        return self.manual if inicio == "manual" and self.manual is not None else self.automatico


_PAGO: tuple[StatusPagamento, ...] = ("pendente", "pago")
_NEGADO: tuple[StatusPagamento, ...] = ("pendente", "falhou")
_TUDO: tuple[Status, ...] = ("Em preparação", "Pronto", "Finalizado")

ENREDOS = (
    Enredo(
        nome="entregue",
        peso=30,
        pagamentos=(_PAGO,),
        cozinha=_TUDO,
        automatico=Desfecho("Finalizado", "pago"),
    ),
    Enredo(
        nome="pronto no balcão",
        peso=9,
        pagamentos=(_PAGO,),
        cozinha=("Recebido", "Em preparação", "Pronto"),
        automatico=Desfecho("Pronto", "pago"),
    ),
    Enredo(
        nome="na chapa",
        peso=6,
        pagamentos=(_PAGO,),
        cozinha=("Em preparação",),
        automatico=Desfecho("Em preparação", "pago"),
    ),
    Enredo(
        nome="pago, a cozinha calada",
        peso=6,
        pagamentos=(_PAGO,),
        automatico=Desfecho("Em preparação", "pago"),
        manual=Desfecho("Recebido", "pago"),
    ),
    Enredo(
        nome="pago antes do pedido",
        peso=8,
        pagamentos=(_PAGO,),
        cozinha=_TUDO,
        pedido_atrasado=True,
        automatico=Desfecho("Finalizado", "pago"),
    ),
    Enredo(
        nome="segunda tentativa",
        peso=7,
        pagamentos=(_NEGADO, _PAGO),
        cozinha=_TUDO,
        automatico=Desfecho("Finalizado", "pago"),
    ),
    Enredo(nome="sem tentar pagar", peso=4, automatico=Desfecho("Recebido", "pendente")),
    Enredo(
        nome="esperando o Pix",
        peso=4,
        pagamentos=(("pendente",),),
        automatico=Desfecho("Recebido", "pendente"),
    ),
    Enredo(
        nome="cartão negado",
        peso=4,
        pagamentos=(_NEGADO,),
        automatico=Desfecho("Recebido", "falhou"),
    ),
    Enredo(
        nome="Pix expirado",
        peso=2,
        pagamentos=(("pendente", "cancelado"),),
        automatico=Desfecho("Recebido", "cancelado"),
    ),
    Enredo(
        nome="desistiu sem pagar",
        peso=3,
        cozinha=("Cancelado",),
        automatico=Desfecho("Cancelado", "pendente"),
    ),
    Enredo(
        nome="desistiu depois de pagar",
        peso=3,
        pagamentos=(("pendente", "pago", "estornado"),),
        cozinha=("Em preparação", "Cancelado"),
        automatico=Desfecho("Cancelado", "estornado", ("estornado_apos_preparo",)),
    ),
    Enredo(
        nome="estornado, a cozinha calada",
        peso=2,
        pagamentos=(("pago", "estornado"),),
        automatico=Desfecho("Em preparação", "estornado", ("estornado_apos_preparo",)),
        manual=Desfecho("Recebido", "estornado"),
    ),
    Enredo(
        nome="pago duas vezes, uma devolvida",
        peso=2,
        pagamentos=(_PAGO, ("pago", "estornado")),
        cozinha=_TUDO,
        automatico=Desfecho("Finalizado", "pago"),
    ),
    Enredo(
        nome="a cozinha não disse pronto",
        peso=3,
        pagamentos=(_PAGO,),
        cozinha=("Em preparação", "Finalizado"),
        automatico=Desfecho("Finalizado", "pago", ("salto",)),
    ),
    Enredo(
        nome="a cozinha não disse que começou",
        peso=3,
        pagamentos=(_PAGO,),
        cozinha=("Pronto", "Finalizado"),
        automatico=Desfecho("Finalizado", "pago"),
        manual=Desfecho("Finalizado", "pago", ("salto",)),
    ),
    Enredo(
        nome="fiado",
        peso=2,
        cozinha=_TUDO,
        automatico=Desfecho("Finalizado", "pendente", ("nao_pago",)),
    ),
    Enredo(
        nome="dois fins",
        peso=2,
        pagamentos=(_PAGO,),
        cozinha=(*_TUDO, "Cancelado"),
        automatico=Desfecho("Cancelado", "pago", ("apos_terminal",)),
    ),
)
