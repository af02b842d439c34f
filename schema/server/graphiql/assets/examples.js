// The journey, one tab a step. "$name" in variables is filled in when the tab is sent: see memory.js.
"use strict";

window.cartographExamples = [
  {
    query: `# 1. The shop: what it is called, speaks and takes.
query Shop {
  shop {
    name
    defaultCurrency
    defaultLanguage
    currencies { code name exponent }
    languages { code name }
    paymentGateways { id name currencies flow }
  }
}
`,
  },
  {
    query: `# 2. The category tree, with the number of products in each.
query CategoryTree {
  categories(first: 50) {
    nodes { id name slug productCount children { id name slug children { id name slug } } }
  }
}
`,
  },
  {
    query: `# 3. Products, newest first. Try sort: PRICE_ASC, or filter: { onSale: true }.
# The first variant that can be had is remembered for the cart.
query ProductList($first: Int = 6, $after: String, $filter: ProductFilter, $sort: ProductSort) {
  products(first: $first, after: $after, filter: $filter, sort: $sort) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes {
      id
      name
      slug
      image { url(transform: { maxWidth: 400, format: WEBP }) alt }
      priceRange { min { formatted } max { formatted } }
      variants { id name sku price { amount currency formatted } availability { status quantity } }
    }
  }
}
`,
    variables: { first: 6, filter: { available: true }, sort: "NEWEST" },
  },
  {
    query: `# 4. One product, in German and euros.
query ProductPage($slug: String!) @inContext(language: DE, currency: EUR) {
  product(slug: $slug) {
    name
    description
    images { url alt width height }
    options { name values { name available } }
    attributes { key label value }
    variants {
      sku
      options { name value }
      price { formatted }
      compareAtPrice { formatted }
      availability { status quantity maxPerOrder }
    }
    category { name ancestors { name slug } }
  }
}
`,
    variables: { slug: "$productSlug" },
  },
  {
    query: `# 5. A guest's cart with one line. Its id is remembered: it is the guest's only key to it.
mutation CartCreate($input: CartCreateInput!) {
  cartCreate(input: $input) {
    cart {
      id
      version
      itemCount
      lines { id quantity variant { sku product { name } } unitPrice { formatted } total { formatted } }
      totals { total { amount currency formatted } }
      expiresAt
    }
    userErrors { code message field }
  }
}
`,
    variables: { input: { email: "ada@example.com", lines: [{ variantId: "$variantId", quantity: 1 }] } },
  },
  {
    query: `# 6. Where it goes.
mutation CartAddressesUpdate($cartId: ID!, $shipping: AddressInput!) {
  cartAddressesUpdate(input: { cartId: $cartId, shippingAddress: $shipping }) {
    cart { id version shippingAddress { line1 city country } totals { total { formatted } } warnings { code message } }
    userErrors { code message field }
  }
}
`,
    variables: {
      cartId: "$cartId",
      shipping: {
        firstName: "Ada",
        lastName: "Byron",
        line1: "1 Main Street",
        city: "Springfield",
        region: "IL",
        postalCode: "62701",
        country: "US",
      },
    },
  },
  {
    query: `# 7. The order. Its stock is held for 15 minutes. Send it twice: the same order comes back, replayed.
mutation OrderPlace($cartId: ID!, $idempotencyKey: String!) {
  orderPlace(input: { cartId: $cartId, idempotencyKey: $idempotencyKey }) {
    order {
      id
      token
      number
      status
      hold { expiresAt secondsLeft }
      lines { quantity productName variantName total { formatted } }
      totals { total { formatted } due { formatted } }
    }
    replayed
    userErrors { code message field }
    shortages { variantId requested available }
  }
}
`,
    variables: { cartId: "$cartId", idempotencyKey: "$orderKey" },
  },
  {
    query: `# 8. Watch the order: run this, leave it running, and go on with the next tab.
subscription OrderEvents($orderId: ID!, $token: String, $after: String) {
  orderEvents(orderId: $orderId, token: $token, after: $after) {
    cursor
    sequence
    type
    occurredAt
    message
    order { status paymentStatus }
  }
}
`,
    variables: { orderId: "$orderId", token: "$orderToken" },
  },
  {
    query: `# 9. Begin to pay, then press the button with the card in the toolbar: it opens the payment page.
# Add scenario: DECLINE (or another one) to see how your storefront copes.
mutation PaymentStart($orderId: ID!, $token: String, $returnUrl: String!, $idempotencyKey: String!) {
  paymentStart(
    input: {
      orderId: $orderId
      orderToken: $token
      gateway: "sandbox"
      returnUrl: $returnUrl
      idempotencyKey: $idempotencyKey
    }
  ) {
    payment {
      id
      status
      amount { formatted }
      nextAction { __typename ... on RedirectAction { url } }
    }
    replayed
    userErrors { code message field }
  }
}
`,
    variables: {
      orderId: "$orderId",
      token: "$orderToken",
      returnUrl: "$origin/graphql",
      idempotencyKey: "$newKey",
    },
  },
  {
    query: `# 10. Ask the gateway how it went. A storefront does this when the buyer is back.
mutation PaymentVerify($paymentId: ID!, $token: String) {
  paymentVerify(input: { paymentId: $paymentId, orderToken: $token }) {
    payment { id status order { number status paymentStatus } }
    userErrors { code message field }
  }
}
`,
    variables: { paymentId: "$paymentId", token: "$orderToken" },
  },
  {
    query: `# 11. The order as its buyer sees it.
query OrderByToken($id: ID!, $token: String) {
  order(id: $id, token: $token) {
    number
    status
    paymentStatus
    placedAt
    paidAt
    lines { quantity productName sku total { formatted } }
    shippingAddress { firstName lastName line1 city country }
    totals { total { formatted } paid { formatted } due { formatted } }
    payments { gateway status amount { formatted } }
  }
}
`,
    variables: { id: "$orderId", token: "$orderToken" },
  },
  {
    query: `# 12. Sign in. From here on every tab is sent with the token (unless you type an Authorization header).
# The guest's cart of tab 5 joins the customer's: cartMerge tells what became of each line.
mutation TokenCreate($login: String!, $password: String!, $cartId: ID) {
  tokenCreate(input: { login: $login, password: $password, cartId: $cartId }) {
    accessToken
    accessTokenExpiresAt
    refreshToken
    challenge { id kind expiresAt }
    user { id email roles emailVerified twoFactorEnabled }
    cartMerge { cart { id itemCount } outcomes { outcome variant { sku } guestQuantity finalQuantity } }
    userErrors { code message field }
  }
}
`,
    variables: { login: "customer@example.com", password: "cartograph-demo", cartId: "$cartId" },
  },
  {
    query: `# 13. Who is signed in, with addresses, orders and devices.
query Viewer {
  viewer {
    id
    email
    roles
    permissions
    emailVerified
    twoFactorEnabled
    hasPassword
    socialAccounts
    addresses { id kind line1 city country isDefaultShipping isDefaultBilling }
    cart { id itemCount }
    orders(first: 5) { totalCount nodes { number status totals { total { formatted } } } }
    claimableOrderCount
    sessions { id userAgent createdAt lastUsedAt current }
    vendors { name slug status myRole }
  }
}
`,
  },
  {
    query: `# 14. Sign out on this device: the token ends at once, everywhere.
mutation TokenRevoke {
  tokenRevoke(input: {}) {
    revoked
    userErrors { code message }
  }
}
`,
  },
];
