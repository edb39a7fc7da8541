import { decode, toBase64Url } from "@latchkey/codec";
import type {
  CipherSuite,
  CipherSuiteId,
  GroupState,
  KeyPackage,
  KeyPackagePrivateKeys,
  MessageEvidence,
  RandomBytes,
} from "@latchkey/mls";
import { nodeCrypto } from "@latchkey/mls/node";
import { createTextContent } from "@latchkey/protocol";
import type { AccountRecord, WireErrorCode } from "@latchkey/protocol";
import { seededRandom } from "@latchkey/testkit";
import { accountIdOf, nobleSignatures, signedCodec } from "@latchkey/transparency";
import type { LogEvidence } from "@latchkey/transparency";
import { sha256 } from "@noble/hashes/sha2.js";
import { encodeProofs } from "../account/proofs.ts";
import { inboxSuite } from "../group/inbox-seal.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import { createConversation, joinConversation } from "./begin.ts";
import type { RunAs } from "./begin.ts";
import { answersComplaint } from "./answering.ts";
import { eraseLeftBehind } from "./erase.ts";
import { createSimAccount } from "./sim-account.testing.ts";
import { bundleOf, simKeyPackage, treeOf } from "./sim-joining.testing.ts";
import type { SimAccount } from "./sim-account.testing.ts";
import { LogModel } from "./log-model.testing.ts";
import type { ModelReader } from "./log-model.testing.ts";
import type { Said } from "../timeline/said.ts";
import { lineOf } from "../timeline/timeline.ts";
import { isPendingOrder } from "./order.ts";
import { loadConversation, loadGroup, loadHead } from "./load-records.ts";
import { isPast } from "./past.ts";
import type { PastEffect } from "./past-effect.ts";
import { recordChanges } from "./records.ts";
import { leadsElsewhere } from "./arrival.ts";
import { carryOver, judgeRejoin } from "./rejoin.ts";
import { step } from "./step.ts";
import type { Context, ConversationState, Effect, Input, Joiner, LeafVerdict, Line, Self, WelcomePost } from "./types.ts";

export const suiteId = 0x0001;
const suite = nodeCrypto.suite(suiteId);
const host = "chat.example";
/** Whose it is does not matter here; that something can be sealed to it does (spec E-18). */
export const simInboxKey: Uint8Array = (await nodeCrypto.suite(inboxSuite).deriveKemKeyPair(new Uint8Array(32).fill(7))).publicKey;
const blobStore = new Map<string, Uint8Array>();

/** One simulated device: the rules of the engine (store first, then send) around the core, with everything that can go wrong. */
export class SimDevice {
  readonly name: string;
  readonly self: Self;
  readonly account: SimAccount;
  readonly #random: RandomBytes;
  readonly #world: SimWorld;
  readonly store: Store = createMemoryStore();
  readonly lines: Map<number, Line> = new Map();
  readonly timers: Map<string, number> = new Map();
  /** How often content beside an entry was asked for. */
  fetched: number = 0;
  readonly links: Extract<Effect, { kind: "join_link" }>["event"][] = [];
  readonly alarms: string[] = [];
  /** By the place of the line. */
  readonly evidence: Map<number, { epoch: number; evidence: MessageEvidence }> = new Map();
  /** What is kept for joiners, given to them, and was given to it (spec R-5). */
  readonly past: PastEffect[] = [];
  isHeld = false;
  gossip: Uint8Array = new Uint8Array(0);
  readonly heard: Extract<Effect, { kind: "said" }>[] = [];
  readonly shown: Uint8Array[] = [];
  forksTold = 0;
  headsAsked = 0;
  readonly outcomes: string[] = [];
  /** Whether its person goes along with whoever asks. */
  agrees = false;
  /** Why Welcomes were not followed. */
  readonly refusals: string[] = [];
  readonly #keyPackages: { keyPackage: KeyPackage; privateKeys: KeyPackagePrivateKeys }[] = [];
  /** What members said that is for the timeline. */
  readonly said: Said[] = [];
  inbox: { readonly post: WelcomePost; readonly sender: SimDevice }[] = [];
  state: ConversationState | undefined;
  /** The latest states of the group that it went through. */
  readonly left: GroupState[] = [];
  #reader: ModelReader | undefined;
  /** Requests on their way to the server, and what the server said, on its way here. */
  #requests: Effect[] = [];
  #events: Input[] = [];
  #now = 1_700_000_000_000;
  #complaints = 0;

