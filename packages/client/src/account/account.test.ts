import { decode, encode, fromBase64Url, toHex, utf8Bytes } from "@latchkey/codec";
import { decodeKeyPackage } from "@latchkey/mls";
import { nobleCrypto } from "@latchkey/mls/noble";
import { nodeCrypto } from "@latchkey/mls/node";
import { connectTbsCodec, leafIdentityCodec, maxDirectoryProofBytes } from "@latchkey/protocol";
import {
  accountStateCodec,
  nobleSignatures,
  signedCodec,
  signedContent,
  signStructure,
  stateHashOf,
  verifyAccountChain,
  verifyUsernameBinding,
} from "@latchkey/transparency";
import type { AccountState } from "@latchkey/transparency";
import { describe, expect, test } from "vitest";
import type { ClientErrorCode } from "../api.ts";
import { credentialOf } from "../group/credential.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import { createConnections } from "../transport/connection-manager.ts";
import { createFakeServer } from "../transport/fake-server.testing.ts";
import type { FakeServer } from "../transport/fake-server.testing.ts";
import { loadContact, saveContact } from "./contacts.ts";
import { checkLeaf, createDirectory } from "./directory.ts";
import type { Directory } from "./directory.ts";
import { cardWith, createFakeDirectory } from "./fake-directory.testing.ts";
import type { FakeAccount, FakeDirectory } from "./fake-directory.testing.ts";
import { eraseOwnKeyPackage, findOwnKeyPackage, maintainKeyPackages } from "./key-packages.ts";
import { authenticateDevice, forgetRecoveryPhrase, loadOwnAccount, recoveryPhrase } from "./own-account.ts";
import type { OwnAccount } from "./own-account.ts";
import { decodeProofs, encodeProofs } from "./proofs.ts";
import { deriveRecoveryKeys, recoveryPhraseOf } from "./recovery.ts";
import { registerAccount } from "./registration.ts";

const dayMs = 86_400_000;

interface World {
  readonly server: FakeServer;
  readonly directory: FakeDirectory;
}

interface Person {
  readonly store: Store;
  readonly connections: ReturnType<typeof createConnections>;
  readonly contacts: Directory;
  register(username: string): Promise<OwnAccount>;
  maintain(target?: number): Promise<void>;
}

function world(): World {
  const server = createFakeServer("account");
  return { server, directory: createFakeDirectory(server) };
}

function person({ server }: World, store: Store = createMemoryStore()): Person {
  const { platform } = server;
  const connections = createConnections({ platform, serverUrl: "https://chat.example" });
  const contacts = createDirectory({ store, platform, connections });
  return {
    store,
    connections,
    contacts,
    register: (username) => registerAccount({ store, platform, connections, directory: contacts, username }),
    async maintain(target) {
      const account = await store.transact("read", (tx) => loadOwnAccount(tx));
      if (account === undefined) throw new Error("no account");
      await connections.once("device", "chat.example", (connection) =>
        maintainKeyPackages({ store, platform, account, connection, ...(target === undefined ? {} : { target }) }),
      );
    },
  };
}

async function codeOf(promise: Promise<unknown>): Promise<ClientErrorCode | "resolved"> {
  try {
    await promise;
  } catch (error) {
    // The code is all that these tests ask for.
    if (error instanceof Error && "code" in error) return error.code as ClientErrorCode;
    throw error;
  }
  return "resolved";
}

function only<T>(values: Iterable<T>): T {
  const [first] = values;
  if (first === undefined) throw new Error("none");
  return first;
}

