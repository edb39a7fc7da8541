import { decode, encode, equalBytes, fromBase64Url, toBase64Url, toHex } from "@latchkey/codec";
import { nodeCrypto } from "@latchkey/mls/node";
import { createDeletionContent, createEditContent, createReactionContent } from "@latchkey/protocol";
import { answersReplyCodec, answersRequestCodec, reportAcceptedCodec, sealedReportCodec } from "@latchkey/protocol/reports";
import type { DeskKeys } from "@latchkey/protocol/reports";
import { mailboxOf, openReport, sealAnswer, sealedReportHash, signReceipt } from "@latchkey/reports";
import type { OpenedReport, ReportOutcome } from "@latchkey/reports";
import { host, random, saidAtMs, suite, Talk, talker } from "@latchkey/reports/testing";
import type { SaidItem, Talker } from "@latchkey/reports/testing";
import { nobleSignatures } from "@latchkey/transparency";
import { sha256 } from "@noble/hashes/sha2.js";
import { putEvidence } from "../engine/evidence.ts";
import { SureClock } from "../engine/sure-clock.ts";
import type { World } from "../engine/world.ts";
import type { ClientError } from "../errors.ts";
import type { Store } from "../store/store.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { eraseLater } from "../timeline/erasure.ts";
import { putLine } from "../timeline/history.ts";
import type { Change, Fact, Line, MessageParts } from "../timeline/line.ts";
import { Reports } from "./reports.ts";
import type { ReportsAccess } from "./reports.ts";

type Of = Pick<SaidItem, "messageId"> & { readonly id: string };

const none = new Uint8Array(0);
/** Of everything that the desk dates. */
export const day: number = Math.floor(saidAtMs / 86_400_000);
/** The conversation of a scene. */
export const conversation = "talk";

/** A desk behind its door, as the network has it. */
export class TestDesk {
  readonly encryption: ReturnType<typeof suite.deriveKemKeyPair> = suite.deriveKemKeyPair(random(32));
  signature: ReturnType<typeof suite.generateSignatureKeyPair> = suite.generateSignatureKeyPair(random);
  readonly came: Uint8Array[] = [];
  readonly opened: OpenedReport[] = [];
  readonly mailboxes: Map<string, Uint8Array[]> = new Map();
  /** Files that were announced and not brought yet, and those that came, by the hexadecimal hash of what is sealed. */
  readonly missing: Map<string, Uint8Array> = new Map();
  readonly files: Map<string, Uint8Array> = new Map();
  /** Whatever is brought after a report does not come, or comes and its answer does not. */
  breaksFiles: "before" | "after" | false = false;
  /** Else it has opened its reports, with what came. */
  waitsForFiles = true;
  /** The file after so many that it takes is refused for good. */
  refusesFileAt: number | undefined;
  isDown = false;
  signsAs: Uint8Array | undefined;
  /** What somebody else answers in its place. */
  inBetween: (() => Response) | undefined;

  async keys(): Promise<DeskKeys> {
    const [{ publicKey: encryptionKey }, { publicKey: signatureKey }] = [await this.encryption, await this.signature];
    return { format: 1, encryptionKey, signatureKey, ext: none };
  }

  readonly fetch = async (url: string, init: { readonly body: Uint8Array }): Promise<Response> => {
    if (this.isDown) throw new TypeError("no network");
    if (this.inBetween !== undefined) return this.inBetween();
    const path = new URL(url).pathname;
    if (path === "/v1/reports") return await this.#take(init.body);
    if (path === "/v1/reports/answers") return this.#answers(init.body);
    if (path.startsWith("/v1/reports/attachments/")) return this.#attach(path.slice("/v1/reports/attachments/".length), init.body);
    return new Response("{}", { status: 404 });
  };

