"""Image files that staff upload: their sizes are stored along with them."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from backend.accounts.models import User
from backend.catalog.models import Category, Product, ProductImage
from tests.factories.catalog import make_category, make_image, make_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(tmp_path: Path, settings: Any) -> Client:
    settings.MEDIA_ROOT = str(tmp_path)
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com", "secret"))
    return client


def picture(width: int, height: int) -> SimpleUploadedFile:
    target = io.BytesIO()
    Image.new("RGB", (width, height)).save(target, "PNG")
    return SimpleUploadedFile("a.png", target.getvalue(), "image/png")


def post(staff: Client, url: str, form: dict[str, Any]) -> None:
    answer = staff.post(url, form)
    assert answer.status_code == 302, answer.context["errors"]


def category_form(**changes: Any) -> dict[str, Any]:
    position = {"treebeard_position": "first-child", "treebeard_ref_node": ""}
    return {"name": "Hats", "slug": "hats", "translations": "{}", **position, **changes}


def test_sizes_of_a_categorys_image_come_and_go_with_it(staff: Client) -> None:
    parent = make_category()
    new = category_form(image=picture(8, 6), treebeard_ref_node=parent.pk)
    post(staff, reverse("admin:catalog_category_add"), new)
    category = Category.objects.get(slug="hats")
    assert (category.depth, category.image_width, category.image_height) == (2, 8, 6)
    url = reverse("admin:catalog_category_change", args=[category.pk])
    for changes, size in [({}, (8, 6)), ({"image": picture(3, 4)}, (3, 4)), ({"image-clear": "on"}, (None, None))]:
        post(staff, url, category_form(treebeard_ref_node=parent.pk, **changes))
        assert Category.objects.values_list("image_width", "image_height").get(slug="hats") == size


def test_sizes_of_a_products_image_come_with_the_file_and_others_stay(staff: Client) -> None:
    product = make_product(variants=0)
    elsewhere = make_image(product, width=80, height=60)
    form = {
        **{name: getattr(product, name) for name in ("name", "slug", "status")},
        **dict.fromkeys(("options", "translations"), "[]"),
        **{f"{prefix}-TOTAL_FORMS": 0 for prefix in ("variants", "attribute_values")},
        **{f"{prefix}-INITIAL_FORMS": 0 for prefix in ("variants", "attribute_values")},
        "images-TOTAL_FORMS": 2,
        "images-INITIAL_FORMS": 1,
        "images-0-id": elsewhere.pk,
        "images-0-product": product.pk,
        "images-0-source_url": elsewhere.source_url,
        "images-0-alt": "Another word",
        "images-0-position": 0,
        "images-1-product": product.pk,
        "images-1-file": picture(8, 6),
        "images-1-position": 1,
    }
    post(staff, reverse("admin:catalog_product_change", args=[product.pk]), form)
    assert list(ProductImage.objects.order_by("position").values_list("alt", "width", "height")) == [
        ("Another word", 80, 60),
        ("", 8, 6),
    ]
    assert Product.objects.get().images.count() == 2
