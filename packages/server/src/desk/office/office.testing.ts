import { toBase64Url, utf8Bytes } from "@latchkey/codec";
import { isWeighty } from "@latchkey/protocol/desk";
import type { PasskeyJson } from "@latchkey/protocol/desk";
import type {
  DecisionInput,
  DeskErrorCode,
  DeskInput,
  DeskOperation,
  DeskOutput,
  DeskRole,
  GrantProof,
  StaffGrant,
} from "@latchkey/protocol/desk";
import { dayMs } from "../../days.ts";
import { TestAuthenticator } from "../../testing/authenticator.ts";
import type { AuthenticatorTwist } from "../../testing/authenticator.ts";
import { random, temporaryDirectory } from "../../testing/fixtures.ts";
import type { Sanction } from "./decisions.ts";
import type { NewAppeal, NewItem, NewReport, Person } from "./evidence.ts";
import { Office } from "./office.ts";
import type { OfficeAnswer } from "./office.ts";
import { TestCounts } from "./counting/test-counts.testing.ts";
import type { OfficeWorld } from "./world.ts";

export const host = "chat.example";
const publicUrl = `https://${host}`;

/** The rest of a server, as far as the desk asks for it: it remembers what it was told. */
export interface TestWorld extends OfficeWorld {
  readonly names: Map<string, string>;
  readonly restricted: Map<string, readonly Sanction[]>;
  /** Whose names were asked for. */
  readonly asked: string[];
  /** Values of the label that was published. */
  readonly published: Uint8Array[];
  /** What was published of counting. */
  readonly counted: TestCounts;
  counts: OfficeWorld["counts"];
  readonly states: Map<string, readonly Uint8Array[]>;
  readonly cards: Map<string, readonly { readonly card: Uint8Array; readonly inboxId: Uint8Array }[]>;
  /** Packages by account's id. */
  readonly holdings: Map<string, Uint8Array>;
  /** Accounts by name, of those that a request may name. */
  readonly accounts: Map<string, Uint8Array>;
  readonly notices: { readonly inboxId: Uint8Array; readonly item: Uint8Array }[];
}

export function testWorld(): TestWorld {
  const names = new Map<string, string>();
  const restricted = new Map<string, readonly Sanction[]>();
  const asked: string[] = [];
  const published: Uint8Array[] = [];
  const counted = new TestCounts();
  const states: TestWorld["states"] = new Map();
  const cards: TestWorld["cards"] = new Map();
  const notices: TestWorld["notices"] = [];
  const accounts: TestWorld["accounts"] = new Map();
  const holdings: TestWorld["holdings"] = new Map();
  return {
    published,
    counted,
    counts: (params) => counted.counts(params),
    states,
    cards,
    notices,
    async publishKeys({ value }) {
      published.push(value);
      return Promise.resolve();
    },
    holdings,
    async holdingsOf({ accountId }) {
      const held = holdings.get(toBase64Url(accountId));
      return Promise.resolve(held ?? (states.has(toBase64Url(accountId)) ? utf8Bytes("{}") : undefined));
    },
    statesOf: ({ accountId }) => Promise.resolve(states.get(toBase64Url(accountId)) ?? []),
    accounts,
    accountOf(params) {
      asked.push("username" in params ? params.username : toBase64Url(params.accountId));
      const known = [...accounts].find(([name, id]) =>
        "username" in params ? name === params.username : toBase64Url(id) === toBase64Url(params.accountId),
      );
      return Promise.resolve(known === undefined ? undefined : { accountId: known[1], username: known[0] });
    },
    cardsOf: ({ accountId }) => Promise.resolve(cards.get(toBase64Url(accountId)) ?? []),
    async postNotice(notice) {
      notices.push(notice);
      return Promise.resolve();
    },
    names,
    restricted,
    asked,
    usernameOf({ accountId }) {
      asked.push(toBase64Url(accountId));
      return Promise.resolve(names.get(toBase64Url(accountId)));
    },
    restrict({ accountId, sanctions }) {
      restricted.set(toBase64Url(accountId), sanctions);
      return Promise.resolve();
    },
  };
}

/** Somebody of the staff, signed in. */
export interface Colleague {
  /** What an operation answers. */
  ask<Name extends DeskOperation>(operation: Name, input: DeskInput<Name>): Promise<DeskOutput<Name>>;
  /** A file of a case. @throws DeskError */
  file(caseNumber: number, file: number): Uint8Array;
  /** The file that went out for a request. @throws DeskError */
  release(number: number): Uint8Array;
  /** What shows that they themselves say that of somebody. */
  proof(grant: StaffGrant): Promise<GrantProof>;
  /** What their passkey answers to a browser's options, with a touch. */
  touch(options: PasskeyJson, twist?: AuthenticatorTwist): PasskeyJson;
  /** Why one is not done. */
  refusal<Name extends DeskOperation>(operation: Name, input: DeskInput<Name>): Promise<DeskErrorCode>;
}

/** A desk in this thread, under a clock of the test's own. */
export class TestDesk {
  readonly directory: string = temporaryDirectory();
  readonly world: TestWorld = testWorld();
  readonly bugs: unknown[] = [];
  nowMs: number = 20_000 * dayMs;
  #office: Office | undefined;

  private constructor() {}

  static async begin(): Promise<TestDesk> {
    const desk = new TestDesk();
    await desk.restart();
    return desk;
  }

