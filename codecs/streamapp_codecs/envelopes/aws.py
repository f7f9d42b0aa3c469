"""Envelopes that AWS makes: SNS, Lambda's Records, pointers to S3. No URL in them is followed."""

from collections.abc import Iterator

from streamapp_codecs.codec import DecodeError
from streamapp_codecs.envelopes.envelope import Conteudo, Envelope
from streamapp_codecs.lenient.fields import Camada
from streamapp_codecs.lenient.folding import dobrar_nomes
from streamapp_codecs.lenient.reader import ler_json
from streamapp_codecs.lenient.values import is_lista, is_objeto, tipo_json

_CONTROLE = ("SubscriptionConfirmation", "UnsubscribeConfirmation")


def controle_sns(objeto: Camada) -> str | None:
    """Return the type of *objeto* where SNS speaks of a subscription and not of an event."""
    tipo = objeto.get("type")
    return str(tipo) if tipo in _CONTROLE and ("topicarn" in objeto or "subscribeurl" in objeto) else None


def recusar_s3(valor: object) -> None:
    """Raise `DecodeError` where *valor* points to a payload in S3."""
    lista = is_lista(valor) and bool(valor) and str(valor[0]).endswith("S3Pointer")
    if lista or (is_objeto(valor) and {"s3BucketName", "s3Key"} <= valor.keys()):
        raise DecodeError("s3_pointer", f"{tipo_json(valor)} that points to S3")


def abrir_sns(objeto: Camada, fora: Envelope) -> Iterator[Conteudo] | None:
    """Return the message of an SNS notification; None where *objeto* is none."""
    if objeto.get("type") != "Notification" or "message" not in objeto:
        return None
    return _abrir_mensagem(objeto, fora)


def abrir_registros(objeto: Camada, fora: Envelope) -> Iterator[Conteudo] | None:
    """Return each of a Lambda event's Records, from SQS or SNS; None where *objeto* has none."""
    registros = objeto.get("records")
    if not is_lista(registros):
        return None
    if not registros:
        raise DecodeError("unknown_envelope", "Records: array without a part")
    return _abrir_cada(registros, fora.dentro())


def _abrir_cada(registros: list[object], dentro: Envelope) -> Iterator[Conteudo]:
    for registro in registros:
        try:
            yield from _abrir_registro(registro, dentro)
        except DecodeError as error:
            yield error


def _abrir_registro(registro: object, dentro: Envelope) -> Iterator[Conteudo]:
    if not is_objeto(registro):
        raise DecodeError("unknown_envelope", f"Records: {tipo_json(registro)}")
    objeto = dobrar_nomes(registro)
    sns = objeto.get("sns")
    if is_objeto(sns) and controle_sns(dobrar_nomes(sns)) is not None:
        yield sns, dentro
    elif is_objeto(sns):
        yield from _abrir_mensagem(dobrar_nomes(sns), dentro)
    elif "body" in objeto:
        yield _ler(objeto["body"]), dentro.com_atributos(_atributos(objeto))
    else:
        raise DecodeError("unknown_envelope", "Records: object without a body")


def _abrir_mensagem(objeto: Camada, fora: Envelope) -> Iterator[Conteudo]:
    topico = objeto.get("topicarn")
    if isinstance(topico, str):
        fora = fora.com_indicio(topico.rpartition(":")[2])
    fora = fora.com_atributos(_atributos(objeto))
    yield _ler(objeto.get("message")), fora.dentro({"timestamp": objeto.get("timestamp")})


def _ler(valor: object) -> object:
    return ler_json(valor) if isinstance(valor, str) else valor


def _atributos(objeto: Camada) -> dict[str, object]:
    """Return the attributes by name: SNS writes `{Type, Value}`, Lambda `{dataType, stringValue}`."""
    atributos = objeto.get("messageattributes")
    if not is_objeto(atributos):
        return {}
    cada = {nome: dobrar_nomes(valor) for nome, valor in atributos.items() if is_objeto(valor)}
    return {nome: valor.get("value") or valor.get("stringvalue") for nome, valor in cada.items()}
