import type { Client, JoinLink } from "@latchkey/client";
import { describe, expect, test } from "vitest";
import { ann, ben, createFake, groupId, profileOfEachTest } from "../run.testing.ts";

const profile = profileOfEachTest();
const server = ["--server", "http://localhost:8080"];
const link: JoinLink = { linkId: "link", url: "https://chat.example/join#v1.AA", madeBy: ann, expiresAtMs: 0, maxUses: 50, uses: 3 };
const knock = { linkId: "link", host: "chat.example", name: "Picnic", sentAtMs: 0, expiresAtMs: 1 };
const answers: Partial<Client> = {
  createJoinLink: () => Promise.resolve(link),
  joinLinks: () => Promise.resolve([link, { ...link, linkId: "other", url: undefined }]),
  revokeJoinLink: () => Promise.resolve(),
  waitingRoom: () => Promise.resolve([{ person: ben, linkId: "link", seenAtMs: 0, refusals: 2 }]),
  admit: () => Promise.resolve(),
  refuse: () => Promise.resolve(),
  knock: () => Promise.resolve(knock),
  knocks: () => Promise.resolve([knock]),
};

describe("[X-14] links by which people come into groups", () => {
  test("invite makes, lists and revokes them", async () => {
    const fake = createFake(answers);
    const made = await profile.run(["invite", "create", groupId, "--days", "3", "--uses", "5", "--unnamed", ...server], fake);
    expect([made.status, made.stdout]).toEqual([0, "https://chat.example/join#v1.AA\n"]);
    expect(fake.calls).toContainEqual(["createJoinLink", groupId, { days: 3, uses: 5, isNamed: false }]);
    const listed = await profile.run(["invite", "list", groupId, ...server], fake);
    expect(listed.stdout).toMatch(/link {2}by ann.*used 3 of 50\n {2}https:.*\nother.*\n {2}\(made on another device/u);
    expect((await profile.run(["invite", "revoke", groupId, "link", ...server], fake)).status).toBe(0);
    expect(fake.calls).toContainEqual(["revokeJoinLink", groupId, "link"]);
  });

  test("knocks lists who waits, lets in and refuses, by name, and nobody else", async () => {
    const fake = createFake(answers);
    expect((await profile.run(["knocks", "list", groupId, ...server], fake)).stdout).toMatch(/ben {2}asks to be let in.*refused 2 times/u);
    expect((await profile.run(["knocks", "admit", groupId, "ben", ...server], fake)).stdout).toBe("let in ben\n");
    expect((await profile.run(["knocks", "refuse", groupId, "@Ben", ...server], fake)).stdout).toBe("refused ben\n");
    expect(fake.calls.filter(([name]) => name === "admit" || name === "refuse")).toEqual([
      ["admit", groupId, ben.accountId],
      ["refuse", groupId, ben.accountId],
    ]);
    const other = await profile.run(["knocks", "admit", groupId, "eve", ...server], createFake(answers));
    expect([other.status, other.stderr]).toEqual([1, "latchkey: unknown_request: eve does not wait at a link of this group\n"]);
  });

  test("join asks, and says where one waits", async () => {
    const fake = createFake(answers);
    const asked = await profile.run(["join", "https://chat.example/join#v1.AA", ...server], fake);
    expect(asked.stdout).toMatch(/^asked to join "Picnic" on chat\.example.*has to let you in\n$/u);
    expect(fake.calls).toContainEqual(["knock", "https://chat.example/join#v1.AA"]);
    expect((await profile.run(["join", ...server], fake)).stdout).toMatch(/^asked to join "Picnic"/u);
  });

  test.each([
    ["invite", "create", groupId, "--days", "soon"],
    ["invite", "create", groupId, "--uses", "0"],
    ["invite", "revoke", groupId],
    ["invite", "list", groupId, "link"],
    ["invite", "make", groupId],
    ["knocks", "admit", groupId],
    ["knocks", "list", groupId, "ben"],
    ["knocks", groupId, "ben"],
    ["join", "one", "two"],
  ])("%s %s %s is no command, and nothing is asked", async (...args) => {
    const fake = createFake(answers);
    expect((await profile.run([...args.filter((one) => typeof one === "string"), ...server], fake)).status).toBe(2);
    expect(fake.calls).toEqual([]);
  });
});
