import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client, Verification } from "@latchkey/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ann, ben, conversation, createFake, groupId, ownsIt, runWith } from "../run.testing.ts";

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
  ...ownsIt,
} as const;
const verification: Verification = { members: [], hold: undefined, away: [ben], mayLetBack: true, mayRemove: true };
const answers: Partial<Client> = {
  setRole: () => Promise.resolve(),
  changeSettings: () => Promise.resolve(),
  setGroupPicture: () => Promise.resolve(),
  details: () => Promise.resolve(details),
  verification: () => Promise.resolve(verification),
  resolve: () => Promise.resolve(ann),
  keepOut: () => Promise.resolve(),
  removeMembers: () => Promise.resolve(),
  settle: () => Promise.resolve(),
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

describe("[X-13] what a person sets of a group", () => {
  const server = ["--server", "http://localhost:8080"];
  test.each<readonly [readonly string[], readonly unknown[]]>([
    [
      ["role", groupId, "administrator", "ann"],
      ["setRole", groupId, [ann.accountId], "administrator"],
    ],
    [
      ["name", groupId, "Picnic on Sunday"],
      ["changeSettings", groupId, { name: "Picnic on Sunday" }],
    ],
    [
      ["describe", groupId, "By the lake"],
      ["changeSettings", groupId, { description: "By the lake" }],
    ],
    [
      ["rights", groupId, "post=administrators", "add=everyone", "history=7_days"],
      ["changeSettings", groupId, { rights: { post: "administrators", add: "everyone", history: "7_days" } }],
    ],
    [
      ["timer", groupId, "3600"],
      ["changeSettings", groupId, { timerS: 3600 }],
    ],
    [
      ["timer", groupId, "8h"],
      ["changeSettings", groupId, { timerS: 28_800 }],
    ],
    [
      ["timer", groupId, "off"],
      ["changeSettings", groupId, { timerS: 0 }],
    ],
    [
      ["slow-mode", groupId, "10"],
      ["changeSettings", groupId, { slowModeS: 10 }],
    ],
    [
      ["keep-out", groupId, "ann"],
      ["keepOut", groupId, [ann.accountId], true],
    ],
    [
      ["remove", "--keep-out", groupId, "ann"],
      ["removeMembers", groupId, [ann.accountId], { keepOut: true }],
    ],
  ])("group %j asks the client so", async (asked, call) => {
    const fake = createFake(answers);
    expect((await runWith(home, ["group", ...asked, ...server], fake)).status).toBe(0);
    expect(fake.calls).toContainEqual(call);
  });

  test.each<readonly string[]>([
    ["role", groupId, "king", "ann"],
    ["role", groupId, "owner"],
    ["rights", groupId, "remove=everyone"],
    ["rights", groupId, "fly=everyone"],
    ["rights", groupId],
    ["timer", groupId, "an hour"],
    ["timer", groupId],
  ])("group %s %s %s is no command, and nothing is asked", async (...asked) => {
    const fake = createFake(answers);
    expect((await runWith(home, ["group", ...asked, ...server], fake)).status).toBe(2);
    expect(fake.calls.some(([name]) => name === "setRole" || name === "changeSettings")).toBe(false);
  });
});

describe("[X-21] group picture", () => {
  const set = async (...given: readonly string[]) => {
    const fake = createFake(answers);
    const ran = await runWith(home, ["group", "picture", groupId, ...given, "--server", "http://localhost:8080"], fake);
    return { ...ran, picture: fake.calls.find(([name]) => name === "setGroupPicture")?.[2] };
  };

  test("gives the bytes of a file, nothing for no file, and reads no more than a picture may have", async () => {
    const [path, large] = [join(home, "beds.webp"), join(home, "large.webp")];
    writeFileSync(path, Uint8Array.of(1, 2, 3));
    writeFileSync(large, new Uint8Array(65_513));
    expect(await set(path)).toMatchObject({ status: 0, picture: Uint8Array.of(1, 2, 3) });
    expect(await set("")).toMatchObject({ status: 0, picture: undefined });
    const refused = await set(large);
    expect([refused.status, refused.picture]).toEqual([1, undefined]);
    expect(refused.stderr).toContain("more than 65,512 bytes");
    expect((await set(join(home, "nowhere.webp"))).stderr).toContain("cannot be read");
    expect((await set(path, path)).status).toBe(2);
  });
});
