import { utf8Bytes } from "@latchkey/codec";
import { zeroHash } from "@latchkey/protocol";
import { sha256 } from "../hash.ts";
import type { AccountChange, AccountQuery, ChangeOutcome, LogSigner, NewLabel, Publication } from "../store/directory-store.ts";
import type { NewEntry, Store } from "../store/store.ts";
import { entryBytes, random } from "./fixtures.ts";
import { dayMs } from "../days.ts";

/** The day on which the suites' stores live. */
export const today = 20_000;

export function newEntry(logId: Uint8Array, change: Partial<NewEntry> = {}): NewEntry {
  return {
    logId,
    epochId: 0,
    kind: "message",
    nextAccessHash: zeroHash,
    blob: entryBytes(512),
    afterSeq: 0,
    hasAccess: true,
    day: today,
    ...change,
  };
}

export function newCommit(logId: Uint8Array, epochId: number, change: Partial<NewEntry> = {}): NewEntry {
  return newEntry(logId, { epochId, kind: "commit", nextAccessHash: random(32), ...change });
}

/** Labels with places of the test's own: where they stand is the VRF's business. */
export function newLabel(type: NewLabel["type"], value: Uint8Array): NewLabel {
  return { type, value, index: sha256(value), vrfProof: new Uint8Array(80) };
}

export function newState(change: Partial<AccountChange> = {}): AccountChange {
  const state: AccountChange = {
    accountId: random(32),
    version: 0,
    state: random(300),
    pops: [random(100)],
    deviceIds: [random(16)],
    names: { bind: { username: "alice", binding: random(80) }, release: undefined },
    day: today,
    maxUpdatesPerDay: 20,
    maxHistoryBytes: 1_000_000,
    labels: [],
    deletion: undefined,
    invitation: undefined,
    maxAccounts: 0,
    ...change,
  };
  const names = [state.names.bind?.username, state.names.release?.username].filter((name) => name !== undefined);
  const labels = [newLabel("account", state.accountId), ...names.map((name) => newLabel("username", utf8Bytes(name)))];
  return { ...state, labels };
}

const testSigner: LogSigner = {
  origin: "latchkey.example/latchkey",
  keys: [{ name: "latchkey.example/latchkey", keyId: 7, secretKey: random(32) }],
};

export function newPublication(change: Partial<Publication> = {}): Publication {
  return {
    changes: [],
    config: new Uint8Array(),
    withHeads: false,
    nowMs: today * dayMs,
    signer: testSigner,
    isServed: true,
    ...change,
  };
}

/** Publishes one state by itself. */
export async function publishState(store: Store, state: AccountChange): Promise<ChangeOutcome> {
  const { outcomes } = await store.publishDirectory(newPublication({ changes: [state] }));
  return outcomes[0] ?? { kind: "known" };
}

export function newQuery(by: AccountQuery["by"], change: Partial<AccountQuery> = {}): AccountQuery {
  return { by, fromVersion: 0, accountValues: 0, nameValues: 0, knownSize: 0, maxBytes: 100_000, ...change };
}