  #attach(name: string, body: Uint8Array): Response {
    if (this.breaksFiles === "before") throw new TypeError("no network");
    const hash = toHex(fromBase64Url(name));
    if (!this.waitsForFiles || !(this.missing.has(hash) || this.files.has(hash))) return json(404, "not_found");
    if (this.refusesFileAt === this.files.size) {
      this.refusesFileAt = undefined;
      return json(400, "malformed");
    }
    this.missing.delete(hash);
    this.files.set(hash, new Uint8Array(body));
    if (this.breaksFiles === "after") throw new TypeError("no network");
    return new Response(null, { status: 200 });
  }

  async #take(body: Uint8Array): Promise<Response> {
    this.came.push(new Uint8Array(body));
    const sealed = decode(sealedReportCodec, new Uint8Array(body));
    this.opened.push(await openReport({ suite, keys: await this.encryption, sealed }));
    for (const { hash } of sealed.attachments) if (!this.files.has(toHex(hash))) this.missing.set(toHex(hash), hash);
    const { secretKey } = await this.signature;
    const { reportId } = sealed;
    const fields = { format: 1 as const, reportId, reportHash: sealedReportHash(sealed), day, ext: none };
    const receipt = await signReceipt(nobleSignatures, this.signsAs ?? secretKey, fields);
    return new Response(new Uint8Array(encode(reportAcceptedCodec, { format: 1, receipt, missing: [...this.missing.values()] })));
  }

  #answers(body: Uint8Array): Response {
    const { mailboxes } = decode(answersRequestCodec, new Uint8Array(body));
    const found = mailboxes.map(({ mailbox, from }) => ({ answers: (this.mailboxes.get(toHex(mailbox)) ?? []).slice(from) }));
    return new Response(new Uint8Array(encode(answersReplyCodec, { format: 1, mailboxes: found })));
  }

  async answer({ report }: OpenedReport, outcome: ReportOutcome, secretKey?: Uint8Array): Promise<void> {
    const { reportId, replySecret } = report;
    const answer = { format: 1 as const, reportId, day: day + 1, outcome, ext: none };
    const key = secretKey ?? (await this.signature).secretKey;
    const sealed = await sealAnswer({ signatures: nobleSignatures, secretKey: key, random, replySecret, answer });
    const mailbox = toHex(mailboxOf(replySecret));
    this.mailboxes.set(mailbox, [...(this.mailboxes.get(mailbox) ?? []), sealed]);
  }
}

function json(status: number, code: string): Response {
  return new Response(JSON.stringify({ code }), { status });
}

/** What a message has beside its words. */
export const parts: MessageParts = {
  claimedAtMs: saidAtMs,
  arrivedAtMs: saidAtMs,
  device: undefined,
  inReplyTo: undefined,
  forwardedHops: 0,
  mentions: { accounts: [], all: false },
  facts: [],
  refused: [],
};

/** Ada's device in a conversation with Mal and Ben, as much of it as reports look at. */
export class Scene {
  readonly store: Store = createMemoryStore();
  readonly desk: TestDesk = new TestDesk();
  readonly told: unknown[] = [];
  readonly lines: Map<string, Line> = new Map();
  readonly timers: (() => void)[] = [];
  readonly clock: SureClock = new SureClock();
  /** Of files, by their ids. */
  readonly ciphertexts: Map<string, Uint8Array> = new Map();
  nowMs: number = saidAtMs;
  lookUps = 0;
  /** What keeps this device from asking the public record. */
  recordFails: ClientError | undefined;
  /** Whatever fails in this app where a token is taken. */
  fault: Error | undefined;
  #order = 0;
  readonly people: { readonly mal: Talker; readonly ada: Talker; readonly ben: Talker };
  readonly talk: Talk;

  private constructor(people: Scene["people"], talk: Talk) {
    this.people = people;
    this.talk = talk;
  }

  static async open(): Promise<Scene> {
    const [mal, ada, ben] = [await talker("mal"), await talker("ada"), await talker("ben")];
    return new Scene({ mal, ada, ben }, await Talk.begin(ada, [mal, ben]));
  }

  /** Said and kept as clients do, unless `isKept` is false. */
  async say(by: Talker, text: string, isKept = true, content?: Uint8Array): Promise<SaidItem & { readonly id: string }> {
    const said = await this.talk.say(by, text, content === undefined ? undefined : { content });
    const order = ++this.#order;
    const id = toBase64Url(said.messageId);
    const line: Line = {
      id,
      order,
      author: by.accountId,
      sentAtMs: saidAtMs,
      body: { kind: "text", text },
      acceptedAtMs: 0,
      message: parts,
    };
    this.lines.set(id, line);
    await this.store.transact("write", async (tx) => {
      putLine(tx, conversation, line);
      if (isKept) await putEvidence(tx, conversation, { order, epoch: 1, evidence: said.evidence });
    });
    return { ...said, id };
  }

