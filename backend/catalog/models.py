"""The catalog: categories, products, their variants, prices and images.

Sort and filter keys that many reads need are kept beside what they follow from (`Product.name_key`, `ProductListing`);
`services` keeps them in step. The size of an image file is set along with it: Django's `width_field` would open the
file again whenever a row is read anew, and fail where it is missing.
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from treebeard.mp_tree import MP_Node

from backend.core.models import TimestampedModel

AMOUNT_MAX = 10**12
"""The largest price, in minor units."""
MINOR_UNITS = "In the currency's minor units: 1250 for $12.50, 1250 for ¥1250."


class Category(MP_Node, TimestampedModel):
    """A node of the category tree (materialized path: a subtree is a prefix)."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=200, unique=True)
    description = models.TextField(blank=True)
    image = models.ImageField(upload_to="categories", blank=True)
    image_width = models.PositiveIntegerField(null=True, blank=True, editable=False)
    image_height = models.PositiveIntegerField(null=True, blank=True, editable=False)
    translations = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name


class ProductStatus(models.TextChoices):
    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"


STOREFRONT = Q(status=ProductStatus.ACTIVE, deleted_at__isnull=True)
"""What a shopper may see, as far as a product's own row tells; `queries.visible_products` adds the rest."""


class Product(TimestampedModel):
    """`options` lists names and values in display order: [{"name": "Size", "values": ["S", "M"]}]."""

    name = models.CharField(max_length=255)
    name_key = models.CharField(
        max_length=255,
        editable=False,
        db_collation="C",
        help_text="The name without case and accents, to sort by.",
    )
    slug = models.SlugField(max_length=255)
    description = models.TextField(blank=True, help_text="Plain text, derived from the HTML where there is one.")
    description_html = models.TextField(blank=True, help_text="Sanitized HTML.")
    category = models.ForeignKey(Category, models.SET_NULL, null=True, blank=True, related_name="products")
    vendor = models.ForeignKey("vendors.Vendor", models.PROTECT, null=True, blank=True, related_name="products")
    brand = models.CharField(max_length=200, blank=True)
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    options = models.JSONField(default=list, blank=True)
    status = models.CharField(max_length=20, choices=ProductStatus, default=ProductStatus.DRAFT)
    published_at = models.DateTimeField(null=True, blank=True, help_text="Hidden until then.")
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    seo_title = models.CharField(max_length=255, blank=True)
    seo_description = models.TextField(blank=True)
    translations = models.JSONField(default=dict, blank=True)
    rating_average = models.DecimalField(max_digits=3, decimal_places=2, default=0, editable=False)
    rating_count = models.PositiveIntegerField(default=0, editable=False)
    sales_count = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["slug"], condition=Q(deleted_at__isnull=True), name="product_slug_once"),
            models.CheckConstraint(condition=Q(status__in=ProductStatus.values), name="product_status_known"),
        ]
        indexes = [
            models.Index(fields=["created_at", "id"], name="product_newest", condition=STOREFRONT),
            models.Index(fields=["name_key", "id"], name="product_by_name", condition=STOREFRONT),
            models.Index(fields=["rating_average", "id"], name="product_by_rating", condition=STOREFRONT),
            models.Index(fields=["sales_count", "id"], name="product_by_sales", condition=STOREFRONT),
            models.Index(fields=["brand"], name="product_brand", condition=STOREFRONT),
            GinIndex(fields=["tags"], name="product_tags"),
        ]

    def __str__(self) -> str:
        return self.name


class ProductListing(models.Model):
    """A product's prices in one currency, over its variants: the row that lists sort and filter by.

    Amounts in minor units. `compare_at_*` equal the prices where nothing is reduced; `discount_percent` is the
    largest reduction of a variant, rounded down.
    """

    product = models.ForeignKey(Product, models.CASCADE, related_name="listings")
    currency = models.CharField(max_length=3)
    price_min = models.BigIntegerField()
    price_max = models.BigIntegerField()
    compare_at_min = models.BigIntegerField()
    compare_at_max = models.BigIntegerField()
    discount_percent = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "currency"], name="listing_once"),
            models.CheckConstraint(condition=Q(price_min__gte=0, price_max__gte=F("price_min")), name="listing_range"),
        ]
        indexes = [
            models.Index(fields=["currency", "price_min", "product"], name="listing_by_price"),
            models.Index(fields=["currency", "discount_percent", "product"], name="listing_by_discount"),
        ]


class StockPolicy(models.TextChoices):
    """What happens when a variant has no stock left."""

    DENY = "DENY"
    BACKORDER = "BACKORDER"
    PREORDER = "PREORDER"


