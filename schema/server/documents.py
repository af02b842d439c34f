"""What each transport asks before the schema runs anything: can the document be read, which operation is meant?"""

from functools import lru_cache

from django.conf import settings
from graphql import (
    DocumentNode,
    GraphQLError,
    OperationDefinitionNode,
    Token,
    TokenKind,
    get_operation_ast,
)
from strawberry.extensions import ParserCache

from schema.server.errors import coded, public_error

DOCUMENTS_KEPT = 500
"""How many parsed and validated documents a process keeps."""
MAX_NUMBER_LENGTH = 1000
"""The longest double has 309 digits; Python refuses to read integers of more than 4300."""
MUST_NAME = "Must provide operation name if query contains multiple operations."


def read_document(query: str | None) -> DocumentNode:
    """The parsed document. Raises a coded GraphQLError for what cannot be parsed or is too large to be looked at."""
    if not query:
        raise coded("BAD_USER_INPUT", "No GraphQL query found in the request.")
    try:
        return _read(query, settings.GRAPHQL_MAX_TOKENS)
    except GraphQLError as error:
        raise public_error(error) from None


@lru_cache(DOCUMENTS_KEPT)
def _read(query: str, max_tokens: int) -> DocumentNode:
    # The schema's own parsing finds this document in the same cache.
    document: DocumentNode = ParserCache(DOCUMENTS_KEPT).cached_parse_document(query, max_tokens=max_tokens)
    assert document.loc is not None
    token: Token | None = document.loc.start_token
    while token is not None:
        if token.kind in (TokenKind.INT, TokenKind.FLOAT) and len(token.value or "") > MAX_NUMBER_LENGTH:
            message = f"A number has at most {MAX_NUMBER_LENGTH} characters."
            raise GraphQLError(message, source=document.loc.source, positions=[token.start])
        token = token.next
    return document


def select_operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation that is meant. Raises a coded GraphQLError when there is none of this name, or a name is needed."""
    operation = get_operation_ast(document, name)
    if operation is not None:
        return operation
    if name is not None:
        raise coded("BAD_USER_INPUT", f'Unknown operation named "{name}".')
    several = any(isinstance(each, OperationDefinitionNode) for each in document.definitions)
    raise coded("BAD_USER_INPUT", MUST_NAME if several else "Must provide an operation.")
