"""What a document may ask for: how deep it may go, and how much at once."""

from typing import Any

from django.conf import settings
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
)

from schema.server.errors import coded


class DepthLimit(ValidationRule):
    """Refuses operations deeper than settings.GRAPHQL_MAX_DEPTH. Introspection is not counted: its shape is fixed."""

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        context = self.context
        assert isinstance(context, ValidationContext)
        depth = _Depth(context.document).of(node.selection_set, frozenset())
        if depth > settings.GRAPHQL_MAX_DEPTH:
            message = f"This operation is {depth} levels deep; {settings.GRAPHQL_MAX_DEPTH} are allowed."
            context.report_error(coded("QUERY_TOO_COMPLEX", message))


class _Depth:
    """Depths of selections; each fragment is measured once, so that many spreads of it stay cheap."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._known: dict[str, int] = {}

    def of(self, selections: SelectionSetNode, inside: frozenset[str]) -> int:
        deepest = 0
        for node in selections.selections:
            if isinstance(node, FieldNode):
                if node.selection_set is None or node.name.value.startswith("__"):
                    depth = 1
                else:
                    depth = 1 + self.of(node.selection_set, inside)
            elif isinstance(node, FragmentSpreadNode):
                depth = self._of_fragment(node.name.value, inside)
            else:
                depth = self.of(node.selection_set, inside)  # type: ignore[attr-defined]
            deepest = max(deepest, depth)
        return deepest

    def _of_fragment(self, name: str, inside: frozenset[str]) -> int:
        if name in inside or name not in self._fragments:
            return 0  # a cycle or a missing fragment: other rules refuse those
        if name not in self._known:
            self._known[name] = self.of(self._fragments[name].selection_set, inside | {name})
        return self._known[name]


class RootFieldLimit(ValidationRule):
    """Refuses more root fields than settings.GRAPHQL_MAX_ROOT_FIELDS: each alias repeats the work, or the write."""

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        context = self.context
        assert isinstance(context, ValidationContext)
        count = len(_response_names(context, node.selection_set))
        if count > settings.GRAPHQL_MAX_ROOT_FIELDS:
            message = f"This operation has {count} root fields; {settings.GRAPHQL_MAX_ROOT_FIELDS} are allowed."
            context.report_error(coded("QUERY_TOO_COMPLEX", message))


def _response_names(context: ValidationContext, selections: SelectionSetNode) -> set[str]:
    """The names that selections answer by, through their fragments: fields of the same name are run as one."""
    names: set[str] = set()
    seen: set[str] = set()
    left = [selections]
    while left:
        for node in left.pop().selections:
            if isinstance(node, FieldNode):
                names.add((node.alias or node.name).value)
            elif isinstance(node, InlineFragmentNode):
                left.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                fragment = context.get_fragment(node.name.value)
                if fragment is not None:
                    left.append(fragment.selection_set)
    return names
