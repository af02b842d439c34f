"""The schema: what every domain brings, merged."""

from django.conf import settings
from strawberry.tools import merge_types

from schema.accounts.account_mutations import AccountMutation
from schema.accounts.code_mutations import CodeMutation
from schema.accounts.groups import GroupMutation, GroupQuery
from schema.accounts.mutations import SessionMutation
from schema.accounts.queries import AccountQuery
from schema.accounts.social import SocialLinkMutation, SocialMutation, SocialQuery
from schema.accounts.staff import StaffMutation, StaffQuery
from schema.carts.merging import CartMergeMutation
from schema.carts.mutations import CartMutation
from schema.carts.queries import CartQuery
from schema.catalog.queries import CatalogQuery
from schema.customers.addresses import AddressMutation
from schema.customers.orders import OrdersClaimMutation
from schema.engine import EngineSchema
from schema.orders.mutations import OrderMutation
from schema.orders.queries import OrderQuery
from schema.orders.subscriptions import OrderSubscription
from schema.payments.mutations import PaymentMutation
from schema.payments.saved import SavedMethodMutation, SavedMethodQuery
from schema.payments.types import ClientSecretAction
from schema.server import in_context
from schema.server.documents import KnownDocument
from schema.server.errors import PublicErrors
from schema.server.node import NodeQuery
from schema.shop.queries import ShopQuery
from schema.vendors.mutations import VendorMutation
from schema.vendors.queries import VendorQuery

Query = merge_types(
    "Query",
    (
        AccountQuery,
        CartQuery,
        CatalogQuery,
        GroupQuery,
        NodeQuery,
        OrderQuery,
        SavedMethodQuery,
        ShopQuery,
        SocialQuery,
        StaffQuery,
        VendorQuery,
    ),
)
Mutation = merge_types(
    "Mutation",
    (
        AccountMutation,
        AddressMutation,
        CartMergeMutation,
        CartMutation,
        CodeMutation,
        GroupMutation,
        OrderMutation,
        OrdersClaimMutation,
        PaymentMutation,
        SavedMethodMutation,
        SessionMutation,
        SocialMutation,
        SocialLinkMutation,
        StaffMutation,
        VendorMutation,
    ),
)
Subscription = merge_types("Subscription", (OrderSubscription,))

schema = EngineSchema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[ClientSecretAction],
    breadth_first=settings.ENGINE,
    operation_directives=[in_context.directive],
    extensions=[KnownDocument, in_context.InContext, PublicErrors],
)
