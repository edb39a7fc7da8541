import { concatBytes, decode, encode, toHex, utf8Bytes } from "@latchkey/codec";
import {
  createCommit,
  createGroup,
  createKeyPackage,
  encodeRatchetTree,
  encryptApplicationMessage,
  joinGroup,
  processMessage,
} from "@latchkey/mls";
import type { CipherSuite, GroupState, MessageEvidence, RandomBytes } from "@latchkey/mls";
import { nodeCrypto } from "@latchkey/mls/node";
import {
  authenticatedDataCodec,
  createTextContent,
  fileChunkAt,
  fileChunkCount,
  fileNonce,
  latchkeyGroupCodec,
  latchkeyGroupExtensionType,
  messageIdOf,
  paddedFileBytes,
  roomUri,
  seenMarkOf,
  senderUri,
} from "@latchkey/protocol";
import type { AuthenticatedData, ContentHead, FilePart } from "@latchkey/protocol";
import { seededRandom } from "@latchkey/testkit";
import {
  accountIdOf,
  accountStateCodec,
  deviceIdOf,
  devicePopCodec,
  ed25519Algorithm,
  nobleSignatures,
  signedCodec,
  signStructure,
  stateHashOf,
} from "@latchkey/transparency";
import type { AccountState } from "@latchkey/transparency";
import { gcm } from "@noble/ciphers/aes.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { knownStates } from "../index.ts";
import type { Complained, DeskView, ItemRole, OpenedReport, Report, Reporter, ReportItem } from "../index.ts";

/** What tests of reports use. */
export const suite: CipherSuite = nodeCrypto.suite(0xf001);
/** Deterministic. */
export const random: RandomBytes = seededRandom("reports");
/** Of everybody, unless said otherwise. */
export const host = "chat.example";
/** The time of what is said, and a minute later that of its arrival at the desk. */
export const saidAtMs = 1_800_000_000_000;
const nothing = new Uint8Array(0);
const zeros = new Uint8Array(32);
const lifetime = { notBefore: 1_799_000_000n, notAfter: 1_801_000_000n };

/** Somebody with an account of one device. */
export interface Talker {
  readonly host: string;
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
  readonly keys: { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array };
  readonly states: readonly Uint8Array[];
  readonly pops: readonly Uint8Array[];
  readonly chain: Uint8Array;
}

/** A person of that name. */
export async function talker(username: string, at: string = host): Promise<Talker> {
  const keys = await suite.generateSignatureKeyPair(random);
  const deviceId = deviceIdOf(keys.publicKey);
  const device = { deviceId, signatureAlgorithm: ed25519Algorithm, signatureKey: keys.publicKey, addedMs: saidAtMs, ext: nothing };
  const genesis: AccountState = {
    format: 1,
    accountId: zeros,
    version: 0,
    prevHash: zeros,
    timeMs: saidAtMs,
    status: "active",
    username,
    host: at,
    devices: [device],
    recoveryKey: keys.publicKey,
    signer: { kind: "device", deviceId },
    ext: nothing,
  };
  const sign = { secretKey: keys.secretKey, signatures: nobleSignatures };
  const state = await signStructure({ codec: accountStateCodec, value: genesis, label: "AccountState", ...sign });
  const { body } = decode(signedCodec, state);
  const pop = { format: 1 as const, accountId: zeros, device, ext: nothing };
  return {
    host: at,
    accountId: accountIdOf(body),
    deviceId,
    keys,
    states: [state],
    pops: [await signStructure({ codec: devicePopCodec, value: pop, label: "DevicePoP", ...sign })],
    chain: stateHashOf(body),
  };
}

/** What may be false in a message. */
export type Changed = Partial<AuthenticatedData> & { readonly content?: Uint8Array };

/** A message that was said. */
export interface SaidItem {
  readonly by: Talker;
  readonly evidence: MessageEvidence;
  readonly messageId: Uint8Array;
  readonly mark: Uint8Array;
}

