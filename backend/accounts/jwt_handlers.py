"""What of django-graphql-jwt's settings is no choice of a shop: our ways of writing and reading its tokens."""

JWT_HANDLERS = {
    "JWT_VERIFY_EXPIRATION": True,
    "JWT_LONG_RUNNING_REFRESH_TOKEN": True,
    "JWT_REFRESH_TOKEN_MODEL": "accounts.RefreshToken",
    "JWT_AUTH_HEADER_PREFIX": "Bearer",
    "JWT_ENCODE_HANDLER": "backend.accounts.tokens.encode",
    "JWT_DECODE_HANDLER": "backend.accounts.tokens.decode",
    "JWT_PAYLOAD_HANDLER": "backend.accounts.tokens.payload",
    "JWT_GET_REFRESH_TOKEN_HANDLER": "backend.accounts.tokens.find_refresh_token",
    "JWT_PAYLOAD_GET_USERNAME_HANDLER": "backend.accounts.tokens.subject",
    "JWT_GET_USER_BY_NATURAL_KEY_HANDLER": "backend.accounts.tokens.user_of_subject",
}
