"""PayPal's published OpenAPI documents, to hold requests against: path, headers, body, and no name they do not know."""

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from openapi_schema_validator import OAS30WriteValidator, oas30_format_checker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

DOCUMENTS = Path(__file__).parents[3] / "shared" / "gateways" / "openapi"
FILES = ("checkout_orders_v2", "payments_payment_v2", "notifications_webhooks_v1")
ABSENT = "../shared/gateways/openapi is not here: requests to PayPal were held against no published schema"
OURS = frozenset({"paypal-request-id", "prefer"})
"""Headers of PayPal's own that we may send: each must stand in the document of the operation."""
FORMATS = deepcopy(oas30_format_checker)


@FORMATS.checks("uri")
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme and urlsplit(value).netloc)


@cache
def contract() -> "Contract | None":
    return Contract() if DOCUMENTS.is_dir() else None


class Contract:
    def __init__(self) -> None:
        self.documents = {name: json.loads((DOCUMENTS / f"{name}.json").read_text()) for name in FILES}
        self._registry: Any = Registry().with_resources(
            (name, Resource(contents=document, specification=DRAFT4)) for name, document in self.documents.items()
        )

    def problems(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> list[str]:
        """What of a request PayPal's documents do not allow; empty when all is well."""
        for name, document in self.documents.items():
            for template, operations in document["paths"].items():
                found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template), path)
                if found and method.lower() in operations:
                    operation = operations[method.lower()]
                    return [
                        *self._parameters(name, operation, headers, found.groupdict()),
                        *self._body(name, operation, body),
                    ]
        return [f"no operation {method} {path}"]

    def _parameters(
        self, name: str, operation: Any, headers: Mapping[str, str], in_path: Mapping[str, str]
    ) -> Iterator[str]:
        known = [self._resolve(name, each) for each in operation.get("parameters", [])]
        sent = {key.lower(): value for key, value in headers.items()}
        for each in known:
            given = {"header": sent, "path": in_path}.get(each["in"], {})
            key = each["name"].lower() if each["in"] == "header" else each["name"]
            if key in given:
                yield from self._violations(name, each["schema"], given[key], f"{each['in']} {key}")
            elif each.get("required"):
                yield f"{each['in']} {key} is missing"
        allowed = {each["name"].lower() for each in known if each["in"] == "header"}
        yield from (f"header {key} is not known here" for key in OURS & sent.keys() - allowed)

    def _body(self, name: str, operation: Any, body: bytes) -> Iterator[str]:
        described = operation.get("requestBody")
        if described is None:
            if body:
                yield "a body where there should be none"
            return
        if not body:
            if described.get("required"):
                yield "the body is missing"
            return
        try:
            sent = json.loads(body)
        except ValueError:
            yield "the body is no JSON"
            return
        schema = described["content"]["application/json"]["schema"]
        yield from self._violations(name, schema, sent, "body")
        yield from self._unknown(name, schema, sent, "body")

    def _violations(self, name: str, schema: Any, value: Any, where: str) -> Iterator[str]:
        validator = OAS30WriteValidator(_at(name, schema), registry=self._registry, format_checker=FORMATS)
        for error in validator.iter_errors(value):
            if error.validator == "readOnly" and "webhook_event" in error.path:
                continue  # the document says so of events as PayPal sends them; here one is sent back
            yield f"{where} {'/'.join(map(str, error.path))}: {error.message[:200]}"

    def _unknown(self, name: str, schema: Any, value: Any, where: str) -> Iterator[str]:
        """Names that the document does not have: it would let them pass, and PayPal would not read them."""
        if isinstance(value, list):
            items = self._resolve(name, schema).get("items", {})
            for number, each in enumerate(value):
                yield from self._unknown(name, items, each, f"{where}/{number}")
        if not isinstance(value, dict):
            return
        known = self._properties(name, schema)
        for key, inner in value.items():
            if key == "webhook_event":
                continue  # PayPal's own, as it came
            if known and key not in known:
                yield f"{where}/{key} is not known"
            elif known:
                yield from self._unknown(name, known[key], inner, f"{where}/{key}")

    def _properties(self, name: str, schema: Any) -> dict[str, Any]:
        """Of a schema and all that it is made of."""
        resolved = self._resolve(name, schema)
        found = dict(resolved.get("properties", {}))
        for kind in ("allOf", "anyOf", "oneOf"):
            for part in resolved.get(kind, []):
                found |= self._properties(name, part)
        return found

    def _resolve(self, name: str, node: Any) -> Any:
        while "$ref" in node:
            found = self.documents[name]
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return node


def _at(name: str, schema: Any) -> Any:
    """References of a document's part, led to the document."""
    if isinstance(schema, list):
        return [_at(name, each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: f"{name}{value}" if key == "$ref" and isinstance(value, str) else _at(name, value)
        for key, value in schema.items()
    }