describe("recovery phrases", () => {
  test("[A-4] 24 English words of BIP-39 with an empty passphrase, on every engine alike", async () => {
    // The vector of BIP-39 for 32 bytes of 0x7f; below, numbered on several lines, as the command line prints it.
    const phrase = await recoveryPhraseOf(new Uint8Array(32).fill(0x7f));
    expect(phrase).toBe(
      "legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth title",
    );
    const node = await deriveRecoveryKeys(phrase, { crypto: nodeCrypto });
    const noble = await deriveRecoveryKeys(phrase.toUpperCase().replaceAll(/\w+/g, "\n 24 $&"), { crypto: nobleCrypto });
    expect(noble).toEqual(node);
    // Computed apart from this code, with OpenSSL: PBKDF2, HKDF, Ed25519.
    expect(toHex(node.signature.publicKey)).toBe("b45c2629f6e82b8f77caf4e3c4d416fca6d223f2c9e0c6947ce84ec4c7052d36");
    expect(toHex(node.backupKey)).toBe("1ccffda0efbc5e6794ec38dc130027e061705360304f0aac7e66b0612b82b119");
    await expect(deriveRecoveryKeys(phrase.replace("title", "year"), { crypto: nodeCrypto })).rejects.toThrow();
  });
});

describe("registration", () => {
  test("[A-1] [A-6] reserves, stores, publishes; what is published verifies", async () => {
    const here = world();
    const ann = person(here);
    const account = await ann.register("ann");
    expect(account).toMatchObject({ status: "registered", username: "ann", displayName: "ann", host: "chat.example", stateVersion: 0 });
    expect(here.directory.log.slice(0, 3)).toEqual(["reserve", "publish", "connect"]);
    const stored = only(here.directory.accounts.values());
    const verified = await verifyAccountChain({
      previous: undefined,
      signedStates: stored.states,
      pops: stored.pops,
      signatures: nobleSignatures,
    });
    expect(verified.accountId).toEqual(account.accountId);
    expect(verified.stateHash).toEqual(account.stateHash);
    const binding = await verifyUsernameBinding({ account: verified, signedBinding: only(stored.bindings), signatures: nobleSignatures });
    expect(binding).toMatchObject({ username: "ann", status: "bound" });
    const phrase = (await recoveryPhrase(account)) ?? "";
    const recovery = await deriveRecoveryKeys(phrase, { crypto: nodeCrypto });
    expect(verified.state.recoveryKey).toEqual(recovery.signature.publicKey);
    expect(await ann.store.transact("read", (tx) => loadOwnAccount(tx))).toEqual(account);
    await ann.store.transact("write", (tx) => forgetRecoveryPhrase(tx));
    const later = await ann.store.transact("read", (tx) => loadOwnAccount(tx));
    expect(later === undefined ? "" : await recoveryPhrase(later)).toBeUndefined();
    expect(await codeOf(ann.register("ann"))).toBe("account_exists");
  });

  test("the account is reachable at once", async () => {
    const here = world();
    await person(here).register("ann");
    expect(here.directory.oneTime.length).toBe(8);
    expect(here.directory.lastResort).toBeDefined();
    expect(here.directory.cards.size).toBe(1);
  });

  test("is not undone when the first key packages fail", async () => {
    const here = world();
    here.directory.loseRequest.add("card");
    const ann = person(here);
    expect(await ann.register("ann")).toMatchObject({ status: "registered" });
    await ann.maintain();
    expect(here.directory.oneTime.length).toBe(100);
  });

  test.each([["a lost answer", "loseAnswer"] as const, ["a lost request", "loseRequest"] as const])(
    "after %s, a retry after a restart finishes the same account",
    async (_, fault) => {
      const here = world();
      here.directory[fault].add("publish");
      const ann = person(here);
      expect(await codeOf(ann.register("ann"))).toBe("offline");
      const begun = await ann.store.transact("read", (tx) => loadOwnAccount(tx));
      expect(begun?.status).toBe("registering");
      const again = await person(here, ann.store).register("ann");
      expect(again.accountId).toEqual(begun?.accountId);
      expect(again.status).toBe("registered");
      expect(here.directory.accounts.size).toBe(1);
    },
  );

  test("after a lost answer, another name finds the account that is there; after a lost request it makes a new one", async () => {
    const lostAnswer = world();
    lostAnswer.directory.loseAnswer.add("publish");
    const ann = person(lostAnswer);
    await codeOf(ann.register("ann"));
    expect(await codeOf(ann.register("anna"))).toBe("account_exists");
    const lostRequest = world();
    lostRequest.directory.loseRequest.add("publish");
    const bob = person(lostRequest);
    await codeOf(bob.register("bob"));
    expect(await bob.register("bobby")).toMatchObject({ username: "bobby", status: "registered" });
    expect([...lostRequest.directory.accounts.values()].map((account) => account.username)).toEqual(["bobby"]);
  });

  test("[C-3] invalid, taken and closed are told apart, and leave nothing behind", async () => {
    const here = world();
    await person(here).register("ann");
    const other = person(here);
    for (const name of ["an", "Ann", "ann@host", "", "a b c", "x".repeat(33)])
      expect(await codeOf(other.register(name)), name).toBe("invalid_username");
    expect(await codeOf(other.register("ann"))).toBe("username_taken");
    here.directory.refuse.set("reserve", "registration_closed");
    expect(await codeOf(other.register("bob"))).toBe("registration_closed");
    expect(await other.store.transact("read", (tx) => loadOwnAccount(tx))).toBeUndefined();
    here.server.unreachable = true;
    expect(await codeOf(other.register("bob"))).toBe("offline");
  });

  test("[C-5] a device signs the host, itself, the server's nonce and the role", async () => {
    const here = world();
    const ann = person(here);
    const account = await ann.register("ann");
    await ann.connections.once("device", "chat.example", async (connection) => {
      await authenticateDevice(connection, account, here.server.platform);
      const sent = here.server.last().received.at(-1)?.body;
      const tbs = encode(connectTbsCodec, {
        format: 1,
        host: "chat.example",
        accountId: account.accountId,
        deviceId: account.deviceId,
        nonce: connection.hello.nonce,
        role: "device",
        ext: new Uint8Array(0),
      });
      const signature = sent?.["signature"];
      if (!(signature instanceof Uint8Array)) throw new Error("no signature");
      expect(await nobleSignatures.verify(account.signatureKeyPair.publicKey, signedContent("Connect", tbs), signature)).toBe(true);
    });
    here.directory.refuse.set("connect", "unauthenticated");
    const refused = ann.connections.once("device", "chat.example", (connection) =>
      authenticateDevice(connection, account, here.server.platform),
    );
    expect(await codeOf(refused)).toBe("server_refused");
  });
});

