import { encode } from "@latchkey/codec";
import { inboxItemKinds, knockCodec, knockMac } from "@latchkey/protocol";
import type { JoinLinkCode } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { inboxSuite, sealInboxItem } from "../group/inbox-seal.ts";
import type { InboxSender } from "../group/inbox-seal.ts";
import { createNodePlatform } from "../platform/node-platform.ts";
import { keyHashOf, openKnock, sealKnock } from "./knock.ts";
import type { OpenedKnock } from "./knock.ts";
import { linkKeys, tagOf } from "./link-keys.ts";
import type { LinkKeys } from "./link-keys.ts";

const platform = createNodePlatform();
const { random } = platform;
const host = "chat.example";

async function link(): Promise<{ keys: LinkKeys; code: JoinLinkCode }> {
  const keys = await linkKeys(platform, random(32));
  const { linkId, secret, keyPair } = keys;
  return { keys, code: { host, linkId, secret, keyHash: keyHashOf(platform.sha256, keyPair.publicKey), directory: random(32), name: "" } };
}

async function sender(): Promise<InboxSender> {
  const { secretKey } = await platform.crypto.suite(inboxSuite).generateSignatureKeyPair(random);
  return { host, accountId: random(32), deviceId: random(16), secretKey };
}

const notAfterMs = (): number => platform.nowMs() + 86_400_000;

describe("[X-14] knocks", () => {
  test("open with the link's keys, and say who knocks and with which answer; a link's keys hang on its seed alone", async () => {
    const { keys, code } = await link();
    const [who, answer] = [await sender(), random(32)];
    const { publicKey } = keys.keyPair;
    const blob = await sealKnock({ platform, sender: who, link: code, publicKey, answer, notAfterMs: notAfterMs() });
    expect(blob).toHaveLength(4096);
    const opened = await openKnock({ platform, host, keys, blob });
    expect(opened).toMatchObject({ answer, item: { head: { senderAccountId: who.accountId, senderDeviceId: who.deviceId } } });
    const seed = random(32);
    expect(await linkKeys(platform, seed)).toEqual(await linkKeys(platform, seed.slice()));
    expect(tagOf(platform, keys, who.accountId)).not.toEqual(tagOf(platform, (await link()).keys, who.accountId));
  });

  test("[E-113] at another link, with another secret, for another host, expired, changed anywhere or of another kind it is none", async () => {
    const [{ keys, code }, other] = [await link(), await link()];
    const [who, answer] = [await sender(), random(32)];
    const seal = (params: Partial<Parameters<typeof sealKnock>[0]>): Promise<Uint8Array> =>
      sealKnock({ platform, sender: who, link: code, publicKey: keys.keyPair.publicKey, answer, notAfterMs: notAfterMs(), ...params });
    const blob = await seal({});
    const open = (bytes: Uint8Array, by = keys, at = host): Promise<OpenedKnock | undefined> =>
      openKnock({ platform, host: at, keys: by, blob: bytes });
    expect(await open(blob)).toBeDefined();
    expect(await open(blob, other.keys)).toBeUndefined();
    // The key of one link under the name of another.
    expect(await open(blob, { ...keys, linkId: other.keys.linkId })).toBeUndefined();
    expect(await open(blob, keys, "other.example")).toBeUndefined();
    expect(await open(await seal({ link: { ...code, secret: random(16) } }))).toBeUndefined();
    expect(await open(await seal({ sender: { ...who, host: "other.example" } }))).toBeUndefined();
    expect(await open(await seal({ notAfterMs: platform.nowMs() - 1 }))).toBeUndefined();
    expect(await open(await seal({ notAfterMs: platform.nowMs() + 400 * 86_400_000 }))).toBeUndefined();
    for (let at = 0; at < blob.length; at += 131)
      expect(await open(blob.map((byte, place) => (place === at ? byte ^ 1 : byte)))).toBeUndefined();
    for (const junk of [random(4096), random(4097), new Uint8Array(0), blob.subarray(1)]) expect(await open(junk)).toBeUndefined();
    const { linkId, secret, keyPair } = keys;
    const scope = { host, accountId: who.accountId, deviceId: who.deviceId, linkId, answer };
    const body = encode(knockCodec, { format: 1, mac: knockMac(platform.sha256, secret, scope), answer, ext: new Uint8Array(0) });
    const recipient = { host, deviceId: linkId.slice(0, 16), inboxId: linkId, inboxKey: keyPair.publicKey };
    const item = { platform, sender: who, recipient, itemId: random(16), notAfterMs: notAfterMs() };
    expect(await open(await sealInboxItem({ ...item, kind: inboxItemKinds.knock, body }))).toBeDefined();
    expect(await open(await sealInboxItem({ ...item, kind: inboxItemKinds.welcome, body }))).toBeUndefined();
    expect(await open(await sealInboxItem({ ...item, kind: inboxItemKinds.knock, body: body.subarray(1) }))).toBeUndefined();
  });
});
