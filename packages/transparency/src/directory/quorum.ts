import { TransparencyError } from "../errors.ts";
import { verifyNoteSignatures } from "../note/note.ts";
import type { Note } from "../note/note.ts";
import { parsePolicy, quorumSize, quorumTime } from "../note/policy.ts";
import type { Policy } from "../note/policy.ts";
import { parseVkey } from "../note/vkey.ts";
import type { Signatures } from "../signature.ts";
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

/** Evaluates the valid cosignatures of a note under a policy's text (C2SP tlog-policy; "" asks for nobody). @throws TransparencyError */
export async function evaluateQuorum(params: {
  policy: string;
  note: Note;
  notBeforeMs: number;
  signatures: Signatures;
}): Promise<QuorumResult> {
  const policy = parsePolicyText(params.policy);
  if (policy.quorum === "none") return { names: [], required: 0, sinceMs: undefined };
  const keys = policy.witnesses.map(({ key }) => key);
  const verified = await verifyNoteSignatures(params.note, keys, params.signatures);
  const times = new Map<string, number>();
  const names: string[] = [];
  for (const { name, keyId, timeSeconds = 0 } of verified) {
    const witness = policy.witnesses.find(({ key }) => key.name === name && key.keyId === keyId);
    if (witness === undefined) continue;
    times.set(witness.name, timeSeconds * 1000);
    if (timeSeconds * 1000 >= params.notBeforeMs) names.push(name);
  }
  return { names, required: quorumSize(policy), sinceMs: quorumTime(policy, times) };
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
  const keys = [log, ...witnesses, ...maps].map((key) => key.publicKey.join());
  if (new Set(keys).size !== keys.length) throw new TransparencyError("config", "D-3", "a configuration has one key for two uses");
}

function parsePolicyText(text: string): Policy {
  return text === "" ? noPolicy : parsePolicy(text);
}
