import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client, Verification } from "@latchkey/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ann, ben, conversation, createFake, groupId, runWith } from "../run.testing.ts";

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "latchkey-group-"));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const details = {
  conversation: conversation(groupId, "group", "Picnic"),
  members: [{ person: ann, role: "owner", deviceCount: 1 }],
  epoch: 1,
  cipherSuite: "X-Wing hybrid (post-quantum)",
  canManage: true,
} as const;
const verification: Verification = { members: [], hold: undefined, away: [ben], mayLetBack: true };
const answers: Partial<Client> = {
  details: () => Promise.resolve(details),
  verification: () => Promise.resolve(verification),
  letBack: () => Promise.resolve(),
};

describe("[E-64] group let-back", () => {
  test("lets back who is away, by name, and nobody else", async () => {
    const fake = createFake(answers);
    expect((await runWith(home, ["group", "let-back", groupId, "ben", "--server", "http://localhost:8080"], fake)).status).toBe(0);
    expect(fake.calls).toContainEqual(["letBack", groupId, ben.accountId]);
    const other = createFake(answers);
    const refused = await runWith(home, ["group", "let-back", groupId, "eve", "--server", "http://localhost:8080"], other);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain("eve does not wait to be let back");
    expect(other.calls.some(([name]) => name === "letBack")).toBe(false);
  });
});
