import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { CommandContext, OptionValues } from "./command.ts";
import { runWith } from "../run.testing.ts";
import { serverOptions } from "./serve.ts";

function optionsOf(values: OptionValues, variables: Record<string, string> = {}) {
  const workingDirectory = mkdtempSync(join(tmpdir(), "latchkey-serve-"));
  onTestFinished(() => rmSync(workingDirectory, { recursive: true, force: true }));
  writeFileSync(join(workingDirectory, "policy"), "quorum none\n");
  // What the options are made of.
  const environment = { variables, workingDirectory } as CommandContext["environment"];
  return serverOptions({ environment, values });
}

test("witnesses are named one by one, by option or variable, with or without a key for the map", () => {
  const witness = ["https://w1.example name+01+AA= map+02+BB=", "http://localhost:7001 name2+03+CC="];
  const witnesses = [
    { url: "https://w1.example", logKey: "name+01+AA=", mapKey: "map+02+BB=" },
    { url: "http://localhost:7001", logKey: "name2+03+CC=" },
  ];
  expect(optionsOf({ witness })).toMatchObject({ witnesses });
  expect(optionsOf({ "witness-quorum": "2" }, { LATCHKEY_WITNESS: witness.join(", ") })).toMatchObject({ witnesses, witnessQuorum: 2 });
  expect(optionsOf({})).not.toHaveProperty("witnesses");
});

test("or by policy files", () => {
  expect(optionsOf({ "witness-policy": "policy", "map-policy": "policy" })).toMatchObject({
    logPolicy: "quorum none\n",
    mapPolicy: "quorum none\n",
  });
});

test.each([
  { witness: ["https://w1.example"] },
  { witness: ["w1.example name+01+AA="] },
  { witness: ["https://w1.example a b c"] },
  { witness: ["https://w1.example a"], "witness-policy": "policy" },
  { witness: ["https://w1.example a"], "witness-quorum": "2" },
  { "witness-quorum": "1" },
  { "witness-policy": "nowhere" },
  { "rotate-log-key": "maybe" },
])("%j is refused with what to do", (values) => {
  expect(() => optionsOf(values)).toThrow(expect.objectContaining({ code: "invalid_option" }));
});

test("what an operator insists on is said in the command alone, flag by flag", () => {
  expect(optionsOf({ "i-know": ["clock"] })).toMatchObject({ iKnow: ["clock"] });
  expect(() => optionsOf({}, { LATCHKEY_I_KNOW: "clock" })).toThrow("--i-know is said in the command");
  expect(() => optionsOf({ "i-know": ["everything"] })).toThrow(
    "--i-know takes clock, extra-blobs, host, lost-blobs, lost-desk, lost-log-key, new-journal, rolled-back",
  );
});

test("what would be passed over without a word is refused: an empty folder, a variable of nothing, a web app that is not there", () => {
  const refused = (values: OptionValues, variables: Record<string, string> = {}): string => {
    try {
      optionsOf(values, variables);
      return "taken";
    } catch (error) {
      return error instanceof Error ? error.message : "";
    }
  };
  expect(refused({ data: "" })).toContain("--data is empty");
  expect(refused({}, { LATCHKEY_DATA: "" })).toContain("--data is empty");
  expect(refused({}, { LATCHKEY_RETENTION: "9" })).toContain("LATCHKEY_RETENTION is no variable");
  expect(refused({}, { LATCHKEY_RETENTION_DAYS: "9", LATCHKEY_HOME: "/", LATCHKEY_NIGHTLY: "1" })).toBe("taken");
  expect(refused({ "web-root": "nowhere" })).toContain("there is no web app in");
  expect(refused({ "web-root": "" })).toBe("taken");
});

test("push services are named in place of the known ones, or none of them", () => {
  expect(optionsOf({})).not.toHaveProperty("pushServices");
  expect(optionsOf({ "push-services": "push.example.org, *.Example.com" })).toMatchObject({
    pushServices: ["push.example.org", "*.example.com"],
  });
  expect(optionsOf({ "push-services": "none" })).toMatchObject({ pushServices: [] });
});

test("proxies and limits are handed to the server as they are written", () => {
  expect(optionsOf({})).toMatchObject({ trustProxy: false });
  expect(optionsOf({ "trust-proxy": "yes" })).toMatchObject({ trustProxy: true });
  expect(optionsOf({ "trust-proxy": "127.0.0.1,10.0.0.0/8" })).toMatchObject({ trustProxy: "127.0.0.1,10.0.0.0/8" });
  expect(optionsOf({}, { LATCHKEY_LIMIT: "maxConnections=9, rates.createLog=1/0.5" })).toMatchObject({
    limitSettings: ["maxConnections=9", "rates.createLog=1/0.5"],
  });
});

test("the address of the database, which may hold a password, is in no configuration and no line", async () => {
  const database = "postgresql://latchkey:correct-horse@127.0.0.1:9/latchkey";
  for (const options of [optionsOf({ database }), optionsOf({}, { LATCHKEY_DATABASE: database })]) {
    expect(options).toMatchObject({ database: { at: database, acceptLoss: false } });
    expect(JSON.stringify(options.effectiveConfig)).not.toContain("postgresql");
  }
  const folder = mkdtempSync(join(tmpdir(), "latchkey-serve-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const at of [database, `${database}:nothing:`, database.replace("postgresql", "mysql")]) {
    const { status, stdout, stderr } = await runWith(folder, ["serve", "--port", "0", "--database", at]);
    expect(status).not.toBe(0);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stdout + stderr).not.toMatch(/correct-horse|postgresql:\/\/latchkey/);
  }
});
