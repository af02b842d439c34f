"""Uploaded files, and copies of images made when first asked for."""

import mimetypes

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.http import require_safe

from backend.catalog.images import make_copy

A_YEAR_S = 365 * 24 * 60 * 60


@require_safe
def media(request: HttpRequest, path: str) -> FileResponse:
    """Serves a stored file where no web server in front does. Only images are stored, and their names never change."""
    try:
        if not default_storage.exists(path) and not make_copy(path):
            raise Http404
        response = FileResponse(default_storage.open(path), content_type=_type(path))
    except (SuspiciousFileOperation, OSError, ValueError) as error:
        raise Http404 from error
    response["Cache-Control"] = f"public, max-age={A_YEAR_S}, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _type(path: str) -> str:
    guessed, _ = mimetypes.guess_type(path)
    if guessed is None or not guessed.startswith("image/") or "svg" in guessed:
        return "application/octet-stream"
    return guessed
