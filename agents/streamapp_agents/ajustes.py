"""The application's own settings."""

import os
from typing import cast, get_args

from streamapp.config import Setting
from streamapp.setting_types import choice
from streamapp_agents.dominio.situacao import Inicio

INICIO = Setting(
    "ACOMPANHAMENTO_INICIO",
    choice(*get_args(Inicio)),
    "automatico",
    "`automatico`: a paid order starts the kitchen; `manual`: it waits in Recebido",
)


def inicio() -> Inicio:
    """Return ACOMPANHAMENTO_INICIO: whether a paid order goes to the kitchen by itself, which is the default."""
    texto = os.environ.get(INICIO.variable) or INICIO.default
    return cast("Inicio", INICIO.parse(INICIO.variable, texto))
