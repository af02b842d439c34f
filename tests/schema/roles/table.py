"""Who may do what: one line for each mutation, and for each field that not everybody reads.

A line has a letter for each of ROLES, in that order:

    U   UNAUTHENTICATED: sign in first
    F   FORBIDDEN: this role may not
    N   as if there were no such thing: it is somebody else's
    I   let in

What is asked of is the customer's own (cart, order, address, session) or the vendor's own, whose owner and clerk ask
too. `$name` in a line stands for something of the sample in `test_matrix.py`.
"""

from typing import NamedTuple

ROLES = ("guest", "customer", "owner", "clerk", "product manager", "order manager", "support", "admin")
ANYBODY = "IIIIIIII"
SIGNED_IN = "UIIIIIII"
OWN_CART = "NINNNNNN"
OWN = "UINNNNNN"
VENDORS_OWNER = "UNINNNNN"
ADMINS = "UFFFFFFI"
SUPPORT = "UFFFFFII"
ORDER_MANAGERS = "UFFFFIFI"


class Line(NamedTuple):
    letters: str
    given: str = ""
    """What stands in the mutation's `input`; or a field's whole document."""


MUTATIONS = {
    # Carts and orders
    "cartCreate": Line(ANYBODY, "lines: []"),
    "cartLinesAdd": Line(OWN_CART, 'cartId: "$cart", lines: [{variantId: "$variant"}]'),
    "cartLinesUpdate": Line(OWN_CART, 'cartId: "$cart", lines: [{id: "$line", quantity: 2}]'),
    "cartLinesRemove": Line(OWN_CART, 'cartId: "$cart", lineIds: ["$line"]'),
    "cartClear": Line(OWN_CART, 'cartId: "$cart"'),
    "cartBuyerUpdate": Line(OWN_CART, 'cartId: "$cart", note: "Ring."'),
    "cartAddressesUpdate": Line(OWN_CART, 'cartId: "$cart", shippingAddress: $address_input'),
    "cartMerge": Line(SIGNED_IN, 'cartId: "$guest_cart"'),
    "orderPlace": Line(OWN_CART, 'cartId: "$cart", idempotencyKey: "k"'),
    "ordersClaim": Line(SIGNED_IN),
    # Payments
    "paymentStart": Line(
        OWN_CART, 'orderId: "$order", gateway: "sandbox", returnUrl: "https://a.example", idempotencyKey: "k"'
    ),
    "paymentVerify": Line(OWN_CART, 'paymentId: "$payment"'),
    "refundCreate": Line(ORDER_MANAGERS, 'orderId: "$order", reason: "Broken.", idempotencyKey: "k"'),
    "paymentMethodSetup": Line(SIGNED_IN, 'gateway: "sandbox", idempotencyKey: "k"'),
    "paymentMethodRemove": Line(SIGNED_IN, 'gateway: "sandbox", id: "x"'),
    # One's own account
    "userRegister": Line(ANYBODY, 'email: "new@example.com", password: "corr3ct-horse-battery"'),
    "emailVerify": Line(ANYBODY, 'token: "x"'),
    "emailVerificationRequest": Line(SIGNED_IN),
    "userUpdate": Line(SIGNED_IN, 'firstName: "A"'),
    "passwordChange": Line(SIGNED_IN, 'currentPassword: "x", newPassword: "corr3ct-horse-battery"'),
    "passwordResetRequest": Line(ANYBODY, 'email: "a@example.com"'),
    "passwordReset": Line(ANYBODY, 'token: "x", newPassword: "corr3ct-horse-battery"'),
    "userDelete": Line(SIGNED_IN, 'password: "x"'),
    "userDataExport": Line(SIGNED_IN),
    "tokenCreate": Line(ANYBODY, 'login: "a@example.com", password: "x"'),
    "socialAuthStart": Line(ANYBODY, 'provider: GOOGLE, redirectUri: "https://shop.example/signed-in"'),
    "socialTokenCreate": Line(ANYBODY, 'provider: GOOGLE, code: "x", state: "x"'),
    "otpRequest": Line(ANYBODY, 'destination: "a@example.com"'),
    "tokenChallengeAnswer": Line(ANYBODY, 'challengeId: "x", code: "x"'),
    "twoFactorEnable": Line(SIGNED_IN),
    "twoFactorConfirm": Line(SIGNED_IN, 'code: "x"'),
    "twoFactorDisable": Line(SIGNED_IN, 'code: "x"'),
    "recoveryCodesRenew": Line(SIGNED_IN, 'code: "x"'),
    "socialAccountLink": Line(SIGNED_IN, 'provider: GOOGLE, code: "x", state: "x"'),
    "socialAccountUnlink": Line(SIGNED_IN, "provider: GOOGLE"),
    "phoneVerificationRequest": Line(SIGNED_IN),
    "phoneVerify": Line(SIGNED_IN, 'challengeId: "x", code: "x"'),
    "tokenRefresh": Line(ANYBODY, 'refreshToken: "x"'),
    "tokenRevoke": Line(ANYBODY, 'refreshToken: "x"'),
    "tokenRevokeAll": Line(SIGNED_IN),
    "sessionRevoke": Line(OWN, 'id: "$session"'),
    "addressCreate": Line(SIGNED_IN, "address: $address_input"),
    "addressUpdate": Line(OWN, 'id: "$address", kind: WORK'),
    "addressSetDefault": Line(OWN, 'id: "$address", billing: true'),
    "addressDelete": Line(OWN, 'id: "$address"'),
    # Vendors
    "vendorApply": Line(SIGNED_IN, 'name: "Dale", email: "dale@example.com"'),
    "vendorUpdate": Line("UNINNNNI", 'id: "$vendor", description: "Oak."'),
    "vendorClerkInvite": Line(VENDORS_OWNER, 'vendorId: "$vendor", email: "new@example.com"'),
    "vendorClerkInvitationRevoke": Line(VENDORS_OWNER, 'id: "$invitation"'),
    "vendorClerkRemove": Line("UNIINNNN", 'id: "$clerk"'),
    "vendorClerkAccept": Line(SIGNED_IN, 'token: "x"'),
    # Staff
    "vendorApprove": Line(ADMINS, 'id: "$vendor"'),
    "vendorSuspend": Line(ADMINS, 'id: "$vendor", reason: "Bad glue."'),
    "customerUpdate": Line(ADMINS, 'userId: "$customer", firstName: "A"'),
    "customerErase": Line(ADMINS, 'userId: "$customer"'),
    "userRolesSet": Line(ADMINS, 'userId: "$customer", roles: [SUPPORT]'),
    "groupCreate": Line(ADMINS, 'name: "Interns"'),
    "groupUpdate": Line(ADMINS, 'id: "$group", name: "Late shift", addUserIds: ["$customer"]'),
    "groupDelete": Line(ADMINS, 'id: "$group"'),
}

FIELDS = {
    "Query.viewer": Line(SIGNED_IN, "{ viewer { id } }"),
    "Query.customers": Line(SUPPORT, "{ customers { totalCount } }"),
    "Query.groups": Line(ADMINS, "{ groups { totalCount } }"),
    "Query.permissions": Line(ADMINS, "{ permissions { name } }"),
    "Group.id": Line("NNNNNNNI", '{ node(id: "$group") { id } }'),
    "Query.paymentMethods": Line(SIGNED_IN, "{ paymentMethods { id } }"),
    "Query.node": Line("NINNNNII", '{ node(id: "$customer") { id } }'),
    "Query.cart": Line(OWN_CART, '{ cart(id: "$cart") { id } }'),
    "Query.order": Line(OWN_CART, '{ order(id: "$order") { id } }'),
    "Vendor.status": Line("NNIIINII", '{ node(id: "$applicant") { ... on Vendor { status } } }'),
    "User.sessions": Line("NINNNNFF", '{ node(id: "$customer") { ... on User { sessions { id } } } }'),
}
