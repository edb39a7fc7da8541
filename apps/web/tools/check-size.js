// Fails when what the first visit loads (page, styles, scripts and the worker) is above the budget.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const budgetBytes = 250 * 1024;
const dist = fileURLToPath(new URL("../dist", import.meta.url));
const firstLoad = /\.(?:html|js|css|svg|webmanifest)$/;

if (process.argv.includes("--help")) {
  process.stdout.write(
    "node apps/web/tools/check-size.js: fails above 250 KB gzip for everything in apps/web/dist that the first load fetches.\n",
  );
} else {
  const rows = listFiles(dist)
    .filter((path) => firstLoad.test(path))
    .map((path) => ({ path: path.slice(dist.length + 1), sizeBytes: gzipSync(readFileSync(path), { level: 9 }).length }))
    .sort((a, b) => b.sizeBytes - a.sizeBytes);
  const totalBytes = rows.reduce((sum, row) => sum + row.sizeBytes, 0);
  for (const row of rows) process.stdout.write(`${kilobytes(row.sizeBytes).padStart(9)}  ${row.path}\n`);
  process.stdout.write(`${kilobytes(totalBytes).padStart(9)}  together, gzip (budget ${kilobytes(budgetBytes)})\n`);
  if (rows.length === 0 || totalBytes > budgetBytes) {
    process.stderr.write(rows.length === 0 ? "apps/web/dist is empty: build first\n" : "the first load is above its budget\n");
    process.exitCode = 1;
  }
}

function listFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? listFiles(path) : [path];
  });
}

function kilobytes(sizeBytes) {
  return `${(sizeBytes / 1024).toFixed(1)} KB`;
}