  async edit(by: Talker, of: Of, text: string): Promise<void> {
    const content = createEditContent({ ...this.talk.head(), replaces: of.messageId, text });
    await this.#change(by, of, content, { kind: "edit", text, mentions: { accounts: [], all: false } });
  }

  async react(by: Talker, of: Of, emoji: string): Promise<void> {
    const content = createReactionContent({ ...this.talk.head(), inReplyTo: of.messageId, emoji });
    await this.#change(by, of, content, { kind: "reaction", emoji: [emoji] });
  }

  /** As the timeline does it: what proves the message and its edits is kept for a day. */
  async delete(by: Talker, of: Of): Promise<void> {
    const before = this.lines.get(of.id)?.message?.facts ?? [];
    await this.#change(by, of, createDeletionContent({ ...this.talk.head(), replaces: of.messageId }), { kind: "deletion" });
    const line = this.lines.get(of.id);
    const last = line?.message?.facts.at(-1);
    if (line === undefined || last === undefined) throw new Error("a line");
    this.lines.set(of.id, { ...line, body: { kind: "deleted", account: by.accountId }, message: { ...parts, facts: [last] } });
    await this.store.transact("write", (tx) => {
      for (const { order } of [line, ...before]) eraseLater(tx, conversation, [order], this.nowMs);
    });
  }

  async #change(by: Talker, of: Of, content: Uint8Array, change: Change): Promise<void> {
    const said = await this.talk.say(by, "", { content });
    const order = ++this.#order;
    const line = this.lines.get(of.id);
    if (line === undefined) throw new Error("a line");
    const fact: Fact = { order, id: said.messageId, author: by.accountId, claimedAtMs: saidAtMs, arrivedAtMs: saidAtMs, change };
    const facts = [...(line.message?.facts ?? []), fact];
    this.lines.set(of.id, { ...line, message: { ...parts, facts } });
    await this.store.transact("write", (tx) => putEvidence(tx, conversation, { order, epoch: 1, evidence: said.evidence }));
  }

  /** The part, started anew on what is stored. */
  reports(): Reports {
    let known = this.desk.keys();
    const { ada, ...others } = this.people;
    const record = (one: Talker) => ({ states: one.states, pops: one.pops, bindings: [], proof: none });
    const contacts = Object.values(others);
    // Of the world this reads no more than what is here.
    const world = {
      store: this.store,
      clock: this.clock,
      own: { ...ada, record: record(ada), signatureKeyPair: ada.keys },
      people: {
        load: async () => undefined,
        person: (accountId: Uint8Array) => ({ accountId: toBase64Url(accountId), host, isSelf: equalBytes(accountId, ada.accountId) }),
        contact: (accountId: Uint8Array) => {
          const found = contacts.find((one) => equalBytes(one.accountId, accountId));
          return found && { record: record(found) };
        },
      },
      platform: {
        nowMs: () => this.nowMs,
        random,
        sha256,
        crypto: nodeCrypto,
        signatures: nobleSignatures,
        fetch: this.desk.fetch,
        setTimer: (_ms: number, run: () => void) => {
          this.timers.push(run);
          return () => undefined;
        },
      },
      directory: {
        tokens: {
          spend: async (_what: unknown, ask: (token: Uint8Array) => Promise<unknown>) => {
            if (this.fault !== undefined) throw this.fault;
            return await ask(none);
          },
        },
      },
      connections: { httpUrl: () => `https://${host}` },
      emit: (event: { readonly kind: string }) => this.told.push(event.kind),
    } as unknown as World;
    const history = { line: async (id: string) => this.lines.get(id) };
    const runner = { id: conversation, state: { roster: undefined }, load: async () => undefined, history };
    const keys = {
      newest: async () => {
        this.lookUps++;
        if (this.recordFails !== undefined) throw this.recordFails;
        known = this.desk.keys();
        return await known;
      },
      known: async () => await known,
      checkedAtMs: async () => this.nowMs - 120_000,
    };
    const access = {
      runner: () => runner,
      ciphertext: async ({ fileId }: { readonly fileId: string }) => {
        const found = this.ciphertexts.get(fileId);
        if (found === undefined) throw new Error("no such file");
        return await Promise.resolve(found);
      },
    };
    return new Reports(world, access as unknown as ReportsAccess, keys);
  }
}
