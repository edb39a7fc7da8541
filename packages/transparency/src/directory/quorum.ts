import { utf8Bytes } from "@latchkey/codec";
import { TransparencyError } from "../errors.ts";
import { formatNote, parseNote, verifyNoteSignatures } from "../note/note.ts";
import type { Note, NoteSignature } from "../note/note.ts";
import { parsePolicy, quorumSize, quorumTime } from "../note/policy.ts";
import type { Policy } from "../note/policy.ts";
import { parseVkey } from "../note/vkey.ts";
import type { Signatures } from "../signature.ts";
import { mapWitnessName } from "./structures.ts";
import type { DirectoryConfig } from "./structures.ts";

/** What the witnesses of one policy say of a checkpoint. */
export interface QuorumResult {
  /** Key names of those whose cosignature is young enough. */
  readonly names: readonly string[];
  /** Witnesses in the smallest set that suffices; 0 when the policy asks for none. */
  readonly required: number;
  /** Since when the quorum vouches without a break, whatever its age; `undefined` when it is not met or none is asked for. */
  readonly sinceMs: number | undefined;
}

const noPolicy: Policy = { logs: [], witnesses: [], groups: [], quorum: "none" };
const mapSuffix = "/latchkey-map";

/**
 * Evaluates the valid cosignatures of a note under a config's two policies (C2SP tlog-policy; "" asks for nobody). Who replayed the
 * map also saw the log grow: the cosignature of `<witness>/latchkey-map` counts for `<witness>` in the quorum of the log, too.
 * @throws TransparencyError when a policy is malformed, or a cosignature of a known key does not verify.
 */
export async function evaluateQuorums(params: {
  config: DirectoryConfig;
  note: Note;
  notBeforeMs: number;
  signatures: Signatures;
}): Promise<{ log: QuorumResult; map: QuorumResult }> {
  const { config, note, notBeforeMs, signatures } = params;
  const mapPolicy = parsePolicyText(config.mapPolicy);
  const mapTimes = await cosignatureTimes(mapPolicy, note, signatures);
  const logPolicy = parsePolicyText(config.logPolicy);
  const logTimes = await cosignatureTimes(logPolicy, note, signatures);
  for (const { key } of logPolicy.witnesses) {
    const implied = mapTimes.get(mapWitnessName(key.name));
    if (implied !== undefined) logTimes.set(key.name, Math.max(implied, logTimes.get(key.name) ?? 0));
  }
  return { log: evaluate(logPolicy, logTimes, notBeforeMs), map: evaluate(mapPolicy, mapTimes, notBeforeMs) };
}

/**
 * The note without the cosignatures that others of it imply: those of `<witness>` where `<witness>/latchkey-map` signed at the same
 * time or later. A quorum of the log holds for it as before: what a proof carries.
 * @throws TransparencyError when the note is malformed.
 */
export function withoutImpliedCosignatures(checkpoint: Uint8Array): Uint8Array {
  const { text, signatures } = parseNote(checkpoint);
  const time = ({ signature }: NoteSignature): bigint | undefined =>
    signature.length === 72 ? new DataView(signature.buffer, signature.byteOffset).getBigUint64(0) : undefined;
  const times = new Map(signatures.map((line) => [line.name, time(line)]));
  const kept = signatures.filter((line) => {
    const own = time(line);
    const implied = times.get(mapWitnessName(line.name));
    return own === undefined || implied === undefined || implied < own;
  });
  return utf8Bytes(formatNote({ text, signatures: kept }));
}

/** When each witness of the policy cosigned, by the name of its key. */
async function cosignatureTimes(policy: Policy, note: Note, signatures: Signatures): Promise<Map<string, number>> {
  const keys = policy.witnesses.map(({ key }) => key);
  const verified = await verifyNoteSignatures(note, keys, signatures);
  return new Map(verified.map(({ name, timeSeconds = 0 }) => [name, timeSeconds * 1000]));
}

function evaluate(policy: Policy, times: ReadonlyMap<string, number>, notBeforeMs: number): QuorumResult {
  if (policy.quorum === "none") return { names: [], required: 0, sinceMs: undefined };
  const own = new Map<string, number>();
  for (const { name, key } of policy.witnesses) {
    const time = times.get(key.name);
    if (time !== undefined) own.set(name, time);
  }
  const names = policy.witnesses.map(({ key }) => key.name).filter((name) => (times.get(name) ?? -1) >= notBeforeMs);
  return { names, required: quorumSize(policy), sinceMs: quorumTime(policy, own) };
}

/**
 * Checks that a config's keys and policies can be used as they are meant: map witnesses sign under their own names with keys of
 * their own (spec D-3), as a cosignature does not say which of its signer's names it is for.
 * @throws TransparencyError `config` or `malformed`
 */
export function checkConfigKeys(config: DirectoryConfig): void {
  const log = parseVkey(config.logKey);
  const witnesses = parsePolicyText(config.logPolicy).witnesses.map(({ key }) => key);
  const maps = parsePolicyText(config.mapPolicy).witnesses.map(({ key }) => key);
  if (maps.some((key) => !key.name.endsWith(mapSuffix)) || witnesses.some((key) => key.name.endsWith(mapSuffix))) {
    throw new TransparencyError("config", "D-3", "a witness of the map or the log has a name of the other");
  }
  for (const keys of [witnesses, maps]) {
    if (new Set(keys.map((key) => key.name)).size !== keys.length) {
      throw new TransparencyError("config", "D-3", "two witnesses of a policy have one name");
    }
  }
  const keys = [log, ...witnesses, ...maps].map((key) => key.publicKey.join());
  if (new Set(keys).size !== keys.length) throw new TransparencyError("config", "D-3", "a configuration has one key for two uses");
}

function parsePolicyText(text: string): Policy {
  return text === "" ? noPolicy : parsePolicy(text);
}
