"""What follows from prices and orders: listings and sales counters."""

from collections.abc import Iterable, Mapping

from django.db import connection, transaction

from backend.core import outbox

_REFRESH = """
WITH priced AS (
  SELECT variant.product_id, price.currency, price.amount,
         GREATEST(COALESCE(price.compare_at, price.amount), price.amount) AS compare_at
  FROM catalog_variantprice AS price
  JOIN catalog_productvariant AS variant ON variant.id = price.variant_id
  WHERE variant.product_id = ANY(%(ids)s) AND variant.deleted_at IS NULL
), listed AS (
  SELECT product_id, currency, min(amount) AS price_min, max(amount) AS price_max,
         min(compare_at) AS compare_at_min, max(compare_at) AS compare_at_max,
         max(CASE WHEN compare_at > 0 THEN (compare_at - amount) * 100 / compare_at ELSE 0 END) AS discount_percent
  FROM priced GROUP BY product_id, currency
), gone AS (
  DELETE FROM catalog_productlisting AS listing
  WHERE listing.product_id = ANY(%(ids)s) AND NOT EXISTS (
    SELECT 1 FROM listed WHERE listed.product_id = listing.product_id AND listed.currency = listing.currency)
)
INSERT INTO catalog_productlisting
  (product_id, currency, price_min, price_max, compare_at_min, compare_at_max, discount_percent)
SELECT product_id, currency, price_min, price_max, compare_at_min, compare_at_max, discount_percent FROM listed
ON CONFLICT (product_id, currency) DO UPDATE SET
  price_min = excluded.price_min, price_max = excluded.price_max, compare_at_min = excluded.compare_at_min,
  compare_at_max = excluded.compare_at_max, discount_percent = excluded.discount_percent
"""
_COUNT_SALES = """
WITH sold AS (SELECT * FROM unnest(%s::bigint[], %s::int[]) AS sold(id, units)), locked AS (
  SELECT product.id, sold.units FROM catalog_product AS product JOIN sold ON sold.id = product.id
  ORDER BY product.id FOR NO KEY UPDATE OF product
)
UPDATE catalog_product AS product SET sales_count = product.sales_count + locked.units
FROM locked WHERE product.id = locked.id
"""


def refresh_listings(product_ids: Iterable[int]) -> None:
    """Bring the products' price ranges in step with their variants' prices; one statement for any number.

    Call it in the transaction that changed variants or prices.
    """
    ids = sorted(set(product_ids))
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(_REFRESH, {"ids": ids})


def count_sales(units_by_product: Mapping[int, int]) -> None:
    """Add sold units to the products' counters: product id -> units. Locks products by id, before any stock."""
    sold = sorted(units_by_product.items())
    if sold:
        with connection.cursor() as cursor:
            cursor.execute(_COUNT_SALES, [[pk for pk, _ in sold], [units for _, units in sold]])


@transaction.atomic
def announce_product(product_id: int) -> None:
    """Tell that something of a product changed: emits product.changed."""
    outbox.emit("product.changed", key=str(product_id))
