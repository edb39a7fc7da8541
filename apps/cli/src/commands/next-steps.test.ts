import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { nextSteps } from "./next-steps.ts";
import type { StartFacts } from "./next-steps.ts";

const url = "http://localhost:8080";

function facts(options: Partial<StartFacts["options"]> = {}): StartFacts {
  const workingDirectory = mkdtempSync(join(tmpdir(), "latchkey-steps-"));
  onTestFinished(() => rmSync(workingDirectory, { recursive: true, force: true }));
  return { options: { dataDirectory: join(workingDirectory, "data"), ...options }, url, workingDirectory, isCheckout: true };
}

const topics = (page: string): string[] => [...page.matchAll(/^ {2}(\w[\w ]*?) {2,}\S/gm)].map(([, topic]) => topic ?? "");

test("a server of which nothing is configured gets every step with its command", () => {
  const page = nextSteps(facts());
  expect(topics(page)).toEqual(["Host name", "TLS", "Invitations", "Witnesses", "Backup", "Check"]);
  expect(page).toContain("npm start -- --host chat.example.org --data chat\n");
  expect(page).toContain("./latchkey admin invite create lets one in");
  expect(page).toContain("./latchkey witness --server http://localhost:8080 --key witness.key --name NAME\n");
  expect(page).toContain("./latchkey doctor\n");
});

test("what is configured is not told again, and where all is, nothing is", () => {
  const configured = {
    host: "chat.example",
    tls: { cert: "", key: "" },
    registration: "invitation",
    witnesses: [{ url, logKey: "key" }],
  } as const;
  expect(topics(nextSteps(facts(configured)))).toEqual(["Backup", "Check"]);
  expect(topics(nextSteps(facts({ ...configured, tls: { cert: "", key: "" }, registration: "open" })))).toEqual([
    "Invitations",
    "Backup",
    "Check",
  ]);
  const all = facts({ ...configured, dataDirectory: mkdtempSync(join(tmpdir(), "latchkey-steps-")) });
  onTestFinished(() => rmSync(all.options.dataDirectory, { recursive: true, force: true }));
  writeFileSync(join(all.options.dataDirectory, "last-backup.json"), "{}");
  expect(nextSteps(all)).toBe("");
});

test("commands name the data folder where it is another, and are those of an installed program", () => {
  const given = facts();
  const page = nextSteps({ ...given, options: { dataDirectory: join(given.workingDirectory, "my data") }, isCheckout: false });
  expect(page).toContain('latchkey doctor --data "my data"\n');
  expect(page).toContain('latchkey serve --data "my data" --registration invitation\n');
  expect(page).not.toContain("./latchkey");
});
