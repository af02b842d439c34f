"""Fields that are columns or batched, and the schema that runs them cheaply. Knows GraphQL and Strawberry, no shop."""

from schema.engine.fields import ColumnField, batched, computed, root_query
from schema.engine.loader import Batches
from schema.engine.schema import EngineSchema

__all__ = ["Batches", "ColumnField", "EngineSchema", "batched", "computed", "root_query"]
