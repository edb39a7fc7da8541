import { toBase64Url } from "@latchkey/codec";
import { createJoinLinkContent } from "@latchkey/protocol";
import type { JoinLinkWord } from "@latchkey/protocol";
import { describe, expect, it } from "vitest";
import { nextBook } from "../join-links/book.ts";
import type { LinkBook } from "../join-links/book.ts";
import { roles } from "./rights.ts";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";

const id = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const open = (link: number): JoinLinkWord => ({ word: "open", linkId: id(link), linkHash: id(100 + link), notAfterMs: 1, maxUses: 2 });
const admit = (link: number, account: number): JoinLinkWord => ({ word: "admit", linkId: id(link), tag: new Uint8Array(16).fill(account) });

/** Ada owns the group, ben is an administrator, cyd and dan are members. */
async function scene(seed: string): Promise<{ world: SimWorld; ada: SimDevice; ben: SimDevice; cyd: SimDevice; dan: SimDevice }> {
  const world = await SimWorld.create(seed, ["ada", "ben", "cyd", "dan"]);
  const [ada, ben, cyd, dan] = world.devices;
  if (ada === undefined || ben === undefined || cyd === undefined || dan === undefined) throw new Error("four");
  const entries = [
    { accountId: ada.self.accountId, role: roles.owner },
    { accountId: ben.self.accountId, role: roles.administrator },
  ];
  await ada.found([ben, cyd, dan], { roles: entries });
  await world.settle();
  return { world, ada, ben, cyd, dan };
}

async function say({ world, device, said }: { world: SimWorld; device: SimDevice; said: JoinLinkWord }): Promise<void> {
  const salt = world.random(16);
  const content = createJoinLinkContent({ salt, sentAtMs: 1, said });
  await device.input({ kind: "compose", id: toBase64Url(salt), purpose: "link", text: "", content });
}

const bookOf = ({ links }: SimDevice): LinkBook => links.reduce<LinkBook>(nextBook, []);
const ends = (device: SimDevice): readonly string[] => bookOf(device).map(({ end }) => end);

describe("[X-14] join links in a group", () => {
  it("what is open, and who came in, is the same for all, whoever spoke at once; a member's word is nothing", async () => {
    const { world, ada, ben, cyd, dan } = await scene("links");
    await say({ world, device: ada, said: open(1) });
    await world.settle();
    // Both at once, for a link of two, with a member in between.
    const words: readonly (readonly [SimDevice, JoinLinkWord])[] = [
      [ada, admit(1, 5)],
      [cyd, { word: "close", linkId: id(1) }],
      [ben, admit(1, 6)],
      [ada, admit(1, 7)],
      [dan, open(2)],
    ];
    for (const [device, said] of words) await say({ world, device, said });
    await world.settle();
    for (const reader of [ben, cyd, dan]) expect(bookOf(reader)).toEqual(bookOf(ada));
    expect(ends(ada)).toEqual(["open"]);
    expect(bookOf(ada)[0]?.admitted).toHaveLength(2);
    // No line tells of it.
    expect([...cyd.lines.values()].every(({ body }) => body.kind !== "unsupported")).toBe(true);
  });

  it("[E-115] a commit that takes somebody who may invite out, or their role, closes all links, for all alike; that of a member none", async () => {
    const { world, ada, ben, cyd, dan } = await scene("gone");
    await say({ world, device: ben, said: open(1) });
    await world.settle();
    await ada.change([], [dan]);
    await world.settle([ada, ben, cyd]);
    expect([ada, ben, cyd].map(ends)).toEqual([["open"], ["open"], ["open"]]);
    const change = { id: "demoted", adds: [], removes: [], removeDevices: [], proofs: new Uint8Array(0), update: false };
    await ada.input({
      kind: "change",
      change: { ...change, settings: { roles: [{ accountId: ben.self.accountId, role: roles.member }] } },
    });
    await world.settle([ada, ben, cyd]);
    expect([ada, ben, cyd].map(ends)).toEqual([["inviter_gone"], ["inviter_gone"], ["inviter_gone"]]);
    await say({ world, device: ben, said: open(2) });
    await say({ world, device: ada, said: open(3) });
    await world.settle([ada, ben, cyd]);
    expect([ada, ben, cyd].map(ends)).toEqual(Array.from({ length: 3 }, () => ["inviter_gone", "open"]));
    // Everybody may invite: then everybody's going closes them.
    await ada.input({ kind: "change", change: { ...change, id: "all", settings: { rights: { invite: "everyone" } } } });
    await world.settle([ada, ben, cyd]);
    expect(ends(cyd)).toEqual(["inviter_gone", "open"]);
    await ada.change([], [cyd]);
    await world.settle([ada, ben]);
    expect([ada, ben].map(ends)).toEqual(Array.from({ length: 2 }, () => ["inviter_gone", "inviter_gone"]));
  });
});
