import { equalBytes } from "@latchkey/codec";
import { TransparencyError } from "../errors.ts";
import { checkedText, parseDecimal } from "./text.ts";
import { formatVkey, noteSignatureTypes, parseVkey } from "./vkey.ts";
import type { Verifier } from "./vkey.ts";

/** A log whose checkpoints count. */
export interface PolicyLog {
  readonly key: Verifier;
  readonly url?: string;
}

/** A witness, by a name that has a meaning in its policy only. */
export interface PolicyWitness {
  readonly name: string;
  readonly key: Verifier;
  readonly url?: string;
}

/** A group: it has witnessed what `threshold` of its members have. */
export interface PolicyGroup {
  readonly name: string;
  readonly threshold: number;
  /** Names of witnesses and of earlier groups. */
  readonly members: readonly string[];
}

/** A trust policy: whose checkpoints count, and which sets of cosigners suffice. */
export interface Policy {
  readonly logs: readonly PolicyLog[];
  readonly witnesses: readonly PolicyWitness[];
  /** A group comes after its members. */
  readonly groups: readonly PolicyGroup[];
  /** A witness, a group, or "none". */
  readonly quorum: string;
}

const rule = "C2SP tlog-policy";
const maxTextBytes = 65_536;
const maxOfEach = 64;
const none = "none";

/**
 * Parses a policy file (C2SP tlog-policy, "Policy file syntax and structure") of at most 64 KiB and 64 logs, witnesses and groups.
 * @throws TransparencyError when it is malformed, or refers to what it has not defined.
 */
export function parsePolicy(input: string | Uint8Array): Policy {
  const text = checkedText(typeof input === "string" ? input.replaceAll("\t", " ") : withoutTabs(input), { maxBytes: maxTextBytes, rule });
  if (!text.endsWith("\n")) throw malformed("Each line of a policy ends with a newline.");
  const policy: { logs: PolicyLog[]; witnesses: PolicyWitness[]; groups: PolicyGroup[]; quorum?: string } = {
    logs: [],
    witnesses: [],
    groups: [],
  };
  for (const line of text.split("\n")) {
    const [keyword = "", ...items] = line.split(" ").filter((item) => item !== "");
    if (keyword === "" || keyword.startsWith("#")) continue;
    switch (keyword) {
      case "log":
        policy.logs.push(parseLog(items));
        break;
      case "witness":
        policy.witnesses.push(parseWitness(items));
        break;
      case "group":
        policy.groups.push(parseGroup(items));
        break;
      case "quorum": {
        const [quorum] = items;
        if (policy.quorum !== undefined || quorum === undefined || items.length !== 1) throw malformed("A policy has one quorum.");
        policy.quorum = quorum;
        break;
      }
      default:
        throw malformed("A policy has a line of an unknown kind.");
    }
    // Groups and quorum refer to earlier lines only: what stands so far is checked line by line.
    checkPolicy({ ...policy, quorum: policy.quorum ?? none });
  }
  const { quorum, ...rest } = policy;
  if (quorum === undefined) throw malformed("A policy has one quorum.");
  return { ...rest, quorum };
}

/**
 * The policy as a file, in one spelling: logs, witnesses, groups, quorum. `parsePolicy` of it gives the same policy.
 * @throws TransparencyError when the policy is inconsistent, or a name or URL cannot be written.
 */
export function formatPolicy(policy: Policy): string {
  checkPolicy(policy);
  const lines = [
    ...policy.logs.map(({ key, url }) => ["log", formatVkey(key), ...(url === undefined ? [] : [url])]),
    ...policy.witnesses.map(({ name, key, url }) => ["witness", name, formatVkey(key), ...(url === undefined ? [] : [url])]),
    ...policy.groups.map(({ name, threshold, members }) => ["group", name, String(threshold), ...members]),
    ["quorum", policy.quorum],
  ];
  if (lines.flat().some((item) => !isItem(item))) throw malformed("A name or URL of a policy is empty or holds spaces.");
  return `${lines.map((line) => line.join(" ")).join("\n")}\n`;
}

/** The policy "k of these witnesses", without logs; with no witness, `quorum none`. @throws TransparencyError unless 1 <= k <= n. */
export function thresholdPolicy(threshold: number, witnesses: readonly PolicyWitness[]): Policy {
  if (witnesses.length === 0) return { logs: [], witnesses: [], groups: [], quorum: none };
  const name = "quorum-group";
  return checkPolicy({
    logs: [],
    witnesses,
    groups: [{ name, threshold, members: witnesses.map((witness) => witness.name) }],
    quorum: name,
  });
}

