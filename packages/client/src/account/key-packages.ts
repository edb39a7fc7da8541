import { bool, decode, encode, opaqueV, safeUint64, struct, toBase64Url } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import {
  createKeyPackage,
  decodeKeyPackage,
  decodeKeyPackagePrivateKeys,
  encodeKeyPackagePrivateKeys,
  eraseKeyPackagePrivateKeys,
  lastResortExtensionType,
} from "@latchkey/mls";
import type { CipherSuiteId, KeyPackage, KeyPackagePrivateKeys } from "@latchkey/mls";
import { latchkeyGroupExtensionType, oneTimeKeyPackages } from "@latchkey/protocol";
import { deviceCardCodec, signStructure } from "@latchkey/transparency";
import { credentialOf } from "../group/credential.ts";
import type { Platform } from "../platform/platform.ts";
import type { Store, StoreTransaction } from "../store/store.ts";
import { refusal } from "../errors.ts";
import { expectAnswer } from "../transport/connection.ts";
import type { AnswerOf, RoleConnection } from "../transport/connection.ts";
import { requireClock } from "./clock.ts";
import type { OwnAccount } from "./own-account.ts";

/** The suite of new groups, and so of key packages (spec M-6). */
export const defaultSuite = 0xf001;

const dayMs = 86_400_000;
/** Valid from a day ago, for clocks that are behind, to 28 days ahead: less than the 30 days that A-5 allows. */
const backdateMs = dayMs;
const lifetimeMs = 28 * dayMs;
/** A last-resort package is replaced after a week, and its keys erased after two (spec A-5). */
const rotateLastResortMs = 7 * dayMs;
const eraseLastResortMs = 14 * dayMs;
/** The card lives at most 30 days; it is replaced while half of that is left. */
const cardLifetimeMs = 29 * dayMs;
const cardRenewMs = 15 * dayMs;
/** In one request: 25 X-Wing packages are about 80 KB. */
const batchSize = 25;

interface StoredKeyPackage {
  /** MLSMessage(KeyPackage). */
  readonly message: Uint8Array;
  readonly privateKeys: Uint8Array;
  readonly lastResort: boolean;
  readonly createdAtMs: number;
  readonly notAfterMs: number;
  /** Whether the server acknowledged it. */
  readonly published: boolean;
}
const storedCodec: Codec<StoredKeyPackage> = struct<StoredKeyPackage>({
  message: opaqueV(65_536),
  privateKeys: opaqueV(65_536),
  lastResort: bool,
  createdAtMs: safeUint64,
  notAfterMs: safeUint64,
  published: bool,
});

interface StoredCard {
  readonly card: Uint8Array;
  readonly notAfterMs: number;
  readonly published: boolean;
}
const cardCodec: Codec<StoredCard> = struct<StoredCard>({ card: opaqueV(8192), notAfterMs: safeUint64, published: bool });

const prefix = "key-package/";
const cardKey = "account/card";

/** What the maintenance of key packages needs. */
export interface MaintainParams {
  readonly store: Store;
  readonly platform: Platform;
  readonly account: OwnAccount;
  /** Authenticated as the device. */
  readonly connection: RoleConnection<"device">;
  /** How many one-time packages to have on the server; they are filled up once half are gone. */
  readonly target?: number;
  /** The server knows no inbox of this device, as a new one or one that was made again from a copy: the card goes there whatever it said before. */
  readonly isInboxMissing?: boolean;
}

/**
 * Brings what others need to reach this device up to date on the server: its card, one last-resort key package, and one-time
 * key packages; and erases keys that are too old here (spec A-5). Everything is stored before it is sent, and what was not
 * acknowledged is sent again, the same bytes; but nothing that a clock dated which was ahead is. While this device's clock is far off,
 * nothing is made at all.
 * @throws ClientError `clock_skew` and others
 */
