"""Health, and the pages of development: the way to GraphiQL, the mailbox and the test clock."""

import os
from pathlib import Path

import orjson
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe
from redis.exceptions import RedisError

from backend.core import clock
from backend.core.errors import DomainError
from backend.core.mail import mail_files, read_mail, read_mails
from backend.core.schedule import move_clock

MAX_MOVE_S = 400 * 24 * 60 * 60


@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """200 when PostgreSQL and Redis answer, else 503 with the names of what does not. `?verbose` adds the process."""
    away = []
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        away.append("database")
    try:
        cache.get("health")
    except (RedisError, OSError):
        away.append("redis")
    answer: dict[str, object] = {"status": "away" if away else "ok", "away": away}
    if "verbose" in request.GET:
        answer["pid"] = os.getpid()
    return JsonResponse(answer, status=503 if away else 200)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """To GraphiQL, in development. In production the storefront has a home page, not the API."""
    _development_only()
    return redirect("/graphql")


@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    """The mails that the shop has sent, newest first."""
    _development_only()
    mails = read_mails(settings.MAIL_DIR)
    return render(
        request, "core/mailbox.html", {"mails": mails, "folder": settings.MAIL_DIR, "shop": settings.SHOP_NAME}
    )


@require_safe
def mail(request: HttpRequest, name: str) -> HttpResponse:
    """One mail: what it says as HTML and as text."""
    _development_only()
    return render(request, "core/mail.html", {"mail": read_mail(_mail_path(name)), "shop": settings.SHOP_NAME})


@require_safe
@xframe_options_sameorigin
def mail_html(request: HttpRequest, name: str) -> HttpResponse:
    """A mail's HTML, for a frame without scripts."""
    _development_only()
    response = HttpResponse(read_mail(_mail_path(name)).html)
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; sandbox"
    return response


@csrf_exempt
@require_http_methods(["GET", "POST"])
def test_clock(request: HttpRequest) -> HttpResponse:
    """GET tells the shop's time. POST {"seconds": 900} moves it and runs the timetable. Only with TEST_CLOCK."""
    if not settings.TEST_CLOCK:
        raise Http404
    if request.method == "POST":
        try:
            seconds = orjson.loads(request.body)["seconds"]
            if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= MAX_MOVE_S:
                raise ValueError
            move_clock(seconds=seconds)
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, DomainError):
            message = f'Send {{"seconds": N}} with N from 0 to {MAX_MOVE_S}.'
            return JsonResponse({"error": message}, status=400)
    return JsonResponse({"now": clock.now().isoformat()})


def _development_only() -> None:
    if settings.PRODUCTION:
        raise Http404


def _mail_path(name: str) -> Path:
    """Only names that the folder itself lists: nothing a client writes becomes a path."""
    for path in mail_files(settings.MAIL_DIR):
        if path.name == name:
            return path
    raise Http404
