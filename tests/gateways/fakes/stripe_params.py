"""Form bodies as Stripe reads them, checked against the parameters that the SDK's own types allow."""

import re
import types
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin

from stripe import RequestOptions
from typing_extensions import get_type_hints, is_typeddict

OPTIONS = set(RequestOptions.__annotations__)


class Wrong(Exception):
    """A parameter that Stripe does not know, or not so."""

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message)
        self.param = param


def decode(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`a[b][0][c]=d` as nested dicts; lists are dicts of numbers until their type is known."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        first, *rest = re.findall(r"[^\[\]]+", name)
        place = found
        for part, following in zip([first, *rest], rest, strict=False):
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise Wrong(name, f"Invalid {following}")
        place[[first, *rest][-1]] = value
    return found


def check(kind: Any, sent: Any, name: str = "") -> Any:
    """`sent` as the type has it. Raises Wrong."""
    if is_typeddict(kind):
        return _typed_dict(kind, sent, name)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (NotRequired, Required):
        return check(arguments[0], sent, name)
    if origin in (Union, types.UnionType):
        return _first_that_fits(arguments, sent, name)
    if origin is list and isinstance(sent, dict):
        return [check(arguments[0], sent[key], f"{name}[{key}]") for key in sorted(sent, key=int)]
    if origin is dict and isinstance(sent, dict):
        return {key: check(arguments[1], value, f"{name}[{key}]") for key, value in sent.items()}
    if origin is Literal and sent in arguments:
        return sent
    if kind is str and isinstance(sent, str) and sent:
        return sent
    if kind is int and isinstance(sent, str) and re.fullmatch(r"-?\d+", sent):
        return int(sent)
    if kind is bool and sent in ("true", "false"):
        return sent == "true"
    raise Wrong(name, f"Invalid {name}: {sent!r}")


def _first_that_fits(kinds: tuple[Any, ...], sent: Any, name: str) -> Any:
    """The SDK adds `str` to every list of words, for words to come: we send none that it does not list."""
    listed = any(get_origin(kind) is Literal and get_args(kind) != ("",) for kind in kinds)
    deepest = Wrong(name, f"Invalid {name}: {sent!r}")
    for kind in kinds:
        if kind is str and listed:
            continue
        try:
            return check(kind, sent, name)
        except Wrong as error:
            if len(error.param) > len(deepest.param):
                deepest = error
    raise deepest


def _typed_dict(kind: Any, sent: Any, name: str) -> dict[str, Any]:
    if not isinstance(sent, dict):
        raise Wrong(name, f"Invalid object: {name}")
    hints = {key: hint for key, hint in _hints(kind).items() if key not in OPTIONS}
    for key in sent:
        if key not in hints:
            raise Wrong(_inside(name, key), f"Received unknown parameter: {_inside(name, key)}")
    for key in kind.__required_keys__ - OPTIONS:
        if key not in sent and get_origin(hints[key]) is not NotRequired:
            raise Wrong(_inside(name, key), f"Missing required param: {_inside(name, key)}.")
    return {key: check(hints[key], value, _inside(name, key)) for key, value in sent.items()}


def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, localns={"StripeContext": str, "Mapping": Mapping}, include_extras=True)


def _inside(name: str, key: str) -> str:
    return f"{name}[{key}]" if name else key
