import { nodeCrypto } from "@latchkey/mls/node";
import { createGroup } from "@latchkey/mls";
import { conversationKinds } from "@latchkey/protocol";
import type { SettingsOpening } from "@latchkey/protocol";
import { seededRandom } from "@latchkey/testkit";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, test } from "vitest";
import { credentialOf } from "../group/credential.ts";
import { isPermitted } from "./permitted.ts";
import { groupExtension, rosterOf } from "./roster.ts";
import { foundingSettings } from "./settings.ts";
import type { Roster, Self } from "./types.ts";

const random = seededRandom("other hosts");
const suite = nodeCrypto.suite(0x0001);
const signatureKeyPair = await suite.generateSignatureKeyPair(random);
const ids = { accountId: random(32), deviceId: random(16), logId: random(32) };
const opening: SettingsOpening = {
  salt: random(32),
  settings: foundingSettings({ name: "tea", accounts: 1, directory: new Uint8Array(32) }),
};

async function groupOf(leafHost: string): Promise<Roster> {
  const self = { host: leafHost, accountId: ids.accountId, deviceId: ids.deviceId } as Self;
  const group = await createGroup({
    suite,
    groupId: random(32),
    credential: credentialOf(self),
    signatureKeyPair,
    lifetime: { notBefore: 0n, notAfter: 4_000_000_000n },
    extensions: [
      groupExtension(sha256, {
        host: "chat.example",
        logId: ids.logId,
        opening,
        conversationKind: conversationKinds.group,
      }),
    ],
    random,
  });
  return rosterOf(group, opening);
}

describe("a leaf that names another host", () => {
  test("[E-40] is in no group: whoever joins one with it refuses", async () => {
    expect((await groupOf("chat.example")).accounts.size).toBe(1);
    await expect(groupOf("192.168.1.5")).rejects.toThrow("another host");
  });

  test("[E-40] is added by nobody, whatever the role", async () => {
    const roster = await groupOf("chat.example");
    const [author] = roster.leaves.values();
    if (author === undefined) throw new Error("a group has a member");
    const added = { format: 1, accountId: random(32), deviceId: random(16) } as const;
    const permitted = (host: string): boolean =>
      isPermitted(
        roster,
        { leaving: new Set(), deleted: new Set(), departed: [], complainers: [], standing: [] },
        { author, adds: [{ ...added, host }], removes: [], settings: undefined },
      );
    expect(permitted("chat.example")).toBe(true);
    expect(permitted("chat.example:8443")).toBe(false);
    expect(permitted("10.0.0.1")).toBe(false);
  });
});