describe("key packages", () => {
  async function registered(): Promise<World & { ann: Person }> {
    const here = world();
    const ann = person(here);
    await ann.register("ann");
    return { ...here, ann };
  }
  const storedKeys = async ({ store }: Person): Promise<string[]> =>
    (await store.transact("read", (tx) => tx.scan({ prefix: "key-package/" }))).map(([key]) => key);

  test("[A-5] are filled up to 100 once half are gone, and not before", async () => {
    const { directory, ann } = await registered();
    await ann.maintain();
    expect(directory.oneTime.length).toBe(100);
    directory.oneTime.splice(0, 49);
    await ann.maintain();
    expect(directory.oneTime.length).toBe(51);
    directory.oneTime.splice(0, 1);
    await ann.maintain();
    expect(directory.oneTime.length).toBe(100);
    expect(new Set(directory.oneTime.map((message) => toHex(message))).size).toBe(100);
    directory.log.splice(0);
    await ann.maintain();
    expect(directory.log).toEqual(["count_key_packages"]);
  });

  test("[A-5] carry the device's credential, the group's extension, both suites and a lifetime under 30 days", async () => {
    const { server, directory, ann } = await registered();
    const account = await ann.store.transact("read", (tx) => loadOwnAccount(tx));
    const keyPackage = decodeKeyPackage(only(directory.oneTime));
    const { leafNode } = keyPackage;
    if (leafNode.credential.kind !== "basic" || leafNode.source.kind !== "key-package") throw new Error("another leaf");
    expect(decode(leafIdentityCodec, leafNode.credential.identity)).toMatchObject({
      host: "chat.example",
      accountId: account?.accountId,
      deviceId: account?.deviceId,
    });
    expect(leafNode.signatureKey).toEqual(account?.signatureKeyPair.publicKey);
    expect(keyPackage.cipherSuite).toBe(0xf001);
    expect(leafNode.capabilities).toMatchObject({ cipherSuites: [0xf001, 0x0001], extensions: [0xf1a7] });
    const { notBefore, notAfter } = leafNode.source.lifetime;
    const nowSeconds = BigInt(server.clock.now() / 1000);
    expect(notBefore).toBe(nowSeconds - 86_400n);
    expect(notAfter - notBefore).toBeLessThanOrEqual(30n * 86_400n);
    expect(decodeKeyPackage(directory.lastResort?.message ?? new Uint8Array()).extensions).toEqual([{ type: 10, data: new Uint8Array(0) }]);
  });

  test("what was not acknowledged is sent again, the same bytes", async () => {
    const { directory, ann } = await registered();
    directory.oneTime.splice(0);
    directory.loseAnswer.add("publish_key_packages");
    expect(await codeOf(ann.maintain())).toBe("offline");
    const lost = directory.oneTime.map((message) => toHex(message));
    expect(lost.length).toBe(25);
    directory.oneTime.splice(0);
    directory.loseRequest.add("count_key_packages");
    expect(await codeOf(ann.maintain())).toBe("offline");
    expect(directory.oneTime.map((message) => toHex(message)).toSorted()).toEqual(lost.toSorted());
    await ann.maintain();
    expect(directory.oneTime.length).toBe(100);
    directory.cards.clear();
    await ann.maintain();
    expect(directory.cards.size).toBe(0);
  });

  test("[A-5] one-time keys are erased on use, the last-resort's after two weeks, and it is replaced after one", async () => {
    const { server, directory, ann } = await registered();
    const references = (await storedKeys(ann)).map((key) => fromBase64Url(key.slice("key-package/".length)));
    const found = await ann.store.transact("read", (tx) => Promise.all(references.map((reference) => findOwnKeyPackage(tx, reference))));
    const lastResortAt = found.findIndex((item) => item?.lastResort);
    const oneTimeAt = found.findIndex((item) => item?.lastResort === false);
    const [lastResort, oneTime] = [references[lastResortAt], references[oneTimeAt]];
    if (lastResort === undefined || oneTime === undefined) throw new Error("none");
    await ann.store.transact("write", async (tx) => {
      await eraseOwnKeyPackage(tx, lastResort);
      await eraseOwnKeyPackage(tx, oneTime);
      await eraseOwnKeyPackage(tx, new Uint8Array(32));
    });
    const isThere = (reference: Uint8Array): Promise<boolean> =>
      ann.store.transact("read", async (tx) => (await findOwnKeyPackage(tx, reference)) !== undefined);
    expect(await isThere(oneTime)).toBe(false);
    expect(await isThere(lastResort)).toBe(true);
    const first = directory.lastResort?.message;
    server.clock.advance(6 * dayMs);
    await ann.maintain(8);
    expect(directory.lastResort?.message).toEqual(first);
    server.clock.advance(2 * dayMs);
    await ann.maintain(8);
    expect(directory.lastResort?.message).not.toEqual(first);
    expect(await isThere(lastResort)).toBe(true);
    server.clock.advance(7 * dayMs);
    await ann.maintain(8);
    expect(await isThere(lastResort)).toBe(false);
  });

  test("expired ones are erased, and the card is renewed in time", async () => {
    const { server, directory, ann } = await registered();
    const [before, card] = [await storedKeys(ann), only(directory.cards.values())];
    server.clock.advance(15 * dayMs);
    await ann.maintain(8);
    expect(only(directory.cards.values())).not.toEqual(card);
    server.clock.advance(15 * dayMs);
    await ann.maintain(8);
    const after = await storedKeys(ann);
    expect(after.filter((key) => before.includes(key))).toEqual([]);
  });
});