class ProductVariant(TimestampedModel):
    """What is bought. `options` maps names to values: {"Size": "S"}; a product's only variant may have none."""

    product = models.ForeignKey(Product, models.CASCADE, related_name="variants")
    name = models.CharField(max_length=255, blank=True)
    sku = models.CharField(max_length=100)
    barcode = models.CharField(max_length=100, blank=True)
    options = models.JSONField(default=dict, blank=True)
    position = models.PositiveIntegerField(default=0)
    image = models.ForeignKey("ProductImage", models.SET_NULL, null=True, blank=True, related_name="variants")
    weight_grams = models.PositiveIntegerField(default=0)
    requires_shipping = models.BooleanField(default=True)
    taxable = models.BooleanField(default=True)
    stock_policy = models.CharField(max_length=20, choices=StockPolicy, default=StockPolicy.DENY)
    max_per_order = models.PositiveIntegerField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    translations = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sku"], condition=Q(deleted_at__isnull=True), name="variant_sku_once"),
            models.UniqueConstraint(
                fields=["product", "options"],
                condition=Q(deleted_at__isnull=True),
                name="variant_options_once",
            ),
            models.CheckConstraint(condition=Q(stock_policy__in=StockPolicy.values), name="variant_policy_known"),
            models.CheckConstraint(
                condition=Q(max_per_order__isnull=True) | Q(max_per_order__gte=1),
                name="variant_limit_positive",
            ),
        ]
        indexes = [
            models.Index(fields=["product", "position", "id"], name="variant_by_product"),
            GinIndex(fields=["options"], name="variant_options", opclasses=["jsonb_path_ops"]),
        ]

    def __str__(self) -> str:
        return self.sku


class VariantPrice(models.Model):
    """A variant's price in one currency, in minor units. `cost` is for staff alone."""

    variant = models.ForeignKey(ProductVariant, models.CASCADE, related_name="prices")
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField(help_text=MINOR_UNITS)
    compare_at = models.BigIntegerField(null=True, blank=True, help_text=MINOR_UNITS)
    cost = models.BigIntegerField(null=True, blank=True, help_text=MINOR_UNITS)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["variant", "currency"], name="variant_price_once"),
            models.CheckConstraint(condition=Q(amount__gte=0, amount__lte=AMOUNT_MAX), name="variant_price_range"),
            models.CheckConstraint(
                condition=Q(compare_at__isnull=True) | Q(compare_at__gte=0, compare_at__lte=AMOUNT_MAX),
                name="variant_compare_at_range",
            ),
            models.CheckConstraint(
                condition=Q(cost__isnull=True) | Q(cost__gte=0, cost__lte=AMOUNT_MAX),
                name="variant_cost_range",
            ),
        ]


class ProductImage(models.Model):
    """An image of ours (`file`) or of another site (`source_url`), never both."""

    product = models.ForeignKey(Product, models.CASCADE, related_name="images")
    file = models.ImageField(upload_to="products", blank=True)
    source_url = models.URLField(max_length=2000, blank=True)
    alt = models.CharField(max_length=500, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(Q(file="") & ~Q(source_url="")) | (~Q(file="") & Q(source_url="")),
                name="image_one_source",
            )
        ]
        indexes = [models.Index(fields=["product", "position", "id"], name="image_by_product")]


class Attribute(models.Model):
    """Something that products of a kind have, to show and to filter by: material, screen size, waterproof."""

    class Kind(models.TextChoices):
        TEXT = "TEXT"
        NUMBER = "NUMBER"
        BOOLEAN = "BOOLEAN"

    key = models.SlugField(max_length=100, unique=True)
    label = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.TEXT)
    position = models.PositiveIntegerField(default=0)
    translations = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return self.label


class ProductAttribute(models.Model):
    """A product's value of an attribute: the column of the attribute's kind holds it."""

    product = models.ForeignKey(Product, models.CASCADE, related_name="attribute_values")
    attribute = models.ForeignKey(Attribute, models.PROTECT, related_name="values")
    text = models.CharField(max_length=500, null=True, blank=True)
    number = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    boolean = models.BooleanField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "attribute"], name="product_attribute_once"),
            models.CheckConstraint(
                condition=Q(text__isnull=False, number__isnull=True, boolean__isnull=True)
                | Q(text__isnull=True, number__isnull=False, boolean__isnull=True)
                | Q(text__isnull=True, number__isnull=True, boolean__isnull=False),
                name="product_attribute_one_value",
            ),
        ]
        indexes = [
            models.Index(fields=["attribute", "text"], name="attribute_by_text"),
            models.Index(fields=["attribute", "number"], name="attribute_by_number"),
        ]
