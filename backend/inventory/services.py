"""Stock commands. Every one runs in the caller's transaction and locks stock levels by id, so that none deadlock."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from backend.core import outbox
from backend.inventory.errors import OutOfStock, Shortage
from backend.inventory.models import Location, Reservation, ReservationState, StockLevel, StockMovement

_HOLD = """
WITH held AS (
  UPDATE inventory_stocklevel AS level SET reserved = level.reserved + taken.units
  FROM unnest(%s::bigint[], %s::int[]) AS taken(id, units)
  WHERE level.id = taken.id AND level.on_hand - level.reserved >= taken.units
  RETURNING level.id, taken.units
)
INSERT INTO inventory_reservation (order_id, stock_level_id, quantity, state)
SELECT %s, held.id, held.units, 'HELD' FROM held
"""
_GIVE_BACK = """
UPDATE inventory_stocklevel AS level SET reserved = level.reserved - taken.units
FROM unnest(%s::bigint[], %s::int[]) AS taken(id, units) WHERE level.id = taken.id
"""
_TAKE_AWAY = """
UPDATE inventory_stocklevel AS level
SET reserved = level.reserved - taken.units, on_hand = level.on_hand - taken.units
FROM unnest(%s::bigint[], %s::int[]) AS taken(id, units) WHERE level.id = taken.id
"""


_PUT_BACK = """
UPDATE inventory_stocklevel AS level SET on_hand = level.on_hand + taken.units
FROM unnest(%s::bigint[], %s::int[]) AS taken(id, units) WHERE level.id = taken.id
"""


@dataclass(frozen=True, slots=True)
class _Take:
    level_id: int
    units: int


def reserve(*, order_id: UUID, wanted: Mapping[int, int], may_run_short: Collection[int] = ()) -> None:
    """Hold units for an order. `wanted` is variant id -> units (> 0).

    Of the variants in `may_run_short` (back orders, preorders) what is there is held, and the rest is owed.
    Locks the variants' stock levels by id. Raises OutOfStock naming every other short variant; then nothing is held.
    """
    takes = _allocate(wanted, _lock_levels_of_variants(wanted), may_run_short)
    if _change(_HOLD, takes, order_id) != len(takes):
        # Cannot happen while the rows are locked; the condition in the statement is the second fence.
        raise OutOfStock([Shortage(variant_id, units, 0) for variant_id, units in wanted.items()])


def release(*, order_ids: Iterable[UUID]) -> None:
    """Give back what orders hold. The orders must be locked; those that hold nothing are left as they are."""
    held = _lock_held(order_ids)
    _change(_GIVE_BACK, _takes(held))
    Reservation.objects.filter(pk__in=[each.pk for each in held]).update(state=ReservationState.RELEASED)


def sell(*, order_id: UUID) -> None:
    """Turn what a locked order holds into units that are gone. Doing it again changes nothing."""
    held = _lock_held([order_id])
    if not held:
        return
    _change(_TAKE_AWAY, _takes(held))
    Reservation.objects.filter(pk__in=[each.pk for each in held]).update(state=ReservationState.SOLD)
    _note_movements(order_id, held, "sold", sign=-1)


def restock_order(*, order_id: UUID) -> None:
    """Put what a locked order has sold back on the shelves. Doing it again changes nothing. Emits stock.changed."""
    sold = list(Reservation.objects.filter(order_id=order_id, state=ReservationState.SOLD))
    level_ids = sorted({each.stock_level_id for each in sold})
    locked = StockLevel.objects.select_for_update().filter(pk__in=level_ids).order_by("pk")
    variant_ids = sorted(set(locked.values_list("variant_id", flat=True)))
    _change(_PUT_BACK, _takes(sold))
    Reservation.objects.filter(pk__in=[each.pk for each in sold]).update(state=ReservationState.RELEASED)
    _note_movements(order_id, sold, "restocked", sign=1)
    outbox.emit_many("stock.changed", [(str(variant_id), {}) for variant_id in variant_ids])


def _note_movements(order_id: UUID, reservations: Iterable[Reservation], reason: str, *, sign: int) -> None:
    StockMovement.objects.bulk_create(
        StockMovement(stock_level_id=each.stock_level_id, delta=sign * each.quantity, reason=reason, order_id=order_id)
        for each in reservations
    )


def reserve_again(*, order_id: UUID, wanted: Mapping[int, int], may_run_short: Collection[int] = ()) -> None:
    """Hold units for an order whose first hold was given back. Raises OutOfStock; then nothing changes."""
    with transaction.atomic():
        Reservation.objects.filter(order_id=order_id, state=ReservationState.RELEASED).delete()
        reserve(order_id=order_id, wanted=wanted, may_run_short=may_run_short)


@transaction.atomic
def set_on_hand(*, quantities: Mapping[int, int], location: Location, reason: str) -> int:
    """Set how many units lie at a location: variant id -> units (>= 0). Returns how many levels changed.

    Units that orders hold are never counted away: such a level stays at what is reserved.
    """
    known = {level.variant_id: level for level in _lock_levels_of_variants(quantities, location=location)}
    StockLevel.objects.bulk_create(
        [
            StockLevel(variant_id=variant_id, location=location)
            for variant_id in sorted(quantities)
            if variant_id not in known
        ],
        ignore_conflicts=True,
    )
    if len(known) < len(quantities):
        known = {level.variant_id: level for level in _lock_levels_of_variants(quantities, location=location)}
    changed, movements = [], []
    for variant_id, units in quantities.items():
        level = known[variant_id]
        target = max(units, level.reserved)
        if target != level.on_hand:
            movements.append(StockMovement(stock_level=level, delta=target - level.on_hand, reason=reason))
            level.on_hand = target
            changed.append(level)
    StockLevel.objects.bulk_update(changed, ["on_hand"], batch_size=1000)
    StockMovement.objects.bulk_create(movements, batch_size=1000)
    outbox.emit_many("stock.changed", [(str(level.variant_id), {}) for level in changed])
    return len(changed)


def default_location() -> Location:
    """The location that stock goes to where none is named."""
    location, _ = Location.objects.get_or_create(name="Main warehouse")
    return location


def _lock_levels_of_variants(variant_ids: Iterable[int], location: Location | None = None) -> list[StockLevel]:
    levels = StockLevel.objects.select_for_update().filter(variant_id__in=list(variant_ids)).order_by("pk")
    return list(levels if location is None else levels.filter(location=location))


def _allocate(wanted: Mapping[int, int], levels: Sequence[StockLevel], may_run_short: Collection[int]) -> list[_Take]:
    """Which units to take where, in id order. Raises OutOfStock naming every variant that is short and must not be."""
    left = dict(wanted)
    available: dict[int, int] = defaultdict(int)
    takes = []
    for level in levels:
        free = level.on_hand - level.reserved
        available[level.variant_id] += free
        units = min(free, left[level.variant_id])
        if units > 0:
            takes.append(_Take(level.pk, units))
            left[level.variant_id] -= units
    short = [each for each, missing in left.items() if missing > 0 and each not in may_run_short]
    shortages = [Shortage(each, wanted[each], available[each]) for each in short]
    if shortages:
        raise OutOfStock(shortages)
    return takes


def _lock_held(order_ids: Iterable[UUID]) -> list[Reservation]:
    """The orders' held reservations, with their stock levels locked by id."""
    held = list(Reservation.objects.filter(order_id__in=list(order_ids), state=ReservationState.HELD))
    level_ids = sorted({each.stock_level_id for each in held})
    list(StockLevel.objects.select_for_update().filter(pk__in=level_ids).order_by("pk").values_list("pk"))
    return held


def _takes(held: Iterable[Reservation]) -> list[_Take]:
    units: dict[int, int] = defaultdict(int)
    for each in held:
        units[each.stock_level_id] += each.quantity
    return [_Take(level_id, each) for level_id, each in units.items()]


def _change(statement: str, takes: Sequence[_Take], *more: UUID) -> int:
    """Run a statement over levels and units; how many rows it wrote."""
    if not takes:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(statement, [[take.level_id for take in takes], [take.units for take in takes], *more])
        return int(cursor.rowcount)
