// Bundles the page and the editor's workers into ../assets; nothing in them is loaded from elsewhere.
import { build } from "esbuild";

const [, , outdir] = process.argv;

await build({
  entryPoints: {
    main: "main.jsx",
    "worker-editor": "monaco-editor/esm/vs/editor/editor.worker.js",
    "worker-json": "monaco-editor/esm/vs/language/json/json.worker.js",
    "worker-graphql": "monaco-graphql/esm/graphql.worker.js",
  },
  outdir,
  bundle: true,
  minify: true,
  format: "esm",
  jsx: "automatic",
  target: "es2022",
  legalComments: "linked",
  loader: { ".ttf": "file", ".woff2": "file", ".svg": "dataurl" },
  define: { "process.env.NODE_ENV": '"production"' },
  logLevel: "warning",
});
