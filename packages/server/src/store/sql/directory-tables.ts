import { decode, encode, equalBytes, utf8Bytes } from "@latchkey/codec";
import {
  changesHashOf,
  commitmentOf,
  directoryConfigCodec,
  emptyHash,
  labelInput,
  labelTypes,
  logEntryCodec,
  parseCheckpoint,
  parseNote,
  transitionCodec,
  updateMap,
} from "@latchkey/transparency";
import type { LogEntry, MapChange } from "@latchkey/transparency";
import { randomBytes } from "node:crypto";
import { keyOf } from "../../keys.ts";
import type {
  AccountChange,
  ChangeOutcome,
  DirectoryStatus,
  NewLabel,
  OperatorChange,
  Publication,
  PublicationResult,
} from "../directory-store.ts";
import { journalRecordCodec } from "../../journal/record.ts";
import type { AccountTables } from "./account-tables.ts";
import type { JournalTables } from "./journal-tables.ts";
import type { Leases } from "./leases.ts";
import type { LogHeadTables } from "./log-head-tables.ts";
import type { Nodes } from "./nodes.ts";
import { randomId } from "./row-ids.ts";
import type { Sql, Steps } from "./steps.ts";
import type { TreeTables } from "./tree-tables.ts";

const zeros = new Uint8Array(32);
/** Bindings and releases of one name, by whatever accounts: all of them come with a lookup. */
const maxBindingsOfName = 200;
const nothing = new Uint8Array();

/** The values that a publication adds, by label. */
interface Added {
  readonly labels: Map<number, { readonly index: Uint8Array; readonly commitments: Uint8Array[] }>;
  /** In the order of the values. */
  readonly openings: Uint8Array[];
  /** What a journal says they were; `undefined` where they are drawn now. */
  readonly given: readonly Uint8Array[] | undefined;
}

/** Publications: accounts, map, log and checkpoint, inside the caller's transaction. */
export class DirectoryTables {
  readonly #sql: Sql;
  readonly #accounts: AccountTables;
  readonly #nodes: Nodes;
  readonly #tree: TreeTables;
  readonly #heads: LogHeadTables;
  readonly #journal: JournalTables;
  readonly #leases: Leases;

  constructor(parts: {
    sql: Sql;
    accounts: AccountTables;
    nodes: Nodes;
    tree: TreeTables;
    heads: LogHeadTables;
    journal: JournalTables;
    leases: Leases;
  }) {
    this.#sql = parts.sql;
    this.#accounts = parts.accounts;
    this.#nodes = parts.nodes;
    this.#tree = parts.tree;
    this.#heads = parts.heads;
    this.#journal = parts.journal;
    this.#leases = parts.leases;
  }

