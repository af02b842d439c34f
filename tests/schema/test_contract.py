"""The storefront contract: every operation that is served validates and runs; what is not yet served is named here."""

from functools import cached_property
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from graphql import (
    REMOVE,
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    OperationType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    parse,
    print_ast,
    validate,
    visit,
)
from starlette.requests import Request
from starlette.responses import Response

from backend.accounts.links import EMAIL_LINK, PASSWORD_LINK
from backend.accounts.services import enable_second_factor, open_session, start_social
from backend.accounts.social.providers import SocialProvider
from backend.core.caller import Role
from backend.vendors.models import VendorStatus
from schema.root import schema
from schema.server.cookies import set_binding
from schema.server.ids import encode
from tests.conftest import Gql
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.catalog import make_category, make_product
from tests.factories.orders import make_order, pay
from tests.factories.payments import deliver_all, press, start
from tests.factories.second_factor import challenge_of, code_of, give_second_factor
from tests.factories.vendors import make_vendor
from tests.schema.orders.watching import events, watch
from tests.social.fixtures import provider, provider_process
from tests.social.provider import KEPT
from tests.social.running import BACK

__all__ = ["provider", "provider_process"]
CONTRACT = Path(__file__).parent.parent.parent.parent / "shared" / "contract"
pytestmark = pytest.mark.skipif(not CONTRACT.is_dir(), reason="../shared/contract is not here: nothing to compare with")

# Only additions: what is served once stays served. It and the next list together are the whole contract.
MUST_BE_SERVED = {
    "account.graphql": {
        "UserRegister", "EmailVerify", "UserUpdate", "PasswordChange", "PasswordResetRequest", "PasswordReset",
        "Viewer", "TokenCreate", "TokenRefresh", "TokenRevoke", "TokenRevokeAll", "AddressCreate", "AddressUpdate",
        "AddressDelete", "AddressSetDefault", "OrderByNumber", "OtpRequest", "TokenChallengeAnswer", "TwoFactorEnable",
        "TwoFactorConfirm", "TwoFactorDisable", "SocialAuthStart", "SocialTokenCreate",
    },
    "backoffice.graphql": {
        "RefundCreate", "Customers", "UserRolesSet", "VendorApply", "VendorApprove", "VendorSuspend",
    },
    "cart.graphql": {
        "Cart", "CartCreate", "CartLinesAdd", "CartLinesUpdate", "CartLinesRemove", "CartClear", "CartBuyerUpdate",
        "CartAddressesUpdate", "CartMerge",
    },
    "catalog.graphql": {"Shop", "CategoryTree", "CategoryPage", "ProductList", "ProductPage", "Refetch"},
    "checkout.graphql": {"OrderPlace", "BuyNow", "PaymentStart", "PaymentVerify", "OrderByToken", "OrderEvents"},
}  # fmt: skip
NOT_YET_SERVED = {
    "account.graphql": {
        "WishlistAdd", "WishlistRemove", "ReviewCreate", "CommentCreate", "BackInStockSubscribe",
        "NotificationMarkRead", "Notifications",
    },
    "backoffice.graphql": {
        "CategoryCreate", "CategoryMove", "CategoryDelete", "ProductCreate", "ProductUpdate", "ProductDelete",
        "VariantCreate", "VariantUpdate", "VariantDelete", "ProductImageAdd", "StockAdjust", "CouponCreate",
        "PromotionCreate", "Orders", "CommentModerate", "FulfillmentCreate", "FulfillmentDeliver",
        "ReturnResolve", "OrderDelete", "ReviewModerate",
        "VendorDashboard", "SalesReport", "VendorOrders", "StockLevels",
    },
    "cart.graphql": {"CartCouponApply", "CartCouponRemove", "CartDeliverySelect", "CartChanged"},
    "catalog.graphql": {"Search", "SearchSuggestions", "Vendors", "VendorPage"},
    "checkout.graphql": {"OrderCancel", "ReturnRequest"},
}  # fmt: skip
FIELDS_NOT_YET_SERVED = {"ProductPage": {"Product.reviews", "Product.related"}}
# Served, and honestly empty until the parts of the shop that fill them are there.
EMPTY_UNTIL_LATER = {
    "Cart": {"coupons", "discounts", "taxes", "deliveryOptions", "delivery"},
    "Order": {"discounts", "taxes", "delivery", "fulfillments", "invoice"},
}
OF_CUSTOMERS = {
    "TokenRevokeAll", "AddressCreate", "AddressUpdate", "AddressDelete", "AddressSetDefault", "CartMerge",
    "OrderByNumber", "Viewer", "UserUpdate", "PasswordChange", "TwoFactorEnable",
}  # fmt: skip
OF_ADMINS = {"Customers", "UserRolesSet", "VendorApply", "VendorApprove", "VendorSuspend"}
NOTHING_HAPPENED_YET = {"Cart": {"warnings"}, "Order": {"paidAt", "cancelledAt", "deliveredAt"}}
ADDRESS = {
    "firstName": "Ada",
    "lastName": "Byron",
    "line1": "1 Main St",
    "city": "Springfield",
    "region": "IL",
    "postalCode": "62701",
    "country": "US",
}