describe("contacts", () => {
  const address = { username: "bob", host: "chat.example" };

  async function pair(): Promise<World & { ann: Person; bob: OwnAccount; served: FakeAccount }> {
    const here = world();
    const bob = await person(here).register("bob");
    return { ...here, ann: person(here), bob, served: only(here.directory.accounts.values()) };
  }

  /** Bob's next state, signed by his device or another key. */
  async function nextState(
    bob: OwnAccount,
    change: Partial<AccountState>,
    secretKey: Uint8Array = bob.signatureKeyPair.secretKey,
  ): Promise<Uint8Array> {
    const signed = decode(signedCodec, only(bob.record.states));
    const genesis = decode(accountStateCodec, signed.body);
    const value: AccountState = { ...genesis, accountId: bob.accountId, version: 1, prevHash: stateHashOf(signed.body), ...change };
    return signStructure({ codec: accountStateCodec, value, label: "AccountState", secretKey, signatures: nobleSignatures });
  }

  test("[D-5] are looked up once, verified, and asked again after seven days", async () => {
    const { server, directory, ann, bob } = await pair();
    directory.log.splice(0);
    const contact = await ann.contacts.resolve(address);
    expect(contact).toMatchObject({ username: "bob", host: "chat.example", accountId: bob.accountId });
    expect(server.last().role).toBe("lookup");
    await ann.contacts.resolve(address);
    await ann.contacts.account("chat.example", bob.accountId);
    server.clock.advance(7 * dayMs - 1);
    await ann.contacts.resolve(address);
    expect(directory.log).toEqual(["lookup_username"]);
    server.clock.advance(1);
    expect(await ann.contacts.resolve(address)).toMatchObject({ accountId: bob.accountId });
    expect(directory.log).toEqual(["lookup_username", "lookup_username"]);
    expect(await codeOf(ann.contacts.resolve({ ...address, username: "nobody" }))).toBe("unknown_user");
    // However long its history, and so its proof.
    const longest = { ...contact, record: { ...contact.record, proof: new Uint8Array(maxDirectoryProofBytes) } };
    await ann.store.transact("write", (tx) => saveContact(tx, longest));
    const kept = await ann.store.transact("read", (tx) => loadContact(tx, contact.accountId));
    expect(kept?.record.proof).toHaveLength(maxDirectoryProofBytes);
  });

  test("a server that shows forged, foreign or mixed-up accounts is refused", async () => {
    const { server, directory, ann, bob, served } = await pair();
    const mallory = await person({ server, directory }).register("mallory");
    const evil = [...directory.accounts.values()].find((account) => account.username === "mallory");
    if (evil === undefined) throw new Error("no mallory");
    const honest = { ...served };
    const lies: Partial<FakeAccount>[] = [
      { states: [] },
      { states: [only(honest.states).map((byte, index) => (index === 80 ? byte ^ 1 : byte))] },
      { states: evil.states, pops: evil.pops, bindings: evil.bindings },
      { pops: [] },
      { pops: evil.pops },
      { bindings: [] },
      { bindings: evil.bindings },
      { states: [new Uint8Array([1])] },
      { states: [...honest.states, await nextState(bob, { username: "bob" }, mallory.signatureKeyPair.secretKey)] },
    ];
    for (const lie of lies) {
      Object.assign(served, honest, lie);
      expect(["server_lied", "directory_unproven"], JSON.stringify(Object.keys(lie))).toContain(
        await codeOf(ann.contacts.resolve(address)),
      );
    }
    Object.assign(served, honest);
    expect(await codeOf(ann.contacts.account("chat.example", mallory.accountId))).toBe("resolved");
    expect(await codeOf(ann.contacts.resolve(address))).toBe("resolved");
  });

  test("[A-3] a name stays with its account: another one behind it is refused", async () => {
    const { server, directory, ann } = await pair();
    await ann.contacts.resolve(address);
    directory.accounts.clear();
    await person({ server, directory }).register("bob");
    server.clock.advance(8 * dayMs);
    expect(await codeOf(ann.contacts.resolve(address))).toBe("name_changed_hands");
    // The person asked by another way, and means the account of now: from then on the name is pinned to it.
    const accepted = await ann.contacts.acceptName(address);
    expect((await ann.contacts.resolve(address)).accountId).toEqual(accepted.accountId);
    server.clock.advance(8 * dayMs);
    expect((await ann.contacts.resolve(address)).accountId).toEqual(accepted.accountId);
  });

  test("a chain that grows is followed from what is known; one that was rewritten or cut is not", async () => {
    const { server, directory, ann, bob, served } = await pair();
    await ann.contacts.resolve(address);
    const grown = await nextState(bob, { timeMs: 5 });
    served.states = [...served.states, grown];
    await directory.publish([{ type: "account", label: bob.accountId, values: [grown] }]);
    server.clock.advance(8 * dayMs);
    const contact = await ann.contacts.resolve(address);
    expect(contact.account.state.version).toBe(1);
    const fork = await nextState(bob, { timeMs: 6 });
    served.states = [only(served.states), fork];
    server.clock.advance(8 * dayMs);
    // The record has other commitments: that such a state is signed does not help.
    expect(await codeOf(ann.contacts.resolve(address))).toBe("directory_unproven");
    served.states = [only(served.states)];
    expect(await codeOf(ann.contacts.resolve(address))).toBe("directory_unproven");
    const deleted = await nextState(bob, { version: 2, status: "deleted", prevHash: contact.account.stateHash });
    served.states = [only(served.states), grown, deleted];
    await directory.publish([{ type: "account", label: bob.accountId, values: [deleted] }]);
    server.clock.advance(8 * dayMs);
    expect(await codeOf(ann.contacts.resolve(address))).toBe("unknown_user");
  });

  test("[A-5] a key package is taken and checked against the account; its last is the last-resort one", async () => {
    const { directory, ann, bob } = await pair();
    const contact = await ann.contacts.resolve(address);
    const [taken] = await ann.contacts.takeKeyPackages(contact);
    expect(taken).toMatchObject({
      deviceId: bob.deviceId,
      lastResort: false,
      card: { inboxId: bob.inboxId, inboxKey: bob.inboxKeyPair.publicKey },
    });
    expect(taken?.keyPackage).toEqual(decodeKeyPackage(taken?.message ?? new Uint8Array()));
    directory.oneTime.splice(0);
    expect(await ann.contacts.takeKeyPackages(contact)).toMatchObject([{ lastResort: true }]);
    directory.lastResort = undefined;
    expect(await codeOf(ann.contacts.takeKeyPackages(contact))).toBe("unreachable_device");
  });

  test("[E-18] [A-5] key packages and cards of somebody else, expired or damaged are refused", async () => {
    const { server, directory, ann, bob } = await pair();
    const contact = await ann.contacts.resolve(address);
    const honest = { packages: directory.oneTime.slice(), card: only(directory.cards.values()) };
    directory.oneTime.splice(0);
    await person({ server, directory }).register("mallory");
    const [foreign] = directory.oneTime;
    const foreignCard = [...directory.cards.values()].at(-1);
    const good = only(honest.packages);
    const bobsDevice = toHex(bob.deviceId);
    const attempt = async (message: Uint8Array | undefined, card: Uint8Array | undefined): Promise<string> => {
      directory.oneTime.splice(0, Number.POSITIVE_INFINITY, ...(message === undefined ? [] : [message]));
      if (card !== undefined) directory.cards.set(bobsDevice, card);
      return codeOf(ann.contacts.takeKeyPackages(contact));
    };
    expect(await attempt(foreign, honest.card)).toBe("invalid_key_package");
    expect(await attempt(good, foreignCard)).toBe("invalid_key_package");
    expect(
      await attempt(
        good.map((byte, index) => (index === good.length - 3 ? byte ^ 1 : byte)),
        honest.card,
      ),
    ).toBe("invalid_key_package");
    expect(await attempt(utf8Bytes("nothing"), honest.card)).toBe("invalid_key_package");
    expect(await attempt(good, honest.card)).toBe("resolved");
    // The device's own card, with a key to which nothing can be sealed.
    expect(await attempt(good, await cardWith(bob, honest.card, new Uint8Array(1216).fill(255)))).toBe("invalid_key_package");
    server.clock.advance(28.5 * dayMs);
    expect(await attempt(good, honest.card)).toBe("invalid_key_package");
    server.clock.advance(dayMs);
    expect(await attempt(good, honest.card)).toBe("unreachable_device");
  });

  test("[A-5] a leaf is whom it claims to be only by the key of the account", async () => {
    const { ann, bob } = await pair();
    const contact = await ann.contacts.resolve(address);
    const identity = { format: 1 as const, host: "chat.example", accountId: bob.accountId, deviceId: bob.deviceId };
    const leaf = (change: Partial<typeof identity>, key: Uint8Array = bob.signatureKeyPair.publicKey): unknown =>
      checkLeaf(contact, { credential: credentialOf({ ...identity, ...change }), signaturePublicKey: key });
    expect(leaf({})).toEqual(identity);
    expect(leaf({}, bob.inboxId)).toBeUndefined();
    expect(leaf({ host: "evil.example" })).toBeUndefined();
    expect(leaf({ accountId: bob.inboxId })).toBeUndefined();
    expect(leaf({ deviceId: new Uint8Array(16) })).toBeUndefined();
    const { publicKey } = bob.signatureKeyPair;
    expect(
      checkLeaf(contact, { credential: { kind: "basic", identity: new Uint8Array(3) }, signaturePublicKey: publicKey }),
    ).toBeUndefined();
    expect(checkLeaf(contact, { credential: { kind: "x509", certificates: [] }, signaturePublicKey: publicKey })).toBeUndefined();
  });

  test("[D-5] proofs carry accounts inside groups; what does not hold is left out", async () => {
    const here = world();
    const [ann, bob, cat] = [person(here), person(here), person(here)];
    const annAccount = await ann.register("ann");
    const bobAccount = await bob.register("bob");
    await ann.contacts.resolve(address);
    const proofs = await ann.store.transact("read", (tx) =>
      ann.contacts.proofsOf(tx, [annAccount.accountId, bobAccount.accountId, new Uint8Array(32)]),
    );
    here.directory.log.splice(0);
    const accounts = [annAccount.accountId, bobAccount.accountId];
    const learn = async (bytes: Uint8Array): Promise<string[]> =>
      (await cat.contacts.learn(bytes, accounts)).map((contact) => contact.username);
    expect(await learn(new Uint8Array(0))).toEqual([]);
    expect(await learn(new Uint8Array([9, 9]))).toEqual([]);
    const [first, second] = decodeProofs(proofs);
    if (first === undefined || second === undefined) throw new Error("two proofs");
    expect(
      await learn(
        encodeProofs([
          { ...first, states: second.states },
          { ...second, bindings: [] },
        ]),
      ),
    ).toEqual([]);
    expect(await learn(proofs)).toEqual(["ann", "bob"]);
    expect(await cat.store.transact("read", (tx) => cat.contacts.cached(tx, annAccount.accountId))).toMatchObject({
      username: "ann",
      proven: { account: { version: 1 }, username: { version: 1 } },
    });
    expect(await cat.contacts.account("chat.example", bobAccount.accountId)).toMatchObject({ username: "bob", nameLookedUpAtMs: 0 });
    expect(here.directory.log).toEqual([]);
  });

  test("[E-52] who was learned of inside a group has no pinned name: the first look-up asks whose it was", async () => {
    const here = world();
    const [ann, cat, dan] = [person(here), person(here), person(here)];
    const first = await person(here).register("bob");
    await dan.contacts.resolve(address);
    here.directory.accounts.clear();
    const second = await person(here).register("bob");
    await ann.contacts.acceptName(address);
    const proofs = await ann.store.transact("read", (tx) => ann.contacts.proofsOf(tx, [second.accountId]));
    expect(await cat.contacts.learn(proofs, [second.accountId])).toMatchObject([{ username: "bob", nameLookedUpAtMs: 0 }]);
    here.directory.log.splice(0);
    expect(await codeOf(cat.contacts.resolve(address))).toBe("name_changed_hands");
    expect(here.directory.log[0]).toBe("lookup_username");
    // Nor does it move a pin: Dan looked the name up when it was the first account's, and keeps it.
    expect(await dan.contacts.learn(proofs, [second.accountId])).toMatchObject([{ accountId: second.accountId, nameLookedUpAtMs: 0 }]);
    expect(await dan.contacts.resolve(address)).toMatchObject({ accountId: first.accountId });
    // Once the person said whom they mean, it is pinned.
    expect(await cat.contacts.acceptName(address)).toMatchObject({
      accountId: second.accountId,
      nameLookedUpAtMs: here.server.clock.now(),
    });
    here.directory.log.splice(0);
    expect(await cat.contacts.resolve(address)).toMatchObject({ accountId: second.accountId });
    expect(here.directory.log).toEqual([]);
  });

  test("[E-56] two histories that an account signed name the account, and the one in the public record counts", async () => {
    const { server, directory, ann, bob, served } = await pair();
    const forks: { accountId: Uint8Array; states: readonly Uint8Array[] }[] = [];
    ann.contacts.onForked((fork) => forks.push(fork));
    const [first, second] = [await nextState(bob, { timeMs: 5 }), await nextState(bob, { timeMs: 6 })];
    const branch = { ...bob.record, states: [...bob.record.states, second], proof: new Uint8Array(0) };
    // Heard of first, without a proof: not trusted, and no obstacle to what the record proves.
    expect(await ann.contacts.learn(encodeProofs([branch]), [bob.accountId])).toMatchObject([{ proven: undefined }]);
    served.states = [...served.states, first];
    await directory.publish([{ type: "account", label: bob.accountId, values: [first] }]);
    const found = await ann.contacts.refresh("chat.example", bob.accountId);
    expect(found).toMatchObject({ proven: { account: { version: 2 } } });
    expect(found.record.states.at(-1)).toEqual(first);
    expect(forks).toEqual([{ accountId: bob.accountId, states: [second, first] }]);
    // Heard of again: told again, and what is proven stays.
    expect(await ann.contacts.learn(encodeProofs([branch]), [bob.accountId])).toEqual([]);
    expect(forks.length).toBe(2);
    expect((await ann.contacts.account("chat.example", bob.accountId)).record.states.at(-1)).toEqual(first);
    server.clock.advance(8 * dayMs);
    expect(await codeOf(ann.contacts.resolve(address))).toBe("resolved");
  });

  test("[C-3] names can be asked for", async () => {
    const { server, ann } = await pair();
    expect(await ann.contacts.checkUsername("bob", "chat.example")).toBe("taken");
    expect(await ann.contacts.checkUsername("free", "chat.example")).toBe("available");
    expect(await ann.contacts.checkUsername("No", "chat.example")).toBe("invalid");
    server.unreachable = true;
    expect(await ann.contacts.checkUsername("free", "chat.example")).toBe("unknown");
  });
});
