// Who is signed in on this page: the tokens of the last sign-in, for all tabs, until the browser's tab is closed.
"use strict";

window.cartographSession = (() => {
  const KEY = "cartograph:session";
  const RENEW = `mutation Renew($refreshToken: String) {
    tokenRefresh(input: { refreshToken: $refreshToken }) { accessToken refreshToken } }`;
  const ENDS = { tokenRevoke: "revoked", tokenRevokeAll: "revoked", userDelete: "deleted" };
  let renewing = null;

  const read = () => JSON.parse(sessionStorage.getItem(KEY) || "null");
  const keep = ({ accessToken, refreshToken }) =>
    sessionStorage.setItem(KEY, JSON.stringify({ accessToken, refreshToken: refreshToken ?? read()?.refreshToken }));
  const forget = () => sessionStorage.removeItem(KEY);

  async function renew() {
    const body = JSON.stringify({ query: RENEW, variables: { refreshToken: read()?.refreshToken } });
    const answer = await fetch("/graphql", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    const payload = (await answer.json()).data?.tokenRefresh;
    if (payload?.accessToken) keep(payload);
    else forget();
    return Boolean(payload?.accessToken);
  }

  return {
    // Headers that somebody has typed come first: they may ask as somebody else.
    headers(typed = {}) {
      const own = Object.keys(typed).some((name) => name.toLowerCase() === "authorization");
      const token = read()?.accessToken;
      return own || !token ? typed : { ...typed, Authorization: `Bearer ${token}` };
    },
    remember(result) {
      Object.entries(result?.data ?? {}).forEach(([field, payload]) => {
        if (payload?.accessToken) keep(payload);
        if (payload?.[ENDS[field]]) forget();
      });
    },
    // Whether an answer says that the token's time is over; then once, for all who ask, a new one is fetched.
    async renewed(result) {
      const reasons = (result?.errors ?? []).map((error) => error.extensions?.reason);
      if (!read() || !reasons.some((reason) => reason === "TOKEN_EXPIRED" || reason === "TOKEN_INVALID")) return false;
      renewing ??= renew().finally(() => (renewing = null));
      return renewing;
    },
    clear: forget,
  };
})();