class Operation:
    """An operation of the contract with the fragments that it uses, less the fields that are not yet served."""

    def __init__(self, file: str, node: OperationDefinitionNode, fragments: dict[str, FragmentDefinitionNode]) -> None:
        assert node.name is not None
        self.file = file
        self.name = node.name.value
        self.type = node.operation
        self.missing_fields: set[str] = set()
        document = DocumentNode(definitions=(node, *_used(node, fragments)))
        self.errors = validate(schema._schema, document)
        self.document = document if not FIELDS_NOT_YET_SERVED.get(self.name) else self._without_missing(document)

    @property
    def text(self) -> str:
        return print_ast(self.document)

    def _without_missing(self, document: DocumentNode) -> DocumentNode:
        types = TypeInfo(schema._schema)
        missing = self.missing_fields

        class Drop(Visitor):
            def enter_field(self, node: Any, *_: Any) -> Any:
                parent = types.get_parent_type()
                if parent is not None and types.get_field_def() is None and not node.name.value.startswith("__"):
                    missing.add(f"{parent.name}.{node.name.value}")
                    return REMOVE
                return None

        return visit(document, TypeInfoVisitor(types, Drop()))  # type: ignore[no-any-return]


def _used(node: Any, fragments: dict[str, FragmentDefinitionNode]) -> list[FragmentDefinitionNode]:
    names: list[str] = []

    class Collect(Visitor):
        def enter_fragment_spread(self, spread: FragmentSpreadNode, *_: Any) -> None:
            if spread.name.value not in names:
                names.append(spread.name.value)
                visit(fragments[spread.name.value], Collect())

    visit(node, Collect())
    return [fragments[name] for name in names]


def operations() -> list[Operation]:
    found = []
    for path in sorted(CONTRACT.glob("*.graphql")):
        definitions = parse(path.read_text(encoding="utf-8")).definitions
        fragments = {each.name.value: each for each in definitions if isinstance(each, FragmentDefinitionNode)}
        nodes = [each for each in definitions if isinstance(each, OperationDefinitionNode)]
        found += [Operation(path.name, node, fragments) for node in nodes]
    return found


OPERATIONS = operations() if CONTRACT.is_dir() else []
SERVED = [each for each in OPERATIONS if each.name in MUST_BE_SERVED.get(each.file, set())]
MISSING = [each for each in OPERATIONS if each not in SERVED]


@pytest.mark.parametrize("operation", MISSING, ids=lambda each: each.name)
def test_what_is_listed_as_not_yet_served_is_not(operation: Operation) -> None:
    assert operation.errors, f"{operation.name} is served by now: take it off the list"


def test_every_operation_of_the_contract_stands_in_one_of_the_lists() -> None:
    served, missing = (
        {(file, name) for file, names in listed.items() for name in names}
        for listed in (MUST_BE_SERVED, NOT_YET_SERVED)
    )
    assert served | missing == {(each.file, each.name) for each in OPERATIONS}
    assert served & missing == set()


