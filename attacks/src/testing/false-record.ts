import { encodeProofs } from "@latchkey/client/testing";
import { decode, equalBytes, toHex, utf8Bytes } from "@latchkey/codec";
import { httpPaths } from "@latchkey/protocol";
import type { LookupReply } from "@latchkey/protocol";
import { accountIdOf, accountStateCodec, signedCodec } from "@latchkey/transparency";
import { createMemoryDirectory } from "@latchkey/transparency/testing";
import type { MemoryDirectory, MemoryHeadOptions } from "@latchkey/transparency/testing";
import { askAsIs } from "./operator.ts";
import type { Override, Reply } from "./operator.ts";

/** An account as a record shows it. */
export interface ShownAccount {
  readonly accountId: Uint8Array;
  readonly username: string;
  readonly states: readonly Uint8Array[];
  readonly pops: readonly Uint8Array[];
  readonly bindings: readonly Uint8Array[];
}

/** How the operator calls a ghost. */
export const ghostPrefix = "ghost-of-";

const nothing = new Uint8Array(0);
const tokensLabel = utf8Bytes("tokens");

/** What the server in front says of its tokens' keys: it stands in every record of the operator's, so that nobody is found out by it. */
async function keysOf(url: string): Promise<Uint8Array> {
  for (;;) {
    const answer = await askAsIs(url, "lookup", { kind: "lookup_operator", name: "tokens", knownValues: 0, knownSize: 0 });
    const [value] = answer.kind === "operator_value" ? answer.value : [];
    if (value !== undefined) return value;
  }
}
const prefix = `${httpPaths.directory}/`;

/**
 * A public record of the operator's own, with every key of it in the operator's hands: what people publish goes in as it should, until
 * the operator puts in something else, or shows another one to somebody. Its witnesses sign what they are told to.
 */
export class FalseRecord {
  readonly #directory: MemoryDirectory;
  readonly #accounts: Map<string, ShownAccount>;
  readonly #names: Map<string, readonly Uint8Array[]>;
  /** How heads are signed; a case changes it to leave witnesses out, or to show an old head. */
  head: () => MemoryHeadOptions = () => ({ cosignedMs: Date.now() });

  private constructor(
    directory: MemoryDirectory,
    accounts: Map<string, ShownAccount> = new Map(),
    names: Map<string, readonly Uint8Array[]> = new Map(),
  ) {
    this.#directory = directory;
    this.#accounts = accounts;
    this.#names = names;
  }

  /** Begins one. @param witnesses how many there are; `threshold` of them are asked for */
  static async create(params: { url: string; host: string; witnesses: number; threshold: number }): Promise<FalseRecord> {
    // Each entry takes a second of the log's time: it began an hour ago.
    const { url, ...shape } = params;
    const directory = await createMemoryDirectory({ ...shape, nowMs: Date.now() - 3_600_000 });
    await directory.publish([{ type: "operator", label: tokensLabel, values: [await keysOf(url)] }]);
    return new FalseRecord(directory);
  }

