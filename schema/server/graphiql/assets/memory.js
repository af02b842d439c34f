// What earlier answers said, for the "$name" variables of later tabs: kept in this browser only.
"use strict";

window.cartographMemory = (() => {
  const KEY = "cartograph:memory";
  const read = () => JSON.parse(localStorage.getItem(KEY) || "{}");
  const write = (memory) => localStorage.setItem(KEY, JSON.stringify(memory));

  const isObject = (value) => value !== null && typeof value === "object";

  function learn(value, name, memory) {
    if (!isObject(value)) return;
    if (Array.isArray(value)) {
      value.forEach((item) => learn(item, name, memory));
      return;
    }
    if (name === "cart" && value.id) memory.cartId = value.id;
    if (name === "order" && value.id && value.token) Object.assign(memory, { orderId: value.id, orderToken: value.token });
    if (name === "payment" && value.id) memory.paymentId = value.id;
    if (name === "nextAction" && value.url) memory.paymentUrl = value.url;
    if (Array.isArray(value.variants) && !memory.found) learnProduct(value, memory);
    Object.entries(value).forEach(([key, child]) => learn(child, key, memory));
  }

  function learnProduct(product, memory) {
    const wanted = product.variants.find((variant) => variant.id && variant.availability?.status !== "OUT_OF_STOCK");
    if (!wanted) return;
    memory.variantId = wanted.id;
    if (product.slug) memory.productSlug = product.slug;
    memory.found = true;
  }

  function fill(value, memory) {
    if (Array.isArray(value)) return value.map((item) => fill(item, memory));
    if (isObject(value)) {
      return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, fill(child, memory)]));
    }
    if (typeof value !== "string" || !value.startsWith("$")) return value;
    if (value.startsWith("$origin")) return location.origin + value.slice("$origin".length);
    if (value === "$newKey") return crypto.randomUUID ? crypto.randomUUID() : String(Date.now() + Math.random());
    if (value === "$orderKey") return `order-${memory.cartId}`;
    return memory[value.slice(1)] ?? value;
  }

  return {
    remember(result) {
      const memory = read();
      delete memory.found;
      learn(result?.data, "", memory);
      delete memory.found;
      write(memory);
    },
    fill: (variables) => fill(variables, read()),
    paymentUrl: () => read().paymentUrl,
    clear: () => localStorage.removeItem(KEY),
  };
})();
