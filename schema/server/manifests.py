"""Manifests of trusted documents, as the tools of clients write them, and what is wrong with them."""

import json
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from graphql import GraphQLError, OperationDefinitionNode
from strawberry import Schema

from schema.server.documents import Documents, sha256
from schema.server.persisted import HASH_PREFIX, MAX_NAME_LENGTH

APOLLO = "apollo-persisted-query-manifest"

# The text may not parse, and is to be named all the same.
_OPERATION = re.compile(r"\b(?:query|mutation|subscription)\s+([_A-Za-z]\w*)")


class ManifestError(Exception):
    """The file is no manifest; the text says why."""


class Trusted(NamedTuple):
    """A document of a manifest. `name` is what the manifest calls it, which may be nothing."""

    id: str
    name: str
    text: str


def read_manifest(content: str) -> list[Trusted]:
    """The documents of a manifest: Apollo's is a list of operations, Relay's and graphql-codegen's a map of texts."""
    try:
        manifest = json.loads(content, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:  # also numbers and nesting that Python refuses to read
        raise ManifestError(f"no JSON: {error}") from None
    if not isinstance(manifest, dict):
        raise ManifestError("no manifest: it is neither a map from ids to documents nor an Apollo manifest")
    if "format" in manifest or isinstance(manifest.get("operations"), list):
        return _apollo(manifest)
    return [_trusted(id, "", text) for id, text in manifest.items()]


def problems(schema: Schema, trusted: Iterable[Trusted]) -> list[str]:
    """Why these cannot be loaded, each naming operation and line."""
    documents = Documents()
    found = []
    first: dict[str, str] = {}
    for each in trusted:
        for error in _errors(documents, schema, each.text):
            line = error.locations[0].line if error.locations else 1
            found.append(problem(each, error.message, line))
        if first.setdefault(each.id, each.text) != each.text:
            found.append(problem(each, "Another document of the manifest has this id."))
    return found


def problem(trusted: Trusted, message: str, line: int = 1) -> str:
    named = _OPERATION.search(trusted.text)
    name = trusted.name or (named[1] if named else "An operation without a name")
    return f"{name} ({trusted.id}), line {line}: {message}"


def names_of(trusted: Iterable[Trusted]) -> dict[str, str]:
    """Text by each name that a client may send: the id, and the hash. An id wins over another text's hash."""
    trusted = list(trusted)
    return {sha256(each.text): each.text for each in trusted} | {each.id: each.text for each in trusted}


def _apollo(manifest: dict[str, Any]) -> list[Trusted]:
    if manifest.get("format") != APOLLO or manifest.get("version") != 1:
        raise ManifestError(f"not of the format {APOLLO}, version 1")
    operations = manifest.get("operations")
    if not isinstance(operations, list) or not all(isinstance(each, dict) for each in operations):
        raise ManifestError("`operations` is no list of operations")
    return [_trusted(each.get("id"), each.get("name"), each.get("body")) for each in operations]


def _trusted(id: Any, name: Any, text: Any) -> Trusted:
    name = name if isinstance(name, str) else ""
    if not isinstance(id, str) or not 0 < len(id) <= MAX_NAME_LENGTH:
        raise ManifestError(f"operation {name or id!r} has no id of 1 to {MAX_NAME_LENGTH} characters")
    if not isinstance(text, str):
        raise ManifestError(f"operation {name or id!r} has no text")
    if not _is_unicode(id + text):
        raise ManifestError(f"operation {name or id!r} has half a surrogate pair, which is no character")
    if id.startswith(HASH_PREFIX) and id != HASH_PREFIX + sha256(text):
        raise ManifestError(f"operation {name or id!r} has the hash of another text as its id")
    return Trusted(id.removeprefix(HASH_PREFIX), name, text)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # JSON's escapes can name halves of characters; neither hashes nor Redis take them
        return False
    return True


def _errors(documents: Documents, schema: Schema, text: str) -> list[GraphQLError]:
    try:
        document = documents.read(schema, text)
    except GraphQLError as error:
        return [error]
    if not any(isinstance(each, OperationDefinitionNode) for each in document.node.definitions):
        return [GraphQLError("There is no operation.")]
    return document.errors


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        repeated = next(key for key in result if sum(key == other for other, _ in pairs) > 1)
        raise ManifestError(f"{repeated!r} stands in it twice")
    return result
