"""What the figures must be, and whether they are."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.measure import ADD, ADD_MINIMAL, BY_HASH, BY_TEXT, WITH_MANY, Results


@dataclass(frozen=True, slots=True)
class Target:
    """A bound that holds from above, or, with `at_least`, from below."""

    words: str
    value: float
    bound: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound


def targets(results: Results) -> list[Target]:
    cpu: Callable[[str], float] = lambda name: results.named(name).app_cpu_ms  # noqa: E731
    typename, lists = results.typename_cpu_ms, results.lists_cpu_ms
    write = cpu(ADD_MINIMAL) - cpu("__typename")
    by_hash, many = cpu(BY_HASH) / cpu(BY_TEXT), results.named(WITH_MANY)
    value = results.parts_cpu_ms["one Money.formatted"]
    fallbacks = sum(results.engine_fallbacks.values())
    return [
        Target(
            "773 fields in process: times faster than graphql-core", lists["graphql_core"] / lists["engine"], 15, True
        ),
        Target("bench list: x strawberry.asgi's __typename", cpu(BY_TEXT) / typename, 6),
        Target("bench list: x __typename, served at the same time", results.beside_typename[BY_TEXT], 6),
        Target("bench list: SQL statements", results.named(BY_TEXT).statements, 4),
        Target("bench list: x raw ASGI answer", cpu(BY_TEXT) / results.raw_cpu_ms[BY_TEXT], 25),
        Target("ProductList: x __typename", cpu("ProductList") / typename, 12),
        Target("ProductList: x __typename, served at the same time", results.beside_typename["ProductList"], 12),
        Target("ProductPage: x __typename", cpu("ProductPage") / typename, 6),
        Target("ProductPage: x __typename, served at the same time", results.beside_typename["ProductPage"], 6),
        Target("cart add: its selection over its write", (cpu(ADD) - cpu(ADD_MINIMAL)) / write, 1 / 3),
        Target("bench list by hash: differs from by text by", abs(by_hash - 1), 0.1),
        Target("bench list, 16 clients: p99 over p50", many.p99_ms / many.p50_ms, 3),
        Target("Money.formatted: over the cost of a row", value / results.parts_cpu_ms["one row"], 1),
        Target("fallbacks of all runs", fallbacks / max(1, fallbacks + results.engine_runs), 0.01),
    ]
