import { expect, test } from "vitest";
import type { AccountRecord } from "@latchkey/protocol";
import type { Signatures } from "@latchkey/transparency";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import { createConnections } from "../transport/connection-manager.ts";
import { createFakeServer } from "../transport/fake-server.testing.ts";
import { createDirectory } from "./directory.ts";
import { createFakeDirectory } from "./fake-directory.testing.ts";
import type { OwnAccount } from "./own-account.ts";
import { decodeProofs, encodeProofs } from "./proofs.ts";
import { registerAccount } from "./registration.ts";

const noBytes = new Uint8Array(0);

test("[E-62] of a member's records only those that were asked for are looked at, each once, of a bounded size", async () => {
  const server = createFakeServer("proofs");
  const { platform } = server;
  createFakeDirectory(server);
  const connections = createConnections({ platform, serverUrl: "https://chat.example" });
  const store = createMemoryStore();
  const directory = createDirectory({ store, platform, connections });
  const register = (username: string, profile: Store): Promise<OwnAccount> =>
    registerAccount({
      store: profile,
      platform,
      connections,
      directory: createDirectory({ store: profile, platform, connections }),
      username,
    });
  const annAccount = await register("ann", store);
  const bobAccount = await register("bob", createMemoryStore());
  await directory.loadOwnRecord();
  await directory.resolve({ username: "bob", host: "chat.example" });
  const proofs = await store.transact("read", (tx) => directory.proofsOf(tx, [annAccount.accountId, bobAccount.accountId]));
  const [first, second] = decodeProofs(proofs);
  if (first === undefined || second === undefined) throw new Error("two proofs");
  let verified = 0;
  const { signatures } = platform;
  const counting: Signatures = {
    ...signatures,
    verify: (...args) => {
      verified += 1;
      return signatures.verify(...args);
    },
  };
  const contacts = createDirectory({
    store: createMemoryStore(),
    platform: { ...platform, signatures: counting },
    connections,
  });
  const usernames = async (bytes: Uint8Array, accounts: readonly Uint8Array[]): Promise<string[]> =>
    (await contacts.learn(bytes, accounts)).map((contact) => contact.username);
  expect(await usernames(proofs, [])).toEqual([]);
  // Thousands of others beside it cost not one signature.
  const many = Array.from({ length: 150 }, () => second);
  expect(await usernames(encodeProofs(many), [annAccount.accountId])).toEqual([]);
  expect(verified).toBe(0);
  const [state = noBytes] = second.states;
  const flood = (record: Partial<AccountRecord>): Uint8Array => encodeProofs([{ ...second, ...record }]);
  for (const record of [
    { states: [...second.states, ...Array.from({ length: 256 }, () => state)] },
    { pops: Array.from({ length: 257 }, () => second.pops[0] ?? noBytes) },
    { bindings: Array.from({ length: 33 }, () => second.bindings[0] ?? noBytes) },
  ]) {
    expect(await usernames(flood(record), [bobAccount.accountId])).toEqual([]);
  }
  expect(await usernames(encodeProofs(Array.from({ length: 1000 }, () => second)), [bobAccount.accountId])).toEqual([]);
  expect(verified).toBe(0);
  expect(await usernames(encodeProofs([second, second]), [bobAccount.accountId])).toEqual(["bob"]);
  const once = verified;
  expect(once).toBeGreaterThan(0);
  // What is known already is not verified from its beginning again: the binding of its name alone.
  expect(await usernames(encodeProofs([second]), [bobAccount.accountId])).toEqual(["bob"]);
  expect(verified - once).toBeLessThan(once);
});