export async function maintainKeyPackages(params: MaintainParams): Promise<void> {
  const { store, connection, platform, target = oneTimeKeyPackages } = params;
  requireClock(connection);
  const stored = await store.transact("write", (tx) => eraseOld(tx, platform.nowMs()));
  // What does not hang on one another is asked at once: one round trip for all of it.
  const [count] = await Promise.all([countAfter(publishAgain(params, stored), connection), publishCard(params)]);
  const usable = stored.filter((item) => item.lastResort && !isAhead(item, platform.nowMs()));
  const newest = Math.max(0, ...usable.map((item) => item.createdAtMs));
  const isDue = count.lastResortNotAfterMs < platform.nowMs() + dayMs || newest < platform.nowMs() - rotateLastResortMs;
  const lastResort = isDue ? publishNew(params, 1, true) : undefined;
  await Promise.all([lastResort, count.oneTime > target / 2 ? undefined : publishOneTime(params, target - count.oneTime)]);
}

async function publishOneTime(params: MaintainParams, count: number): Promise<void> {
  for (let missing = count; missing > 0; missing -= batchSize) await publishNew(params, Math.min(missing, batchSize), false);
}

async function countAfter(
  sent: Promise<void>,
  connection: RoleConnection<"device">,
): Promise<Extract<AnswerOf<"device">, { kind: "key_packages" }>> {
  await sent;
  return expectAnswer(await connection.request({ kind: "count_key_packages" }), "key_packages");
}

/** One's own key package by its reference, and its keys; `undefined` when it was used, is too old, or never was one's own. */
export async function findOwnKeyPackage(
  tx: StoreTransaction,
  reference: Uint8Array,
): Promise<{ keyPackage: KeyPackage; privateKeys: KeyPackagePrivateKeys; lastResort: boolean } | undefined> {
  const bytes = await tx.get(prefix + toBase64Url(reference));
  if (bytes === undefined) return undefined;
  const stored = decode(storedCodec, bytes);
  return {
    keyPackage: decodeKeyPackage(stored.message),
    privateKeys: decodeKeyPackagePrivateKeys(stored.privateKeys),
    lastResort: stored.lastResort,
  };
}

/** Erases the keys of a one-time key package that was used; a last-resort one stays until it is two weeks old (spec A-5). */
export async function eraseOwnKeyPackage(tx: StoreTransaction, reference: Uint8Array): Promise<void> {
  const key = prefix + toBase64Url(reference);
  const bytes = await tx.get(key);
  if (bytes !== undefined && !decode(storedCodec, bytes).lastResort) tx.delete(key);
}

interface Named extends StoredKeyPackage {
  readonly key: string;
}

/** Whether it was made by a clock so far ahead that it is not valid yet. */
function isAhead({ createdAtMs }: StoredKeyPackage, nowMs: number): boolean {
  return createdAtMs - backdateMs > nowMs;
}

async function eraseOld(tx: StoreTransaction, nowMs: number): Promise<Named[]> {
  const kept: Named[] = [];
  for (const [key, value] of await tx.scan({ prefix })) {
    const stored = decode(storedCodec, value);
    const eraseAtMs = stored.lastResort ? stored.createdAtMs + eraseLastResortMs : stored.notAfterMs + dayMs;
    // Nobody has what was not acknowledged, and what is not valid yet is of no use to anybody.
    const isMisdated = !stored.published && isAhead(stored, nowMs);
    if (eraseAtMs < nowMs || isMisdated) tx.delete(key);
    else kept.push({ ...stored, key });
  }
  return kept;
}

async function publishCard({ store, platform, account, connection, isInboxMissing = false }: MaintainParams): Promise<void> {
  const nowMs = platform.nowMs();
  const bytes = await store.transact("read", (tx) => tx.get(cardKey));
  let stored = bytes === undefined ? undefined : decode(cardCodec, bytes);
  // One that is valid for longer than any made now is of a clock that was ahead.
  if (stored === undefined || stored.notAfterMs < nowMs + cardRenewMs || stored.notAfterMs > nowMs + cardLifetimeMs) {
    const notAfterMs = nowMs + cardLifetimeMs;
    const card = await signStructure({
      codec: deviceCardCodec,
      value: {
        format: 1,
        deviceId: account.deviceId,
        inboxId: account.inboxId,
        inboxKey: account.inboxKeyPair.publicKey,
        notAfterMs,
        ext: new Uint8Array(0),
      },
      label: "DeviceCard",
      secretKey: account.signatureKeyPair.secretKey,
      signatures: platform.signatures,
    });
    stored = { card, notAfterMs, published: false };
    await save(store, cardKey, stored);
  }
  if (stored.published && !isInboxMissing) return;
  const answer = await connection.request({ kind: "card", card: stored.card });
  if (answer.kind === "error" && answer.code === "clock_off") {
    // The same bytes would be refused again: the next try makes others.
    await store.transact("write", (tx) => tx.delete(cardKey));
    throw refusal(answer);
  }
  expectAnswer(answer, "done");
  await save(store, cardKey, { ...stored, published: true });
}