  get office(): Office {
    if (this.#office === undefined) throw new Error("the desk is open");
    return this.#office;
  }

  close(): void {
    this.#office?.close();
    this.#office = undefined;
  }

  /** As after a crash: nothing that was not on disk is there. */
  async restart(): Promise<void> {
    this.close();
    const options = {
      directory: this.directory,
      host,
      publicUrl,
      maxSealedBytes: 20_000_000,
      maxCaseBytes: 1_000_000_000,
      reportsPerDay: 20,
    };
    this.#office = await Office.open(options, this.world, (error) => this.bugs.push(error));
  }

  /** Somebody new, with these roles, signed in. */
  async colleague(name: string, roles: readonly DeskRole[]): Promise<Colleague> {
    if (!this.office.isStaffed()) return this.#enrol(this.office.operatorCode({ name, isFirst: true, nowMs: this.nowMs }));
    const { session, authenticator } = this.#first();
    const begun = await this.#send("staff-grant-begin", { act: "grant", name, roles }, session);
    const { nonce, options } = begun.body as DeskOutput<"staff-grant-begin">;
    const proof = { nonce, response: authenticator.get(options) };
    await this.#send("staff-invite", { name, roles, ...(isWeighty(roles) ? { proof } : {}) }, session);
    // The operator is the second one who stands for them: they have no day to wait.
    return this.again(name);
  }

  /** Whoever has a code makes a passkey with it. */
  enrol(code: string): Promise<Colleague> {
    return this.#enrol(code);
  }

  /** The same person after a restart, which ended their session. */
  again(name: string): Promise<Colleague> {
    return this.#enrol(this.office.operatorCode({ name, isFirst: false, nowMs: this.nowMs }));
  }

  /** Whoever has a link asks, without a session. */
  async outside<Name extends DeskOperation>(operation: Name, input: DeskInput<Name>): Promise<DeskOutput<Name>> {
    const { status, body } = await this.#send(operation, input, "");
    if (status !== 200) throw new Error(`${operation} is not done: ${JSON.stringify(body)}`);
    return body as never;
  }

  async idle(): Promise<void> {
    await this.office.idle();
  }

  #administrator: { session: string; authenticator: TestAuthenticator } | undefined;

  #first(): { session: string; authenticator: TestAuthenticator } {
    if (this.#administrator === undefined) throw new Error("the first colleague is the administrator");
    return this.#administrator;
  }

  async #enrol(code: string): Promise<Colleague> {
    const begun = await this.#send("enrol-begin", { code }, "");
    const authenticator = new TestAuthenticator(publicUrl);
    const { options } = begun.body as { options: Record<string, unknown> };
    const done = await this.#send("enrol-finish", { code, response: authenticator.create(options) }, "");
    const { session } = done;
    if (session === undefined) throw new Error(`not enrolled: ${JSON.stringify(done.body)}`);
    this.#administrator ??= { session, authenticator };
    return {
      ask: async (operation, input) => {
        const { status, body } = await this.#send(operation, input, session);
        if (status !== 200) throw new Error(`${operation} is not done: ${JSON.stringify(body)}`);
        return body as never;
      },
      release: (number) => this.office.releasedFile({ session, number, nowMs: this.nowMs, passedMs: 1000 }),
      proof: async (grant) => {
        const { body } = await this.#send("staff-grant-begin", grant, session);
        const { nonce, options: asked } = body as DeskOutput<"staff-grant-begin">;
        return { nonce, response: authenticator.get(asked) };
      },
      touch: (options, twist) => authenticator.get(options, twist),
      file: (caseNumber, file) => this.office.file({ session, caseNumber, file, nowMs: this.nowMs, passedMs: 1000 }),
      refusal: async (operation, input) => {
        const { status, body } = await this.#send(operation, input, session);
        if (status === 200) throw new Error(`${operation} is done`);
        return (body as { code: DeskErrorCode }).code;
      },
    };
  }

  #send(operation: string, input: object, session: string): Promise<OfficeAnswer> {
    // Sessions are by a clock of their own: half an hour without a request ends them.
    return this.office.handle({ operation, session, body: JSON.stringify(input), nowMs: this.nowMs, passedMs: 1000 });
  }
}

export function person(): Person {
  return { host, accountId: random(32) };
}

export function message(author: Person, parts: Partial<NewItem> = {}): NewItem {
  return {
    identity: random(32),
    messageId: random(32),
    author,
    role: "reported",
    text: "You will be sorry",
    saysAtMs: 19_999 * dayMs,
    gapBefore: 0,
    verdicts: [{ claim: "signature", verdict: "proved" }],
    isProved: true,
    ...parts,
  };
}

export function newReport(accused: Person, parts: Partial<NewReport> = {}): NewReport {
  return {
    reportId: random(16),
    accused,
    reason: "harassment",
    words: "He goes on and on",
    conversation: random(32),
    items: [message(accused)],
    files: [],
    verdicts: [{ claim: "one-conversation", verdict: "proved" }],
    contexts: random(200),
    mailbox: random(32),
    replySecret: random(32),
    ...parts,
  };
}

export function newAppeal(puid: string, by: NewAppeal["by"], parts: Partial<NewAppeal> = {}): NewAppeal {
  const none = { conversation: random(32), items: [], files: [], verdicts: [], contexts: new Uint8Array() };
  return { puid, by, words: "It was a joke among friends", ...none, ...parts };
}

export function decision(parts: Partial<DecisionInput> = {}): DecisionInput {
  return {
    kind: "suspend",
    days: 30,
    ground: { kind: "incompatible", basis: "Rule 3: no threats", explanation: "Three messages threaten a member." },
    facts: "Messages 1 to 3 threaten the person they were sent to.",
    category: "VIOLENCE",
    contentTypes: ["TEXT"],
    territory: [],
    toReporter: "Thank you.",
    ...parts,
  };
}

export const dismissal: DecisionInput = {
  kind: "dismiss",
  facts: "Nothing in it is against the rules.",
  category: "OTHER_VIOLATION_TC",
  contentTypes: ["TEXT"],
  territory: [],
  toReporter: "We looked at it.",
};
