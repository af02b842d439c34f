"""How the proxy answers one API call: the key, the SDK's own types, idempotency, and Stripe's errors."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.gateways.fakes.base import operation
from tests.gateways.fakes.localstripe import Refused
from tests.gateways.fakes.stripe_objects import Object
from tests.gateways.fakes.stripe_params import Wrong, check, decode

Act = Callable[..., Object]
Handler = Callable[[Any, Request], Awaitable[Response]]
KEY = "sk_test_double"
"""The key of the account "default"; that of an account "eu" ends in `_eu`."""
SECRET = "whsec_double_2f6c1d9a"
MOST_KEY = 255


class ApiError(Exception):
    def __init__(self, status: int, kind: str = "invalid_request_error", **told: Any) -> None:
        super().__init__(str(told))
        self.status = status
        self.error = {"type": kind, "message": "Refused.", **told}


def missing(what: str) -> ApiError:
    return ApiError(404, code="resource_missing", message=f"No such object: {what}", param="id")


def api(params: Any, *, part_of: str = "") -> Callable[[Act], Handler]:
    """A handler of one route. It gets the checked parameters and the path's ids, and returns the object to send.

    `part_of` is the operation of ours that tests can break.
    """

    def mark(act: Act) -> Handler:
        @wraps(act)
        async def handle(fake: Any, request: Request) -> Response:
            try:
                return await _answer(fake, request, params, act)
            except ApiError as error:
                return JSONResponse({"error": error.error}, error.status)
            except Wrong as wrong:
                error = ApiError(400, param=wrong.param, message=str(wrong))
                return JSONResponse({"error": error.error}, error.status)

        return operation(part_of)(handle) if part_of else handle

    return mark


async def _answer(fake: Any, request: Request, params: Any, act: Act) -> Response:
    _authorize(request)
    fake.url = str(request.base_url).rstrip("/")
    posted = request.method == "POST"
    raw = (await request.body()).decode() if posted else request.url.query
    sent = check(params, decode(parse_qsl(raw, keep_blank_values=True)))
    payment_id = sent.get("metadata", {}).get("payment_id")
    if payment_id:
        fake.account_of[payment_id] = _authorize(request)
    fake.seen.append({"path": request.url.path, "sent": sent, "key": request.headers.get("idempotency-key", "")})
    if not posted:
        return JSONResponse(_done(fake, act, sent, request)[1])
    key, asked = request.headers.get("idempotency-key", ""), [request.url.path, sent]
    if not 0 < len(key) <= MOST_KEY:
        raise ApiError(400, message="A key of 1 to 255 characters.")
    if key not in fake.keys:
        fake.keys[key] = asked, _done(fake, act, sent, request, stored=True)
    earlier, (status, told) = fake.keys[key]
    if earlier != asked:
        message = "Keys for idempotent requests can only be used with the same parameters they were first used with."
        raise ApiError(400, "idempotency_error", message=message)
    return JSONResponse(told, status)


def _done(fake: Any, act: Act, sent: Object, request: Request, *, stored: bool = False) -> tuple[int, Object]:
    """What was refused while it was carried out is stored under its key as well."""
    try:
        return 200, act(fake, sent, *request.path_params.values())
    except Refused as refused:
        error = ApiError(refused.status, **refused.error)
    except ApiError as refusal:
        error = refusal
    if not stored:
        raise error
    return error.status, {"error": error.error}


def _authorize(request: Request) -> str:
    """The name of the account that the key is of; empty for the default one."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not key:
        raise ApiError(401, message="You did not provide an API key.")
    own, _, account = key.partition(f"{KEY}_")
    if key != KEY and (own or not account):
        raise ApiError(401, message=f"Invalid API Key provided: {key[:8]}****{key[-4:]}")
    if not request.headers.get("stripe-version"):
        raise ApiError(400, message="The SDK names its version.")
    return account


def listed(rows: list[Object], sent: Object, url: str) -> Object:
    """A page of a list, newest first."""
    ids = [row["id"] for row in rows]
    begin = ids.index(sent["starting_after"]) + 1 if sent.get("starting_after") else 0
    end = begin + sent.get("limit", 10)
    return {"object": "list", "url": url, "has_more": end < len(rows), "data": rows[begin:end]}


def within(row: Object, created: Any) -> bool:
    """Whether a row is of the time that a list's filter names."""
    if not isinstance(created, dict):
        return created is None or row["created"] == created
    at = row["created"]
    checks = {"gt": at.__gt__, "gte": at.__ge__, "lt": at.__lt__, "lte": at.__le__}
    return all(checks[name](value) for name, value in created.items())
