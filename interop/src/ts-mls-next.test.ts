import { fromHex } from "@latchkey/codec";
import { nodeCrypto } from "@latchkey/mls/node";
import { getCiphersuiteImpl } from "ts-mls-next";
import { describe, expect, it } from "vitest";
import { LatchkeyParty } from "./parties/latchkey.ts";
import { TsMlsNextParty } from "./parties/ts-mls-next.ts";

describe("ts-mls 2.0.0-rc.10", () => {
  it("joins, talks and updates with ours", async () => {
    const { founder, peer, third } = await group();
    const text = new TextEncoder().encode("hello");
    expect(await founder.receive(await peer.encrypt(text))).toMatchObject({ kind: "application", plaintext: text });
    const update = await peer.commit({});
    expect((await founder.receive(update.message)).kind).toBe("commit");
    expect((await third.receive(update.message)).kind).toBe("commit");
    expect(await founder.view()).toEqual(await third.view());
    await peer.receive(await founder.encrypt(text));
  });

  it("is at fault: it removes members without a path, so that they could follow into the next epoch; ours refuses such a commit", async () => {
    const { founder, peer, third } = await group();
    const removal = await peer.commit({ removes: [third.ownLeaf()] });
    const before = await founder.view();
    await expect(founder.receive(removal.message)).rejects.toMatchObject({
      code: "invalid-commit",
      check: "public",
      clause: "RFC 9420 §12.4",
    });
    expect(await founder.view()).toEqual(before);
  });
});

async function group(): Promise<{ founder: LatchkeyParty; peer: TsMlsNextParty; third: LatchkeyParty }> {
  const suite = nodeCrypto.suite(1);
  const [founder, third] = [new LatchkeyParty(suite, "founder"), new LatchkeyParty(suite, "third")];
  const peer = new TsMlsNextParty(await getCiphersuiteImpl("MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519"), "peer");
  await founder.createGroup(fromHex("0a"));
  const { welcomes } = await founder.commit({ adds: [await peer.keyPackage(), await third.keyPackage()], treeInWelcome: true });
  await peer.join({ welcome: welcomes[0] ?? fromHex("") });
  await third.join({ welcome: welcomes[1] ?? fromHex(""), ratchetTree: undefined });
  return { founder, peer, third };
}