async function save(store: Store, key: string, card: StoredCard): Promise<void> {
  await store.transact("write", (tx) => tx.put(key, encode(cardCodec, card)));
}

/** Packages whose acknowledgement was lost. */
async function publishAgain(params: MaintainParams, stored: readonly Named[]): Promise<void> {
  const nowMs = params.platform.nowMs();
  const waiting = stored.filter((item) => !item.published && item.notAfterMs > nowMs);
  // A last-resort package replaces the one before, so that only the newest is of use.
  const lastResort = waiting
    .filter((item) => item.lastResort)
    .toSorted((a, b) => b.createdAtMs - a.createdAtMs)
    .slice(0, 1);
  if (lastResort.length > 0) await send(params, lastResort);
  const oneTime = waiting.filter((item) => !item.lastResort);
  for (let at = 0; at < oneTime.length; at += batchSize) await send(params, oneTime.slice(at, at + batchSize));
}

async function publishNew(params: MaintainParams, count: number, lastResort: boolean): Promise<void> {
  const created: Named[] = [];
  for (let made = 0; made < count; made++) created.push(await createOne(params, lastResort));
  await params.store.transact("write", (tx) => {
    for (const { key, ...stored } of created) tx.put(key, encode(storedCodec, stored));
  });
  await send(params, created);
}

/**
 * A one-time key package that is not published: whoever is to use it gets it from this device (spec G-4). `put` stores its keys with
 * whatever else the transaction writes.
 */
export async function makeKeyPackage(params: {
  readonly platform: Platform;
  readonly account: OwnAccount;
  readonly suiteId: CipherSuiteId;
}): Promise<{ readonly message: Uint8Array; readonly put: (tx: StoreTransaction) => void }> {
  const { key, ...created } = await createOne(params, false, params.suiteId);
  const stored: StoredKeyPackage = { ...created, published: true };
  return { message: created.message, put: (tx) => tx.put(key, encode(storedCodec, stored)) };
}

async function createOne(
  { platform, account }: Pick<MaintainParams, "platform" | "account">,
  lastResort: boolean,
  suiteId: CipherSuiteId = defaultSuite,
): Promise<Named> {
  const nowMs = platform.nowMs();
  const notAfterMs = nowMs + lifetimeMs;
  const created = await createKeyPackage({
    suite: platform.crypto.suite(suiteId),
    credential: credentialOf(account),
    signatureKeyPair: account.signatureKeyPair,
    lifetime: { notBefore: BigInt(Math.floor((nowMs - backdateMs) / 1000)), notAfter: BigInt(Math.floor(notAfterMs / 1000)) },
    capabilities: {
      versions: [1],
      cipherSuites: [0xf001, 0x0001],
      extensions: [latchkeyGroupExtensionType],
      proposals: [],
      credentials: [1],
    },
    extensions: lastResort ? [{ type: lastResortExtensionType, data: new Uint8Array(0) }] : [],
    random: platform.random,
  });
  const privateKeys = encodeKeyPackagePrivateKeys(created.privateKeys);
  eraseKeyPackagePrivateKeys(created.privateKeys);
  return {
    key: prefix + toBase64Url(created.reference),
    message: created.message,
    privateKeys,
    lastResort,
    createdAtMs: nowMs,
    notAfterMs,
    published: false,
  };
}

async function send({ store, connection }: MaintainParams, packages: readonly Named[]): Promise<void> {
  const request = {
    kind: "publish_key_packages" as const,
    lastResort: packages.some((item) => item.lastResort),
    notAfterMs: Math.min(...packages.map((item) => item.notAfterMs)),
    keyPackages: packages.map((item) => item.message),
  };
  expectAnswer(await connection.request(request), "key_packages");
  await store.transact("write", async (tx) => {
    for (const { key, ...stored } of packages) {
      // It may have been used, and erased, in the meantime.
      if ((await tx.get(key)) !== undefined) tx.put(key, encode(storedCodec, { ...stored, published: true }));
    }
  });
}
