// npm start [-- OPTION...]: installs what is missing, builds the web app if it is stale, then runs the server. Options go to "latchkey serve".
import { join } from "node:path";
import { buildWebIfStale } from "./build-web.js";
import { ensureInstalled } from "./ensure-installed.js";
import { root } from "./node.js";
import { replaceBy } from "./run-node.js";

const args = process.argv.slice(2);
ensureInstalled();
if (!args.includes("--help") && !args.includes("-h")) buildWebIfStale();
replaceBy([join(root, "apps/cli/src/main.ts"), "serve", ...args]);
