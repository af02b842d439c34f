// GraphiQL with the explorer, subscriptions over graphql-transport-ws, and the journey's tabs.
"use strict";

(() => {
  const h = React.createElement;
  const memory = window.cartographMemory;
  const examples = window.cartographExamples;
  let lastHeaders = {};

  const socket = graphqlWs.createClient({
    url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/graphql`,
    connectionParams: () => lastHeaders,
    lazy: true,
    retryAttempts: 5,
  });
  const send = GraphiQL.createFetcher({ url: "/graphql", wsClient: socket });

  async function* observed(results) {
    for await (const result of results) {
      memory.remember(result);
      yield result;
    }
  }

  async function fetcher(parameters, options) {
    lastHeaders = options?.headers || {};
    const isIntrospection = parameters.operationName === "IntrospectionQuery";
    const variables = isIntrospection ? parameters.variables : memory.fill(parameters.variables || {});
    const result = await send({ ...parameters, variables }, options);
    if (result && typeof result[Symbol.asyncIterator] === "function") return observed(result);
    if (!isIntrospection) memory.remember(result);
    return result;
  }

  function resetExamples() {
    Object.keys(localStorage)
      .filter((key) => key.startsWith("graphiql:"))
      .forEach((key) => localStorage.removeItem(key));
    memory.clear();
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
