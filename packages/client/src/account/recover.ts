import { decode, equalBytes } from "@latchkey/codec";
import type { KeyPair } from "@latchkey/mls";
import { isUsername } from "@latchkey/protocol";
import type { AccountRecord } from "@latchkey/protocol";
import { accountStateCodec, signedCodec, signStructure } from "@latchkey/transparency";
import { createNewDevice, proofOfPossession } from "../devices/new-device.ts";
import { ClientError } from "../errors.ts";
import { cleanName } from "../names/clean.ts";
import type { Platform } from "../platform/platform.ts";
import type { Store } from "../store/store.ts";
import type { Connections } from "../transport/connection-manager.ts";
import { expectAnswer } from "../transport/connection.ts";
import type { RoleConnection } from "../transport/connection.ts";
import { requireClockOfAccount } from "./clock.ts";
import type { Contact } from "./contacts.ts";
import type { Directory } from "./directory.ts";
import { deleteOwnAccount, loadOwnAccount, newestOf, saveOwnAccount } from "./own-account.ts";
import type { OwnAccount } from "./own-account.ts";
import { deriveRecoveryKeys, recoveryEntropyOf } from "./recovery.ts";
import { confirm, publishFirstKeyPackages } from "./registration.ts";

/** What `recoverAccount` needs. */
export interface RecoverParams {
  readonly store: Store;
  readonly platform: Platform;
  readonly connections: Connections;
  readonly directory: Pick<Directory, "resolve" | "lookUpOwn" | "confirmPublished">;
  readonly username: string;
  /** 24 words. */
  readonly phrase: string;
  readonly deviceName?: string | undefined;
  /** The name to go by: it was known to the devices that are gone, and to the people one writes to. */
  readonly displayName?: string | undefined;
  /** Whether this device keeps the phrase until the person has written it down: who came by a passphrase has it nowhere. */
  readonly keepPhrase?: boolean | undefined;
}

/** Races with a device of the account that recovery may lose. */
const maxAttempts = 4;

/**
 * Brings an account back by its recovery phrase (spec ): its next state has this device only and is signed by the
 * recovery key. It is stored before it is sent, and sent again, the same bytes, after a lost answer or a restart.
 * @throws ClientError `account_exists`, `invalid_phrase`, `unknown_user`, `clock_skew`, `account_waits`, `offline` and the like
 */
export async function recoverAccount(params: RecoverParams): Promise<OwnAccount> {
  const { store, directory, connections, platform } = params;
  const username = params.username.trim().toLowerCase();
  if (!isUsername(username)) throw new ClientError("unknown_user", "There is no such account on that server.");
  const recovery = await deriveRecoveryKeys(params.phrase, platform).catch((cause: unknown) => {
    throw new ClientError("invalid_phrase", "These are not the 24 words of a recovery phrase. Check each word and their order.", { cause });
  });
  const recoveryEntropy = params.keepPhrase === true ? await recoveryEntropyOf(params.phrase) : new Uint8Array(0);
  const begun = await store.transact("read", (tx) => loadOwnAccount(tx));
  if (begun !== undefined && begun.status !== "recovering") {
    if (begun.status !== "registering") throw new ClientError("account_exists", "This profile has an account already.");
    await store.transact("write", (tx) => deleteOwnAccount(tx));
  }
  const host = await connections.ownHost();
  let waiting = begun?.status === "recovering" && begun.username === username ? { ...begun, recoveryEntropy } : undefined;
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const account =
      waiting ?? (await nextAccount(params, await found(directory, username, host), { key: recovery.signature, recoveryEntropy }));
    if (waiting === undefined) await store.transact("write", (tx) => saveOwnAccount(tx, account));
    if (!equalBytes(account.account.state.recoveryKey, recovery.signature.publicKey)) throw wrongPhrase();
    const done = await publish(params, account, recovery.backupKey);
    if (done !== undefined) return done;
    // Somebody changed the account meanwhile: once more on top of that.
    waiting = undefined;
  }
  throw new ClientError("conflict", "The account was changed at the same moment too often. Try again.");
}

