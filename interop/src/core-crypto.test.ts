import { randomBytes } from "node:crypto";
import { fromHex, toHex, utf8Bytes } from "@latchkey/codec";
import { createGroupInfo, processMessage } from "@latchkey/mls";
import { nodeCrypto } from "@latchkey/mls/node";
import { getCiphersuiteFromName, getCiphersuiteImpl } from "ts-mls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TestPage } from "./chromium.ts";
import { CoreCryptoClient, openCoreCrypto } from "./parties/core-crypto.ts";
import { LatchkeyParty } from "./parties/latchkey.ts";
import { TsMlsParty } from "./parties/ts-mls.ts";
import { seededNumbers } from "./session.ts";

// core-crypto reads a member's identity as its client id, and names members by it.
let named = 0;
function clientId(): string {
  return `${crypto.randomUUID()}:${(0xf000 + named++).toString(16)}@interop.example`;
}

const suite = nodeCrypto.suite(1);
let opened: TestPage;

beforeAll(async () => {
  opened = await openCoreCrypto();
});
afterAll(async () => {
  await opened[Symbol.asyncDispose]();
});

const ours = (): LatchkeyParty =>
  new LatchkeyParty(suite, clientId(), {
    capabilities: { versions: [1], cipherSuites: [1], extensions: [], proposals: [], credentials: [1, 2] },
  });
const theirs = (): Promise<CoreCryptoClient> => CoreCryptoClient.create(opened.page, `core-crypto ${named++}`);

type Peer = LatchkeyParty | CoreCryptoClient;

async function epochOf(peer: Peer): Promise<bigint> {
  return peer instanceof LatchkeyParty ? (await peer.view()).epoch : await peer.epoch();
}

/** Everybody reads what everybody says: which only members of the same epoch can. */
async function expectAgreement(peers: readonly Peer[]): Promise<void> {
  expect(new Set(await Promise.all(peers.map((peer) => epochOf(peer)))).size).toBe(1);
  for (const from of peers) {
    const plaintext = new Uint8Array(randomBytes(40));
    const message = await from.encrypt(plaintext);
    for (const reader of peers) {
      if (reader === from) continue;
      expect(await reader.receive(message)).toMatchObject({ kind: "application", plaintext });
    }
  }
  const exported = peers.filter((peer) => peer instanceof CoreCryptoClient);
  const secrets = new Set(await Promise.all(exported.map(async (peer) => toHex(await peer.exported(32)))));
  expect(secrets.size).toBeLessThanOrEqual(1);
}

async function joinAs(peer: Peer, params: { welcome: Uint8Array | undefined; ratchetTree: Uint8Array | undefined }): Promise<void> {
  const { welcome = fromHex(""), ratchetTree } = params;
  if (peer instanceof LatchkeyParty) await peer.join({ welcome, ratchetTree });
  else await peer.join(welcome);
}

