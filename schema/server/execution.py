"""Running a document that was read and validated, without the machinery of Strawberry's extensions."""

from inspect import isawaitable
from typing import Any

import orjson
from graphql import ExecutionResult as CoreResult
from graphql import GraphQLError
from strawberry.execution import optimized_is_awaitable
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from schema.engine import EngineSchema
from schema.engine.executor import EngineExecutor
from schema.server.context import Context
from schema.server.documents import Document, select_operation
from schema.server.errors import public_error, public_errors
from schema.server.in_context import context_for


def _encoded(data: Any) -> orjson.Fragment:
    """As bytes, where the data was made: another thread would fetch all of it into its processor's cache again."""
    return orjson.Fragment(orjson.dumps(data))


async def execute(
    schema: EngineSchema, document: Document, context: Context, variables: dict[str, Any] | None, name: str | None
) -> ExecutionResult:
    """Answer one query or mutation, as `schema.execute` does with the extensions of `schema.root`.

    `data` may be a fragment of JSON already.
    """
    if document.errors:
        return PreExecutionError(data=None, errors=document.errors)
    operation = select_operation(document.node, name)
    try:
        own = context_for(schema._schema, context, operation, variables, document.in_context)
    except GraphQLError as error:
        return PreExecutionError(data=None, errors=[public_error(error)])
    executor = schema.execution_context_class.build(
        schema._schema,
        document.node,
        context_value=own,
        raw_variable_values=variables,
        operation_name=name,
        is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]
    )
    if isinstance(executor, list):
        return ExecutionResult(data=None, errors=public_errors(executor))
    assert isinstance(executor, EngineExecutor)
    executor.encode = _encoded
    result = executor.execute_operation()
    if isawaitable(result):
        result = await result
    assert isinstance(result, CoreResult)
    return ExecutionResult(data=result.data, errors=public_errors(result.errors))