def test_fields_are_missing_only_from_operations_that_are_served() -> None:
    assert set(FIELDS_NOT_YET_SERVED) <= {each.name for each in SERVED}
    assert all(FIELDS_NOT_YET_SERVED.values())


@pytest.mark.parametrize("operation", SERVED, ids=lambda each: each.name)
def test_what_is_served_validates(operation: Operation) -> None:
    allowed = FIELDS_NOT_YET_SERVED.get(operation.name, set())
    assert operation.missing_fields == allowed
    if not allowed:
        assert operation.errors == []
    assert validate(schema._schema, parse(operation.text)) == []


class Social:
    """A provider that knows somebody who has come back from it; started for those operations alone that ask for it."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request

    @cached_property
    def begun(self) -> tuple[dict[str, str], str]:
        """What `socialTokenCreate` takes, and the cookie of the browser that has begun. Good again and again."""
        provider = self._request.getfixturevalue("provider")
        provider.configure(self._request.getfixturevalue("settings"), client_id=KEPT)
        provider.know("ada", sub="1", email="ada.lovelace@example.com", email_verified=True)
        started = start_social(provider=SocialProvider.GOOGLE, redirect_uri=BACK)
        cookie = SimpleCookie()
        response = Response()
        set_binding(Request({"type": "http"}), response, state=started.state, binding=started.binding, lives_s=60)
        cookie.load(response.headers["set-cookie"])
        [(name, morsel)] = cookie.items()
        back = provider.visit(started.authorization_url, "ada")
        return {"provider": "GOOGLE", "code": back["code"], "state": started.state}, f"{name}={morsel.value}"


@pytest.fixture
def sample(gql: Gql, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Ids of a small shop, a cart ready to be ordered, and an order ready to be paid."""
    category = make_category("Chairs")
    product = make_product("Chair", variants=2, category=category, stock=50, compare_at={"USD": 2000})
    variant = product.variants.earliest("pk")
    found = gql(
        "query ($slug: String!, $sku: String!, $category: String!) { product(slug: $slug) { id } "
        "variant(sku: $sku) { id } "
        "category(slug: $category) { id } }",
        slug=product.slug,
        category=category.slug,
        sku=variant.sku,
    )
    lines = [{"variantId": found["variant"]["id"], "quantity": 2}]
    place = by_name("BuyNow").text
    order = gql(place, lines=lines, email="ada@example.com", shipping=ADDRESS, idempotencyKey=str(uuid4()))
    assert order["orderPlace"]["userErrors"] == []
    order = order["orderPlace"]["order"]
    start = {"gateway": "sandbox", "returnUrl": "https://shop.example/thanks", "idempotencyKey": str(uuid4())}
    payment = gql(by_name("PaymentStart").text, orderId=order["id"], token=order["token"], **start)
    user = make_user()
    saved = gql.signed_in(user)(by_name("AddressCreate").text, address=ADDRESS)["addressCreate"]["address"]
    return {
        "address": saved["id"],
        "slug": product.slug,
        "category": category.slug,
        "ids": [found["product"]["id"], found["variant"]["id"], found["category"]["id"]],
        "lines": lines,
        "cart": _ready_cart(gql, lines),
        "order": order,
        "payment": payment["paymentStart"]["payment"],
        "user": user,
        "tokens": open_session(user=user),
        "manager": make_user(role=Role.ORDER_MANAGER),
        "admin": make_user(role=Role.ADMIN),
        **_second_factors(),
        "applicant": encode("Vendor", make_vendor(status=VendorStatus.PENDING).pk),
        "paid": _paid_order(),
        "social": Social(request),
    }


def _second_factors() -> dict[str, Any]:
    guarded, enrolling = make_user(), make_user()
    give_second_factor(guarded)
    enable_second_factor(user_id=enrolling.pk, session_id=open_session(user=enrolling).session.pk)
    return {"guarded": guarded, "enrolling": enrolling, "challenge": challenge_of(guarded)}


def _paid_order() -> str:
    order = make_order()
    payment = start(order)
    press(payment)
    deliver_all(payment)
    return encode("Order", order.pk)


