// node tools/run.js FILE [ARGUMENT...]: installs what is missing, then runs a TypeScript file of this repository.
import { resolve } from "node:path";
import { ensureInstalled } from "./ensure-installed.js";
import { root } from "./node.js";
import { replaceBy } from "./run-node.js";

const [file, ...args] = process.argv.slice(2);
if (file === undefined || file === "--help") {
  process.stdout.write(
    "node tools/run.js FILE [ARGUMENT...]: installs what is missing, then runs FILE (relative to the repository) under the project's Node.js.\n",
  );
  process.exit(file === undefined ? 2 : 0);
}
ensureInstalled();
replaceBy([resolve(root, file), ...args]);
