"""What the files of this folder hold, typed. Prices are decimal strings: (USD, EUR)."""

import json
from functools import cache
from pathlib import Path
from typing import Any, NotRequired, TypedDict

_HERE = Path(__file__).parent
Prices = tuple[str, str]


class DemoCategory(TypedDict):
    slug: str
    name: str
    name_de: str
    text: NotRequired[str]
    text_de: NotRequired[str]
    picture: NotRequired[list[str]]
    children: NotRequired[list["DemoCategory"]]


class DemoProduct(TypedDict):
    """`stock` is by variant, in the order of the options' values; `extra` is what a value adds to the prices."""

    slug: str
    name: str
    name_de: str
    text: str
    text_de: str
    category: str
    brand: str
    vendor: NotRequired[str]
    picture: list[str]
    usd: str
    eur: str
    was: NotRequired[Prices]
    extra: NotRequired[dict[str, Prices]]
    options: dict[str, list[str]]
    stock: list[int]
    grams: int
    policy: NotRequired[str]
    attributes: dict[str, str | bool]
    tags: list[str]


class DemoAttribute(TypedDict):
    key: str
    label: str
    label_de: str
    kind: str
    values_de: NotRequired[dict[str, str]]


class DemoVendor(TypedDict):
    slug: str
    name: str
    description: str


class DemoWords(TypedDict):
    attributes: list[DemoAttribute]
    vendors: list[DemoVendor]
    terms_de: dict[str, str]


def read_categories() -> list[DemoCategory]:
    categories: list[DemoCategory] = _read("categories")
    return categories


def read_products() -> list[DemoProduct]:
    products: list[DemoProduct] = _read("products")
    return products


@cache
def read_words() -> DemoWords:
    words: DemoWords = _read("words")
    return words


def _read(name: str) -> Any:
    return json.loads((_HERE / f"{name}.json").read_bytes())