/** A group of talkers who count their messages and say what they saw, as clients do. */
export class Talk {
  readonly #members: Map<Talker, { state: GroupState; number: number; previous: Uint8Array }>;
  readonly #log: SaidItem[] = [];
  readonly groupId: Uint8Array;

  private constructor(groupId: Uint8Array, members: readonly (readonly [Talker, GroupState])[]) {
    this.groupId = groupId;
    this.#members = new Map(members.map(([talker, state]) => [talker, { state, number: 0, previous: zeros }]));
  }

  static async begin(founder: Talker, others: readonly Talker[]): Promise<Talk> {
    const groupId = random(32);
    const data = encode(latchkeyGroupCodec, {
      format: 3,
      host,
      logHash: random(32),
      settingsHash: random(32),
      conversationKind: 2,
      ext: nothing,
    });
    const common = (one: Talker) => ({
      suite,
      credential: { kind: "basic" as const, identity: utf8Bytes(toHex(one.accountId)) },
      signatureKeyPair: one.keys,
      lifetime,
      capabilities: { versions: [1], cipherSuites: [0xf001], extensions: [latchkeyGroupExtensionType], proposals: [], credentials: [1] },
      random,
    });
    const alone = await createGroup({ ...common(founder), groupId, extensions: [{ type: latchkeyGroupExtensionType, data }] });
    const packages = await Promise.all(others.map(async (other) => await createKeyPackage(common(other))));
    const created = await createCommit(alone, {
      adds: packages.map(({ keyPackage }) => keyPackage),
      authenticatedData: nothing,
      random,
      nowSeconds: 1_800_000_000n,
    });
    const joined = await Promise.all(
      others.map(async (other, at) => {
        const [welcome, keyPackage] = [created.welcomes[at], packages[at]];
        if (welcome === undefined || keyPackage === undefined) throw new Error("a Welcome for each");
        const { state } = await joinGroup({ suite, welcome, ...keyPackage, ratchetTree: encodeRatchetTree(created.next) });
        return [other, state] as const;
      }),
    );
    return new Talk(groupId, [[founder, created.next], ...joined]);
  }

  /** Somebody says a text, or `content` of another kind; by a client that may be changed. */
  async say(by: Talker, text: string, changed: Changed = {}): Promise<SaidItem> {
    const member = this.#members.get(by);
    if (member === undefined) throw new Error("not a member");
    const { content = createTextContent({ ...this.head(), text }), ...fields } = changed;
    const number = member.number + 1;
    const seen = this.#log.findLast((said) => said.by !== by)?.mark ?? zeros;
    const authenticatedData = encode(authenticatedDataCodec, {
      format: 3,
      viewTag: random(32),
      generation: number,
      ownNumber: number,
      previousOwn: member.previous,
      seen,
      accountVersion: 0,
      accountChain: by.chain,
      gossip: nothing,
      ext: nothing,
      ...fields,
    });
    const sent = await encryptApplicationMessage(member.state, { plaintext: content, authenticatedData, random });
    const salt = saltOf(content);
    const uris = { senderUri: senderUri(by.host, by.accountId), roomUri: roomUri(host, this.groupId) };
    const messageId = messageIdOf({ sha256, ...uris, content, salt });
    const said = { by, evidence: sent.evidence, messageId, mark: seenMarkOf(sha256, messageId) };
    this.#members.set(by, { state: sent.state, number, previous: said.mark });
    this.#log.push(said);
    return said;
  }

  /** The next epoch begins. */
  async nextEpoch(by: Talker): Promise<void> {
    const member = this.#members.get(by);
    if (member === undefined) throw new Error("not a member");
    const created = await createCommit(member.state, { path: "always", authenticatedData: nothing, random, nowSeconds: 1_800_000_000n });
    for (const [other, its] of this.#members) {
      if (other === by) {
        its.state = created.next;
        continue;
      }
      const processed = await processMessage(its.state, created.message);
      if (processed.kind !== "commit") throw new Error("a commit");
      its.state = processed.state;
    }
  }

