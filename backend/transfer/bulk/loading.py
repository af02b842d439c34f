"""Writing large invented shops: a batch at a time, a few statements each, memory that does not grow."""

from collections.abc import Callable, Sequence

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction

from backend.catalog.models import (
    Attribute,
    Product,
    ProductAttribute,
    ProductImage,
    ProductVariant,
    VariantPrice,
)
from backend.catalog.services import AttributeData, category_at, refresh_listings, save_attribute
from backend.catalog.texts import name_key
from backend.inventory.models import StockLevel
from backend.inventory.services import default_location
from backend.transfer.bulk.generating import (
    CategoryKey,
    InventedProduct,
    InventedVariant,
    category_keys,
    invent_product,
)
from backend.transfer.bulk.words import VENDORS
from backend.transfer.pictures import PALETTES, SHAPES, SIZE, draw_picture
from backend.vendors.models import Vendor, VendorStatus
from backend.vendors.services import save_vendor

BATCH = 1000
PICTURES = 24
_ATTRIBUTES = (
    AttributeData(key="material", label="Material", kind=Attribute.Kind.TEXT),
    AttributeData(key="width-cm", label="Width (cm)", kind=Attribute.Kind.NUMBER),
    AttributeData(key="handmade", label="Handmade", kind=Attribute.Kind.BOOLEAN),
)
_ANALYZED = (
    Product,
    ProductVariant,
    VariantPrice,
    ProductImage,
    ProductAttribute,
    StockLevel,
)


class Surroundings:
    """What products refer to: categories, vendors, attributes, a location and a few shared pictures."""

    def __init__(self) -> None:
        self.categories: dict[CategoryKey, int] = {key: category_at(names=key).pk for key in category_keys()}
        self.vendors = {name: _vendor(name) for name in VENDORS}
        self.attributes = {data.key: _attribute(data) for data in _ATTRIBUTES}
        self.location = default_location()
        self.pictures = [_picture(number) for number in range(PICTURES)]


def load_products(*, products: int, seed: int, variants: int, progress: Callable[[int], object]) -> int:
    """Write products 1 to `products` of the shop of that seed; those that are there are passed over.

    A transaction for each batch. Emits no events: run it on a shop that nobody is watching. Returns how many are new.
    """
    with transaction.atomic():
        around = Surroundings()
    written = 0
    for start in range(1, products + 1, BATCH):
        numbers = range(start, min(start + BATCH, products + 1))
        invented = [invent_product(seed=seed, number=number, variants=variants) for number in numbers]
        with transaction.atomic():
            written += _write(_absent(invented), around)
        progress(len(numbers))
    _analyze()
    return written


def _absent(invented: Sequence[InventedProduct]) -> list[InventedProduct]:
    slugs = [each.slug for each in invented]
    known = set(Product.objects.filter(slug__in=slugs, deleted_at__isnull=True).values_list("slug", flat=True))
    return [each for each in invented if each.slug not in known]


def _write(invented: Sequence[InventedProduct], around: Surroundings) -> int:
    products = Product.objects.bulk_create([_product(each, around) for each in invented])
    pairs = list(zip(products, invented, strict=True))
    ProductImage.objects.bulk_create([image for product, each in pairs for image in _images(product.pk, each, around)])
    ProductAttribute.objects.bulk_create(
        [value for product, each in pairs for value in _attribute_values(product.pk, each, around)]
    )
    variants = ProductVariant.objects.bulk_create(
        [
            _variant(product.pk, position, variant)
            for product, each in pairs
            for position, variant in enumerate(each.variants)
        ]
    )
    data = [variant for each in invented for variant in each.variants]
    VariantPrice.objects.bulk_create(
        [
            VariantPrice(variant_id=row.pk, currency=currency, amount=amount, compare_at=before)
            for row, variant in zip(variants, data, strict=True)
            for currency, (amount, before) in variant.prices.items()
        ]
    )
    StockLevel.objects.bulk_create(
        [
            StockLevel(variant_id=row.pk, location=around.location, on_hand=variant.on_hand)
            for row, variant in zip(variants, data, strict=True)
        ]
    )
    refresh_listings([product.pk for product in products])
    return len(products)


def _product(each: InventedProduct, around: Surroundings) -> Product:
    return Product(
        slug=each.slug,
        name=each.name,
        name_key=name_key(each.name),
        description="\n".join(each.sentences),
        description_html="".join(f"<p>{sentence}</p>" for sentence in each.sentences),
        category_id=around.categories[each.category],
        vendor_id=around.vendors[each.vendor] if each.vendor else None,
        brand=each.brand,
        tags=each.tags,
        options=each.options,
        status=each.status,
        created_at=each.created_at,
        sales_count=each.sales_count,
    )


def _images(product_id: int, each: InventedProduct, around: Surroundings) -> list[ProductImage]:
    """Two of the shared pictures."""
    return [
        ProductImage(
            product_id=product_id,
            file=around.pictures[(each.picture + position * 7) % PICTURES],
            alt=each.name,
            width=SIZE,
            height=SIZE,
            position=position,
        )
        for position in range(2)
    ]


def _attribute_values(product_id: int, each: InventedProduct, around: Surroundings) -> list[ProductAttribute]:
    ids = around.attributes
    return [
        ProductAttribute(product_id=product_id, attribute_id=ids["material"], text=each.material),
        ProductAttribute(product_id=product_id, attribute_id=ids["width-cm"], number=each.width_cm),
        ProductAttribute(product_id=product_id, attribute_id=ids["handmade"], boolean=each.handmade),
    ]


def _variant(product_id: int, position: int, variant: InventedVariant) -> ProductVariant:
    return ProductVariant(
        product_id=product_id,
        name=" / ".join(variant.options.values()),
        sku=variant.sku,
        options=variant.options,
        position=position,
        weight_grams=variant.weight_grams,
        stock_policy=variant.stock_policy,
    )


def _vendor(name: str) -> int:
    slug = name.lower().replace(" ", "-")
    if not Vendor.objects.filter(slug=slug).exists():
        save_vendor(slug=slug, name=name, status=VendorStatus.APPROVED)
    return Vendor.objects.values_list("pk", flat=True).get(slug=slug)


def _attribute(data: AttributeData) -> int:
    """The attribute's id. Raises Invalid when the shop has one of that key and another kind, with values."""
    save_attribute(data=data)
    return Attribute.objects.values_list("pk", flat=True).get(key=data.key)


def _picture(number: int) -> str:
    """The name of a shared picture, which is drawn when it is not there."""
    shapes, palettes = list(SHAPES), list(PALETTES)
    name = f"products/invented/{number + 1:02}.webp"
    if not default_storage.exists(name):
        content = draw_picture(shapes[number % len(shapes)], palettes[number % len(palettes)])
        default_storage.save(name, ContentFile(content))
    return name


def _analyze() -> None:
    """Tell PostgreSQL's planner what came in; its own background process may take minutes to look."""
    tables = ", ".join(connection.ops.quote_name(model._meta.db_table) for model in _ANALYZED)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {tables}, catalog_productlisting, catalog_category")
