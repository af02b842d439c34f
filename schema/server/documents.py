"""Documents as a process knows them: read and validated once, found again by text, hash or trusted id."""

import hashlib
import sys
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from graphql import (
    DocumentNode,
    GraphQLError,
    OperationDefinitionNode,
    Token,
    TokenKind,
    get_operation_ast,
    parse,
    print_schema,
    specified_rules,
)
from strawberry import Schema
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document

from schema.server.errors import coded, public_error
from schema.server.limits import DepthLimit, RootFieldLimit

MAX_NUMBER_LENGTH = 1000
"""The longest double has 309 digits; Python refuses to read integers of more than 4300."""
MUST_NAME = "Must provide operation name if query contains multiple operations."
NO_QUERY = "No GraphQL query found in the request."
RULES = (*specified_rules, DepthLimit, RootFieldLimit)
VERSION = "cartograph-version"
"""Where a GraphQLSchema's extensions hold the hash of its text."""

# What a document costs beside its text, at most: measured, and held by a test.
DOCUMENT_BYTES = 3000
TOKEN_BYTES = 600
ERROR_BYTES = 2500


class Unclear(GraphQLError):
    """The request does not tell what to run."""

    def __init__(self, message: str) -> None:
        super().__init__(message, extensions={"code": "BAD_USER_INPUT"})


class Document:
    """A document that was read. With `errors` it is refused, by every request alike.

    `trust` is what Redis said of each of its names: whether that is trusted, and when it was asked (monotonic seconds).
    `kept_at` is when its text was put into Redis, or its expiry there renewed. `noted` tells whether the log has it.
    `in_context` has what its operations ask of their context by constants.
    """

    __slots__ = (
        "bytes",
        "errors",
        "hash",
        "in_context",
        "kept_at",
        "names",
        "node",
        "noted",
        "text",
        "trust",
        "version",
    )

    def __init__(self, version: str, text: str, node: DocumentNode, tokens: int, errors: list[GraphQLError]) -> None:
        self.version = version
        self.text = text
        self.hash = sha256(text)
        self.node = node
        self.errors = errors
        # The text counts twice: its strings and names are copied out of it.
        self.bytes = (
            DOCUMENT_BYTES
            + 2 * sys.getsizeof(text)
            + TOKEN_BYTES * tokens
            + sum(ERROR_BYTES + sys.getsizeof(error.message) for error in errors)
        )
        self.names = {self.hash}
        self.in_context: dict[str | None, dict[str, Any]] = {}
        self.trust: dict[str, tuple[bool, float]] = {}
        self.kept_at = float("-inf")
        self.noted = False


class Documents:
    """The documents of a process, at most `settings.DOCUMENTS_KEPT_BYTES`: the least recently used make room.

    Texts and names belong to a version of the schema: what one version has validated, another has not.
    Used by the event loop alone.
    """

    def __init__(self) -> None:
        self._by_text: OrderedDict[tuple[str, str], Document] = OrderedDict()
        self._by_name: dict[tuple[str, str], Document] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._by_text)

    def read(self, schema: Schema, text: str | None) -> Document:
        """The document of a text. Raises a coded GraphQLError for what is too large to be looked at or does not parse.

        What does not fit the schema is kept with its errors.
        """
        if not text:
            raise Unclear(NO_QUERY)
        document = self.known(schema, text)
        if document is None:
            document = _read(schema, text)
            self._keep(document)
        return document

    def known(self, schema: Schema, text: str) -> Document | None:
        """The document of a text that was read before."""
        key = version_of(schema), text
        document = self._by_text.get(key)
        if document is not None:
            self._by_text.move_to_end(key)
        return document

    def named(self, schema: Schema, name: str) -> Document | None:
        """The document of a hash or a trusted id."""
        document = self._by_name.get((version_of(schema), name))
        if document is not None:
            self._by_text.move_to_end((document.version, document.text))
        return document

    def name(self, document: Document, name: str) -> None:
        """Have the document found by this name, too, for as long as it is kept."""
        if self._by_text.get((document.version, document.text)) is document:
            document.names.add(name)
            self._by_name[document.version, name] = document

    def clear(self) -> None:
        self._by_text.clear()
        self._by_name.clear()
        self.bytes = 0

    def _keep(self, document: Document) -> None:
        limit = settings.DOCUMENTS_KEPT_BYTES
        if document.bytes > limit:
            return
        self._by_text[document.version, document.text] = document
        self.name(document, document.hash)
        self.bytes += document.bytes
        while self.bytes > limit:
            self._forget(self._by_text.popitem(last=False)[1])

    def _forget(self, document: Document) -> None:
        self.bytes -= document.bytes
        for name in document.names:
            if self._by_name.get((document.version, name)) is document:
                del self._by_name[document.version, name]


documents = Documents()
"""The process's own."""


class KnownDocument(SchemaExtension):
    """Has the schema run what was read and validated before."""

    def on_parse(self) -> Iterator[None]:
        execution = self.execution_context
        execution.graphql_document = documents.read(execution.schema, execution.query).node
        yield

    def on_validate(self) -> Iterator[None]:
        execution = self.execution_context
        execution.pre_execution_errors = documents.read(execution.schema, execution.query).errors
        yield


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def version_of(schema: Schema) -> str:
    """A hash of the printed schema."""
    known = schema._schema.extensions
    if VERSION not in known:
        known[VERSION] = sha256(print_schema(schema._schema))
    return known[VERSION]  # type: ignore[no-any-return]


def select_operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation that is meant. Raises Unclear when there is none of this name, or a name is needed."""
    operation = get_operation_ast(document, name)
    if operation is not None:
        return operation
    if name is not None:
        raise Unclear(f'Unknown operation named "{name}".')
    several = any(isinstance(each, OperationDefinitionNode) for each in document.definitions)
    raise Unclear(MUST_NAME if several else "Must provide an operation.")


def _read(schema: Schema, text: str) -> Document:
    limit = settings.GRAPHQL_MAX_DOCUMENT_BYTES
    if len(text) > limit or len(text.encode()) > limit:
        raise coded("QUERY_TOO_COMPLEX", f"A document has at most {limit} bytes.")
    try:
        node = parse(text, max_tokens=settings.GRAPHQL_MAX_TOKENS)
        tokens = _loosen(node)
    except GraphQLError as error:
        raise public_error(error) from None
    errors = [public_error(error) for error in validate_document(schema._schema, node, RULES)]
    return Document(version_of(schema), text, node, tokens, errors)


def _loosen(document: DocumentNode) -> int:
    """Take the tokens' chain apart, and count them: without it a document is freed as soon as nobody holds it."""
    assert document.loc is not None
    count = 0
    token: Token | None = document.loc.start_token
    while token is not None:
        if token.kind in (TokenKind.INT, TokenKind.FLOAT) and len(token.value or "") > MAX_NUMBER_LENGTH:
            message = f"A number has at most {MAX_NUMBER_LENGTH} characters."
            raise GraphQLError(message, source=document.loc.source, positions=[token.start])
        following: Any = token.next
        token.prev = token.next = None
        token = following
        count += 1
    return count