  constructor(world: SimWorld, name: string, { self, account }: { self: Self; account: SimAccount }, random: RandomBytes) {
    this.#world = world;
    this.name = name;
    this.self = self;
    this.account = account;
    this.#random = random;
  }

  static async create(world: SimWorld, name: string, random: RandomBytes): Promise<SimDevice> {
    const signatureKeyPair = await suite.generateSignatureKeyPair(random);
    const account = await createSimAccount({ host, username: name, keys: signatureKeyPair, random, isProven: world.isProven });
    const { accountId, deviceId } = account;
    const self: Self = {
      host,
      accountId,
      deviceId,
      account: toBase64Url(accountId),
      signatureKeyPair,
      accountVersion: 0,
      accountChain: random(32),
    };
    return new SimDevice(world, name, { self, account }, random);
  }

  get context(): Context {
    return {
      self: this.self,
      nowMs: (this.#now += 10),
      random: this.#random,
      sha256,
      suite: (id) => nodeCrypto.suite(id),
      departed: (leaf) => this.#world.departed.has(toBase64Url(leaf.deviceId)),
      recordsOf: (ids) => this.#world.recordsOf(ids),
      standingRecordsOf: (ids) => this.#world.recordsOf(ids, this.account.log),
      directory: this.account.directory,
      signatures: nobleSignatures,
      gossip: this.gossip,
      isHeld: this.isHeld,
      vouched: (leaf) => this.#world.vouches(leaf.account, leaf.signaturePublicKey),
      olderHead: (seq) => this.store.transact("read", (tx) => loadHead(tx, this.#id, seq)),
    };
  }

  /** Puts its clock forward. */
  jump(durationMs: number): void {
    this.#now += durationMs;
  }

  get #id(): string {
    return this.state?.id ?? "";
  }

  async #newKeyPackage(): Promise<{ reference: number; message: Uint8Array }> {
    const { self } = this;
    const created = await simKeyPackage(self, this.#world.suite, this.#random);
    return { reference: this.#keyPackages.push(created), message: created.message };
  }

  async joiner(): Promise<Joiner> {
    const { message } = await this.#newKeyPackage();
    const { accountId, deviceId } = this.self;
    return { host, accountId, deviceId, inboxId: this.#random(32), inboxKey: simInboxKey, keyPackage: message };
  }

  async found(others: readonly SimDevice[], runAs?: RunAs): Promise<void> {
    const adds = await Promise.all(others.map((other) => other.joiner()));
    const change = { id: "first", adds, removes: [], removeDevices: [], proofs: new Uint8Array(0), update: false };
    const { logId } = this.#world;
    const begun = await createConversation(this.context, {
      logId,
      host,
      kind: "group",
      name: "Sim",
      peer: undefined,
      suiteId: this.#world.suite.id,
      change,
      ...(runAs === undefined ? {} : { runAs }),
    });
    await this.#keep(undefined, begun.state, begun.effects);
  }

  async input(input: Input): Promise<void> {
    if (this.state === undefined) return;
    const result = await step(this.context, this.state, input);
    if (result.kind === "needs_blob") {
      this.fetched++;
      const { decryptBlob } = await import("../group/blobs.ts");
      const ciphertext = blobStore.get(toBase64Url(result.reference.blobId));
      if (input.kind !== "entry") throw new Error("only entries need blobs");
      const external =
        ciphertext === undefined ? "missing" : (decryptBlob({ reference: result.reference, ciphertext, sha256 }) ?? "unreadable");
      await this.input({ ...input, external });
      return;
    }
    await this.#keep(this.state, result.state, result.effects);
    eraseLeftBehind(result.groups, result.state);
    this.left.push(...result.groups);
    this.left.splice(0, this.left.length - 100);
  }

  /** Stores, then sends. */
  async #keep(before: ConversationState | undefined, after: ConversationState, effects: readonly Effect[]): Promise<void> {
    await this.store.transact("write", (tx) => {
      for (const { key, value } of recordChanges(before, after)) {
        if (value === undefined) tx.delete(key);
        else tx.put(key, value);
      }
    });
    this.state = after;
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: Effect): void {
    if (isPast(effect)) return void this.past.push(effect);
    if (effect.kind === "join_link") return void this.links.push(effect.event);
    if (effect.kind === "said") return void this.heard.push(effect);
    if (effect.kind === "wake" || effect.kind === "wake_token") return;
    switch (effect.kind) {
      case "create":
      case "open":
      case "append":
      case "commit":
        if (this.#reader !== undefined) this.#requests.push(effect);
        return;
      case "close":
        this.#reader?.opened.clear();
        this.#requests = [];
        this.#events = this.#events.filter((event) => event.kind === "verified" || event.kind === "complain");
        return;
      case "complain":
        this.#complaints++;
        return;
      case "line":
        this.lines.set(effect.line.order, effect.line);
        return;
      case "content": {
        const { said } = effect;
        this.said.push(said);
        const { kind } = said.body;
        if (kind === "text" || kind === "poll" || kind === "unsupported") this.lines.set(said.order, lineOf(said, said.body));
        return;
      }
      case "alarm":
        this.alarms.push(effect.reason);
        return;
      case "post":
        // Persisted with the commit in the engine: never lost.
        this.#world.deviceOf(effect.post.joiner.accountId).inbox.push({ post: effect.post, sender: this });
        return;
      case "verify":
        if (this.#world.isSilent) return;
        this.#events.push({
          kind: "verified",
          verdicts: effect.leaves.map((leaf) => ({
            leafIndex: leaf.leafIndex,
            signaturePublicKey: leaf.signaturePublicKey,
            verdict: this.#world.verdictOf(toBase64Url(leaf.accountId)),
          })),
        });
        return;
      case "schedule":
        this.timers.set(effect.name, effect.delayMs);
        return;
      case "change_outcome":
        this.outcomes.push(effect.outcome.kind === "done" ? "done" : effect.outcome.code);
        return;
      case "ask_head":
        this.headsAsked++;
        return;
      case "tell_fork":
        this.forksTold++;
        return;
      case "evidence":
        this.evidence.set(effect.order, { epoch: effect.epoch, evidence: effect.evidence });
        return;
      case "accounts":
        this.shown.push(effect.proofs);
        return;
      case "append_secret":
      case "sync":
      case "placed":
      case "receipt":
      case "read_query":
      case "named":
      case "pictured":
      case "dropped":
      case "outgoing":
        return;
    }
  }

  async connect(): Promise<void> {
    if (this.#reader !== undefined || this.state === undefined) return;
    this.#reader = { cursor: 0, opened: new Set() };
    await this.input({ kind: "connected", retentionDays: 30 });
  }

  /** The connection breaks: of what was on its way, the first `arrive` requests still reach the server, no answer comes back. */
  async disconnect(arrive: number): Promise<void> {
    if (this.#reader === undefined) return;
    for (let i = 0; i < arrive; i++) this.serve();
    this.#reader = undefined;
    this.#requests = [];
    this.#events = this.#events.filter((event) => event.kind === "verified");
    await this.input({ kind: "disconnected", heardAtMs: this.#now });
  }

  /** The process dies and starts again from its store. */
  async restart(arrive: number): Promise<void> {
    if (this.state === undefined) return;
    for (let i = 0; i < arrive && this.#reader !== undefined; i++) this.serve();
    this.#reader = undefined;
    this.#requests = [];
    this.#events = [];
    this.timers.clear();
    this.#complaints = 0;
    const id = this.#id;
    this.state = await this.store.transact("read", async (tx) => {
      const stored = await loadConversation(tx, id, (suiteNumber) => nodeCrypto.suite(suiteNumber));
      if (stored === undefined) throw new Error("the conversation is gone");
      return await loadGroup(tx, stored, this.#world.suite);
    });
  }

  /** The server handles one request. */
  serve(): boolean {
    const request = this.#requests.shift();
    const reader = this.#reader;
    if (request === undefined || reader === undefined) return false;
    const { log } = this.#world;
    const refuse = (code: WireErrorCode, kind: "create" | "open" | "append" | "commit", entryId?: Uint8Array): void => {
      this.#events.push({ kind: "refused", request: kind, entryId, code, retryAfterMs: 0 });
    };
    if (request.kind === "create" || request.kind === "open") {
      const answer = request.kind === "create" ? log.create(reader, request.accessHash) : log.open(reader, request);
      if (answer.kind === "ok") this.#events.push({ kind: "opened", opened: answer.value });
      else refuse(answer.code, request.kind);
    }
    if (request.kind === "append" || request.kind === "commit") {
      for (const blob of request.entry.blobs) blobStore.set(toBase64Url(blob.blobId), blob.ciphertext);
      const { entry } = request;
      const answer =
        request.kind === "append"
          ? log.append(reader, { ...entry, entryKind: request.entryKind })
          : log.commit(reader, { ...request, ...entry });
      if (answer.kind === "ok") this.#events.push({ kind: "accepted", entryId: entry.entryId, ...answer.value });
      else refuse(answer.code, request.kind, entry.entryId);
    }
    return true;
  }

  /** The server streams one entry. */
  stream(): boolean {
    const next = this.#reader === undefined ? undefined : this.#world.log.next(this.#reader);
    if (next === undefined) return false;
    this.#events.push(next);
    return true;
  }

  /** One thing that the server said arrives here. */
  async receive(): Promise<boolean> {
    if (this.#complaints > 0) {
      this.#complaints--;
      const { message } = await this.#newKeyPackage();
      await this.input({ kind: "complain", keyPackage: message, inboxId: this.#random(32), inboxKey: simInboxKey });
      return true;
    }
    // As the engine does it: entries wait until the answer to `open` has been taken in.
    const isReading = this.state?.link.kind === "following";
    const at = this.#events.findIndex((event) => isReading || (event.kind !== "entry" && event.kind !== "sealed"));
    const event = at === -1 ? undefined : this.#events.splice(at, 1)[0];
    if (event === undefined) return false;
    await this.input(event);
    return true;
  }

  async fireTimer(): Promise<boolean> {
    // The shortest first, as clocks have it.
    const [next] = [...this.timers].toSorted(([, a], [, b]) => a - b);
    if (next === undefined) return false;
    const [name] = next;
    this.timers.delete(name);
    // Names come from `schedule` effects only.
    await this.input({ kind: "timer", name: name as "retry" });
    return true;
  }

  /** Reads its inbox. */
  async join(): Promise<boolean> {
    const item = this.inbox.shift();
    if (item === undefined) return false;
    const { post, sender } = item;
    const isOut = this.state === undefined || this.state.phase.kind === "removed" || this.state.phase.kind === "left";
    for (const own of this.#keyPackages) {
      const tree = treeOf(post.tree, blobStore);
      const bundle = bundleOf(post, { host, logId: this.#world.logId });
      const joined = await joinConversation(this.context, {
        bundle,
        suiteId: this.#world.suite.id,
        ...own,
        ratchetTree: tree,
        senderAccountId: sender.self.accountId,
        senderDeviceId: sender.self.deviceId,
        sight: { atMs: this.#now, retentionDays: 30 },
      });
      if (joined.kind !== "joined") {
        this.refusals.push(joined.reason);
        continue;
      }
      const before = this.state;
      if (before === undefined) await this.#keep(before, joined.state, joined.effects);
      else if (isOut) {
        const { state, effects } = carryOver(before, joined, sender.self.accountId);
        await this.#keep(before, state, effects);
      } else {
        const ownHead = await this.context.olderHead(joined.state.chain.seq);
        const isAnswer = answersComplaint(before, joined.state, sender.self, ownHead);
        const { accountId } = sender.self;
        const isElsewhere = leadsElsewhere(before, joined.state, sender.self, { ownHead, nowMs: this.#now });
        const verdict = judgeRejoin(before, joined.state, {
          self: this.self.accountId,
          sender: accountId,
          answersComplaint: isAnswer,
          leadsElsewhere: isElsewhere,
        });
        if (verdict.kind === "wait") {
          this.inbox.push(item);
          return false;
        }
        if (verdict.kind !== "take" && !(verdict.kind === "ask" && this.agrees)) {
          this.refusals.push(verdict.kind === "ignore" ? verdict.reason : "asks");
          return true;
        }
        const { state, effects } = carryOver(before, joined, sender.self.accountId);
        await this.#keep(before, state, effects);
      }
      if (this.#reader !== undefined) {
        // The old membership's stream was closed.
        this.#requests = [];
        this.#events = this.#events.filter((event) => event.kind === "verified");
        this.#reader = { cursor: 0, opened: new Set() };
        await this.input({ kind: "connected", retentionDays: 30 });
      }
      return true;
    }
    throw new Error("no key package fits the Welcome");
  }

  async say(text: string): Promise<void> {
    const id = toBase64Url(this.#random(16));
    const content = createTextContent({ text, salt: this.#random(16), sentAtMs: this.#now });
    await this.input({ kind: "compose", id, purpose: "text", text, content });
  }

  async leave(): Promise<void> {
    await this.input({ kind: "leave", id: toBase64Url(this.#random(16)) });
  }

  async change(adds: readonly SimDevice[], removes: readonly SimDevice[]): Promise<void> {
    const joiners = await Promise.all(adds.map((device) => device.joiner()));
    const id = toBase64Url(this.#random(8));
    const accounts = removes.map((device) => device.self.accountId);
    await this.input({
      kind: "change",
      change: { id, adds: joiners, removes: accounts, removeDevices: [], proofs: new Uint8Array(0), update: false },
    });
  }

  /** Sends again what failed because somebody was added. */
  async retryFailed(): Promise<boolean> {
    const failed = this.state?.outgoing.find((item) => item.failure === "members_changed");
    if (failed === undefined) return false;
    await this.input({ kind: "retry", id: failed.id });
    return true;
  }

  /** The texts that stand in the log, by place. */
  texts(): Map<number, string> {
    const texts = new Map<number, string>();
    for (const line of this.lines.values()) {
      const { body } = line;
      if (body.kind === "text" && !isPendingOrder(line.order)) texts.set(line.order, body.text);
    }
    return texts;
  }

  get isActive(): boolean {
    return this.state?.phase.kind === "active";
  }

  /** Whether it waits for nothing. */
  get isIdle(): boolean {
    return this.#requests.length === 0 && this.#events.length === 0 && this.inbox.length === 0 && this.#complaints === 0;
  }
}

/** Devices around one log. */
export class SimWorld {
  readonly logId: Uint8Array;
  readonly log: LogModel;
  readonly devices: SimDevice[] = [];
  readonly random: RandomBytes;
  /** Accounts (base64url) that do not have the keys that their leaves show: what the directory says of them. */
  readonly ghosts: Set<string> = new Set();
  /** Accounts (base64url) of which the directory tells nothing. */
  readonly untold: Set<string> = new Set();
  /** Devices (base64url) that their accounts do not have any more. */
  readonly departed: Set<string> = new Set();
  /** Whether the directory does not answer. */
  isSilent = false;
  /** Of the group. */
  suite: CipherSuite = suite;
  /** Whether accounts have their proofs. */
  isProven = false;
  /** The records that prove it. */
  readonly records: AccountRecord[] = [];
  readonly #keys = new Map<string, Uint8Array>();

  constructor(seed: string) {
    this.random = seededRandom(seed);
    this.logId = this.random(32);
    this.log = new LogModel(this.logId, sha256);
  }

  /** @param options `suite` other than the plain one; `isProven` for worlds whose devices leave their accounts: the records are proven, which takes time */
  static async create(
    seed: string,
    names: readonly string[],
    options: { isProven?: boolean; suite?: CipherSuiteId } = {},
  ): Promise<SimWorld> {
    const world = new SimWorld(seed);
    world.isProven = options.isProven === true;
    if (options.suite !== undefined) world.suite = nodeCrypto.suite(options.suite);
    for (const name of names) {
      const device = await SimDevice.create(world, name, seededRandom(`${seed}/${name}`));
      world.#keys.set(device.self.account, device.self.signatureKeyPair.publicKey);
      world.devices.push(device);
    }
    return world;
  }

  /** A whole number below `limit`. */
  pick(limit: number): number {
    const [a = 0, b = 0] = this.random(2);
    return (a * 256 + b) % limit;
  }

  vouches(account: string, key: Uint8Array): boolean {
    const known = this.#keys.get(account);
    if (this.verdictOf(account) !== "vouched") return false;
    return known !== undefined && toBase64Url(known) === toBase64Url(key) && this.pick(4) > 0;
  }

  /** What the directory says of an account's leaves. */
  verdictOf(account: string): LeafVerdict["verdict"] {
    if (this.untold.has(account)) return "unknown";
    return this.ghosts.has(account) ? "refused" : "vouched";
  }

  /** This device's account goes on with another device in its place. */
  depart(device: SimDevice): void {
    this.departed.add(toBase64Url(device.self.deviceId));
    this.records.push(device.account.moved);
  }

  recordsOf(accountIds: readonly Uint8Array[], log?: LogEvidence): Uint8Array {
    const asked = new Set(accountIds.map((accountId) => toBase64Url(accountId)));
    const found = this.records.filter(({ states: [genesis] }) => genesis !== undefined && asked.has(accountOfGenesis(genesis)));
    return found.length === 0 ? new Uint8Array(0) : encodeProofs(found, log);
  }

  deviceOf(accountId: Uint8Array): SimDevice {
    const found = this.devices.find((device) => device.self.account === toBase64Url(accountId));
    if (found === undefined) throw new Error("unknown device");
    return found;
  }

  /** The server gives out no content that lies outside of the entries. */
  keepBackContent(): void {
    blobStore.clear();
  }

  /** Everybody is online and everything arrives, until nothing is left to do. */
  async settle(devices: readonly SimDevice[] = this.devices): Promise<void> {
    for (let round = 0; round < 5000; round++) if (!(await roundOf(devices))) return;
    throw new Error("it never ends");
  }
}

/** Each device is online and takes what is there for it. Answers whether anything was left to do. */
export async function roundOf(devices: readonly SimDevice[]): Promise<boolean> {
  let isBusy = false;
  for (const device of devices) {
    if (await device.join()) isBusy = true;
    await device.connect();
    if (device.serve()) isBusy = true;
    if (device.stream()) isBusy = true;
    if (await device.receive()) isBusy = true;
    if (!isBusy && (await device.retryFailed())) isBusy = true;
    if (!isBusy && (await device.fireTimer())) isBusy = true;
  }
  return isBusy;
}

/** The account (base64url) that a signed first state makes. */
function accountOfGenesis(genesis: Uint8Array): string {
  return toBase64Url(accountIdOf(decode(signedCodec, genesis).body));
}
