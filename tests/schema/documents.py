"""The contract's documents, by operation name; our own copy stands in for them where the contract is absent."""

import re
from pathlib import Path

FOLDER = Path(__file__).parent
CART = (FOLDER / "carts" / "cart.graphql").read_text(encoding="utf-8")
CHECKOUT = (FOLDER / "orders" / "checkout.graphql").read_text(encoding="utf-8")


def operation(source: str, operation_name: str) -> str:
    """One operation of a file, with the file's fragments that it needs."""
    parts = re.split(r"^(?=(?:fragment|query|mutation|subscription) )", source, flags=re.MULTILINE)
    named = {match.group(1): part for part in parts if (match := re.match(r"\w+ (\w+)", part))}
    wanted, document = [operation_name], ""
    for each in wanted:
        document += named[each]
        found = dict.fromkeys(re.findall(r"\.\.\.(\w+)", named[each]))
        wanted += [name for name in found if name not in wanted]
    return document
