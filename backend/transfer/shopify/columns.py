"""The columns of Shopify's exports: what each is called, in older exports and in newer ones."""

from collections.abc import Sequence

from backend.transfer.errors import BadFile

# Our name -> the headers it may have, compared without case.
COLUMNS: dict[str, tuple[str, ...]] = {
    "handle": ("Handle", "URL handle"),
    "title": ("Title",),
    "body": ("Body (HTML)", "Body HTML", "Description"),
    "vendor": ("Vendor",),
    "category": ("Product Category", "Standardized Product Type", "Standard Product Type"),
    "type": ("Type", "Custom Product Type"),
    "tags": ("Tags",),
    "published": ("Published", "Published on online store"),
    "status": ("Status",),
    "option1_name": ("Option1 Name",),
    "option1_value": ("Option1 Value",),
    "option2_name": ("Option2 Name",),
    "option2_value": ("Option2 Value",),
    "option3_name": ("Option3 Name",),
    "option3_value": ("Option3 Value",),
    "sku": ("Variant SKU", "SKU"),
    "grams": ("Variant Grams", "Weight value (grams)"),
    "quantity": ("Variant Inventory Qty", "Inventory quantity"),
    "policy": ("Variant Inventory Policy", "Continue selling when out of stock"),
    "price": ("Variant Price", "Price"),
    "compare_at": ("Variant Compare At Price", "Compare-at price"),
    "cost": ("Cost per item", "Variant Cost"),
    "shipping": ("Variant Requires Shipping", "Requires shipping"),
    "taxable": ("Variant Taxable", "Charge tax"),
    "barcode": ("Variant Barcode", "Barcode"),
    "image": ("Image Src", "Product image URL"),
    "image_position": ("Image Position",),
    "image_alt": ("Image Alt Text",),
    "variant_image": ("Variant Image", "Variant image URL"),
    "gift_card": ("Gift Card",),
    "seo_title": ("SEO Title",),
    "seo_description": ("SEO Description",),
    "gender": ("Google Shopping / Gender",),
    "age_group": ("Google Shopping / Age Group",),
    "condition": ("Google Shopping / Condition",),
}
REQUIRED = ("handle", "title", "price")
# Known and without a place in this shop: nobody needs to be told that they are not read.
IGNORED = frozenset(
    {
        "variant inventory tracker",
        "inventory tracker",
        "variant fulfillment service",
        "fulfillment service",
        "variant weight unit",
        "weight unit for display",
        "variant tax code",
        "tax code",
    }
)
_NAMES = {header.casefold(): name for name, headers in COLUMNS.items() for header in headers}


def read_header(cells: Sequence[str]) -> tuple[list[str | None], list[str]]:
    """Our name for each column (None: not read), and the headers that nobody knows.

    Raises BadFile when this is not the header of a product export.
    """
    names: list[str | None] = []
    unknown = []
    for cell in cells:
        header = " ".join(cell.split())
        name = _NAMES.get(header.casefold())
        names.append(name if name not in names else None)
        if name is None and header and not _ignored(header.casefold()):
            unknown.append(header)
    missing = [COLUMNS[name][0] for name in REQUIRED if name not in names]
    if missing:
        found = ", ".join(repr(cell.strip()[:40]) for cell in cells[:5]) or "nothing"
        listed = " and ".join(repr(header) for header in missing)
        raise BadFile(f"it has no column {listed}, so it is not a Shopify product export (its first line has {found}).")
    return names, unknown


def _ignored(header: str) -> bool:
    return header in IGNORED or header.startswith("google shopping /")
