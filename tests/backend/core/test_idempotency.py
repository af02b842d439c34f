import pytest
from django.db import transaction

from backend.core import idempotency
from backend.core.errors import DomainError, IdempotencyConflict, Invalid, Required, Several, refuse
from backend.core.models import IdempotencyKey
from schema.server.errors import user_errors

pytestmark = pytest.mark.django_db


def test_a_key_brings_back_what_it_brought_about() -> None:
    assert idempotency.claim(scope="s", key="k", request={"a": 1}) is None
    idempotency.record(scope="s", key="k", result_id=7)
    assert idempotency.claim(scope="s", key="k", request={"a": 1}) == "7"
    assert idempotency.claim(scope="s", key="known", request={}, result_id="x") is None
    assert idempotency.claim(scope="s", key="known", request={}) == "x"


def test_a_key_with_other_input_is_a_conflict_and_keeps_the_first() -> None:
    idempotency.claim(scope="s", key="k", request={"a": 1}, result_id="x")
    with pytest.raises(IdempotencyConflict):
        idempotency.claim(scope="s", key="k", request={"a": 2})
    assert IdempotencyKey.objects.get().result_id == "x"


def test_the_order_of_names_in_the_input_does_not_matter() -> None:
    idempotency.claim(scope="s", key="k", request={"a": 1, "b": 2}, result_id="x")
    assert idempotency.claim(scope="s", key="k", request={"b": 2, "a": 1}) == "x"


def test_a_scope_has_keys_of_its_own() -> None:
    idempotency.claim(scope="s", key="k", request={}, result_id="x")
    assert idempotency.claim(scope="t", key="k", request={"other": True}) is None


def test_a_rolled_back_key_is_free_again() -> None:
    with pytest.raises(Invalid), transaction.atomic():
        idempotency.claim(scope="s", key="k", request={"a": 1})
        raise Invalid
    assert idempotency.claim(scope="s", key="k", request={"a": 2}) is None


@pytest.mark.parametrize(
    ("key", "error"), [("", Required), (" \t", Required), ("x" * 256, Invalid), ("a\x00", Invalid), ("a\nb", Invalid)]
)
def test_odd_keys_are_refused(key: str, error: type[DomainError]) -> None:
    with pytest.raises(error) as refusal:
        idempotency.claim(scope="s", key=key, request={})
    assert refusal.value.field == ["idempotencyKey"]
    assert not IdempotencyKey.objects.exists()


def test_one_refusal_is_raised_as_it_is_and_several_together() -> None:
    refuse([])
    with pytest.raises(Required):
        refuse([Required(field=["a"])])
    with pytest.raises(Several) as refusal:
        refuse([Required(field=["a"]), Invalid(field=["b"])])
    found = [(each.code.value, each.field) for each in user_errors(refusal.value)]
    assert found == [("REQUIRED", ["input", "a"]), ("INVALID", ["input", "b"])]
