"""Tests of signing in with a provider have one."""

from tests.social.fixtures import provider, provider_process

__all__ = ["provider", "provider_process"]
