"""Envelopes that services make themselves: `{event_type, data}`, `{headers, body}`, `{pedido: {}}`."""

from collections.abc import Iterator

from streamapp_codecs.dominio import campos
from streamapp_codecs.dominio.vocabulario import ENTITY_NAMES, Entity
from streamapp_codecs.envelopes.aws import refuse_s3
from streamapp_codecs.envelopes.envelope import Envelope, Opened, content
from streamapp_codecs.envelopes.kinds import Kind, resolve
from streamapp_codecs.lenient.fields import Layer
from streamapp_codecs.lenient.folding import fold_keys
from streamapp_codecs.lenient.values import is_object

# Under such a name lies what an envelope is about; the objects around it may still hold an id or a time.
# EventBridge's name for it is `detail`.
_CONTENT = (
    *("detail", "data", "dados", "payload", "body", "content", "conteudo", "message", "mensagem"),
    *("evento", "event"),
)
_HEADER = ("headers", "header", "metadata")

_ENTITY_OF: dict[str, Entity] = {name: entity for entity, names in ENTITY_NAMES.items() for name in names}
# An object with such a name beside `pedido: {}` is itself the event, and `pedido` is one of its fields.
_NAMES_OF_EVENTS = frozenset(
    name
    for field in (
        *(campos.ID_PEDIDO, campos.ID_PAGAMENTO, campos.ID_PRODUTO),
        *(campos.STATUS_PEDIDO, campos.STATUS_PAGAMENTO, campos.FOI_APROVADO, campos.ITENS),
    )
    for name, rest in field.paths
    if not rest
) - {"id", *_ENTITY_OF}

_IDS_IN_OBJECTS = frozenset((name, rest) for name, rest in campos.ID_PEDIDO.paths if rest)


def open_object(layer: Layer, outer: Envelope) -> Iterator[Opened] | None:
    """Return what *layer* wraps; None if it is no envelope but the event itself."""
    for name in _CONTENT:
        if name in layer and (inner := content(layer[name])) is not None:
            headers = [fold_keys(it) for key in _HEADER if is_object(it := layer.get(key))]
            for header in headers:
                outer = outer.with_kinds(header)
            return _parts(inner, outer.with_kinds(layer).inside(_without(layer, name), *headers))
    if "detailtype" in layer and "detail" in layer:
        # EventBridge's own id is no order's, even where its detail is empty.
        return _parts({}, outer.with_kinds(layer).inside(_without(layer, "detail")))
    metadata = layer.get("metadata")
    if is_object(metadata) and (inner := content(fold_keys(metadata).get("data"))) is not None:
        return _parts(inner, outer.with_kinds(layer).inside(_without(layer, "metadata")))
    return _open_entity(layer, outer.with_kinds(layer))


def _open_entity(layer: Layer, outer: Envelope) -> Iterator[Opened] | None:
    """Open `{pedido: {}}`: the name is the entity of the event, unless a kind names another."""
    names = [name for name in layer if name in _ENTITY_OF]
    if not names or not _NAMES_OF_EVENTS.isdisjoint(layer):
        return None
    expected, is_named = _expected_entity(outer)
    # Of `{pedido: {}, pagamento: {}}` the one that the kind names, else the queue's.
    for name in sorted(names, key=lambda name: _ENTITY_OF[name] != expected):
        entity = _ENTITY_OF[name]
        inner = content(layer[name])
        if inner is None or _is_only_an_id(name, inner):
            continue
        if entity != expected and (is_named or "id" in layer or isinstance(inner, list)):
            continue
        return _parts(inner, outer.with_entity(entity).inside(_without(layer, name)))
    return None


def _expected_entity(outer: Envelope) -> tuple[Entity, bool]:
    kind = resolve(outer.clues, outer.own)
    # A topic that is a whole kind names it as the body would.
    if not isinstance(kind, Kind) or not (outer.clues.explicit or kind.is_complete):
        return outer.own, False
    return kind.entity, True


def _is_only_an_id(name: str, inner: dict[str, object] | list[object]) -> bool:
    """Whether *inner* is the order's id alone: `{pedido: {id: 7}, produtos: []}` is an order's event itself."""
    if isinstance(inner, list) or not inner:
        return False
    return all((name, (key,)) in _IDS_IN_OBJECTS for key in fold_keys(inner))


def _parts(inner: dict[str, object] | list[object], envelope: Envelope) -> Iterator[Opened]:
    refuse_s3(inner)
    parts: list[object] = inner if isinstance(inner, list) else [inner]
    for part in parts:
        yield part, envelope


def _without(layer: Layer, name: str) -> Layer:
    return {other: value for other, value in layer.items() if other != name}