  *status(): Steps<DirectoryStatus> {
    const size = yield* this.#tree.size();
    const headsAtMs = yield* this.#heads.publishedAtMs();
    if (size === 0) {
      const none = { timestampMs: 0, firstConfig: nothing, config: nothing, configIndex: 0, configTimestampMs: 0, previousConfig: nothing };
      return { size, servedSize: 0, headsAtMs, ...none };
    }
    const newest = (yield* this.#tree.entry(size - 1)).entry;
    const { entry } = yield* this.#tree.entry(newest.configIndex);
    return {
      size,
      servedSize: yield* this.#tree.servedSize(),
      timestampMs: newest.timestampMs,
      firstConfig: (yield* this.#tree.entry(0)).entry.config,
      config: entry.config,
      configIndex: newest.configIndex,
      configTimestampMs: entry.timestampMs,
      previousConfig: yield* this.#configBefore(newest.configIndex),
      headsAtMs,
    };
  }

  *#configBefore(configIndex: number): Steps<Uint8Array> {
    if (configIndex === 0) return nothing;
    return (yield* this.#tree.entry((yield* this.#tree.entry(configIndex - 1)).entry.configIndex)).entry.config;
  }

  *publish(publication: Publication): Steps<PublicationResult> {
    const { replay, term } = publication;
    if (term !== undefined && !(yield* this.#leases.isNewest("publisher", term)))
      return { outcomes: [], head: undefined, isOvertaken: true };
    const added: Added = { labels: new Map(), openings: [], given: replay?.openings };
    const deleted: number[] = [];
    const size = yield* this.#tree.size();
    const last = size === 0 ? undefined : (yield* this.#tree.entry(size - 1)).entry;
    const timestampMs = Math.max(publication.nowMs, (last?.timestampMs ?? 0) + 1);
    if (timestampMs > (publication.latestMs ?? Infinity)) {
      const held: ChangeOutcome = { kind: "refused", code: "clock_off" };
      const outcomes: ChangeOutcome[] = [];
      for (const change of publication.changes) outcomes.push((yield* this.#accounts.storedAlready(change)) ?? held);
      return { outcomes, head: undefined, isHeld: true };
    }
    const outcomes: ChangeOutcome[] = [];
    for (const change of publication.changes) outcomes.push(yield* this.#apply(change, added, deleted));
    const operator: OperatorChange[] = [];
    for (const each of publication.operator ?? []) if (yield* this.#publishOperator(each, added)) operator.push(each);

    const headsRoot =
      replay === undefined ? (publication.withHeads ? yield* this.#heads.publish(size) : undefined) : headsRootOf(replay.entry);
    if (added.labels.size === 0 && headsRoot === undefined && publication.config.length === 0) return { outcomes, head: undefined };

    const change = yield* this.#changeMap(last?.mapRoot ?? emptyHash, added, size + 1);
    const entry: LogEntry = {
      format: 1,
      timestampMs,
      leafCount: (last?.leafCount ?? 0) + change.newLeaves,
      mapRoot: change.root,
      changesHash: change.transition === undefined ? zeros : changesHashOf(change.transition),
      headsRoot: headsRoot ?? zeros,
      configIndex: publication.config.length > 0 ? size : (last?.configIndex ?? 0),
      config: publication.config,
      ext: nothing,
    };
    // What clients read must decode: a config that does not would end the log.
    if (publication.config.length > 0) decode(directoryConfigCodec, publication.config);
    const bytes = encode(logEntryCodec, entry);
    if (replay !== undefined && !equalBytes(bytes, replay.entry)) throw new Error("a journal goes on from another public log");
    yield* this.#tree.append(size, bytes, change.transition);
    for (const account of deleted) yield* this.#sql.run("INSERT INTO directory_deletions (size, account) VALUES (?, ?)", size + 1, account);
    if (replay !== undefined) yield* this.#checkNote(replay.note, size + 1);
    const note = replay?.note ?? (yield* this.#tree.sign(size + 1, publication.signer));
    yield* this.#tree.addCheckpoint(size + 1, note, publication.isServed);
    if (publication.isJournaled === true) {
      const changes = publication.changes.filter((_, at) => outcomes[at]?.kind === "published");
      const record = encode(journalRecordCodec, {
        size: size + 1,
        entry: bytes,
        note,
        changes,
        operator,
        openings: added.openings,
      });
      yield* this.#journal.add(size + 1, record);
    }
    if (publication.isServed) yield* this.#served(size + 1);
    return { outcomes, head: { size: size + 1, note } };
  }

  /** Entries alone do not say what came before them: the signed root does. */
  *#checkNote(note: string, size: number): Steps<void> {
    const signed = parseCheckpoint(parseNote(note).text);
    if (signed.size !== size || !equalBytes(signed.root, yield* this.#tree.root(size)))
      throw new Error("a journal goes on from another public log");
  }

  *serve(size: number): Steps<void> {
    yield* this.#tree.serve(size);
    yield* this.#served(size);
  }

  *#served(size: number): Steps<void> {
    for (const { account } of yield* this.#sql.all<{ account: number }>("SELECT account FROM directory_deletions WHERE size <= ?", size)) {
      yield* this.#accounts.eraseDeleted(account);
    }
    yield* this.#sql.run("DELETE FROM directory_deletions WHERE size <= ?", size);
    // Of what an operator says only the newest is shown: of those before it the commitment stays.
    if (size === (yield* this.#tree.size())) {
      yield* this.#sql.run(
        `UPDATE directory_values AS v SET value = NULL, opening = NULL
         WHERE v.label IN (SELECT id FROM directory_labels WHERE type = ?) AND v.value IS NOT NULL
           AND v.version < (SELECT max(version) FROM directory_values WHERE label = v.label)`,
        labelTypes.operator,
      );
    }
    // Never what the served tree or a later one has. A lookup under way sees the database as of its beginning.
    yield* this.#nodes.prune(size);
  }

  *newestOperatorValue(name: Uint8Array): Steps<Uint8Array | undefined> {
    const label = yield* this.#findLabel("operator", name);
    if (label === undefined) return undefined;
    const sql = "SELECT value FROM directory_values WHERE label = ? ORDER BY version DESC LIMIT 1";
    return (yield* this.#sql.get<{ value: Uint8Array | null }>(sql, label.id))?.value ?? undefined;
  }

  /** Whether it is another value than the label has. */
  *#publishOperator({ label: made, value }: OperatorChange, added: Added): Steps<boolean> {
    const newest = yield* this.newestOperatorValue(made.value);
    if (newest !== undefined && equalBytes(newest, value)) return false;
    const label = yield* this.#label("operator", made.value, yield* this.#labelIds([made]));
    yield* this.#addValue(label, { value, added, stored: { value, account: null, isRelease: false, nameLabel: null } });
    return true;
  }

  *#apply(change: AccountChange, added: Added, deleted: number[]): Steps<ChangeOutcome> {
    if (yield* this.#isWornOut(change.names.bind?.username)) return { kind: "refused", code: "too_many_updates" };
    const stored = yield* this.#accounts.applyState(change);
    if (stored.kind !== "published") return stored;
    const { account, names } = { account: stored.account, names: change.names };
    const labels = yield* this.#labelIds(change.labels);
    for (const [name, isRelease] of [
      [names.release, true],
      [names.bind, false],
    ] as const) {
      if (name === undefined) continue;
      const label = yield* this.#label("username", utf8Bytes(name.username), labels);
      yield* this.#addValue(label, { value: name.binding, added, stored: { value: name.binding, account, isRelease, nameLabel: null } });
    }
    const name = yield* this.#sql.get<{ username: string }>(
      "SELECT username FROM usernames WHERE account = ? ORDER BY bound DESC, reserved_until_day DESC LIMIT 1",
      account,
    );
    const nameLabel = name === undefined ? undefined : yield* this.#findLabel("username", utf8Bytes(name.username));
    const label = yield* this.#label("account", change.accountId, labels);
    const value = { value: null, account: null, isRelease: false, nameLabel: nameLabel?.id ?? null };
    const version = yield* this.#addValue(label, { value: change.state, added, stored: value });
    if (version !== change.version + 1) throw new Error("the values of an account's label are its states");
    if (change.deletion !== undefined) deleted.push(account);
    return { kind: "published" };
  }

  /** Whether a name has had so many bindings that an answer with all of them would become too large. */
  *#isWornOut(username: string | undefined): Steps<boolean> {
    const label = username === undefined ? undefined : yield* this.#findLabel("username", utf8Bytes(username));
    return label !== undefined && (yield* this.#lastVersion(label.id)) >= maxBindingsOfName;
  }

  /** The labels' rows by type and name, made where there are none. */
  *#labelIds(labels: readonly NewLabel[]): Steps<Map<string, LabelRow>> {
    const rows = new Map<string, LabelRow>();
    for (const label of labels)
      rows.set(label.type + keyOf(label.value), (yield* this.#findLabel(label.type, label.value)) ?? (yield* this.#addLabel(label)));
    return rows;
  }

  *#addLabel({ type, value, index, vrfProof }: NewLabel): Steps<LabelRow> {
    const id = randomId();
    const sql = "INSERT INTO directory_labels (id, type, name, place, vrf_proof) VALUES (?, ?, ?, ?, ?)";
    yield* this.#sql.run(sql, id, labelTypes[type], value, index, vrfProof);
    return { id, type, name: value, index };
  }

  *#label(type: NewLabel["type"], value: Uint8Array, made: ReadonlyMap<string, LabelRow>): Steps<LabelRow> {
    const label = made.get(type + keyOf(value)) ?? (yield* this.#findLabel(type, value));
    if (label === undefined) throw new Error("a change comes with the labels that it needs");
    return label;
  }

  *#findLabel(type: NewLabel["type"], value: Uint8Array): Steps<LabelRow | undefined> {
    const sql = "SELECT id, place FROM directory_labels WHERE type = ? AND name = ?";
    const row = yield* this.#sql.get<{ id: number; place: Uint8Array }>(sql, labelTypes[type], value);
    return row === undefined ? undefined : { id: row.id, type, name: value, index: row.place };
  }

  *#lastVersion(label: number): Steps<number> {
    return (
      (yield* this.#sql.get<{ last: number | null }>("SELECT max(version) AS last FROM directory_values WHERE label = ?", label))?.last ?? 0
    );
  }

  /** Commits to one more value of a label. Answers its version. */
  *#addValue(
    label: LabelRow,
    params: {
      value: Uint8Array;
      added: Added;
      stored: { value: Uint8Array | null; account: number | null; isRelease: boolean; nameLabel: number | null };
    },
  ): Steps<number> {
    const { value, added, stored } = params;
    const version = (yield* this.#lastVersion(label.id)) + 1;
    const opening = added.given === undefined ? new Uint8Array(randomBytes(32)) : added.given[added.openings.length];
    if (opening === undefined) throw new Error("a journal has an opening for every value");
    added.openings.push(opening);
    const commitment = commitmentOf({ opening, label: labelInput(label.type, label.name), version, value });
    yield* this.#sql.run(
      `INSERT INTO directory_values (label, version, commitment, opening, value, account, is_release, name_label)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      label.id,
      version,
      commitment,
      opening,
      stored.value,
      stored.account,
      stored.isRelease ? 1 : 0,
      stored.nameLabel,
    );
    const sameLabel = added.labels.get(label.id);
    if (sameLabel === undefined) added.labels.set(label.id, { index: label.index, commitments: [commitment] });
    else sameLabel.commitments.push(commitment);
    return version;
  }

  *#changeMap(
    root: Uint8Array,
    added: Added,
    newSize: number,
  ): Steps<{ root: Uint8Array; newLeaves: number; transition: Uint8Array | undefined }> {
    if (added.labels.size === 0) return { root, newLeaves: 0, transition: undefined };
    const changes: MapChange[] = [...added.labels.values()];
    const read = yield* this.#nodes.reader(
      root,
      changes.map(({ index }) => index),
    );
    const update = updateMap({ root, changes, read });
    yield* this.#nodes.add(update.added);
    yield* this.#nodes.setObsolete(newSize, update.obsolete);
    return { root: update.root, newLeaves: update.newLeaves, transition: encode(transitionCodec, update.transition) };
  }
}

/** The root of heads that an entry has; `undefined` for none. */
function headsRootOf(entry: Uint8Array): Uint8Array | undefined {
  const { headsRoot } = decode(logEntryCodec, entry);
  return equalBytes(headsRoot, zeros) ? undefined : headsRoot;
}

interface LabelRow {
  readonly id: number;
  readonly type: NewLabel["type"];
  readonly name: Uint8Array;
  readonly index: Uint8Array;
}
