"""Tokens as cookies, for browsers: out of reach of a page's scripts, and never sent by other sites' pages.

A client asks for it by the header `X-Token-Mode: cookie` where it signs in. Forged requests find no way: mutations are
only taken as JSON over POST, which no form sends and no other origin's script may (a CORS preflight comes first), and
a WebSocket is only known by its cookie when it comes from an origin of the shop.
"""

import hashlib
from http.cookies import CookieError, SimpleCookie
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from django.conf import settings
from starlette.requests import HTTPConnection
from starlette.responses import Response

ACCESS = "cartograph_access"
REFRESH = "cartograph_refresh"
PATH = "/graphql"
MODE_HEADER = "x-token-mode"
_ACCESS_BYTES = ACCESS.encode() + b"="


def asks_for_cookies(request: HTTPConnection | None) -> bool:
    return _is_http(request) and request.headers.get(MODE_HEADER, "").lower() == "cookie"


def access_cookie(request: HTTPConnection, header: bytes) -> str | None:
    """The access token in a Cookie header."""
    if _ACCESS_BYTES not in header or (request.scope["type"] == "websocket" and not _is_own_origin(request)):
        return None
    return _read(header.decode("latin-1"), ACCESS)


def refresh_cookie(request: HTTPConnection | None) -> str | None:
    return _read(request.headers.get("cookie", ""), REFRESH) if _is_http(request) else None


def _same_site() -> Any:
    return settings.TOKEN_COOKIE_SAMESITE


def set_cookies(response: Response, *, access: str, refresh: str) -> None:
    """Both last as long as the session: a browser that forgot an old access token would ask as a guest."""
    for name, value in ((ACCESS, access), (REFRESH, refresh)):
        response.set_cookie(
            name,
            value,
            max_age=settings.REFRESH_TOKEN_DAYS * 24 * 60 * 60,
            path=PATH,
            domain=settings.TOKEN_COOKIE_DOMAIN or None,
            secure=settings.TOKEN_COOKIE_SECURE,
            httponly=True,
            samesite=_same_site(),
        )


def set_binding(request: HTTPConnection | None, response: Any, *, state: str, binding: str, lives_s: int) -> bool:
    """Let this browser alone go on with what it has begun under a state. False where there can be no cookie."""
    if not _is_http(request):
        return False
    response.set_cookie(_binding_name(state), binding, max_age=lives_s, **_binding_options())
    return True


def take_binding(request: HTTPConnection | None, response: Any, *, state: str) -> str | None:
    """What `set_binding` has left in this browser; it is deleted."""
    if not _is_http(request):
        return None
    binding = _read(request.headers.get("cookie", ""), _binding_name(state))
    if binding is not None:
        response.delete_cookie(_binding_name(state), **_binding_options())
    return binding


def _binding_name(state: str) -> str:
    """One for each state: several tabs may begin at once."""
    return f"cartograph_social_{hashlib.sha256(state.encode()).hexdigest()[:16]}"


def _binding_options() -> dict[str, Any]:
    return {
        "path": PATH,
        "domain": settings.TOKEN_COOKIE_DOMAIN or None,
        "secure": settings.TOKEN_COOKIE_SECURE,
        "httponly": True,
        "samesite": _same_site(),
    }


def _delete_cookies(response: Response) -> None:
    for name in (ACCESS, REFRESH):
        response.delete_cookie(
            name,
            path=PATH,
            domain=settings.TOKEN_COOKIE_DOMAIN or None,
            secure=settings.TOKEN_COOKIE_SECURE,
            httponly=True,
            samesite=_same_site(),
        )


def delete_cookies_of(request: HTTPConnection | None, response: Response) -> None:
    """Delete them where there are any."""
    if _is_http(request) and "cartograph_" in request.headers.get("cookie", ""):
        _delete_cookies(response)


def _is_http(request: HTTPConnection | None) -> TypeGuard[HTTPConnection]:
    """Whether cookies can be set with the answer: a WebSocket has no headers any more."""
    return request is not None and request.scope["type"] == "http"


def _read(header: str, name: str) -> str | None:
    try:
        cookies: SimpleCookie = SimpleCookie(header)
    except CookieError:
        return None
    return cookies[name].value if name in cookies and cookies[name].value else None


def _is_own_origin(request: HTTPConnection) -> bool:
    origin = request.headers.get("origin", "")
    return origin in settings.CORS_ALLOWED_ORIGINS or urlsplit(origin).netloc == request.headers.get("host")
