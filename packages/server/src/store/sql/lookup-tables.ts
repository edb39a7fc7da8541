import { concatBytes, decode, encode, uint16, utf8Bytes } from "@latchkey/codec";
import {
  configChangeCodec,
  configNoticeMs,
  directoryProofCodec,
  findLeaf,
  labelTypes,
  logEntryCodec,
  parseNote,
  peekHeadSize,
  proveIndex,
  signedHeadCodec,
  withoutImpliedCosignatures,
} from "@latchkey/transparency";
import type { ConfigChange, LabelItem, LabelProof, SignedHead } from "@latchkey/transparency";
import type { AccountQuery, LookupResult, NewLabel, OperatorAnswer, OperatorQuery } from "../directory-store.ts";
import type { Nodes } from "./nodes.ts";
import type { Sql, Steps } from "./steps.ts";
import type { TreeTables } from "./tree-tables.ts";
import { dayMs } from "../../days.ts";

const nothing = new Uint8Array();
/** Stands for the real head where that is put in as bytes: any that encodes does. */
const emptyHead: SignedHead = { checkpoint: Uint8Array.of(0), entry: Uint8Array.of(0), inclusion: [] };
const emptyHeadBytes = encode(uint16, 1).length + encode(signedHeadCodec, emptyHead).length;

/** The head that lookups are answered from. */
export interface ServedHead {
  readonly size: number;
  readonly mapRoot: Uint8Array;
  readonly head: SignedHead;
  /** What every DirectoryProof at this head begins with. */
  readonly beforeLabels: Uint8Array;
}

interface LabelRow {
  readonly id: number;
  readonly place: Uint8Array;
  readonly vrf_proof: Uint8Array;
}

interface ValueRow {
  readonly version: number;
  readonly commitment: Uint8Array;
  readonly opening: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly account: number | null;
  readonly is_release: number;
  readonly name_label: number | null;
}

/** What is proved of one label. */
interface LabelAnswer {
  readonly type: NewLabel["type"];
  readonly label: LabelRow;
  /** How many values it has in the served map. */
  readonly version: number;
  /** Values up to this one are left out. */
  readonly known: number;
  /** The values after `known`, up to `version`. */
  readonly values: readonly ValueRow[];
  /** The account whose values the asker's record has, of all others it gets the commitments; `undefined` for everybody's. */
  readonly of: number | undefined;
}

const valueColumns = "version, commitment, opening, value, account, is_release, name_label";

/** Lookups with proofs at the served head, inside the caller's transaction. */
export class LookupTables {
  readonly #sql: Sql;
  readonly #nodes: Nodes;
  readonly #tree: TreeTables;
  #head: ServedHead | undefined;

  constructor(parts: { sql: Sql; nodes: Nodes; tree: TreeTables }) {
    this.#sql = parts.sql;
    this.#nodes = parts.nodes;
    this.#tree = parts.tree;
  }

  /** After any change of the served head or its signatures, and after a transaction that did not commit. */
  forget(): void {
    this.#head = undefined;
  }