def _ready_cart(gql: Gql, lines: list[dict[str, Any]]) -> dict[str, Any]:
    cart = gql(by_name("CartCreate").text, input={"email": "ada@example.com", "lines": lines})["cartCreate"]["cart"]
    ready = gql(by_name("CartAddressesUpdate").text, cartId=cart["id"], shipping=ADDRESS)
    return dict(ready["cartAddressesUpdate"]["cart"])


def by_name(name: str) -> Operation:
    return next(each for each in OPERATIONS if each.name == name)


def variables_for(name: str, sample: dict[str, Any]) -> dict[str, Any]:
    if name.startswith("Social"):
        begun, _ = sample["social"].begun
        return begun if name == "SocialTokenCreate" else {"provider": "GOOGLE", "redirectUri": BACK}
    cart, order = sample["cart"], sample["order"]
    line = cart["lines"][0]["id"]
    given: dict[str, dict[str, Any]] = {
        "CategoryPage": {"slug": sample["category"], "sort": "PRICE_ASC"},
        "ProductPage": {"slug": sample["slug"]},
        "Refetch": {"id": sample["ids"][0], "ids": sample["ids"]},
        "Cart": {"id": cart["id"]},
        "CartCreate": {"input": {"lines": sample["lines"], "currency": "EUR"}},
        "CartLinesAdd": {"cartId": cart["id"], "lines": sample["lines"]},
        "CartLinesUpdate": {"cartId": cart["id"], "lineId": line, "quantity": 3},
        "CartLinesRemove": {"cartId": cart["id"], "lineIds": [line]},
        "CartClear": {"cartId": cart["id"]},
        "CartBuyerUpdate": {"cartId": cart["id"], "email": "grace@example.com"},
        "CartAddressesUpdate": {"cartId": cart["id"], "shipping": ADDRESS},
        "OrderPlace": {"cartId": cart["id"], "idempotencyKey": "k", "expectedTotal": _amount(cart)},
        "BuyNow": {"lines": sample["lines"], "email": "a@b.example", "shipping": ADDRESS, "idempotencyKey": "b"},
        "PaymentStart": {
            "orderId": order["id"],
            "token": order["token"],
            "gateway": "sandbox",
            "returnUrl": "https://shop.example/thanks",
            "idempotencyKey": "p",
        },
        "PaymentVerify": {"paymentId": sample["payment"]["id"], "token": order["token"]},
        "OrderByToken": {"id": order["id"], "token": order["token"]},
        "CartMerge": {"cartId": cart["id"]},
        "AddressCreate": {"address": ADDRESS},
        "AddressUpdate": {"id": sample["address"], "address": ADDRESS},
        "AddressDelete": {"id": sample["address"]},
        "AddressSetDefault": {"id": sample["address"]},
        "OrderByNumber": {"number": order["number"]},
        "RefundCreate": {"orderId": sample["paid"], "reason": "Broken.", "restock": True, "idempotencyKey": "r"},
        "VendorApply": {"input": {"name": "Hill & Co", "email": "shop@hill.example"}},
        "VendorApprove": {"id": sample["applicant"]},
        "VendorSuspend": {"id": sample["applicant"], "reason": "Bad glue."},
        "Customers": {"query": "example.com"},
        "UserRolesSet": {"userId": encode("User", sample["user"].pk), "roles": ["SUPPORT"]},
        "TokenCreate": {"login": sample["user"].email, "password": PASSWORD},
        "UserRegister": {"input": {"email": "grace@example.com", "password": PASSWORD, "firstName": "Grace"}},
        "EmailVerify": {"token": EMAIL_LINK.token(sample["user"])},
        "UserUpdate": {"input": {"firstName": "Grace"}},
        "PasswordChange": {"current": PASSWORD, "new": "an0ther-good-one"},
        "PasswordResetRequest": {"email": sample["user"].email},
        "PasswordReset": {"token": PASSWORD_LINK.token(sample["user"]), "new": "an0ther-good-one"},
        "OtpRequest": {"destination": sample["user"].email},
        "TokenChallengeAnswer": {"challengeId": sample["challenge"], "code": code_of(sample["guarded"])},
        "TwoFactorConfirm": {"code": code_of(sample["enrolling"])},
        "TwoFactorDisable": {"code": code_of(sample["guarded"])},
        "TokenRefresh": {"refreshToken": sample["tokens"].refresh},
        "TokenRevoke": {"refreshToken": sample["tokens"].refresh},
    }
    return given.get(name, {})


