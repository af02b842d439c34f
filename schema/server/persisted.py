"""Which document a request means, by text, hash or trusted id, and whether the shop's mode lets it run."""

import logging
import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from graphql import GraphQLError, OperationDefinitionNode
from strawberry import Schema

from schema.server.documents import Document, Unclear, documents, sha256
from schema.server.errors import coded
from schema.server.persisted_store import Away, store

logger = logging.getLogger("cartograph.documents")

PARAMETERS = {"query": str, "documentId": str, "variables": dict, "operationName": str, "extensions": dict}
"""What a request may hold, over each transport; each may be null."""
MAX_NAME_LENGTH = 256
HASH_PREFIX = "sha256:"
RECHECK_S = 60
"""How long a process believes what Redis said of trust."""
RENEW_S = 60 * 60
"""How often a process renews the expiry in Redis of what it uses itself."""
now = time.monotonic


class Asked:
    """What a request names: a text, the id of a trusted document, or a hash as Apollo's clients send it.

    Raises Unclear for what names nothing, or more than one thing.
    """

    __slots__ = ("hash", "id", "text")

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.text: str | None = given.get("query") or None
        self.hash = _persisted_hash(given.get("extensions"))
        self.id: str | None = given.get("documentId")
        if self.id is not None:
            if self.text is not None or self.hash is not None:
                raise Unclear("Send a `documentId`, or a `query` or hash: not both.")
            self.id = _name("documentId", self.id)


def _persisted_hash(extensions: Mapping[str, Any] | None) -> str | None:
    persisted = (extensions or {}).get("persistedQuery")
    if persisted is None:
        return None
    if not isinstance(persisted, dict):
        raise Unclear("`extensions.persistedQuery` has the wrong type.")
    if type(persisted.get("version")) is not int or persisted["version"] != 1:
        raise Unclear("`extensions.persistedQuery.version` is 1.")
    return _name("extensions.persistedQuery.sha256Hash", persisted.get("sha256Hash"))


def _name(parameter: str, value: Any) -> str:
    name = value.removeprefix(HASH_PREFIX) if isinstance(value, str) else ""
    if not 0 < len(name) <= MAX_NAME_LENGTH:
        raise Unclear(f"`{parameter}` is a text of 1 to {MAX_NAME_LENGTH} characters.")
    return name


async def find_document(schema: Schema, asked: Asked) -> Document:
    """The document that is meant, validated. Raises a coded GraphQLError for what is not to be found or not to be run.

    Costs no round trip where the process knows the document.
    """
    if asked.id is not None:
        document = await _trusted(schema, asked.id)
        if document is None:
            raise _not_found()
    elif asked.text is None and asked.hash is not None:
        document = await _by_hash(schema, asked.hash)
    else:
        if asked.text is not None and asked.hash is not None and sha256(asked.text) != asked.hash:
            raise coded("PERSISTED_QUERY_HASH_MISMATCH", "The hash is that of another text than `query`.")
        document = await _by_text(schema, asked.text)
    if asked.hash == document.hash and settings.DOCUMENTS_MODE != "only":
        await _register(document)
    return document


async def _by_text(schema: Schema, text: str | None) -> Document:
    if text is None or settings.DOCUMENTS_MODE == "open":
        return documents.read(schema, text)
    known = documents.known(schema, text)
    hash = known.hash if known is not None else sha256(text)
    trusted = await _trusted(schema, hash)
    if trusted is not None and trusted.text == text:
        return trusted
    if settings.DOCUMENTS_MODE == "only":
        raise coded("DOCUMENT_NOT_TRUSTED", "This shop runs only documents that it was given beforehand.")
    document = documents.read(schema, text)
    _note_untrusted(document)
    return document


async def _by_hash(schema: Schema, hash: str) -> Document:
    mode = settings.DOCUMENTS_MODE
    document = documents.named(schema, hash)
    seen = document if document is not None and document.hash == hash else None
    if seen is not None and mode == "open":
        return seen
    trusted = await _trusted(schema, hash)
    if trusted is not None:
        return trusted
    if mode == "only":
        raise _not_found()
    if seen is None:
        seen = await _registered(schema, hash)
    if mode == "prefer":
        _note_untrusted(seen)
    return seen


async def _registered(schema: Schema, hash: str) -> Document:
    try:
        text = await store.registered(hash)
    except Away:
        text = None
    if text is None or sha256(text) != hash:
        raise _not_found()
    document = documents.read(schema, text)
    document.kept_at = now()
    return document


async def _trusted(schema: Schema, name: str) -> Document | None:
    """The trusted document of an id or hash. Redis is asked again after a minute, so that what was taken back ends."""
    document = documents.named(schema, name)
    trusted = False
    if document is not None and name in document.trust:
        trusted, asked_at = document.trust[name]
        if now() - asked_at < RECHECK_S:
            return document if trusted else None
    try:
        text = await store.trusted(name)
    except Away:
        return document if trusted else None
    if text is not None:
        document = documents.read(schema, text)
        documents.name(document, name)
    if document is not None:
        document.trust[name] = text is not None, now()
    return document if text is not None else None


async def _register(document: Document) -> None:
    """Keep the text in Redis for other processes, if it is one that runs; seldom for what is used all the time."""
    if document.errors or now() - document.kept_at < RENEW_S:
        return
    try:
        await store.keep(document.hash, document.text)
    except Away:
        return
    document.kept_at = now()


def _note_untrusted(document: Document) -> None:
    """Tell once of a document that `only` would refuse: what the manifests lack."""
    document.trust.setdefault(document.hash, (False, now()))
    if not document.noted:
        document.noted = True
        logger.warning("Not a trusted document: %s (sha256 %s)", _names(document), document.hash)


def _not_found() -> GraphQLError:
    # Apollo's clients look for this very message, or for the code.
    return coded("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")


def _names(document: Document) -> str:
    operations = [each for each in document.node.definitions if isinstance(each, OperationDefinitionNode)]
    return ", ".join(each.name.value if each.name else "without a name" for each in operations)[:200]
