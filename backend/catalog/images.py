"""Addresses of images, and smaller copies of them made when first asked for."""

import io
import re
from functools import cache, lru_cache

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.signals import setting_changed
from django.dispatch import receiver
from PIL import Image, ImageOps, UnidentifiedImageError

WIDTHS = (100, 200, 400, 800, 1200, 1600, 2400)
"""Widths in pixels that copies are made in: a bounded set, so that nobody can fill the disk."""
FORMATS = {"WEBP": "webp", "JPEG": "jpg", "PNG": "png", "AVIF": "avif"}
MAX_PIXELS = 50_000_000
_COPY = re.compile(r"^derived/(?P<width>\d+)/(?P<name>.+)\.(?P<suffix>webp|jpg|png|avif)$")


def absolute(url: str) -> str:
    return url if "://" in url else settings.PUBLIC_URL + url if url.startswith("/") else f"{settings.PUBLIC_URL}/{url}"


def image_url(name: str, *, max_width: int | None = None, format: str | None = None) -> str:
    """The absolute address of a stored image, or of a copy that is at most about that wide and of that format."""
    if max_width is not None or format is not None:
        name = copy_name(name, max_width, format)
    return _kept_url(name) if _urls_can_be_kept() else absolute(default_storage.url(name))


@cache
def _urls_can_be_kept() -> bool:
    """A local file's address follows from its name and the settings, unlike one that is signed for a while."""
    return isinstance(default_storage, FileSystemStorage)


@lru_cache(maxsize=50_000)
def _kept_url(name: str) -> str:
    """Without a dozen calls of urllib for each image of a list."""
    return absolute(default_storage.url(name))


@receiver(setting_changed)
def _forget_urls(**_: object) -> None:
    _urls_can_be_kept.cache_clear()
    _kept_url.cache_clear()


@lru_cache(maxsize=50_000)
def copy_name(name: str, max_width: int | None, format: str | None) -> str:
    """Where a copy is stored. The width is rounded up to the next of WIDTHS."""
    width = next((each for each in WIDTHS if max_width is not None and each >= max_width), WIDTHS[-1])
    return f"derived/{width}/{name}.{FORMATS[format or 'WEBP']}"


def make_copy(path: str) -> bool:
    """Make the copy that lies at `path` in the storage, if that is one; False when it cannot be made."""
    match = _COPY.match(path)
    if match is None or int(match["width"]) not in WIDTHS or not default_storage.exists(match["name"]):
        return False
    format = next(name for name, suffix in FORMATS.items() if suffix == match["suffix"])
    try:
        with default_storage.open(match["name"]) as source:
            content = _resized(source, int(match["width"]), format)
    except (UnidentifiedImageError, OSError, ValueError):
        return False
    default_storage.save(path, ContentFile(content))
    return True


def _resized(source: object, width: int, format: str) -> bytes:
    with Image.open(source) as opened:  # type: ignore[arg-type]
        if opened.width * opened.height > MAX_PIXELS:
            raise ValueError("too many pixels")
        image = ImageOps.exif_transpose(opened)
        image.thumbnail((width, 10 * width))
        if format == "JPEG":
            image = image.convert("RGB")
        target = io.BytesIO()
        image.save(target, format)  # without `exif=`: what the camera knew stays here
        return target.getvalue()
