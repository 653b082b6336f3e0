// The page at /graphql: GraphiQL with its explorer, told by the server which documents and headers to open with.
import { explorerPlugin } from "@graphiql/plugin-explorer";
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { createClient } from "graphql-ws";
import { createRoot } from "react-dom/client";

import "@graphiql/plugin-explorer/style.css";
import "graphiql/style.css";
import "./page.css";

const WORKERS = { json: "json", graphql: "graphql" };

globalThis.MonacoEnvironment = {
  getWorker(_, label) {
    const name = WORKERS[label] ?? "editor";
    return new Worker(new URL(`./worker-${name}.js`, import.meta.url), { type: "module" });
  },
};

const { tabs, headers } = JSON.parse(document.getElementById("page").textContent);
const socket = new URL(location.pathname, location.href.replace(/^http/, "ws"));

const fetcher = createGraphiQLFetcher({
  url: location.pathname,
  wsClient: createClient({
    url: socket.href,
    lazy: true,
    retryAttempts: 0,
    connectionParams: () => headers,
  }),
});

createRoot(document.getElementById("graphiql")).render(
  <GraphiQL
    fetcher={fetcher}
    plugins={[explorerPlugin({ showAttribution: false })]}
    defaultTabs={tabs}
    initialHeaders={JSON.stringify(headers, null, 2)}
    defaultHeaders={JSON.stringify(headers, null, 2)}
    defaultEditorToolsVisibility="headers"
    shouldPersistHeaders={false}
  >
    <GraphiQL.Logo>Learning Analytics</GraphiQL.Logo>
  </GraphiQL>,
);
