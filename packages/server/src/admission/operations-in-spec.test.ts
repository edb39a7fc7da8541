import { roleCodecs, roles } from "@latchkey/protocol";
import { tokenRealms } from "@latchkey/protocol/tokens";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { limitNames } from "./limit-settings.ts";

const spec = readFileSync(new URL("../../../../spec/50-inbox-tokens-wakeups.md", import.meta.url), "utf8");
const rules =
  readFileSync(new URL("../../../../spec/10-logs.md", import.meta.url), "utf8") +
  readFileSync(new URL("../../../../spec/30-accounts.md", import.meta.url), "utf8");

/** Role, operation, token, cost and bound of each row. */
function rows(): string[][] {
  const [, table = ""] = spec.split("## What each operation costs");
  return table
    .split("\n")
    .filter((line) => /^\| (device|log|post|lookup|http) /u.test(line))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

test("[T-1] the table has each request of each role once, the token that it costs, and bounds that there are", () => {
  const requests = roles.flatMap((role) => [...roleCodecs[role].request.kinds.values()].map((kind) => `${role} ${kind}`));
  const asked = rows().filter(([role]) => role !== "http");
  expect(asked.map(([role, kind]) => `${role ?? ""} ${kind ?? ""}`).toSorted()).toEqual(requests.toSorted());
  const costing = rows().flatMap(([, , token = ""]) => (token === "" ? [] : [token]));
  expect(costing.toSorted()).toEqual(Object.keys(tokenRealms).toSorted());
  const limits = limitNames();
  for (const [, kind, , cost = "", bound = ""] of rows()) {
    expect(cost, kind).not.toBe("");
    expect(bound, kind).not.toBe("");
    for (const [, name = ""] of bound.matchAll(/`([^`]+)`/gu)) expect(limits.has(name), `${kind ?? ""}: ${name}`).toBe(true);
    for (const [rule] of bound.matchAll(/\b[A-Z]-[0-9]+\b/gu)) expect(rules, kind).toContain(`**${rule}**`);
  }
});
