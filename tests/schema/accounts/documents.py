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
REGISTER = (
    SESSION
    + """
mutation UserRegister($input: UserRegisterInput!) { userRegister(input: $input) { ...Session } }
"""
)
EMAIL_VERIFY = """
mutation EmailVerify($token: String!) {
  emailVerify(input: { token: $token }) { user { id email emailVerified } userErrors { code message field } }
}
"""
VERIFY_AGAIN = "mutation { emailVerificationRequest { accepted userErrors { code } } }"
UPDATE = """
mutation UserUpdate($input: UserUpdateInput!) {
  userUpdate(input: $input) {
    user { id firstName lastName phone username email pendingEmail emailVerified customer { language } }
    userErrors { code message field }
  }
}
"""
PASSWORD_CHANGE = """
mutation PasswordChange($current: String!, $new: String!) {
  passwordChange(input: { currentPassword: $current, newPassword: $new }) {
    user { id } userErrors { code message field }
  }
}
"""
RESET_REQUEST = """
mutation PasswordResetRequest($email: String!) {
  passwordResetRequest(input: { email: $email }) { accepted userErrors { code message field } }
}
"""
RESET = (
    SESSION
    + """
mutation PasswordReset($token: String!, $new: String!) {
  passwordReset(input: { token: $token, newPassword: $new }) { ...Session }
}
"""
)
DELETE = "mutation ($password: String!) { userDelete(input: { password: $password }) { deleted userErrors { code } } }"
EXPORT = "mutation { userDataExport { data userErrors { code } } }"
OTP = """
mutation OtpRequest($destination: String!, $cartId: ID) {
  otpRequest(input: { destination: $destination, cartId: $cartId }) {
    challenge { id kind expiresAt } userErrors { code message field }
  }
}
"""
ANSWER = (
    SESSION
    + """
mutation TokenChallengeAnswer($challengeId: ID!, $code: String!) {
  tokenChallengeAnswer(input: { challengeId: $challengeId, code: $code }) {
    ...Session cartMerge { cart { id } outcomes { outcome } }
  }
}
"""
)
SIGN_IN_WITH_CART = (
    SESSION
    + """
mutation ($login: String!, $password: String!, $cartId: ID) {
  tokenCreate(input: { login: $login, password: $password, cartId: $cartId }) { ...Session cartMerge { cart { id } } }
}
"""
)
FACTOR_ENABLE = "mutation { twoFactorEnable { secret otpauthUri userErrors { code message field } } }"
FACTOR_CONFIRM = """
mutation ($code: String!) {
  twoFactorConfirm(input: { code: $code }) { recoveryCodes userErrors { code message field } }
}
"""
FACTOR_DISABLE = """
mutation ($code: String!) { twoFactorDisable(input: { code: $code }) { user { id } userErrors { code message field } } }
"""
PHONE_REQUEST = "mutation { phoneVerificationRequest { challenge { id kind } userErrors { code message field } } }"
PHONE_VERIFY = """
mutation ($challengeId: ID!, $code: String!) {
  phoneVerify(input: { challengeId: $challengeId, code: $code }) {
    user { id phoneVerified } userErrors { code message field }
  }
}
"""
RECOVERY_RENEW = """
mutation ($code: String!) {
  recoveryCodesRenew(input: { code: $code }) { recoveryCodes userErrors { code message field } }
}
"""