describe("core-crypto 10.3.0 (OpenMLS) in Chromium", () => {
  it.each(["latchkey", "core-crypto"])(
    "a group that %s founded: each side in turn adds, updates and removes",
    { timeout: 180_000 },
    async (founderKind) => {
      const below = seededNumbers(founderKind.length);
      let peers: Peer[] = [founderKind === "latchkey" ? ours() : await theirs()];
      await peers[0]?.createGroup(new Uint8Array(randomBytes(32)));
      let removals = 0;
      const commits = { latchkey: 0, "core-crypto 10.3.0": 0 };
      for (let turn = 0; turn < 16; turn++) {
        // In turn, as far as both sides are there.
        const side = turn % 2 === 0 ? "latchkey" : "core-crypto 10.3.0";
        const candidates = peers.filter(({ implementation }) => implementation === side);
        const [committer = peers[0]] = candidates.slice(below(Math.max(1, candidates.length)));
        if (committer === undefined) throw new Error("an empty group");
        const others = peers.filter((peer) => peer !== committer);
        // Said before the commit, read after it, in another order.
        const said: { readonly from: Peer; readonly plaintext: Uint8Array; readonly message: Uint8Array }[] = [];
        for (const from of peers.slice(0, 3)) {
          for (let i = 0; i < 2; i++) {
            const plaintext = new Uint8Array(randomBytes(20));
            said.push({ from, plaintext, message: await from.encrypt(plaintext) });
          }
        }
        const kind = peers.length < 3 ? 0 : below(3);
        const joiners: Peer[] = kind === 0 && peers.length < 7 ? (turn % 4 < 2 ? [await theirs(), ours()] : [ours(), await theirs()]) : [];
        const leaving = kind === 1 && peers.length > 3 ? others[below(others.length)] : undefined;
        const adds: Uint8Array[] = [];
        for (const joiner of joiners) adds.push(await joiner.keyPackage());
        const created =
          committer instanceof LatchkeyParty
            ? await committer.commit({
                adds,
                removes: leaving === undefined ? [] : [await leafOf(leaving, committer)],
                treeInWelcome: true,
              })
            : await committer.commit({ adds }, leaving === undefined ? [] : [await identityOf(leaving, peers)]);
        commits[committer.implementation]++;
        for (const peer of others) {
          const received = await peer.receive(created.message);
          expect(received.kind, `turn ${turn}: ${peer.implementation} receives of ${committer.implementation}`).toBe(
            peer === leaving ? "removed" : "commit",
          );
        }
        if (leaving !== undefined) removals++;
        peers = peers.filter((peer) => peer !== leaving);
        for (const { from, plaintext, message } of said.toReversed()) {
          for (const reader of peers) {
            if (reader === from) continue;
            // core-crypto looks for the sender among today's members: what somebody said before being removed is lost to it.
            if (from === leaving && reader instanceof CoreCryptoClient)
              await expect(reader.receive(message)).rejects.toThrow("Sender is not part of the group");
            else expect(await reader.receive(message), `turn ${turn}: a late message`).toMatchObject({ kind: "application", plaintext });
          }
        }
        for (const [place, joiner] of joiners.entries()) await joinAs(joiner, { welcome: created.welcomes[place], ratchetTree: undefined });
        peers.push(...joiners);
        await expectAgreement(peers);
      }
      expect(commits.latchkey).toBeGreaterThan(4);
      expect(commits["core-crypto 10.3.0"]).toBeGreaterThan(4);
      expect(removals).toBeGreaterThan(0);
    },
  );

  it("external commits: core-crypto joins by a group info of ours, and ours by one of core-crypto", async () => {
    const founder = ours();
    const core = await theirs();
    await founder.createGroup(utf8Bytes("external"));
    const commit = await core.joinByGroupInfo(await createGroupInfo(founder.state, { withTree: true }));
    await expect(founder.receive(commit)).rejects.toMatchObject({ code: "unsupported" });
    const taken = await processMessage(founder.state, commit, { allowExternalCommits: true });
    if (taken.kind !== "commit") throw new Error("a commit expected");
    founder.state = taken.state;
    await expectAgreement([founder, core]);

    const { message, groupInfo } = await core.commit({});
    expect((await founder.receive(message)).kind).toBe("commit");
    const guest = ours();
    const external = await guest.joinByGroupInfo(groupInfo);
    expect((await core.receive(external)).kind).toBe("commit");
    const again = await processMessage(founder.state, external, { allowExternalCommits: true });
    if (again.kind !== "commit") throw new Error("a commit expected");
    founder.state = again.state;
    await expectAgreement([founder, core, guest]);
  });

  it("refuses a commit that comes as a PrivateMessage: commits for it have to be PublicMessages, as ours always are", async () => {
    const third = new TsMlsParty(
      await getCiphersuiteImpl(getCiphersuiteFromName("MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519")),
      clientId(),
    );
    const founder = ours();
    const core = await theirs();
    await founder.createGroup(utf8Bytes("private commits"));
    const { welcomes, ratchetTree } = await founder.commit({
      adds: [await core.keyPackage(), await third.keyPackage()],
      treeInWelcome: true,
    });
    await joinAs(core, { welcome: welcomes[0], ratchetTree: undefined });
    await third.join({ welcome: welcomes[1] ?? fromHex(""), ratchetTree });
    const asPrivate = await third.commit({ asPublicMessage: false });
    expect((await founder.receive(asPrivate.message)).kind).toBe("commit");
    await expect(core.receive(asPrivate.message)).rejects.toThrow(/core-crypto: /);
  });
});

async function leafOf(peer: Peer, seenBy: LatchkeyParty): Promise<number> {
  if (peer instanceof LatchkeyParty) return peer.ownLeaf();
  const id = peer.ownIdentity();
  return seenBy.leafOfIdentity(id);
}

async function identityOf(peer: Peer, peers: readonly Peer[]): Promise<string> {
  if (peer instanceof CoreCryptoClient) return toHex(peer.ownIdentity());
  const name = toHex(utf8Bytes(peer.name));
  const listing = peers.find((other) => other instanceof CoreCryptoClient);
  const ids = (await listing?.memberIds()) ?? [];
  if (!ids.includes(name))
    throw new Error(`core-crypto does not list ${peer.name}: ${ids.map((id) => new TextDecoder().decode(fromHex(id))).join(" ")}`);
  return name;
}
