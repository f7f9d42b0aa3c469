"""A team's own FastAPI beside the worker: it reads the state that the worker keeps, typed.

uv run uvicorn --app-dir examples fastapi_app:api
curl http://127.0.0.1:8000/pedidos/1001
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel

from streamapp import Config, ServiceError, View, open_view
from streamapp_agents.agentes import acompanhamentos


class Pedido(BaseModel):
    """What this service returns of an order; nothing about the customer."""

    id_pedido: str
    status: str
    status_pagamento: str
    tempo_estimado: str | None


@asynccontextmanager
async def lifespan(api: FastAPI) -> AsyncGenerator[None]:
    """Keep one view of the state for the life of the service, with the settings of the worker."""
    async with open_view(Config.load(os.environ)) as view:
        api.state.view = view
        yield


api = FastAPI(title="pedidos", lifespan=lifespan)


async def view_of(request: Request) -> View:
    """Return the view that `lifespan` keeps."""
    view: View = request.app.state.view
    return view


@api.get("/pedidos/{id_pedido}")
async def pedido(id_pedido: str, view: Annotated[View, Depends(view_of)]) -> Pedido:
    """Return one order; 404 for an unknown one, 503 while Redis does not answer."""
    try:
        estado = await view.get(acompanhamentos, id_pedido)
    except ServiceError as error:
        raise HTTPException(503, "the state cannot be read") from error
    if estado is None or not estado.conhecido:
        raise HTTPException(404, "not known")
    return Pedido(
        id_pedido=estado.id_pedido,
        status=estado.status,
        status_pagamento=estado.status_pagamento,
        tempo_estimado=estado.tempo_estimado,
    )
