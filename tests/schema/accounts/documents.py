"""What the tests of accounts ask."""

SESSION = """
fragment Session on AuthPayload {
  accessToken accessTokenExpiresAt refreshToken refreshTokenExpiresAt challenge { id kind expiresAt }
  user { id email firstName lastName roles permissions emailVerified }
  userErrors { code message field }
}
"""
SIGN_IN = (
    SESSION
    + """
mutation TokenCreate($login: String!, $password: String!) {
  tokenCreate(input: { login: $login, password: $password }) { ...Session }
}
"""
)
REFRESH = (
    SESSION
    + """
mutation TokenRefresh($refreshToken: String) {
  tokenRefresh(input: { refreshToken: $refreshToken }) { ...Session }
}
"""
)
REVOKE = """
mutation TokenRevoke($refreshToken: String) {
  tokenRevoke(input: { refreshToken: $refreshToken }) { revoked userErrors { code message field } }
}
"""
REVOKE_ALL = "mutation { tokenRevokeAll { revoked userErrors { code } } }"
REVOKE_SESSION = """
mutation ($id: ID!) { sessionRevoke(input: { id: $id }) { revoked userErrors { code message field } } }
"""
VIEWER = "{ viewer { id email roles permissions emailVerified twoFactorEnabled customer { id } } }"
SESSIONS = "{ viewer { sessions { id userAgent createdAt lastUsedAt expiresAt current } } }"
