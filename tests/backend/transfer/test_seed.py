"""The demo shop that `make run` starts with."""

from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from pytest_django import Settings

from backend.accounts.models import User
from backend.catalog.models import (
    Category,
    Product,
    ProductImage,
    ProductListing,
    ProductStatus,
    ProductVariant,
    VariantPrice,
)
from backend.core.demo import DEMO_USERS
from backend.inventory.models import StockLevel
from backend.transfer.demo import invite_people
from backend.vendors.models import VendorMember, VendorStatus
from tests.backend.transfer.conftest import everything
from tests.factories.catalog import make_variant


def seed(verbosity: int = 1, *, abroad: bool = False) -> str:
    out = StringIO()
    call_command("seed", verbosity=verbosity, abroad=abroad, stdout=out)
    return out.getvalue()


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures are drawn once for all tests of this file."""
    return tmp_path_factory.mktemp("media")


@pytest.fixture
def shop(db: None, settings: Settings, media: Path) -> None:
    settings.MEDIA_ROOT = media
    assert seed() == "Demo shop: 60 products, 6 users.\n"


@pytest.mark.usefixtures("shop")
def test_the_catalog_is_worth_looking_at() -> None:
    assert Product.objects.filter(status=ProductStatus.ACTIVE).count() == 60
    assert set(Category.objects.values_list("depth", flat=True)) == {1, 2, 3}
    assert ProductVariant.objects.count() > 120
    currencies = VariantPrice.objects.values_list("currency", flat=True)
    assert set(currencies) == {"USD", "EUR"}
    assert len(currencies) == 2 * ProductVariant.objects.count()
    assert VariantPrice.objects.filter(compare_at__isnull=False).count() > 10
    quantities = set(StockLevel.objects.values_list("on_hand", flat=True))
    assert 0 in quantities
    assert any(0 < quantity <= 5 for quantity in quantities)
    assert Product.objects.exclude(vendor=None).filter(vendor__status=VendorStatus.APPROVED).exists()
    assert Product.objects.filter(vendor=None).exists()


@pytest.mark.usefixtures("shop")
def test_everything_is_told_in_german_too() -> None:
    for product in Product.objects.all():
        german = product.translations["de"]
        assert german["name"]
        assert german["description"]
        words = {option["name"] for option in product.options} | {
            value for option in product.options for value in option["values"]
        }
        assert words <= german["terms"].keys()
    assert all(category.translations["de"]["name"] for category in Category.objects.all())


@pytest.mark.usefixtures("shop")
def test_every_product_has_a_picture_of_its_own_size() -> None:
    for product in Product.objects.all():
        assert product.images.exists()
    for image in ProductImage.objects.all():
        assert (image.width, image.height) == (800, 800)
        assert image.file.name
        assert default_storage.exists(image.file.name)


@pytest.mark.usefixtures("shop")
def test_the_demo_users_sign_in_with_the_rights_of_their_roles() -> None:
    for person in DEMO_USERS:
        assert authenticate(username=person.email, password=person.password) is not None, person
    users = {user.email.split("@")[0]: user for user in User.objects.all()}
    assert {name for name, user in users.items() if user.is_staff} == {"products", "orders", "support", "admin"}
    assert users["admin"].is_superuser
    assert all(user.email_verified_at for user in users.values())
    assert users["products"].has_perm("catalog.change_product")
    assert not users["products"].has_perm("orders.change_order")
    assert users["orders"].has_perm("orders.change_order")
    assert not users["orders"].has_perm("catalog.change_product")
    assert users["support"].has_perm("orders.view_order")
    assert not users["support"].has_perm("orders.change_order")
    assert VendorMember.objects.get(user=users["vendor"]).role == VendorMember.Role.OWNER


@pytest.mark.usefixtures("shop")
def test_a_shop_with_products_and_users_is_left_alone() -> None:
    before = everything()
    assert seed() == ""
    assert seed(verbosity=2) == "The shop has products and users already.\n"
    assert everything() == before


@pytest.mark.usefixtures("shop")
def test_demo_goods_are_priced_in_what_regional_gateways_take_once_and_where_they_have_no_price() -> None:
    plain = VariantPrice.objects.filter(currency="USD").earliest("pk").variant
    dollars = plain.prices.get(currency="USD").amount
    plain.prices.create(currency="BDT", amount=77)
    variants = ProductVariant.objects.count()
    own = make_variant(prices={"USD": 1000})
    assert seed(abroad=True) == f"Demo shop: {3 * variants - 1} prices in EGP, BDT, IRR.\n"
    found = dict(plain.prices.exclude(currency="EUR").values_list("currency", "amount"))
    assert found == {"USD": dollars, "BDT": 77, "EGP": round(dollars / 2) * 100, "IRR": dollars * 5000}
    assert not own.prices.exclude(currency="USD").exists()
    assert ProductListing.objects.get(product=plain.product, currency="IRR").price_min > 0
    assert seed(abroad=True) == ""


@pytest.mark.usefixtures("shop")
def test_a_catalog_of_ones_own_gets_the_demo_users_and_nothing_else() -> None:
    User.objects.all().delete()
    Product.objects.exclude(pk=Product.objects.values("pk")[:1]).delete()
    assert seed() == "Demo shop: 6 users.\n"
    assert User.objects.count() == len(DEMO_USERS)
    assert Product.objects.count() == 1
    assert VendorMember.objects.get().user.email == "vendor@example.com"


@pytest.mark.django_db
def test_the_people_come_to_a_shop_without_vendors() -> None:
    assert invite_people() == len(DEMO_USERS)
    assert invite_people() == 0
    assert not VendorMember.objects.exists()


@pytest.mark.usefixtures("shop")
def test_a_shop_with_a_user_of_its_own_gets_no_known_passwords() -> None:
    User.objects.all().delete()
    User.objects.create_user("ada@example.com", "a secret of her own")
    assert seed() == ""
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_production_has_no_known_passwords(settings: Settings) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError):
        seed()
    with pytest.raises(CommandError):
        call_command("demo_data", products=1, verbosity=0)
    assert not User.objects.exists()
    assert not Product.objects.exists()
