"""What is measured: GraphQL documents, and how to prepare as many requests of each as are asked for."""

import asyncio
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import uuid4

import orjson
from django.db import transaction

from bench.client import ask, check, connect

TYPENAME = "{ __typename }"
BENCH_LIST = """
{ products(first: 24) { nodes { id name slug image { url } category { id name slug }
  variants { id name sku price { amount currency } } } } }
"""
MONEY = "fragment MoneyFields on Money { amount currency formatted }"
CARD = (
    MONEY
    + """
fragment ImageFields on Image { url(transform: { maxWidth: 400, format: WEBP }) alt width height }
fragment ProductCard on Product {
  id name slug availableForSale discountPercent
  image { ...ImageFields }
  category { id name slug }
  vendor { id name slug }
  priceRange { min { ...MoneyFields } max { ...MoneyFields } }
  compareAtPriceRange { min { ...MoneyFields } max { ...MoneyFields } }
  rating { average count }
}
"""
)
PRODUCT_LIST = (
    CARD
    + """
query ProductList(
  $first: Int = 24, $after: String, $last: Int, $before: String, $filter: ProductFilter, $sort: ProductSort
) {
  products(first: $first, after: $after, last: $last, before: $before, filter: $filter, sort: $sort) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    nodes {
      ...ProductCard
      variants { id name sku price { ...MoneyFields } compareAtPrice { ...MoneyFields } }
    }
  }
}
"""
)
PRODUCT_PAGE = (
    CARD
    + """
query ProductPage($slug: String!) @inContext(language: EN, currency: USD) {
  product(slug: $slug) {
    ...ProductCard
    description descriptionHtml tags createdAt updatedAt
    seo { title description }
    images { ...ImageFields }
    options { name values { name available } }
    attributes { key label value }
    variants {
      id name sku options { name value } image { ...ImageFields }
      price { ...MoneyFields } compareAtPrice { ...MoneyFields }
      availability { status quantity maxPerOrder }
    }
    variantCount
    category { ancestors { id name slug } }
  }
}
"""
)
CART_CREATE = """
mutation CartCreate($input: CartCreateInput!) { cartCreate(input: $input) { cart { id } userErrors { code message } } }
"""
CART_ADD = """
mutation CartLinesAdd($cartId: ID!, $lines: [CartLineInput!]!) {
  cartLinesAdd(input: { cartId: $cartId, lines: $lines }) {
    cart { id version itemCount lines { id quantity total { amount } } totals { total { amount currency } } }
    userErrors { code message field }
  }
}
"""
CART_ADD_MINIMAL = """
mutation CartLinesAdd($cartId: ID!, $lines: [CartLineInput!]!) {
  cartLinesAdd(input: { cartId: $cartId, lines: $lines }) { userErrors { code } }
}
"""
CART_ADDRESS = """
mutation CartAddressesUpdate($cartId: ID!, $shipping: AddressInput!) {
  cartAddressesUpdate(input: { cartId: $cartId, shippingAddress: $shipping }) { userErrors { code message field } }
}
"""
ORDER_PLACE = """
mutation OrderPlace($cartId: ID!, $idempotencyKey: String!) {
  orderPlace(input: { cartId: $cartId, idempotencyKey: $idempotencyKey }) {
    order { id number token status totals { total { amount currency } } }
    userErrors { code message field }
  }
}
"""
PAYMENT_START = """
mutation PaymentStart($orderId: ID!, $token: String, $returnUrl: String!, $idempotencyKey: String!) {
  paymentStart(input: { orderId: $orderId, orderToken: $token, gateway: "sandbox", returnUrl: $returnUrl,
                        idempotencyKey: $idempotencyKey }) {
    payment { id status nextAction { ... on RedirectAction { url } } }
    userErrors { code message field }
  }
}
"""
PAYMENT_VERIFY = """
mutation PaymentVerify($paymentId: ID!, $orderToken: String) {
  paymentVerify(input: { paymentId: $paymentId, orderToken: $orderToken }) {
    payment { id status order { status paymentStatus } }
    userErrors { code message field }
  }
}
"""
VARIANTS = """
{ products(first: 100, filter: { available: true }, sort: BEST_SELLING) {
  nodes { slug variants { id availability { quantity } } } } }
"""
ENOUGH = 5
"""Units that a variant must have left, to be bought in a run."""
ADDRESS = {
    "firstName": "Ada",
    "lastName": "Byron",
    "line1": "1 Main St",
    "city": "Springfield",
    "region": "IL",
    "postalCode": "62701",
    "country": "US",
}