  /** The same up to now, with the same keys, and its own way from here on. */
  fork(): FalseRecord {
    const fork = new FalseRecord(this.#directory.fork(), new Map(this.#accounts), new Map(this.#names));
    fork.head = this.head;
    return fork;
  }

  get size(): number {
    return this.#directory.size();
  }

  /** Logs a config with other keys or witnesses. */
  async announce(change: Parameters<MemoryDirectory["changedConfig"]>[0]): Promise<void> {
    await this.#directory.publish([], { config: this.#directory.changedConfig(change) });
  }

  /** Dates what is published from now on. */
  setTime(nowMs: number): void {
    this.#directory.setTime(nowMs);
  }

  /** Signs heads with another key of the log from now on. */
  signWith(seed: Uint8Array): void {
    this.#directory.signWith(seed);
  }

  /** The account that has this name now. */
  named(username: string): ShownAccount {
    const found = this.#find(username);
    if (found === undefined) throw new Error("nobody has this name");
    return found;
  }

  /** Publishes values of labels, whatever they are worth, and shows the account with them. */
  async publish(change: ShownAccount): Promise<void> {
    const id = toHex(change.accountId);
    const before = this.#accounts.get(id);
    const bindings = [...(this.#names.get(change.username) ?? []), ...change.bindings];
    this.#names.set(change.username, bindings);
    // What was published last is found first by its name.
    this.#accounts.delete(id);
    this.#accounts.set(id, {
      ...change,
      states: [...(before?.states ?? []), ...change.states],
      pops: [...(before?.pops ?? []), ...change.pops],
      bindings,
    });
    await this.#directory.publish([
      ...(change.states.length === 0 ? [] : [{ type: "account" as const, label: change.accountId, values: change.states }]),
      ...(change.bindings.length === 0 ? [] : [{ type: "username" as const, label: utf8Bytes(change.username), values: change.bindings }]),
    ]);
  }

  /** The whole answer about an account. */
  async answer(
    account: ShownAccount,
    asked: { fromVersion: number; knownSize: number },
  ): Promise<Extract<LookupReply, { kind: "account" }>> {
    return {
      kind: "account",
      states: account.states.slice(asked.fromVersion),
      pops: account.pops,
      bindings: this.#names.get(account.username) ?? [],
      proof: await this.proof(account, asked.knownSize),
    };
  }

  /** The proof of where the labels of an account stand. */
  async proof(account: Pick<ShownAccount, "accountId" | "username">, knownSize: number): Promise<Uint8Array> {
    const labels = [this.#directory.label("account", account.accountId), this.#directory.label("username", utf8Bytes(account.username))];
    return await this.#directory.proof(labels, { ...this.head(), knownSize });
  }

  /** What a commit carries to prove that a device left: this account with the proof of this log or another's, and a log's own record. */
  async departure(
    account: ShownAccount,
    { proofOf = this, logOf = this }: { proofOf?: FalseRecord; logOf?: FalseRecord } = {},
  ): Promise<Uint8Array> {
    const { states, pops, bindings } = account;
    const proof = await proofOf.proof(account, 0);
    return encodeProofs([{ states, pops, bindings, proof }], { config: logOf.#directory.config, changes: [] });
  }

  /** Shows this record in place of the server's own: to everybody, to some `only`, or to all `but` some. */
  override(params: { only?: readonly string[]; but?: readonly string[] } = {}): Override {
    const { only, but = [] } = params;
    // Ghosts have the record of their own room, unless they are named.
    const isFor = (person: string): boolean =>
      only === undefined ? !person.startsWith(ghostPrefix) && !but.includes(person) : only.includes(person);
    return {
      request: async ({ person, role }, body) => {
        if (!isFor(person)) return "pass";
        if (role === "log" && body.kind === "head_proof") return { answer: { kind: "head_proof", proof: nothing } };
        if (body.kind === "lookup_username") {
          const found = this.#find(body.username);
          if (found !== undefined) return { answer: await this.answer(found, body) };
          const proof = await this.#directory.nameProof(body.username, { ...this.head(), knownSize: body.knownSize });
          return { answer: { kind: "absent", bindings: this.#names.get(body.username) ?? [], proof } };
        }
        // Answered with what the server in front says, as it stands in this record.
        if (body.kind === "lookup_operator") return { pass: { ...body, knownValues: 0, knownSize: 0 } };
        if (body.kind === "lookup_account") {
          const found = this.#accounts.get(toHex(body.accountId));
          return { answer: found === undefined ? { kind: "error", code: "not_found", retryAfterMs: 0 } : await this.answer(found, body) };
        }
        return "pass";
      },
      reply: async ({ person }, body, request): Promise<Reply> => {
        if (isFor(person) && body.kind === "operator_value" && request?.kind === "lookup_operator") {
          const label = this.#directory.label("operator", utf8Bytes(request.name));
          return { ...body, proof: await this.#directory.proof([label], { ...this.head(), knownSize: 0 }) };
        }
        if (!isFor(person) || body.kind !== "published" || request?.kind !== "publish") return body;
        const signed = decode(signedCodec, request.state);
        const { username, version, accountId } = decode(accountStateCodec, signed.body);
        const id = version === 0 ? accountIdOf(signed.body) : accountId;
        const { state, pops, bindings } = request;
        const isKnown = this.#accounts.get(toHex(id))?.states.some((known) => equalBytes(known, state)) === true;
        if (!isKnown) await this.publish({ accountId: id, username, states: [state], pops, bindings });
        return { ...body, proof: await this.proof({ accountId: id, username }, 0) };
      },
      get: async (person, path) => {
        if (!isFor(person) || !path.startsWith(prefix)) return undefined;
        const file = await this.#file(path.slice(prefix.length));
        return file === undefined ? new Response(undefined, { status: 404 }) : new Response(new Uint8Array(file));
      },
    };
  }

  #find(username: string): ShownAccount | undefined {
    return [...this.#accounts.values()].findLast((account) => account.username === username);
  }

  async #file(path: string): Promise<Uint8Array | undefined> {
    if (path === "config") return this.#directory.config;
    if (path === "checkpoint") return (await this.#directory.head(this.head())).checkpoint;
    if (path.startsWith("transition/")) return this.#directory.transitions()[Number(path.slice("transition/".length))];
    if (!path.startsWith("tile/")) return undefined;
    try {
      return await this.#directory.fetchTile(path);
    } catch {
      // A tile that the log does not have.
      return undefined;
    }
  }
}
