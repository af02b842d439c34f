"""graphql-core's executor, with the selections of root fields completed by plans.

Root fields are resolved by graphql-core, one after the other in mutations. What they return is completed by a plan
where there is one; if the plan meets anything unusual, graphql-core completes the same value, so that errors, paths
and nulls are the reference implementation's, and nothing is resolved twice at the root.
"""

from collections import Counter
from collections.abc import Awaitable
from typing import Any

from graphql.execution.collect_fields import FieldDetails
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
        # Middleware wants to see every resolver's call.
        watched = self.middleware_manager is not None and self.middleware_manager.middlewares
        self._engine: Engine | None = None if watched else self.schema.extensions.get(EXTENSION)
        self._tried: set[Any] = set()

    def build_per_event_executor(self, payload: Any) -> "EngineExecutor":
        executor: EngineExecutor = super().build_per_event_executor(payload)  # type: ignore[assignment]
        executor._tried = set()
        return executor

    def complete_value(
        self, return_type: Any, field_details_list: list[FieldDetails], info: Any, path: Any, result: Any, *rest: Any
    ) -> Any:
        if path.prev is not None or self._engine is None or path.key in self._tried:
            return super().complete_value(return_type, field_details_list, info, path, result, *rest)
        self._tried.add(path.key)
        call = return_type, field_details_list, info, path, result, *rest
        if result is None or isinstance(result, Exception) or not selects_fields(return_type):
            return super().complete_value(*call)
        operation = Operation(self.operation, self.fragments, self.variable_values)
        try:
            plan = self._engine.plans.find(operation, return_type, field_details_list)
        except RecursionError:
            plan = Unsupported("RecursionError")
        if isinstance(plan, Unsupported):
            self._engine.fallbacks[str(plan)] += 1
            return super().complete_value(*call)
        run = Run(self.context_value, self.variable_values, info)
        if plan.blocking:
            return self._complete_in_thread(plan, run, call)
        try:
            return self._succeed(plan.completer.complete([result], run))
        except Exception as error:  # noqa: BLE001 - graphql-core raises it again, with its place
            self._note(error)
            return super().complete_value(*call)

    async def _complete_in_thread(self, plan: Plan, run: Run, call: tuple[Any, ...]) -> Any:
        try:
            attempt = await self.context_value.run_sync(lambda: _attempt(plan, run, call[4]))
        except Exception as error:  # noqa: BLE001 - graphql-core raises it again, with its place
            attempt = error
        except BaseException:
            run.cancelled = True
            raise
        if not isinstance(attempt, Exception):
            return self._succeed(attempt)
        self._note(attempt)
        completed = super().complete_value(*call)
        return await completed if isinstance(completed, Awaitable) else completed

    def _succeed(self, completed: list[Any]) -> Any:
        assert self._engine is not None
        self._engine.runs += 1
        return completed[0]

    def _note(self, error: Exception) -> None:
        assert self._engine is not None
        self._engine.fallbacks[str(error) if isinstance(error, Unusual) else type(error).__name__] += 1


def _attempt(plan: Plan, run: Run, result: Any) -> list[Any] | Exception:
    """What the plan made of the result, or what it raised: a future cannot hold each exception (StopIteration)."""
    try:
        return plan.completer.complete([result], run)
    except Exception as error:  # noqa: BLE001 - graphql-core raises it again, with its place
        return error