/** How many witnesses the smallest set that suffices has: k of "k of n", 0 for `none`. */
export function quorumSize(policy: Policy): number {
  const sizes = new Map(policy.witnesses.map(({ name }) => [name, 1]));
  sizes.set(none, 0);
  for (const { name, threshold, members } of policy.groups) {
    const cheapest = members.map((member) => sizes.get(member) ?? 0).toSorted((a, b) => a - b);
    sizes.set(
      name,
      cheapest.slice(0, threshold).reduce((sum, size) => sum + size, 0),
    );
  }
  return sizes.get(policy.quorum) ?? 0;
}

/**
 * Since when the quorum holds without a break: the oldest cosignature that it cannot do without, in the best choice of witnesses, in the
 * unit of `times`. Infinity for `quorum none`.
 * @param times when each witness, by its name in the policy, cosigned; absent if it did not.
 * @returns undefined when the quorum is not met.
 */
export function quorumTime(policy: Policy, times: ReadonlyMap<string, number>): number | undefined {
  const reached = new Map<string, number>([[none, Number.POSITIVE_INFINITY]]);
  for (const { name } of policy.witnesses) {
    const time = times.get(name);
    if (time !== undefined) reached.set(name, time);
  }
  for (const { name, threshold, members } of policy.groups) {
    const newest = members.flatMap((member) => reached.get(member) ?? []).toSorted((a, b) => b - a);
    const time = newest[threshold - 1];
    if (time !== undefined) reached.set(name, time);
  }
  return reached.get(policy.quorum);
}

/** Whether cosignatures of these witnesses, by their names in the policy, suffice. */
export function isQuorumMet(policy: Policy, cosigned: Iterable<string>): boolean {
  return quorumTime(policy, new Map([...cosigned].map((name) => [name, 0]))) !== undefined;
}

function checkPolicy(policy: Policy): Policy {
  const { logs, witnesses, groups } = policy;
  if ([logs, witnesses, groups].some((list) => list.length > maxOfEach)) throw malformed("A policy has too many lines.");
  if (logs.some(({ key }) => key.type !== noteSignatureTypes.ed25519)) throw malformed("A log's key has another type of signature.");
  if (witnesses.some(({ key }) => key.type !== noteSignatureTypes.cosignatureV1)) throw malformed("A witness's key makes no cosignatures.");
  if (hasDuplicateKey(logs) || hasDuplicateKey(witnesses)) throw malformed("A policy names one key twice.");
  const defined = new Set<string>();
  const define = (name: string): void => {
    if (name === none || defined.has(name) || !isItem(name)) throw malformed("A policy defines a name twice, or one that it cannot have.");
    defined.add(name);
  };
  const members = new Set<string>();
  for (const { name } of witnesses) define(name);
  for (const group of groups) {
    for (const member of group.members) {
      if (!defined.has(member)) throw malformed("A policy refers to a name that no earlier line defines.");
      if (members.has(member)) throw malformed("A policy has one name twice as a member.");
      members.add(member);
    }
    if (!Number.isInteger(group.threshold) || group.threshold < 1 || group.threshold > group.members.length) {
      throw malformed("A group's threshold is not between one and its members.");
    }
    define(group.name);
  }
  if (policy.quorum !== none && !defined.has(policy.quorum)) throw malformed("A policy's quorum is not defined.");
  return policy;
}

function hasDuplicateKey(entries: readonly { readonly key: Verifier }[]): boolean {
  return entries.some(({ key }, i) => entries.slice(0, i).some((other) => equalBytes(other.key.publicKey, key.publicKey)));
}

function parseLog(items: readonly string[]): PolicyLog {
  const [vkey, url] = items;
  if (vkey === undefined || items.length > 2) throw malformed("A policy's log line has a key and a URL.");
  return { key: parseVkey(vkey), ...(url === undefined ? {} : { url }) };
}

function parseWitness(items: readonly string[]): PolicyWitness {
  const [name, vkey, url] = items;
  if (name === undefined || vkey === undefined || items.length > 3) throw malformed("A policy's witness line has a name, a key and a URL.");
  return { name, key: parseVkey(vkey), ...(url === undefined ? {} : { url }) };
}

function parseGroup(items: readonly string[]): PolicyGroup {
  const [name, threshold, ...members] = items;
  if (name === undefined || threshold === undefined || members.length === 0)
    throw malformed("A policy's group line has a name, a threshold and members.");
  const count = threshold === "any" ? 1 : threshold === "all" ? members.length : parseDecimal(threshold);
  if (count === undefined) throw malformed("A group's threshold is a number, any or all.");
  return { name, threshold: count, members };
}

function isItem(item: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what this looks for.
  return /^[^\u0000-\u0020\u007f]+$/.test(item) && item.isWellFormed();
}

/** Tabs separate items in policies, and nothing else here takes them. */
function withoutTabs(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => (byte === 0x09 ? 0x20 : byte));
}

function malformed(message: string): TransparencyError {
  return new TransparencyError("malformed", rule, message);
}