def _amount(cart: dict[str, Any]) -> dict[str, str]:
    total = cart["totals"]["total"]
    return {"amount": total["amount"], "currency": total["currency"]}


def who_asks(operation: Operation, sample: dict[str, Any]) -> Any:
    """Somebody who may; None where a guest does."""
    if operation.file == "backoffice.graphql":
        return sample["admin" if operation.name in OF_ADMINS else "manager"]
    of_factors = {"TwoFactorConfirm": "enrolling", "TwoFactorDisable": "guarded"}
    who = of_factors.get(operation.name, "user" if operation.name in OF_CUSTOMERS else "")
    return sample.get(who)


def cookies_of(operation: Operation, sample: dict[str, Any]) -> str:
    """What the browser has that asks."""
    return str(sample["social"].begun[1]) if operation.name == "SocialTokenCreate" else ""


RUNNABLE = [each for each in SERVED if each.type is not OperationType.SUBSCRIPTION]


@pytest.mark.parametrize("operation", RUNNABLE, ids=lambda each: each.name)
def test_what_is_served_runs(operation: Operation, sample: dict[str, Any], gql: Gql) -> None:
    user = who_asks(operation, sample)
    ask = gql if user is None else gql.signed_in(user)
    variables = variables_for(operation.name, sample)
    answer = ask.with_cookies(cookies_of(operation, sample))(operation.text, **variables)
    assert answer.errors == []
    for payload in answer.data.values():
        assert payload is not None
        if isinstance(payload, dict) and "userErrors" in payload:
            assert payload["userErrors"] == []


@pytest.mark.django_db(transaction=True)
def test_the_subscription_that_is_served_runs() -> None:
    [operation] = [each for each in SERVED if each.type is OperationType.SUBSCRIPTION]
    order = make_order()
    pay(order)
    first, second = events(watch(order, 2, query=operation.text))
    assert [each["type"] for each in (first, second)] == ["PLACED", "PAID"]
    assert all(first.values())
    assert second["order"] == {
        "id": encode("Order", order.pk),
        "status": "PAID",
        "paymentStatus": "PAID",
        "fulfillmentStatus": "UNFULFILLED",
    }
    [again] = events(watch(order, 1, query=operation.text, after=first["cursor"]))
    assert again == second


@pytest.mark.parametrize("kind", ["Cart", "Order"])
def test_what_is_empty_is_what_later_parts_of_the_shop_fill_and_nothing_else(
    kind: str, sample: dict[str, Any], gql: Gql
) -> None:
    """Of a cart and an order with everything that a buyer may tell."""
    told = {"phone": "+1 555 0100", "note": "Ring twice."}
    cart = sample["cart"]
    gql(by_name("CartAddressesUpdate").text, cartId=cart["id"], shipping=ADDRESS, billing=ADDRESS)
    cart = gql(by_name("CartBuyerUpdate").text, cartId=cart["id"], **told)["cartBuyerUpdate"]["cart"]
    shown = cart
    if kind == "Order":
        placed = gql(by_name("OrderPlace").text, **variables_for("OrderPlace", {**sample, "cart": cart}))
        order = placed["orderPlace"]["order"]
        start = {**variables_for("PaymentStart", {**sample, "order": order}), "idempotencyKey": "of this order"}
        assert gql(by_name("PaymentStart").text, **start)["paymentStart"]["userErrors"] == []
        shown = gql(by_name("OrderByToken").text, id=order["id"], token=order["token"])["order"]
    empty = {name for name, value in shown.items() if value in (None, [], "")}
    assert empty == EMPTY_UNTIL_LATER[kind] | NOTHING_HAPPENED_YET[kind]
