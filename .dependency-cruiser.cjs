// The arrows of ARCHITECTURE.md: what is not listed for a package is forbidden to it. Checked by "npm test" (tools/check-boundaries.js).
"use strict";

/** What each workspace may import from the others in what it ships, and, after the bar, in its tests besides. */
const arrows = {
  "packages/codec": { may: [], tests: [] },
  "packages/mls": { may: ["packages/codec"], tests: ["packages/testkit"] },
  "packages/transparency": { may: ["packages/codec"], tests: ["packages/testkit"] },
  "packages/protocol": { may: ["packages/codec"], tests: ["packages/testkit"] },
  "packages/reports": {
    may: ["packages/codec", "packages/mls", "packages/transparency", "packages/protocol"],
    tests: ["packages/testkit"],
  },
  "packages/releases": { may: ["packages/codec", "packages/protocol"], tests: [] },
  "packages/counts": { may: ["packages/codec", "packages/transparency", "packages/protocol"], tests: ["packages/testkit"] },
  "packages/client": {
    may: ["packages/codec", "packages/mls", "packages/transparency", "packages/protocol", "packages/reports", "packages/counts"],
    tests: ["packages/testkit"],
  },
  "packages/server": {
    may: [
      "packages/codec",
      "packages/transparency",
      "packages/protocol",
      "packages/mls",
      "packages/reports",
      "packages/counts",
      "packages/releases",
    ],
    tests: ["packages/testkit"],
  },
  "packages/witness": {
    may: ["packages/codec", "packages/transparency", "packages/protocol"],
    tests: ["packages/testkit"],
  },
  "packages/testkit": { may: ["packages/codec"], tests: [] },
  "apps/web": { may: ["packages/client", "packages/releases"], tests: ["packages/testkit"] },
  "apps/cli": { may: ["packages/client", "packages/server", "packages/witness", "packages/releases"], tests: ["packages/testkit"] },
};

const testFile = "(\\.(test|e2e|bench)\\.tsx?$|\\.testing\\.ts$|/testing/)";
const anyWorkspace = "^(packages/[^/]+|apps/[^/]+|bench|e2e|attacks|sim)/";
const escape = (path) => path.replaceAll("/", "\\/");
const within = (folders) => `^(${folders.map(escape).join("|")})/`;

const arrowRules = Object.entries(arrows).flatMap(([from, { may, tests }]) => [
  {
    name: `arrows-of-${from.replaceAll("/", "-")}`,
    comment: `${from} may import ${may.join(", ") || "no other package"}.`,
    severity: "error",
    from: { path: within([from]), pathNot: testFile },
    to: { path: anyWorkspace, pathNot: within([from, ...may]) },
  },
  {
    name: `arrows-of-${from.replaceAll("/", "-")}-tests`,
    comment: `Tests of ${from} may import ${[...may, ...tests].join(", ") || "no other package"}.`,
    severity: "error",
    from: { path: `${within([from])}.*${testFile}` },
    to: { path: anyWorkspace, pathNot: within([from, ...may, ...tests]) },
  },
]);