  head(atMs: number = saidAtMs): ContentHead {
    const salt = random(16);
    lastSalts.set(toHex(salt), salt);
    return { salt, sentAtMs: atMs };
  }
}

const lastSalts = new Map<string, Uint8Array>();

/** The salt of content that was made with `head`: it stands near its front. */
function saltOf(content: Uint8Array): Uint8Array {
  const hex = toHex(content.subarray(0, 24));
  const found = [...lastSalts].find(([salt]) => hex.includes(salt));
  if (found === undefined) throw new Error("content without a salt of this test");
  return found[1];
}

/** What a report of these messages encloses. */
export function itemsOf(said: readonly (readonly [ItemRole, SaidItem])[]): Pick<Complained, "contexts" | "items"> {
  const contexts: Uint8Array[] = [];
  const items = said.map(([role, { by, evidence }]): ReportItem => {
    const at = contexts.findIndex((context) => toHex(context) === toHex(evidence.context));
    if (at < 0) contexts.push(evidence.context);
    const { content, signature, signaturePublicKey } = evidence;
    const sender = { host: by.host, accountId: by.accountId, deviceId: by.deviceId };
    return { role, context: at < 0 ? contexts.length - 1 : at, sender, signaturePublicKey, content, signature };
  });
  return { contexts, items };
}

/** A report of these messages about somebody. */
export function reportOf(accused: Talker, said: readonly (readonly [ItemRole, SaidItem])[], body: Partial<Complained> = {}): Report {
  return {
    format: 1,
    reportId: random(16),
    replySecret: random(32),
    body: {
      kind: "report",
      accused: { host: accused.host, accountId: accused.accountId },
      reason: "threat",
      words: "They threaten me",
      ...itemsOf(said),
      attachments: [],
      states: [],
      leftOut: 0,
      ...body,
    },
    ext: nothing,
  };
}

/** As the desk has it once it is opened. */
export function opened(report: Report, encoded: Uint8Array, reporter: Reporter = { kind: "unnamed" }): OpenedReport {
  return { report, encoded, reporter };
}

/** What a desk knows whose directory has these people. */
export function viewOf(people: readonly Talker[]): DeskView {
  return {
    host,
    suite,
    signatures: nobleSignatures,
    nowMs: saidAtMs + 60_000,
    historyOf: (accountId) => {
      const found = people.find((one) => toHex(one.accountId) === toHex(accountId));
      return Promise.resolve(found && knownStates(found.states));
    },
  };
}

/** The same bytes but one bit. */
export function flipped(bytes: Uint8Array, at: number = bytes.length - 1): Uint8Array {
  return concatBytes(bytes.subarray(0, at), Uint8Array.of((bytes[at] ?? 0) ^ 1), bytes.subarray(at + 1));
}

/** A file as it lies at its host (spec X-23). */
export function encryptedFile(bytes: Uint8Array): { readonly part: FilePart; readonly ciphertext: Uint8Array } {
  const [key, prefix] = [random(32), random(7)];
  const padded = new Uint8Array(paddedFileBytes(bytes.length));
  padded.set(bytes);
  const chunks = Array.from({ length: fileChunkCount(padded.length) }, (_, index) => {
    const { isLast, from, to } = fileChunkAt(padded.length, index);
    return gcm(key, fileNonce(prefix, index, isLast)).encrypt(padded.subarray(from, to));
  });
  const ciphertext = concatBytes(...chunks);
  const about = { kind: "file" as const, host, blobId: random(32), name: "a.txt", mediaType: "text/plain", description: "" };
  return { part: { ...about, key, prefix, hash: sha256(ciphertext), sizeBytes: bytes.length }, ciphertext };
}
