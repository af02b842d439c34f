// GraphiQL with the explorer, subscriptions over graphql-transport-ws, and the journey's tabs.
"use strict";

(() => {
  const h = React.createElement;
  const memory = window.cartographMemory;
  const session = window.cartographSession;
  const examples = window.cartographExamples;
  let lastHeaders = {};

  const socket = graphqlWs.createClient({
    url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/graphql`,
    connectionParams: () => lastHeaders,
    lazy: true,
    retryAttempts: 5,
  });
  const send = GraphiQL.createFetcher({ url: "/graphql", wsClient: socket });

  function learn(result) {
    memory.remember(result);
    session.remember(result);
  }

  // One answer or many: what comes is learned from, and asked for once more where a token's time was over.
  async function* observed(ask, isLast = false) {
    for await (const result of await ask()) {
      if (!isLast && (await session.renewed(result))) {
        yield* observed(ask, true);
        return;
      }
      learn(result);
      yield result;
    }
  }

  async function fetcher(parameters, options) {
    // The schema is everybody's: a token whose time is over must not keep the page from being drawn.
    if (parameters.operationName === "IntrospectionQuery") return send(parameters, options);
    const variables = memory.fill(parameters.variables || {});
    return observed(async () => {
      lastHeaders = session.headers(options?.headers);
      const result = await send({ ...parameters, variables }, { ...options, headers: lastHeaders });
      return typeof result[Symbol.asyncIterator] === "function" ? result : [result];
    });
  }

  function resetExamples() {
    Object.keys(localStorage)
      .filter((key) => key.startsWith("graphiql:"))
      .forEach((key) => localStorage.removeItem(key));
    memory.clear();
    session.clear();
    location.reload();
  }

  function openPaymentPage() {
    const url = memory.paymentUrl();
    if (url) window.open(url, "_blank", "noopener");
    else window.alert("Begin a payment first: tab 9.");
  }

  const brand = h(
    GraphiQL.Logo,
    null,
    h(
      "span",
      { className: "brand" },
      h("img", { src: "/graphql/assets/icon.svg", alt: "" }),
      "Cartograph",
      h("button", { type: "button", onClick: resetExamples }, "Reset the examples"),
    ),
  );
  const toolbar = h(GraphiQL.Toolbar, null, ({ prettify, copy, merge }) => [
    prettify,
    merge,
    copy,
    h(
      GraphiQL.React.ToolbarButton,
      { key: "pay", label: "Open the payment page", onClick: openPaymentPage },
      h("span", { className: "pay-toolbar", "aria-hidden": true }, "\u{1F4B3}"),
    ),
  ]);

  const root = ReactDOM.createRoot(document.getElementById("graphiql"));
  root.render(
    h(
      GraphiQL,
      {
        fetcher,
        plugins: [GraphiQLPluginExplorer.explorerPlugin({ showAttribution: false })],
        defaultTabs: examples.map(({ query, variables }) => ({
          query,
          variables: variables ? JSON.stringify(variables, null, 2) : "",
          headers: "",
        })),
        defaultEditorToolsVisibility: "variables",
        isHeadersEditorEnabled: true,
        shouldPersistHeaders: false,
      },
      brand,
      toolbar,
    ),
  );
})();
