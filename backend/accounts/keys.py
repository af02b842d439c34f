"""The keys that sign access tokens: the first signs, all of them verify, so that keys can overlap while they change."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

LEAST_BYTES = 32
LEAST_RSA_BITS = 2048
_PRIVATE: dict[str, Any] = {"RS256": RSAPrivateKey, "EdDSA": Ed25519PrivateKey}
_PUBLIC: dict[str, Any] = {"RS256": RSAPublicKey, "EdDSA": Ed25519PublicKey}
ALGORITHMS = ("HS256", *_PRIVATE)


@dataclass(frozen=True, slots=True)
class Key:
    """`private` is None for a key that has only to be verified with, until the tokens that it signed are over."""

    kid: str
    private: Any
    public: Any


def signing_key() -> Key:
    return next(iter(_keys().values()))


def key_of(kid: object) -> Key | None:
    """The key of a token's header, if it is one of ours."""
    return _keys().get(kid) if isinstance(kid, str) else None


def public_keys() -> dict[str, Any]:
    """RFC 7517's set of keys, for those who verify tokens without asking us. A shared secret is not among them."""
    if settings.TOKEN_ALGORITHM == "HS256":
        return {"keys": []}
    algorithm: Any = RSAAlgorithm if settings.TOKEN_ALGORITHM == "RS256" else OKPAlgorithm
    return {
        "keys": [
            {
                **orjson.loads(algorithm.to_jwk(key.public)),
                "kid": key.kid,
                "use": "sig",
                "alg": settings.TOKEN_ALGORITHM,
                "key_ops": ["verify"],
            }
            for key in _keys().values()
        ]
    }


def check() -> None:
    """Raise ImproperlyConfigured, in one sentence, when tokens cannot be signed."""
    signing_key()


def _keys() -> dict[str, Key]:
    given = (*settings.TOKEN_KEYS,)
    return _read(settings.TOKEN_ALGORITHM, given, (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=8)
def _read(algorithm: str, given: tuple[str, ...], secret_keys: tuple[str, ...]) -> dict[str, Key]:
    if algorithm not in ALGORITHMS:
        raise ImproperlyConfigured(f"TOKEN_ALGORITHM is one of {', '.join(ALGORITHMS)}, not {algorithm!r}.")
    if not given and algorithm == "HS256":
        return {key.kid: key for key in map(_derived, secret_keys)}
    keys = [_parse(algorithm, each) for each in given]
    if not keys or keys[0].private is None:
        raise ImproperlyConfigured(f"TOKEN_KEYS must begin with a private key for {algorithm}.")
    if len({key.kid for key in keys}) < len(keys):
        raise ImproperlyConfigured("TOKEN_KEYS must name each key differently.")
    return {key.kid: key for key in keys}


def _derived(secret_key: str) -> Key:
    """A key of its own, so that what SECRET_KEY signs elsewhere is never a token."""
    secret = hmac.digest(secret_key.encode(), b"cartograph access tokens", hashlib.sha256)
    return Key(hashlib.sha256(secret).hexdigest()[:8], secret, secret)


def _parse(algorithm: str, given: str) -> Key:
    kid, colon, encoded = given.partition(":")
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if not colon or not kid or not content:
        raise ImproperlyConfigured("TOKEN_KEYS must be NAME:KEY pairs with commas, each KEY in base64.")
    if algorithm == "HS256":
        if len(content) < LEAST_BYTES:
            raise ImproperlyConfigured(f"TOKEN_KEYS must have at least {LEAST_BYTES} bytes each.")
        return Key(kid, content, content)
    return _parse_pem(algorithm, kid, content)


def _parse_pem(algorithm: str, kid: str, content: bytes) -> Key:
    private: Any = None
    try:
        if b"PRIVATE KEY" in content:
            private = load_pem_private_key(content, password=None)
            public: Any = private.public_key()
        else:
            public = load_pem_public_key(content)
    except (ValueError, TypeError):
        public = None
    fits = isinstance(public, _PUBLIC[algorithm]) and getattr(public, "key_size", LEAST_RSA_BITS) >= LEAST_RSA_BITS
    if not fits:
        raise ImproperlyConfigured(f"TOKEN_KEYS: {kid} must be a PEM file for {algorithm}, in base64.")
    return Key(kid, private, public)
