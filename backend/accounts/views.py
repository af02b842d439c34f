"""The public keys of access tokens."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from backend.accounts import keys

CACHED_S = 300


@require_safe
def public_keys(request: HttpRequest) -> HttpResponse:
    """RFC 7517. Cached for five minutes: put a new key second for that long before it signs."""
    return JsonResponse(keys.public_keys(), headers={"Cache-Control": f"public, max-age={CACHED_S}"})