async function found(directory: RecoverParams["directory"], username: string, host: string): Promise<Contact> {
  const { accountId } = await directory.resolve({ username, host });
  return directory.lookUpOwn({ host, accountId });
}

function wrongPhrase(): ClientError {
  return new ClientError("invalid_phrase", "This is the recovery phrase of another account.");
}

async function nextAccount(
  { platform, deviceName = "", displayName = "" }: RecoverParams,
  contact: Contact,
  { key, recoveryEntropy }: { readonly key: KeyPair; readonly recoveryEntropy: Uint8Array },
): Promise<OwnAccount> {
  const { account, accountId, host, username } = contact;
  if (!equalBytes(account.state.recoveryKey, key.publicKey)) throw wrongPhrase();
  const device = await createNewDevice(platform, deviceName.trim().slice(0, 64));
  const state = await signStructure({
    codec: accountStateCodec,
    value: {
      ...account.state,
      accountId,
      version: account.state.version + 1,
      prevHash: account.stateHash,
      timeMs: Math.max(platform.nowMs(), account.state.timeMs),
      devices: [device.entry],
      signer: { kind: "recovery" },
      ext: new Uint8Array(0),
    },
    label: "AccountState",
    secretKey: key.secretKey,
    signatures: platform.signatures,
  });
  const pop = await proofOfPossession(platform, device, accountId);
  const { states, pops, bindings } = contact.record;
  const record: AccountRecord = { states: [...states, state], pops: [...pops, pop], bindings, proof: new Uint8Array(0) };
  const [genesis = state] = states;
  return {
    status: "recovering",
    host,
    username,
    displayName: cleanName(displayName) || username,
    deviceId: device.deviceId,
    deviceName: device.name,
    signatureKeyPair: device.signatureKeyPair,
    inboxId: device.inboxId,
    inboxKeyPair: device.inboxKeyPair,
    createdAtMs: decode(accountStateCodec, decode(signedCodec, genesis).body).timeMs,
    recoveryEntropy,
    ...newestOf(accountId, record),
  };
}

/** The account once it counts; `undefined` when another state came first. */
async function publish(params: RecoverParams, account: OwnAccount, backupKey: Uint8Array): Promise<OwnAccount | undefined> {
  const { store, platform, connections } = params;
  const { host, record } = account;
  const state = record.states.at(-1) ?? new Uint8Array(0);
  const pops = record.pops.slice(-1);
  return await connections.once("device", host, async (connection) => {
    requireClockOfAccount(connection);
    const answer = await connection.request({ kind: "publish", state, pops, bindings: [] });
    if (answer.kind === "error" && answer.code === "account_conflict") {
      await store.transact("write", (tx) => deleteOwnAccount(tx));
      return undefined;
    }
    const { proof } = expectAnswer(answer, "published");
    const done: OwnAccount = { ...(await confirm(params, account, proof)), status: "registered" };
    await store.transact("write", (tx) => saveOwnAccount(tx, done));
    await publishFirstKeyPackages({ store, platform, connection, account: done });
    await lookForBackup(params, connection, done, backupKey);
    return done;
  });
}

/** While the phrase is at hand: what was said before may be at the server (spec B-6). The account is there whatever becomes of that. */
async function lookForBackup(
  { store, platform }: RecoverParams,
  connection: RoleConnection<"device">,
  own: OwnAccount,
  backupKey: Uint8Array,
): Promise<void> {
  try {
    const { findBackup } = await import("../history-backup/found.ts");
    await findBackup({ store, platform, connection, own, backupKey });
  } catch (error) {
    // It is looked for once more with the phrase, when the person says so.
    if (!(error instanceof ClientError)) throw error;
  }
}
