"""The small types that products are made of."""

from typing import Annotated, Any

import strawberry

from backend.catalog import images as image_files
from backend.inventory.queries import StockStatus
from schema.catalog.inputs import ImageTransformInput
from schema.engine import computed
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
    alt: str = strawberry.field(description="What the image shows, for those who do not see it.")
    width: int | None = strawberry.field(description="Width of the original in pixels; null for images of other sites.")
    height: int | None = strawberry.field(
        description="Height of the original in pixels; null for images of other sites."
    )

    @computed(description="Where the image is, as an absolute address.")
    def url(
        image: Any,
        *,
        transform: Annotated[
            ImageTransformInput | None, strawberry.argument(description="How it should be delivered.")
        ] = None,
    ) -> str:
        width = transform.max_width if transform else None
        format = transform.format.value if transform and transform.format else None
        return image.source_url or image_files.image_url(image.file.name, max_width=width, format=format)


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
    value: str = strawberry.field(description="The value as text; `true` or `false` for yes-or-no attributes.")


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
    max_per_order: int = strawberry.field(description="The most units that one order can have now.")


@strawberry.type(description="A value of a facet, and how many products would be left after choosing it.")
class FacetValue:
    value: str = strawberry.field(description="What to put into the filter.")
    label: str = strawberry.field(description="What to show.")
    count: int = strawberry.field(description="How many products the list would have after choosing it.")


@strawberry.type(description="A way to narrow a list. A facet's own choice is not counted against its values.")
class Facet:
    key: str = strawberry.field(
        description="The filter that takes the values: brands, tags, available, `options.NAME`, `attributes.KEY`."
    )
    label: str = strawberry.field(description="What to show.")
    kind: str = strawberry.field(description="LIST: choose any values. BOOLEAN: true or false.")
    values: list[FacetValue] = strawberry.field(description="The values, most frequent first.")
