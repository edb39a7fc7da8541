import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { readMetrics, temporaryDirectory } from "../testing/fixtures.ts";
import { startServer } from "../server.ts";

const pathOf = (path: string): string => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));
const read = (path: string): string => readFileSync(pathOf(path), "utf8");

/** What a server tells of itself, as Prometheus reads it. */
let scraped: string;
/** Names of all metrics, those without a value now included. */
let names: Set<string>;
beforeAll(async () => {
  const dataDirectory = mkdtempSync(join(tmpdir(), "latchkey-operations-"));
  const server = await startServer({ port: 0, metricsPort: 0, dataDirectory, logLevel: "silent" });
  await readMetrics(server);
  scraped = await readMetrics(server);
  names = new Set([...scraped.matchAll(/^# TYPE (\S+) /gm)].map(([, name = ""]) => name));
  await server.close();
  rmSync(dataDirectory, { recursive: true, force: true });
});

/** Names in an expression, a histogram's without what is put behind them. */
function namesIn(text: string): string[] {
  return [...new Set([...text.matchAll(/\blatchkey_[a-z_]+\b/g)].map(([name]) => name.replace(/_(?:bucket|sum|count)$/, "")))];
}

test("the table in operations.md has every metric, and no other", () => {
  const table = [...read("docs/operations.md").matchAll(/^\| `(latchkey_[a-z_]+)/gm)].map(([, name]) => name);
  expect(table.toSorted()).toEqual([...names].toSorted());
});

test.each(["ops/prometheus-rules.yml", "ops/grafana-dashboard.json"])("every metric that %s names is one of the server's", (path) => {
  const text = path.endsWith(".json") ? expressionsOf(read(path)) : read(path);
  const found = namesIn(text);
  expect(found.length).toBeGreaterThan(10);
  expect(found.filter((name) => !names.has(name))).toEqual([]);
});

/** What the dashboard's panels ask for. */
function expressionsOf(dashboard: string): string {
  const { panels } = JSON.parse(dashboard) as { panels: { id: number; title: string; targets: { expr: string }[] }[] };
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)).join("\n");
}

const hasPromtool = spawnSync("promtool", ["--version"]).error === undefined;
if (!hasPromtool)
  process.stdout.write("Alert rules and the dashboard's expressions are not checked: promtool (prometheus) is not installed.\n");

describe.skipIf(!hasPromtool)("promtool", () => {
  const promtool = (args: readonly string[], input = ""): { status: number | null; output: string } => {
    const { status, stdout, stderr } = spawnSync("promtool", args, { input, encoding: "utf8" });
    return { status, output: stdout + stderr };
  };

  test("takes the alert rules, and each alert is quiet and loud when it should be", () => {
    expect(promtool(["check", "rules", pathOf("ops/prometheus-rules.yml")])).toMatchObject({ status: 0 });
    expect(promtool(["test", "rules", pathOf("ops/prometheus-rules.test.yml")])).toMatchObject({ status: 0 });
  });

  test("finds nothing to say against the metrics", () => {
    expect(promtool(["check", "metrics"], scraped)).toEqual({ status: 0, output: "" });
  });

  test("understands every expression of the dashboard", () => {
    const rules = expressionsOf(read("ops/grafana-dashboard.json"))
      .split("\n")
      // As Grafana fills it in.
      .map((expr, at) => ({
        record: `panel:${at}:x`.replaceAll(/\d/g, (digit) => "abcdefghij".charAt(Number(digit))),
        expr: expr.replaceAll("$instance", ".*"),
      }));
    const text = JSON.stringify({ groups: [{ name: "dashboard", rules }] });
    const path = join(temporaryDirectory(), "dashboard.json");
    writeFileSync(path, text);
    expect(promtool(["check", "rules", path])).toMatchObject({ status: 0 });
  });
});