  /** @throws Error before the first head is served. */
  *served(): Steps<ServedHead> {
    if (this.#head !== undefined) return this.#head;
    const size = yield* this.#tree.servedSize();
    const checkpoint = yield* this.#tree.checkpoint(size);
    if (checkpoint === undefined) throw new Error("a lookup before the directory's first head");
    const { bytes, entry } = yield* this.#tree.entry(size - 1);
    // Who replayed the map has seen the log too: the proof need not say both.
    const note = withoutImpliedCosignatures(utf8Bytes(checkpoint.note));
    const head = { checkpoint: note, entry: bytes, inclusion: yield* this.#tree.proveInclusion(size - 1, size) };
    const beforeLabels = concatBytes(encode(uint16, 1), encode(signedHeadCodec, head));
    this.#head = { size, mapRoot: entry.mapRoot, head, beforeLabels };
    return this.#head;
  }

  /**
   * Keeps the way over a change of the config, for who sleeps through it (spec D-2): the first head with it, and the newest under the
   * config before, until that was cosigned seven days after the first.
   */
  *keepConfigChange(): Steps<void> {
    const { size, head } = yield* this.served();
    const { configIndex, timestampMs } = decode(logEntryCodec, head.entry);
    if (configIndex === 0) return;
    const { bytes, entry } = yield* this.#tree.entry(configIndex);
    const stored = yield* this.configChange(configIndex);
    const before = stored === undefined ? undefined : decode(configChangeCodec, stored);
    if (before !== undefined && isComplete(before, entry.timestampMs)) return;
    // The more witnesses, the more policies it satisfies; whoever answers a day late does not begin the notice anew.
    const isBetter = before === undefined || signatureCount(head) > signatureCount(before.first);
    const isFirst = isBetter && (before === undefined || timestampMs < entry.timestampMs + dayMs);
    const first = isFirst ? head : (before?.first ?? head);
    const firstSize = isFirst ? size : peekHeadSize(first);
    const change = encode(configChangeCodec, {
      format: 2,
      index: configIndex,
      entry: bytes,
      inclusion: yield* this.#tree.proveInclusion(configIndex, firstSize),
      first,
      last: head,
      consistency: yield* this.#tree.proveConsistency(firstSize, size),
      ext: nothing,
    });
    const sql =
      "INSERT INTO directory_config_changes (position, change) VALUES (?, ?) ON CONFLICT (position) DO UPDATE SET change = excluded.change";
    yield* this.#sql.run(sql, configIndex, change);
  }

  *configChange(index: number): Steps<Uint8Array | undefined> {
    return (yield* this.#sql.get<{ change: Uint8Array }>("SELECT change FROM directory_config_changes WHERE position = ?", index))?.change;
  }

  *lookup(query: AccountQuery): Steps<LookupResult> {
    const { by } = query;
    let accountId: Uint8Array | undefined;
    if (by.kind === "account") {
      accountId = by.accountId;
    } else {
      const label = yield* this.#label("username", utf8Bytes(by.username));
      if (label === undefined) return { kind: "unlisted" };
      const version = yield* this.#servedVersion(label);
      const last = version === 0 ? undefined : yield* this.#value(label.id, version);
      if (last === undefined || last.is_release === 1) return yield* this.#absent(label, version, query.knownSize);
      accountId = (yield* this.#sql.get<{ account_id: Uint8Array }>("SELECT account_id FROM accounts WHERE id = ?", last.account))
        ?.account_id;
    }
    const label = accountId === undefined ? undefined : yield* this.#label("account", accountId);
    const version = label === undefined ? 0 : yield* this.#servedVersion(label);
    if (accountId === undefined || label === undefined || version === 0) return { kind: "refused", code: "not_found" };
    return yield* this.#record({ query, accountId, label, version });
  }

  *proveAbsence(made: NewLabel, knownSize: number): Steps<Uint8Array> {
    const { mapRoot } = yield* this.served();
    const mapProof = proveIndex({ root: mapRoot, index: made.index, read: yield* this.#nodes.reader(mapRoot, [made.index]) });
    // Somebody may have taken the name since it was asked for: then its own label is what the map has.
    const type = made.type;
    return yield* this.#encode([{ type, vrfProof: made.vrfProof, fromVersion: 0, items: [], mapProof }], knownSize);
  }

  *lookupOperator({ label: made, knownValues, knownSize }: OperatorQuery): Steps<OperatorAnswer> {
    const label = yield* this.#label("operator", made.value);
    const version = label === undefined ? 0 : yield* this.#servedVersion(label);
    if (label === undefined || version === 0) return { value: [], proof: yield* this.proveAbsence(made, knownSize) };
    // Who knows more than the served map has is shown all of it, to see that for itself.
    const known = knownValues <= version ? knownValues : 0;
    const answer = yield* this.#answer({ type: "operator", label, version, known, of: undefined });
    const items = answer.values.map(({ opening, commitment, version: of }): LabelItem =>
      of < version || opening === null ? { kind: "commitment", commitment } : { kind: "opening", opening },
    );
    const newest = answer.values.at(-1)?.value ?? undefined;
    const proof = yield* this.#encode([{ ...(yield* this.#labelProof(answer)), items }], knownSize);
    return { value: newest === undefined ? [] : [newest], proof };
  }

  *proveAccount(accountId: Uint8Array): Steps<Uint8Array> {
    const label = yield* this.#label("account", accountId);
    const version = label === undefined ? 0 : yield* this.#servedVersion(label);
    if (label === undefined || version === 0) return nothing;
    const account = yield* this.#answer({ type: "account", label, version, known: 0, of: undefined });
    const name = yield* this.#nameLabel(label, version);
    const answers = [account];
    if (name !== undefined) {
      // Others had the name before: what they signed is not the asker's to give on, the chain needs their commitments.
      const of = yield* this.#accountRow(accountId);
      answers.push(yield* this.#answer({ type: "username", label: name, version: yield* this.#servedVersion(name), known: 0, of }));
    }
    return yield* this.#encode(yield* this.#labelProofs(answers), 0);
  }

  *#record(params: { query: AccountQuery; accountId: Uint8Array; label: LabelRow; version: number }): Steps<LookupResult> {
    const { query, accountId, label, version } = params;
    // Who knows more than the served map has is shown all of it, to see that for itself.
    const known = query.accountValues <= version ? query.accountValues : 0;
    const answers = [yield* this.#answer({ type: "account", label, version, known, of: undefined })];
    const name = yield* this.#nameLabel(label, version);
    let bindings: Uint8Array[] = [];
    if (name !== undefined) {
      const nameVersion = yield* this.#servedVersion(name);
      // What the asker knows is of the name that the account had then.
      const isSameName = known > 0 && (yield* this.#nameLabel(label, known))?.id === name.id;
      const knownName = isSameName && query.nameValues <= nameVersion ? query.nameValues : 0;
      const answer = yield* this.#answer({ type: "username", label: name, version: nameVersion, known: knownName, of: undefined });
      answers.push(answer);
      bindings = answer.values.flatMap(({ value }) => value ?? []);
    }
    const { states, pops, isComplete } = yield* this.#states(accountId, {
      from: query.fromVersion,
      upTo: version - 1,
      maxBytes: query.maxBytes,
    });
    if (!isComplete) return { kind: "account", states, pops, bindings: [], proof: nothing };
    const proof = yield* this.#encode(yield* this.#labelProofs(answers), query.knownSize);
    return { kind: "account", states, pops, bindings, proof };
  }

  *#absent(label: LabelRow, version: number, knownSize: number): Steps<LookupResult> {
    const answer = yield* this.#answer({ type: "username", label, version, known: 0, of: undefined });
    const bindings = answer.values.flatMap(({ value }) => value ?? []);
    return { kind: "absent", bindings, proof: yield* this.#encode([yield* this.#labelProof(answer)], knownSize) };
  }

  /** The kept states from `from` on, with their proofs of possession, as many as fit. */
  *#states(
    accountId: Uint8Array,
    range: { from: number; upTo: number; maxBytes: number },
  ): Steps<{ states: Uint8Array[]; pops: Uint8Array[]; isComplete: boolean }> {
    const states: Uint8Array[] = [];
    const pops: Uint8Array[] = [];
    let bytes = 0;
    const rows = yield* this.#sql.all<{ account: number; version: number; size: number }>(
      `SELECT s.account, s.version, length(s.state) AS size FROM account_states s JOIN accounts a ON a.id = s.account
       WHERE a.account_id = ? AND s.version BETWEEN ? AND ? ORDER BY s.version`,
      accountId,
      range.from,
      range.upTo,
    );
    for (const { account, version } of rows) {
      const row = yield* this.#sql.get<{ state: Uint8Array }>(
        "SELECT state FROM account_states WHERE account = ? AND version = ?",
        account,
        version,
      );
      const own = yield* this.#sql.all<{ pop: Uint8Array }>(
        "SELECT pop FROM account_pops WHERE account = ? AND version = ? ORDER BY position",
        account,
        version,
      );
      if (row === undefined) continue;
      bytes += row.state.length + own.reduce((sum, { pop }) => sum + pop.length, 0);
      if (states.length > 0 && bytes > range.maxBytes) return { states, pops, isComplete: false };
      states.push(row.state);
      pops.push(...own.map(({ pop }) => pop));
    }
    return { states, pops, isComplete: true };
  }

  *#answer(params: Omit<LabelAnswer, "values">): Steps<LabelAnswer> {
    return { ...params, values: yield* this.#values(params.label.id, params.known, params.version) };
  }

  *#labelProof(answer: LabelAnswer): Steps<LabelProof> {
    const { mapRoot } = yield* this.served();
    const items = answer.values.map(({ opening, commitment, account }): LabelItem =>
      opening === null || (answer.of !== undefined && account !== answer.of)
        ? { kind: "commitment", commitment }
        : { kind: "opening", opening },
    );
    const { place } = answer.label;
    const mapProof = proveIndex({ root: mapRoot, index: place, read: yield* this.#nodes.reader(mapRoot, [place]) });
    const vrfProof = answer.known === 0 ? answer.label.vrf_proof : nothing;
    return { type: answer.type, vrfProof, fromVersion: answer.known, items, mapProof };
  }

  *#labelProofs(answers: readonly LabelAnswer[]): Steps<LabelProof[]> {
    const proofs: LabelProof[] = [];
    for (const answer of answers) proofs.push(yield* this.#labelProof(answer));
    return proofs;
  }

  /** A DirectoryProof: the bytes of its head, which thousands of them share, are made once. */
  *#encode(labels: readonly LabelProof[], knownSize: number): Steps<Uint8Array> {
    const { size, beforeLabels } = yield* this.served();
    const consistency = yield* this.#tree.proveConsistency(knownSize, size);
    const withoutHead = encode(directoryProofCodec, { format: 1, head: emptyHead, labels, consistency, ext: nothing });
    return concatBytes(beforeLabels, withoutHead.subarray(emptyHeadBytes));
  }

  *#servedVersion(label: LabelRow): Steps<number> {
    const { mapRoot } = yield* this.served();
    const read = yield* this.#nodes.reader(mapRoot, [label.place]);
    return findLeaf({ root: mapRoot, index: label.place, read })?.version ?? 0;
  }

  *#label(type: NewLabel["type"], name: Uint8Array): Steps<LabelRow | undefined> {
    return yield* this.#sql.get<LabelRow>(
      "SELECT id, place, vrf_proof FROM directory_labels WHERE type = ? AND name = ?",
      labelTypes[type],
      name,
    );
  }

  *#labelById(id: number): Steps<LabelRow | undefined> {
    return yield* this.#sql.get<LabelRow>("SELECT id, place, vrf_proof FROM directory_labels WHERE id = ?", id);
  }

  /** The label of the name that an account had with this value of its own label. */
  *#nameLabel(account: LabelRow, version: number): Steps<LabelRow | undefined> {
    const id = (yield* this.#value(account.id, version))?.name_label ?? null;
    return id === null ? undefined : yield* this.#labelById(id);
  }

  *#accountRow(accountId: Uint8Array): Steps<number | undefined> {
    return (yield* this.#sql.get<{ id: number }>("SELECT id FROM accounts WHERE account_id = ?", accountId))?.id;
  }

  *#value(label: number, version: number): Steps<ValueRow | undefined> {
    return yield* this.#sql.get<ValueRow>(`SELECT ${valueColumns} FROM directory_values WHERE label = ? AND version = ?`, label, version);
  }

  *#values(label: number, after: number, upTo: number): Steps<ValueRow[]> {
    return yield* this.#sql.all<ValueRow>(
      `SELECT ${valueColumns} FROM directory_values WHERE label = ? AND version > ? AND version <= ? ORDER BY version`,
      label,
      after,
      upTo,
    );
  }
}

const signatureCount = ({ checkpoint }: SignedHead): number => parseNote(checkpoint).signatures.length;

/** Whether the notice is over by the log's time and by the witnesses' clocks, with as many of them as there were at its beginning. */
function isComplete({ first, last }: ConfigChange, loggedMs: number): boolean {
  const [before, after] = [cosignatureTimes(first), cosignatureTimes(last)];
  const isLater = before.length === 0 || Math.min(...after) >= Math.max(...before) + configNoticeMs;
  return decode(logEntryCodec, last.entry).timestampMs >= loggedMs + configNoticeMs && after.length >= before.length && isLater;
}

/** When each witness cosigned: C2SP cosignature/v1 begins with the time in seconds. */
function cosignatureTimes({ checkpoint }: SignedHead): readonly number[] {
  return parseNote(checkpoint)
    .signatures.filter(({ signature }) => signature.length === 72)
    .map(({ signature }) => Number(new DataView(signature.buffer, signature.byteOffset).getBigUint64(0)) * 1000);
}
