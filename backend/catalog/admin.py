"""The catalog for staff. Whatever is saved here keeps sort keys and price ranges in step."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from treebeard.admin import TreeAdmin
from treebeard.forms import MoveNodeForm, movenodeform_factory
from unfold.admin import TabularInline

from backend.catalog.models import (
    Attribute,
    Category,
    Product,
    ProductAttribute,
    ProductImage,
    ProductVariant,
    VariantPrice,
)
from backend.catalog.services import announce_product, refresh_listings
from backend.catalog.texts import clean_html, name_key, plain_text
from backend.core.admin import ModelAdmin
from backend.core.money import Money


def _renew(product_ids: set[int]) -> None:
    """Bring what lists show of these products in step."""
    refresh_listings(product_ids)
    for product_id in product_ids:
        announce_product(product_id)


class MeasuredForm(ModelForm):  # type: ignore[type-arg]
    """Sets an image file's width and height along with it. `measured` names the three columns."""

    measured = ("file", "width", "height")

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        file, width, height = self.measured
        if file in self.changed_data:
            image = getattr(self.cleaned_data.get(file), "image", None)
            size = (None, None) if image is None else image.size
            setattr(self.instance, width, size[0])
            setattr(self.instance, height, size[1])


class CategoryForm(MeasuredForm, MoveNodeForm):
    measured = ("image", "image_width", "image_height")


@admin.register(Category)
class CategoryAdmin(TreeAdmin, ModelAdmin):
    form = movenodeform_factory(Category, form=CategoryForm)
    list_display = ("name", "slug")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}


class ImageInline(TabularInline):
    model = ProductImage
    form = MeasuredForm
    extra = 0
    fields = ("file", "source_url", "alt", "position")


class AttributeInline(TabularInline):
    model = ProductAttribute
    extra = 0


class VariantInline(TabularInline):
    model = ProductVariant
    extra = 0
    fields = ("sku", "name", "options", "stock_policy", "max_per_order", "position")
    show_change_link = True


@admin.register(Product)
class ProductAdmin(ModelAdmin):
    list_display = ("name", "slug", "status", "category", "vendor", "brand", "variant_count", "updated_at")
    list_filter = ("status", "brand")
    list_select_related = ("category", "vendor")
    search_fields = ("name", "slug", "variants__sku")
    autocomplete_fields = ("category", "vendor")
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields = ("created_at", "updated_at", "sales_count", "rating_average", "rating_count")
    inlines = (VariantInline, ImageInline, AttributeInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        alive = Count("variants", filter=Q(variants__deleted_at__isnull=True), distinct=True)
        rows: QuerySet[Product] = super().get_queryset(request).filter(deleted_at__isnull=True)
        return rows.annotate(alive_variants=alive)

    @admin.display(description="Variants", ordering="alive_variants")
    def variant_count(self, product: Any) -> int:
        return int(product.alive_variants)

    def save_model(self, request: HttpRequest, obj: Product, form: ModelForm, change: bool) -> None:  # type: ignore[type-arg]
        obj.name_key = name_key(obj.name)
        if obj.description_html:
            obj.description_html = clean_html(obj.description_html)
            obj.description = plain_text(obj.description_html)
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        with transaction.atomic():
            super().save_related(request, form, formsets, change)
            _renew({form.instance.pk})


class PriceInline(TabularInline):
    model = VariantPrice
    extra = 0


@admin.register(ProductVariant)
class ProductVariantAdmin(ModelAdmin):
    list_display = ("sku", "product", "name", "prices_written", "stock_policy")
    list_select_related = ("product",)
    search_fields = ("sku", "barcode", "product__name")
    autocomplete_fields = ("product",)
    raw_id_fields = ("image",)
    inlines = (PriceInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProductVariant]:
        rows: QuerySet[ProductVariant] = super().get_queryset(request).filter(deleted_at__isnull=True)
        return rows.prefetch_related("prices")

    @admin.display(description="Prices")
    def prices_written(self, variant: ProductVariant) -> str:
        return ", ".join(Money(price.amount, price.currency).format("en") for price in variant.prices.all())

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        with transaction.atomic():
            super().save_related(request, form, formsets, change)
            _renew({form.instance.product_id, form.initial.get("product", form.instance.product_id)})

    def delete_model(self, request: HttpRequest, obj: ProductVariant) -> None:
        with transaction.atomic():
            super().delete_model(request, obj)
            _renew({obj.product_id})

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ProductVariant]) -> None:
        with transaction.atomic():
            products = set(queryset.values_list("product_id", flat=True))
            super().delete_queryset(request, queryset)
            _renew(products)


@admin.register(Attribute)
class AttributeAdmin(ModelAdmin):
    list_display = ("key", "label", "kind", "position")
    search_fields = ("key", "label")
