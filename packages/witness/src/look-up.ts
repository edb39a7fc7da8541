import { CodecError, decode, encode, equalBytes } from "@latchkey/codec";
import { lookupReplyCodec, lookupRequestCodec, socketPath, subprotocol } from "@latchkey/protocol";
import type { AbsentName, AccountRecord, LookupReply, LookupRequest } from "@latchkey/protocol";
import {
  TransparencyError,
  configHashOf,
  decodeDirectoryProof,
  verifyAbsence,
  verifyAccountState,
  verifyLookup,
  verifyUsernameBinding,
} from "@latchkey/transparency";
import type { HeadResult, VerifiedAccount } from "@latchkey/transparency";
import { WitnessError } from "./errors.ts";
import { httpLogSource } from "./log-source.ts";
import { nodeSignatures } from "./signatures.ts";

/** A device as the public record has it. */
export interface RecordedDevice {
  readonly deviceId: Uint8Array;
  readonly addedMs: number;
}

/** The head of the log that a lookup was proved against, and who vouches for it. */
export interface RecordedHead {
  readonly origin: string;
  readonly configHash: Uint8Array;
  readonly size: number;
  /** Log time of its newest entry. */
  readonly timestampMs: number;
  readonly logWitnesses: readonly string[];
  readonly mapWitnesses: readonly string[];
  readonly required: { readonly log: number; readonly map: number };
}

/** What the directory has of a name, verified as a client does at a first contact (spec section 40). */
export type NameRecord =
  | {
      readonly kind: "account";
      readonly head: RecordedHead;
      readonly accountId: Uint8Array;
      readonly username: string;
      readonly status: "active" | "deleted";
      /** Of the newest state, from 1. */
      readonly versions: number;
      readonly createdMs: number;
      readonly changedMs: number;
      readonly devices: readonly RecordedDevice[];
      /** Whether the name belonged to another account before (spec A-3). */
      readonly hadOtherOwner: boolean;
      readonly proofBytes: number;
      /** States, proofs of possession and bindings. */
      readonly recordBytes: number;
    }
  /** Nobody has it; `isReleased` when somebody had. */
  | { readonly kind: "absent"; readonly head: RecordedHead; readonly isReleased: boolean; readonly proofBytes: number };

const timeoutMs = 10_000;

/**
 * Looks a name up as somebody who knows nothing yet, and verifies the answer. Needs no account.
 * @throws TransparencyError naming the rule when the answer does not hold; WitnessError `unreachable` or `bad_answer`
 */
export async function lookUpName(params: { serverUrl: string; username: string; nowMs?: number }): Promise<NameRecord> {
  const { serverUrl, username, nowMs = Date.now() } = params;
  const config = await httpLogSource({ serverUrl, timeoutMs }).config();
  const { host, answer } = await ask(serverUrl, { kind: "lookup_username", username, fromVersion: 0, knownSize: 0 });
  const common = { host, view: undefined, config, nowMs, signatures: nodeSignatures } as const;
  switch (answer.kind) {
    case "account":
      return await accountRecord({ ...common, username, record: answer });
    case "absent":
      return await absence({ ...common, username, record: answer });
    case "error":
      throw new WitnessError("bad_answer", `the server answers with the error ${answer.code}`);
    default:
      throw new WitnessError("bad_answer", "the server answers something else than was asked");
  }
}

type Common = Pick<Parameters<typeof verifyLookup>[0], "host" | "view" | "config" | "nowMs" | "signatures"> & { readonly username: string };

async function accountRecord({ username, record, ...common }: Common & { record: AccountRecord }): Promise<NameRecord> {
  const found = await verifyLookup({ ...common, proof: decodeDirectoryProof(record.proof), query: { username }, record });
  const accounts: VerifiedAccount[] = [];
  for (const signedState of record.states) {
    accounts.push(await verifyAccountState({ previous: accounts.at(-1), signedState, pops: record.pops, signatures: nodeSignatures }));
  }
  const newest = accounts.at(-1);
  if (newest === undefined || !equalBytes(newest.accountId, found.accountId))
    throw new TransparencyError("proof", "A-1", "the record has no account");
  await checkLastBinding(accounts, record.bindings.at(-1));
  const { state, accountId } = newest;
  return {
    kind: "account",
    head: headOf(found, common.config),
    accountId,
    username: state.username,
    status: state.status,
    versions: state.version + 1,
    createdMs: accounts[0]?.state.timeMs ?? 0,
    changedMs: state.timeMs,
    devices: state.devices.map(({ deviceId, addedMs }) => ({ deviceId, addedMs })),
    hadOtherOwner: found.hadOtherOwner,
    proofBytes: record.proof.length,
    recordBytes: [record.states, record.pops, record.bindings].flat().reduce((sum, { length }) => sum + length, 0),
  };
}

async function absence({ username, record, ...common }: Common & { record: AbsentName }): Promise<NameRecord> {
  const found = await verifyAbsence({ ...common, proof: decodeDirectoryProof(record.proof), username, bindings: record.bindings });
  return { kind: "absent", head: headOf(found, common.config), isReleased: found.username !== undefined, proofBytes: record.proof.length };
}

/** The binding was signed by a device that the account had at some time, or by its recovery key (spec A-3). */
async function checkLastBinding(accounts: readonly VerifiedAccount[], signedBinding: Uint8Array | undefined): Promise<void> {
  if (signedBinding === undefined) throw new TransparencyError("rule", "A-3", "the name has no binding");
  let failure: unknown;
  for (const account of accounts.toReversed()) {
    try {
      await verifyUsernameBinding({ account, signedBinding, signatures: nodeSignatures });
      return;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function headOf({ view, witnesses, size, entry }: HeadResult, config: Uint8Array | undefined): RecordedHead {
  const { log: logWitnesses, map: mapWitnesses, required } = witnesses;
  const configHash = config === undefined ? view.configHash : configHashOf(config);
  return { origin: view.origin, configHash, size, timestampMs: entry.timestampMs, logWitnesses, mapWitnesses, required };
}

/** One request on a `lookup` connection of its own. */
function ask(serverUrl: string, body: LookupRequest): Promise<{ host: string; answer: LookupReply }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ host: string; answer: LookupReply }>();
  const socket = new WebSocket(`${serverUrl.replace(/^http/, "ws")}${socketPath("lookup")}`, subprotocol);
  socket.binaryType = "arraybuffer";
  const timer = setTimeout(() => {
    reject(new WitnessError("unreachable", "the server does not answer in time"));
  }, timeoutMs);
  let host: string | undefined;
  socket.addEventListener("message", (event) => {
    // Binary frames come as ArrayBuffer: that was asked for above.
    const data: unknown = event.data;
    try {
      const frame = decode(lookupReplyCodec, data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(0));
      if (frame.body.kind === "hello") {
        ({ host } = frame.body);
        socket.send(encode(lookupRequestCodec, { id: 1, body }));
      } else if (host !== undefined && frame.id === 1) {
        resolve({ host, answer: frame.body });
      }
    } catch (cause) {
      if (!(cause instanceof CodecError)) throw cause;
      reject(new WitnessError("bad_answer", "the server's answer cannot be read", { cause }));
    }
  });
  const unreachable = (): void => {
    reject(new WitnessError("unreachable", "the server cannot be reached"));
  };
  socket.addEventListener("error", unreachable);
  socket.addEventListener("close", unreachable);
  return promise.finally(() => {
    clearTimeout(timer);
    socket.close();
  });
}
