"""What OpenAPI says of a model's requests and answers."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from narrows.serving import schemas
from narrows.serving.reading import NPY
from narrows.serving.served import Served
from narrows.serving.writing import JSON, PNG

__all__ = ["SUMMARIES", "operation"]

SUMMARIES = {
    "encode": "The codes of examples",
    "decode": "The examples that codes stand for",
    "reconstruct": "Examples pressed through the bottleneck and back",
    "denoise": "Noisy examples without their noise",
    "sample": "New examples",
    "score": "Log-densities of examples in nats, or bounds on them; higher is likelier",
    "anomalies": "How odd examples are; higher is odder",
    "impute": "Rows with their missing cells filled",
}

STATUSES = {
    400: "The body is not what its type says, or incomplete",
    401: "The token is missing or wrong",
    403: "The request comes from another site's page",
    406: "No answer of an accepted type",
    408: "The request came too slowly",
    413: "The body, or the answer, is too large",
    415: "The body is of another type",
    421: "The Host is another's",
    422: "The model cannot take this",
    431: "The header is too long",
    503: "No room now; Retry-After says when to try again",
}

BINARY = {"schema": {"type": "string", "format": "binary"}}
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string", "description": "What was wrong, in one line"}},
}


def operation(served: Served, verb: str) -> dict[str, Any]:
    """Return the operation that answers ``verb``."""
    refusals = {str(status): _response(told, ERROR) for status, told in STATUSES.items()}
    found: dict[str, Any] = {
        "operationId": f"{served.name}-{verb}",
        "requestBody": {"required": verb != "sample", "content": _asked(served, verb)},
        "responses": {"200": _answered(served, verb), **refusals},
    }
    if served.fitted.conditional and verb not in ("sample", "impute"):
        told = "The class of all examples, or, repeated, of each, where the body is no JSON"
        label = {"type": "array", "items": {"type": "string"}}
        found["parameters"] = [{"name": "label", "in": "query", "description": told, "schema": label}]
    return found


def _asked(served: Served, verb: str) -> dict[str, Any]:
    if verb == "sample":
        return {JSON: {"schema": _schema(schemas.sample_body(served))}}
    body = schemas.codes_body(served) if verb == "decode" else schemas.examples_body(served)
    content: dict[str, Any] = {JSON: {"schema": _schema(body)}}
    if verb == "decode" or served.fitted.table is None:
        content[NPY] = BINARY
    if served.is_of_images and verb != "decode":
        files = {"type": "array", "items": BINARY["schema"], "minItems": 1}
        content[PNG] = BINARY
        form = {"type": "object", "properties": {"images": files}, "required": ["images"]}
        content["multipart/form-data"] = {"schema": form}
    return content


def _schema(body: type[BaseModel]) -> dict[str, Any]:
    """Return a body's schema without references, which would point to the document's root."""
    found = body.model_json_schema()
    definitions = found.pop("$defs", {})

    def resolved(part: Any) -> Any:
        if isinstance(part, list):
            return [resolved(item) for item in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return resolved(definitions[part["$ref"].rpartition("/")[2]])
        return {key: resolved(value) for key, value in part.items()}

    whole: dict[str, Any] = resolved(found)
    return whole


def _answered(served: Served, verb: str) -> dict[str, Any]:
    number = {"type": ["number", "null"]}
    numbers = {"type": "array", "items": number}
    content: dict[str, Any] = {NPY: BINARY}
    if verb == "encode":
        properties: dict[str, Any] = {"codes": {"type": "array", "items": numbers}}
    elif verb == "score":
        properties = {"scores": numbers}
    elif verb == "anomalies":
        odd = {"type": ["array", "null"], "items": {"type": "boolean"}}
        properties = {"anomaly_scores": numbers, "odd": odd, "threshold": number}
    else:
        properties = {"examples": {"type": "array", "items": {}}}
        if served.fitted.table is not None:
            content = {}
        if served.is_of_images:
            content[PNG] = BINARY
    schema = {"type": "object", "required": list(properties), "properties": properties}
    return {"description": "The answer", "content": {JSON: {"schema": schema}, **content}}


def _response(told: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": told, "content": {JSON: {"schema": schema}}}
