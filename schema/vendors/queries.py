"""Those who sell here: for shoppers, and for staff who decide about them."""

from typing import Annotated

import strawberry

from backend.core.paging import page_request
from backend.vendors import models, queries
from schema.catalog.queries import one_key
from schema.engine import root_query
from schema.server.connections import After, Before, Connection, First, Last, connection
from schema.server.context import Context
from schema.server.ids import IdNotFound
from schema.vendors.types import Vendor, VendorStatus


@strawberry.type(name="VendorConnection", description="A page of vendors.")
class VendorConnection(Connection[Vendor]):
    pass


@strawberry.type
class VendorQuery:
    @root_query(description="A vendor, by id or by slug; null when there is none that you see.")
    def vendor(
        ctx: Context,
        *,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="The vendor's id.")] = None,
        slug: Annotated[str | None, strawberry.argument(description="The vendor's slug.")] = None,
    ) -> Vendor | None:
        try:
            pk, text = one_key("Vendor", id, "slug", slug)
        except IdNotFound:
            return None
        return queries.find_vendor(caller=ctx.caller, pk=pk, slug=text)  # type: ignore[return-value]

    @root_query(description="Those who sell here, by name.")
    def vendors(
        ctx: Context,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        statuses: Annotated[
            list[VendorStatus] | None,
            strawberry.argument(
                description="Those in one of these states instead, such as PENDING for who has applied: your own, and "
                "for staff who may see vendors all."
            ),
        ] = None,
    ) -> VendorConnection:
        request = page_request(first=first, after=after, last=last, before=before)
        wanted = None if statuses is None else [models.VendorStatus(each) for each in statuses]
        return connection(queries.page_vendors(caller=ctx.caller, request=request, statuses=wanted))  # type: ignore[no-any-return]
