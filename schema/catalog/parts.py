"""The small types that products are made of."""

from typing import Annotated, Any

import strawberry

from backend.catalog import images as image_files
from backend.catalog import queries
from backend.catalog.texts import translated_alt
from backend.inventory.queries import StockStatus
from schema.catalog.inputs import ImageTransformInput
from schema.catalog.loading import owners_of
from schema.engine import batched, computed
from schema.server.context import Context
from schema.server.enums import describe_enum

StockStatusEnum = strawberry.enum(
    StockStatus, name="StockStatus", description="Whether a variant can be had, and how soon."
)
describe_enum(
    StockStatus,
    {
        "IN_STOCK": "Plenty of units.",
        "LOW": "The last few units.",
        "OUT_OF_STOCK": "No units, and none are promised.",
        "PREORDER": "Not there yet; can be ordered in advance.",
        "BACKORDER": "No units now; can be ordered and is sent when it is back.",
    },
)


@strawberry.type(description="An image.")
class Image:
    width: int | None = strawberry.field(
        description="Width of the original in pixels, whatever `url(transform:)` asks for. Copies keep the ratio of "
        "width to height. Null for images of other sites."
    )
    height: int | None = strawberry.field(
        description="Height of the original in pixels, whatever `url(transform:)` asks for. Null for images of other "
        "sites."
    )

    @batched(
        description="What the image shows, for those who do not see it; in the context's language where there is a "
        "translation."
    )
    def alt(images: list[Any], ctx: Context) -> list[str]:
        language = ctx.shop.language
        return [
            each.alt if product is None else translated_alt(each.alt, product, language)
            for each, product in zip(images, owners_of(images, ctx), strict=True)
        ]

    @computed(description="Where the image is, as an absolute address: the original, or a copy as `transform` asks.")
    def url(
        image: Any,
        *,
        transform: Annotated[
            ImageTransformInput | None, strawberry.argument(description="How it should be delivered.")
        ] = None,
    ) -> str:
        width = transform.max_width if transform else None
        format = transform.format.value if transform and transform.format else None
        return image.source_url or image_files.image_url(image.file_name, max_width=width, format=format)


@strawberry.type(description="A name and a value.")
class NameValue:
    name: str = strawberry.field(description="The option's name, in the context's language.")
    value: str = strawberry.field(description="The value, in the context's language.")


@strawberry.type(description="A value that an option can have.")
class OptionValue:
    name: str = strawberry.field(description="The value, in the context's language.")
    value: str = strawberry.field(description="The value as filters take it: never translated.")
    available: bool = strawberry.field(description="Whether some variant with this value can be ordered.")


@strawberry.type(description="Something to choose when buying a product: its size, its color.")
class ProductOption:
    name: str = strawberry.field(description="The option's name, in the context's language.")
    key: str = strawberry.field(description="The option's name as filters take it: never translated.")
    values: list[OptionValue] = strawberry.field(description="What there is to choose from, in display order.")


@strawberry.type(description="A fact about a product.")
class ProductAttribute:
    key: str = strawberry.field(description="The attribute's key, to filter by.")
    label: str = strawberry.field(description="The attribute's name, in the context's language.")
    value: str = strawberry.field(
        description="The value as text, in the context's language where there is a translation; `true` or `false` for "
        "yes-or-no attributes."
    )
    filter_value: str = strawberry.field(description="The value as filters take it: never translated.")


@strawberry.type(description="How customers rated something.")
class Rating:
    average: float = strawberry.field(description="From 1 to 5; 0 where nobody has rated.")
    count: int = strawberry.field(description="How many ratings there are.")


@strawberry.type(description="What search engines should show.")
class Seo:
    title: str = strawberry.field(description="The page's title.")
    description: str = strawberry.field(description="The page's description.")


@strawberry.type(name="Availability", description="Whether a variant can be had.")
class AvailabilityType:
    status: StockStatus = strawberry.field(description="Whether it can be had, and how soon.")
    quantity: int = strawberry.field(description="Units that nobody else has ordered.")
    max_per_order: int = strawberry.field(description="The most units that one order can have now; 0 where sold out.")


FacetKindEnum = strawberry.enum(
    queries.FacetKind, name="FacetKind", description="How the values of a facet go together."
)
describe_enum(
    queries.FacetKind,
    {"LIST": "Choose any number of values: they are alternatives.", "BOOLEAN": "Choose `true` or `false`."},
)


@strawberry.type(description="A value of a facet, and how many products the list would have with it.")
class FacetValue:
    value: str = strawberry.field(description="What to put into the filter: never translated.")
    label: str = strawberry.field(description="What to show, in the context's language where there is a translation.")
    count: int = strawberry.field(
        description="How many products the list would have with this value alone chosen in this facet, and the other "
        "facets as they are now. Where you add it to values of this facet that are chosen already, `totalCount` tells "
        "how many products have any of them."
    )


@strawberry.type(
    description="A way to narrow a list. Each facet's values are counted without its own filter and under all others."
)
class Facet:
    key: str = strawberry.field(
        description="The filter that takes the values: brands, tags, available, `options.NAME`, `attributes.KEY`."
    )
    label: str = strawberry.field(description="What to show, in the context's language where there is a translation.")
    kind: queries.FacetKind = strawberry.field(description="How the values go together.")
    values: list[FacetValue] = strawberry.field(description="The values, most frequent first, 50 at most.")
