"""`@inContext(language:, currency:, country:)` on an operation: what the shop speaks for it."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from graphql import (
    DirectiveLocation,
    GraphQLArgument,
    GraphQLDirective,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableNode,
    get_directive_values,
    get_operation_ast,
)
from graphql.execution.values import get_variable_values
from strawberry.extensions import SchemaExtension

from backend.core.context import ShopContext, default_context
from schema.server.context import Context
from schema.server.enums import CountryCode, CurrencyCode, LanguageCode
from schema.server.errors import coded

NAME = "inContext"


def directive(converter: Any) -> GraphQLDirective:
    """The directive's definition, over the enums that the converter knows."""

    def argument(enum: Any, description: str) -> GraphQLArgument:
        return GraphQLArgument(converter.from_enum(enum.__strawberry_definition__), description=description)

    return GraphQLDirective(
        NAME,
        locations=[DirectiveLocation.QUERY, DirectiveLocation.MUTATION, DirectiveLocation.SUBSCRIPTION],
        args={
            "language": argument(LanguageCode, "Texts are in this language where there is a translation."),
            "currency": argument(CurrencyCode, "Prices are in this currency."),
            "country": argument(CountryCode, "Where the buyer is."),
        },
        description="Choose what the shop speaks in this operation; without it the shop's defaults hold.",
    )


class InContext(SchemaExtension):
    """Gives each operation its own context, with what `@inContext` asks for."""

    def on_execute(self) -> Iterator[None]:
        execution = self.execution_context
        assert execution.graphql_document is not None
        operation = get_operation_ast(execution.graphql_document, execution.operation_name)
        schema = execution.schema._schema
        execution.context = context_for(schema, execution.context, operation, execution.variables)
        yield


def context_for(
    schema: GraphQLSchema,
    context: Context,
    operation: OperationDefinitionNode | None,
    variables: Any,
    known: dict[str | None, dict[str, Any]] | None = None,
) -> Context:
    """The operation's own context. Raises a coded GraphQLError for what the shop does not offer.

    `known` is where a document's operations keep what they ask for, if no variable is in it.
    """
    shop = default_context()
    if operation is not None and operation.directives:
        values = _values(schema, operation, variables, {} if known is None else known)
        if values:
            shop = ShopContext(
                language=offered_language(values.get("language"), shop.language),
                currency=offered_currency(values.get("currency"), shop.currency),
                country=_plain(values.get("country")) or shop.country,
            )
    return context.for_operation(shop)


def _values(
    schema: GraphQLSchema, operation: OperationDefinitionNode, variables: Any, known: dict[str | None, dict[str, Any]]
) -> dict[str, Any]:
    """The directive's arguments, with the operation's variables coerced by graphql-core."""
    name = operation.name.value if operation.name else None
    if name in known:
        return known[name]
    definition = schema.get_directive(NAME)
    assert definition is not None
    coerced = get_variable_values(schema, operation.variable_definitions or (), variables or {})
    if isinstance(coerced, list):  # wrong variables: the execution itself tells the client
        return {}
    values = get_directive_values(definition, operation, coerced) or {}
    arguments = [each for directive in operation.directives or () for each in directive.arguments or ()]
    if not any(isinstance(each.value, VariableNode) for each in arguments):
        known[name] = values
    return values


def offered_language(value: Any, default: str) -> str:
    language = _plain(value)
    return language if language in settings.LANGUAGES_OFFERED else default


def offered_currency(value: Any, default: str) -> str:
    currency = _plain(value)
    if currency is None:
        return default
    if currency not in settings.CURRENCIES_OFFERED:
        raise coded("BAD_USER_INPUT", f"The shop has no prices in {currency}; it offers {_offer()}.")
    return currency


def _offer() -> str:
    return ", ".join(settings.CURRENCIES_OFFERED)


def _plain(value: Any) -> str | None:
    return None if value is None else str(getattr(value, "value", value))
