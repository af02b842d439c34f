"""What the library asks of its framework: a session that we keep by its state, and no request of Django's."""

from collections.abc import Mapping
from typing import Any

from social_django.models import DjangoStorage
from social_django.strategy import DjangoStrategy

from backend.accounts.social.providers import BACKENDS, GitHub, Google, SocialProvider

PIPELINE = [
    "social_core.pipeline.social_auth.social_details",
    "social_core.pipeline.social_auth.social_names",
    "social_core.pipeline.social_auth.social_uid",
    "social_core.pipeline.social_auth.social_user",
    "backend.accounts.social.linking.find_or_make_user",
    "social_core.pipeline.social_auth.associate_user",
]
"""Without the library's `load_extra_data`: the shop has no use for a provider's tokens, and so keeps none."""


class OnceElsewhere:
    """The library would note each state as used in a table of its own: here its row is deleted when it is taken."""

    @classmethod
    def use(cls, *_: Any) -> bool:
        return True

    @classmethod
    def consume(cls, *_: Any) -> bool:
        return True


class Storage(DjangoStorage):
    nonce = OnceElsewhere  # type: ignore[assignment]


class Strategy(DjangoStrategy):
    """`kept` is the library's session; `sent` is what the provider has sent back through the browser."""

    def __init__(self, *, kept: dict[str, Any] | None = None, sent: Mapping[str, str] | None = None) -> None:
        super().__init__(Storage)
        self.kept: dict[str, Any] = {} if kept is None else kept
        self._sent = dict(sent or {})
        self.asked: dict[str, Any] | None = None

    def request_data(self, merge: bool = True) -> dict[str, Any]:
        return self._sent

    def session_get(self, name: str, default: Any = None) -> Any:
        return self.kept.get(name, default)

    def session_set(self, name: str, value: Any) -> None:
        self.kept[name] = value

    def session_pop(self, name: str) -> Any:
        return self.kept.pop(name, None)

    def session_setdefault(self, name: str, value: Any) -> Any:
        return self.kept.setdefault(name, value)

    def absolute_uri(self, path: str | None = None) -> str:
        return path or ""

    def get_pipeline(self, backend: Any = None) -> list[str]:
        return PIPELINE

    def clean_authenticate_args(self, *args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Django's own would take a request away."""
        return args, kwargs

    def authenticate(self, backend: Any, **kwargs: Any) -> None:
        """Where the library would go on to the database: what the provider said is kept for `finish`."""
        self.asked = kwargs["response"]


def backend_of(provider: SocialProvider, strategy: Strategy, redirect_uri: str) -> Google | GitHub:
    return BACKENDS[provider](strategy, redirect_uri)
