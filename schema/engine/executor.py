"""graphql-core's executor, with whole queries, or else the selections of root fields, run by plans.

A query whose root fields all have steps runs as one plan; if that meets anything unusual, graphql-core runs the query
anew. Other root fields are resolved by graphql-core, one after the other in mutations. What they return is completed by
a plan where there is one, or else by graphql-core: it completes the same value, so that nothing is resolved twice at
the root. In each case errors, paths and nulls are the reference implementation's.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from graphql import OperationType
from graphql.execution.collect_fields import FieldDetails
from graphql.type.definition import GraphQLResolveInfoHelpers
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.engine.compile import Operation, Plan, Plans, Unsupported, selects_fields
from schema.engine.plan import Run, Unusual

EXTENSION = "cartograph-engine"
"""Where a GraphQLSchema's extensions hold its Engine."""


class Engine:
    """One schema's plans, and how often they were used: `runs`, and `fallbacks` by reason."""

    def __init__(self, plans: Plans) -> None:
        self.plans = plans
        self.runs = 0
        self.fallbacks: Counter[str] = Counter()


class EngineExecutor(StrawberryGraphQLCoreExecutionContext):
    """Use it as Strawberry's `execution_context_class`; without an Engine in the schema it is graphql-core's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Middleware wants to see every resolver's call, and an abort signal every field.
        watched = (self.middleware_manager is not None and self.middleware_manager.middlewares) or self.abort_signal
        self._engine: Engine | None = None if watched else self.schema.extensions.get(EXTENSION)
        self._tried: set[Any] = set()
        self.encode: Callable[[Any], Any] | None = None
        """What to make of a whole query's data, while still on the database's thread."""

    @property
    def async_helpers(self) -> GraphQLResolveInfoHelpers:  # type: ignore[override]
        """Made when asked for: kept, as graphql-core does, they would leave each request to the garbage collector."""
        return GraphQLResolveInfoHelpers(gather=self.gather_async_work, track=self.track_async_work)

    @async_helpers.setter
    def async_helpers(self, _: GraphQLResolveInfoHelpers) -> None:
        pass

    def build_per_event_executor(self, payload: Any) -> "EngineExecutor":
        executor: EngineExecutor = super().build_per_event_executor(payload)  # type: ignore[assignment]
        executor._tried = set()
        return executor

    # A query as a whole --------------------------------------------------------------------------

    def execute_operation(self, serially: bool | None = None) -> Any:
        root = self.schema.query_type
        if self._engine is None or self.operation.operation is not OperationType.QUERY or root is None:
            return super().execute_operation(serially)
        plan = self._find(lambda engine, operation: engine.plans.find_whole(operation, root))
        if isinstance(plan, Unsupported):  # its root fields may have plans
            return super().execute_operation(serially)
        run = Run(self.context_value, self.variable_values, OperationInfo(self))
        if plan.blocking:
            return self._execute_in_thread(plan, run)
        attempt = _attempt(plan, run, self.root_value, self.encode)
        if isinstance(attempt, Exception):
            return self._execute_otherwise(attempt)
        return self.build_response(self._succeed(attempt))

    async def _execute_in_thread(self, plan: Plan, run: Run) -> Any:
        attempt = await self._attempt_in_thread(plan, run, self.root_value, self.encode)
        if isinstance(attempt, Exception):
            result = self._execute_otherwise(attempt)
            return await result if isinstance(result, Awaitable) else result
        return self.build_response(self._succeed(attempt))

    def _execute_otherwise(self, error: Exception) -> Any:
        self._note(error)
        self._engine = None
        return super().execute_operation()

    # What a root field returned ------------------------------------------------------------------

    def complete_value(
        self, return_type: Any, field_details_list: list[FieldDetails], info: Any, path: Any, result: Any, *rest: Any
    ) -> Any:
        if path.prev is not None or self._engine is None or path.key in self._tried:
            return super().complete_value(return_type, field_details_list, info, path, result, *rest)
        self._tried.add(path.key)
        call = return_type, field_details_list, info, path, result, *rest
        if result is None or isinstance(result, Exception) or not selects_fields(return_type):
            return super().complete_value(*call)
        plan = self._find(lambda engine, operation: engine.plans.find(operation, return_type, field_details_list))
        if isinstance(plan, Unsupported):
            self._engine.fallbacks[str(plan)] += 1
            return super().complete_value(*call)
        run = Run(self.context_value, self.variable_values, info)
        if plan.blocking:
            return self._complete_in_thread(plan, run, call)
        attempt = _attempt(plan, run, result)
        if isinstance(attempt, Exception):
            self._note(attempt)
            return super().complete_value(*call)
        return self._succeed(attempt)

    async def _complete_in_thread(self, plan: Plan, run: Run, call: tuple[Any, ...]) -> Any:
        attempt = await self._attempt_in_thread(plan, run, call[4])
        if not isinstance(attempt, Exception):
            return self._succeed(attempt)
        self._note(attempt)
        completed = super().complete_value(*call)
        return await completed if isinstance(completed, Awaitable) else completed

    # Both ----------------------------------------------------------------------------------------

    def _find(self, find: Callable[[Engine, Operation], Plan | Unsupported]) -> Plan | Unsupported:
        assert self._engine is not None
        try:
            return find(self._engine, Operation(self.operation, self.fragments, self.variable_values))
        except RecursionError:
            return Unsupported("RecursionError")

    async def _attempt_in_thread(
        self, plan: Plan, run: Run, value: Any, encode: Callable[[Any], Any] | None = None
    ) -> list[Any] | Exception:
        try:
            attempt: list[Any] | Exception = await self.context_value.run_sync(
                lambda: _attempt(plan, run, value, encode)
            )
        except Exception as error:  # noqa: BLE001 - graphql-core raises it again, with its place
            return error
        except BaseException:
            run.cancelled = True
            raise
        return attempt

    def _succeed(self, completed: list[Any]) -> Any:
        assert self._engine is not None
        self._engine.runs += 1
        return completed[0]

    def _note(self, error: Exception) -> None:
        assert self._engine is not None
        self._engine.fallbacks[str(error) if isinstance(error, Unusual) else type(error).__name__] += 1


class OperationInfo:
    """What the fields of an operation share of a GraphQLResolveInfo."""

    def __init__(self, executor: EngineExecutor) -> None:
        self.schema = executor.schema
        self.fragments = executor.fragment_definitions
        self.root_value = executor.root_value
        self.operation = executor.operation
        self.variable_values = executor.variable_values.coerced
        self.context = executor.context_value
        self.is_awaitable = executor.is_awaitable
        self.abort_signal = executor.abort_signal
        self.async_helpers = executor.async_helpers
        self.operation_extensions = executor.operation_extensions


def _attempt(plan: Plan, run: Run, value: Any, encode: Callable[[Any], Any] | None = None) -> list[Any] | Exception:
    """What the plan made of the value, or what it raised: a future cannot hold each exception (StopIteration)."""
    try:
        completed = plan.complete([value], run)
        return completed if encode is None else list(map(encode, completed))
    except Exception as error:  # noqa: BLE001 - graphql-core raises it again, with its place
        return error