@dataclass(frozen=True, slots=True)
class Work:
    """Requests of one kind, ready to be sent."""

    name: str
    bodies: list[bytes]


def body(query: str, variables: dict[str, Any] | None = None) -> bytes:
    return orjson.dumps({"query": query, "variables": variables or {}})


async def reads(url: str, count: int) -> list[Work]:
    slugs = [node["slug"] for node in (await ask(url, VARIANTS))[0]["products"]["nodes"]]
    pages = [body(PRODUCT_PAGE, {"slug": slugs[n % len(slugs)]}) for n in range(count)]
    return [
        Work("__typename", [body(TYPENAME)] * count),
        Work("bench list", [body(BENCH_LIST)] * count),
        Work("bench list by hash", [await hashed(url, BENCH_LIST)] * count),
        Work("ProductList", [body(PRODUCT_LIST, {"first": 24})] * count),
        Work("ProductPage", pages),
    ]


async def hashed(url: str, query: str) -> bytes:
    """A request that names a document by its hash, which the shop has been told."""
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": sha256(query.encode()).hexdigest()}}
    connection = await connect(url)
    check(await connection.post(orjson.dumps({"query": query, "extensions": extensions})))
    return orjson.dumps({"extensions": extensions})


async def cart_adds(
    url: str, count: int, document: str = CART_ADD, name: str = "cart add (3 lines)"
) -> tuple[Work, list[str]]:
    """Additions of three lines, each to an empty cart of its own; also the carts' ids."""
    nodes = (await ask(url, VARIANTS))[0]["products"]["nodes"]
    variants = [
        variant["id"] for node in nodes for variant in node["variants"] if variant["availability"]["quantity"] >= ENOUGH
    ]
    carts, bodies = [], []
    for n in range(count):
        answer, _ = await ask(url, CART_CREATE, {"input": {"email": "ada@example.com"}})
        cart = answer["cartCreate"]["cart"]["id"]
        chosen = [variants[(n * 3 + k) % len(variants)] for k in range(3)]
        lines = [{"variantId": variant, "quantity": 1} for variant in chosen]
        carts.append(cart)
        bodies.append(body(document, {"cartId": cart, "lines": lines}))
    return Work(name, bodies), carts


async def placements(url: str, carts: list[str]) -> Work:
    bodies = []
    for cart in carts:
        await ask(url, CART_ADDRESS, {"cartId": cart, "shipping": ADDRESS})
        bodies.append(body(ORDER_PLACE, {"cartId": cart, "idempotencyKey": str(uuid4())}))
    return Work("orderPlace (3 lines)", bodies)


async def payments(url: str, carts: list[str]) -> tuple[Work, list[dict[str, Any]]]:
    """Payment starts for orders placed beforehand, and the starts' variables."""
    starts = []
    for cart in carts:
        # The carts' own keys are used up: placing with one of them again would replay.
        answer, _ = await ask(url, ORDER_PLACE, {"cartId": cart, "idempotencyKey": f"pay-{cart}"})
        order = answer["orderPlace"]["order"]
        starts.append(
            {
                "orderId": order["id"],
                "token": order["token"],
                "returnUrl": "http://localhost/thanks",
                "idempotencyKey": str(uuid4()),
            }
        )
    return Work("paymentStart", [body(PAYMENT_START, start) for start in starts]), starts


async def verifications(url: str, starts: list[dict[str, Any]]) -> Work:
    """Questions after payments whose buyers have pressed Pay: each settles an order."""
    bodies = []
    for start in starts:
        answer, _ = await ask(url, PAYMENT_START, start)  # the same key: what was started is told again
        payment = answer["paymentStart"]["payment"]
        await asyncio.to_thread(_press_pay, payment["nextAction"]["url"].rsplit("/", 2))
        bodies.append(body(PAYMENT_VERIFY, {"paymentId": payment["id"], "orderToken": start["token"]}))
    return Work("paymentVerify (pays)", bodies)


def _press_pay(parts: list[str]) -> None:
    """What the payment page does with the button, without the page."""
    from backend.payments.sandbox import charges

    with transaction.atomic():
        charges.press(parts[-1] or parts[-2], "pay")