const deepRules = Object.keys(arrows).map((folder) => ({
  name: `entry-points-of-${folder.replaceAll("/", "-")}`,
  comment: `${folder} is imported by its name and declared exports only.`,
  severity: "error",
  from: { pathNot: within([folder]) },
  to: {
    path: within([folder]),
    // The files that the package.json exports name, and the two that a server and a bundler start from.
    pathNot: [
      "/src/index\\.ts$",
      "^packages/mls/src/crypto/(node|web|noble)\\.ts$",
      "^packages/protocol/src/group/limits\\.ts$",
      "^packages/protocol/src/content/limits\\.ts$",
      "^packages/protocol/src/desk/api\\.ts$",
      "^packages/protocol/src/reports/(wire|limits)\\.ts$",
      "^packages/protocol/src/tokens/tokens\\.ts$",
      "^packages/protocol/src/wakes/wakes\\.ts$",
      "^packages/client/src/(export/export|imports/import|platform/(node|web)|files/(reading|piece-request|file-name)|lock/web-lock|passphrase/(opaque|steps)|methods|api/own|api/limits|api/desk|api/holdings|api/counts|api/bytes)\\.ts$",
      "^packages/transparency/src/directory/memory-directory\\.testing\\.ts$",
      "^packages/server/src/testing/index\\.ts$",
      "^packages/client/src/testing/(archives|index|tokens)\\.ts$",
      "^packages/reports/src/(inbox-item|seal-notice|testing/index)\\.ts$",
      "^packages/releases/src/(reading|testing/index)\\.ts$",
      "^packages/counts/src/testing/index\\.ts$",
      "^apps/web/src/(notices/news|messages/text)\\.ts$",
      "/package\\.json$",
    ],
  },
}));

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    ...arrowRules,
    ...deepRules,
    {
      name: "no-cycles",
      comment: "Cycles hide which module owns what; type-only ones count.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "relative-imports-stay-at-home",
      comment: "Another package is imported by its name.",
      severity: "error",
      from: { path: "^(packages/[^/]+|apps/[^/]+)/" },
      to: { path: anyWorkspace, pathNot: "^$1/", dependencyTypes: ["local"], dependencyTypesNot: ["npm", "npm-dev", "aliased"] },
    },
    {
      name: "pure-zones-use-no-platform",
      comment:
        "codec, transparency, protocol, reports, counts, releases, mls (but its Node provider) and the client's core run anywhere: no node:* modules.",
      severity: "error",
      from: {
        path: "^(packages/(codec|transparency|protocol|mls|reports|counts|releases)/src/|packages/client/src/core/)",
        pathNot: [testFile, "^packages/mls/src/crypto/node"],
      },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "node-provider-stays-at-the-edge",
      comment: "Protocol logic gets its primitives passed in.",
      severity: "error",
      from: { path: "^packages/mls/src/", pathNot: [testFile, "^packages/mls/src/crypto/"] },
      to: { path: "^packages/mls/src/crypto/(node|web|noble)" },
    },
    {
      name: "core-does-no-io",
      comment: "The client's core is pure: stores, transports and platforms are its edge. The store's interface is the seam.",
      severity: "error",
      from: { path: "^packages/client/src/core/", pathNot: testFile },
      to: { path: "^packages/client/src/(store|transport|platform)/", pathNot: "^packages/client/src/store/store\\.ts$" },
    },
    {
      name: "no-tests-in-production",
      comment: "Dangerous or test-only code cannot be reached from what ships.",
      severity: "error",
      from: { path: "^(packages|apps)/", pathNot: [testFile, "^packages/testkit/"] },
      to: { path: testFile },
    },
    {
      name: "server-knows-no-mls",
      comment: "The server cannot open a message: MLS, and what verifies a report, is for the desk alone.",
      severity: "error",
      from: { path: "^packages/server/", pathNot: ["^packages/server/src/desk/", testFile] },
      to: { path: "^packages/(mls|reports)/" },
    },
    {
      name: "cli-meets-the-server-in-serve-only",
      comment: "Client and server never meet outside tests, but for the commands that start one and look after its data folder.",
      severity: "error",
      from: {
        path: "^apps/cli/src/",
        pathNot: ["^apps/cli/src/(commands/(serve|backup|restore|blobs|doctor|migrate)|database-place\\.ts$)", testFile],
      },
      to: { path: "^packages/server/" },
    },
    {
      name: "no-unresolvable",
      comment: "An import that resolves to nothing would be checked by no rule.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "^(virtual:|vite/client)" },
    },
  ],
  options: {
    exclude: { path: "(/dist/|/\\.tsbuild/)" },
    doNotFollow: { path: "node_modules/(?!@latchkey)" },
    preserveSymlinks: false,
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.base.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"],
      extensions: [".ts", ".tsx", ".js", ".cjs", ".mjs", ".json", ".css"],
    },
  },
};
