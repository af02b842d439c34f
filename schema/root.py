"""The schema: what every domain brings, merged."""

from django.conf import settings
from strawberry.extensions import AddValidationRules, MaxTokensLimiter, ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from schema.engine import EngineSchema
from schema.server import in_context
from schema.server.errors import PublicErrors
from schema.server.limits import DepthLimit
from schema.server.node import NodeQuery
from schema.catalog.queries import CatalogQuery

DOCUMENTS_KEPT = 500

Query = merge_types("Query", (CatalogQuery, NodeQuery))

schema = EngineSchema(
    query=Query,
    operation_directives=[in_context.directive],
    extensions=[
        lambda: MaxTokensLimiter(max_token_count=settings.GRAPHQL_MAX_TOKENS),
        lambda: ParserCache(maxsize=DOCUMENTS_KEPT),
        lambda: AddValidationRules([DepthLimit]),
        lambda: ValidationCache(maxsize=DOCUMENTS_KEPT),
        in_context.InContext,
        PublicErrors,
    ],
    config=StrawberryConfig(auto_camel_case=True),
)
