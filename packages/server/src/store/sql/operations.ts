import type { CallName, CallParams, CallResult } from "../called-store.ts";
import type { DayStore } from "../store.ts";
import { AccountTables } from "./account-tables.ts";
import { AdminTables } from "./admin-tables.ts";
import { BlobTables } from "./blob-tables.ts";
import { DirectoryTables } from "./directory-tables.ts";
import { HistoryTables } from "./history-tables.ts";
import { HoldingsTables } from "./holdings-tables.ts";
import { InboxTables } from "./inbox-tables.ts";
import { JournalTables } from "./journal-tables.ts";
import type { Leases } from "./leases.ts";
import { LinkTables } from "./link-tables.ts";
import type { LogHeadSource } from "./log-head-source.ts";
import { LogHeadTables } from "./log-head-tables.ts";
import { LookupTables } from "./lookup-tables.ts";
import { NewestDay } from "./newest-day.ts";
import type { Nodes } from "./nodes.ts";
import { PassphraseTables } from "./passphrase-tables.ts";
import type { Sql, Steps } from "./steps.ts";
import { SpentTokens, TokenTables } from "./token-tables.ts";
import { TreeTables } from "./tree-tables.ts";
import { UploadTables } from "./upload-tables.ts";

/** What an engine does in its own way: what concerns entries of logs, and several databases or many rows at once. */
type EngineName =
  | "createLog"
  | "readEpoch"
  | "readEntries"
  | "purgeEntries"
  | "grownLogs"
  | "grownInboxes"
  | "grownAccounts"
  | keyof DayStore;

/** What all engines do with the same statements. */
export type SharedName = Exclude<CallName, EngineName>;

/** The work of each, inside a transaction of the database that it concerns. */
export type Operations = {
  readonly [Name in SharedName]: (params: CallParams<Name>) => Steps<CallResult<Name>>;
};

/** Those on what is known of logs; all others are on what is known of accounts. */
export const onLogs: ReadonlySet<SharedName> = new Set<SharedName>([
  "addBlob",
  "findBlob",
  "listBlobs",
  "expireBlobs",
  "leaveBytes",
  "takeLeaving",
  "dropLeft",
  "blobTotals",
  "addUpload",
  "findUpload",
  "claimUpload",
  "saveUpload",
  "removeUpload",
  "overUploads",
  "uploadTotals",
  "collectHeads",
  "acceptLogsBehind",
  "forgetTokensOfLogs",
]);

/** The tables that all engines share, over the statements and the parts that are an engine's own. */
export class SharedTables {
  readonly operations: Operations;
  readonly newestDays: { readonly logs: NewestDay; readonly accounts: NewestDay };
  readonly blobs: BlobTables;
  readonly inboxes: InboxTables;
  /** What is published of heads is settled once it is on disk. */
  readonly heads: LogHeadTables;
  readonly #lookups: LookupTables;

  constructor(parts: { sql: Sql; sqlOfLogs: Sql; nodes: Nodes; logs: LogHeadSource; leases: Leases }) {
    const { sql, sqlOfLogs, nodes, logs, leases } = parts;
    const spent = { logs: new SpentTokens(sqlOfLogs), accounts: new SpentTokens(sql) };
    this.newestDays = { logs: new NewestDay(sqlOfLogs), accounts: new NewestDay(sql) };
    const blobs = new BlobTables(sqlOfLogs);
    const uploads = new UploadTables(sqlOfLogs);
    const inboxes = new InboxTables(sql, { newestDay: this.newestDays.accounts, spent: spent.accounts });
    const links = new LinkTables(sql, spent.accounts);
    const admin = new AdminTables(sql);
    const histories = new HistoryTables(sql);
    const accounts = new AccountTables(sql, { admin, spent: spent.accounts, histories });
    const tokens = new TokenTables(sql);
    const passphrases = new PassphraseTables(sql);
    const holdings = new HoldingsTables(sql, { admin, histories });
    const tree = new TreeTables(sql);
    const heads = new LogHeadTables({ sql: sqlOfLogs, logs, tree });
    const journal = new JournalTables(sql);
    const directory = new DirectoryTables({ sql, accounts, nodes, tree, heads, journal, leases });
    const lookups = new LookupTables({ sql, nodes, tree });
    this.blobs = blobs;
    this.inboxes = inboxes;
    this.heads = heads;
    this.#lookups = lookups;
    this.operations = {
      postItem: (params) => inboxes.postItem(params),
      readItems: (params) => inboxes.readItems(params),
      lastItem: (params) => inboxes.lastItem(params),
      setCapability: (params) => inboxes.setCapability(params),
      capabilityHash: (params) => inboxes.capabilityHash(params),
      eraseSome: (params) => inboxes.eraseSome(params),
      purgeItems: (params) => inboxes.purgeItems(params),
      openLinkInbox: (params) => links.openLinkInbox(params),
      linkInbox: (params) => links.linkInbox(params),
      putKnock: (params) => links.putKnock(params),
      readKnocks: (params) => links.readKnocks(params),
      eraseKnocks: (params) => links.eraseKnocks(params),
      closeLinkInbox: (params) => links.closeLinkInbox(params),
      purgeLinkInboxes: (params) => links.purgeLinkInboxes(params),
      accountHead: (params) => accounts.accountHead(params),
      isNameFree: (params) => accounts.isNameFree(params),
      putCard: (params) => accounts.putCard(params),
      inboxOf: (params) => accounts.inboxOf(params),
      addKeyPackages: (params) => accounts.addKeyPackages(params),
      countKeyPackages: (params) => accounts.countKeyPackages(params),
      takeKeyPackage: (params) => accounts.takeKeyPackage(params),
      expireKeyPackages: (params) => accounts.expireKeyPackages(params),
      card: (params) => accounts.card(params),
      holdings: (params) => holdings.head(params),
      heldStates: (params) => holdings.states(params),
      historyManifest: (params) => histories.manifest(params),
      historyChunk: (params) => histories.chunk(params),
      putHistoryChunk: (params) => histories.putChunk(params),
      putHistoryManifest: (params) => histories.putManifest(params),
      eraseHistory: (params) => histories.erase(params),
      purgeHistory: (params) => histories.purge(params),
      heldChunks: (params) => histories.heldChunks(params),
      tokenSeeds: (params) => tokens.seeds(params),
      countTokens: (params) => tokens.count(params),
      *forgetTokens(params) {
        yield* tokens.forget(params);
        return yield* spent.accounts.forget(params);
      },
      forgetTokensOfLogs: (params) => spent.logs.forget(params),
      setPassphrase: (params) => passphrases.set(params),
      clearPassphrase: (params) => passphrases.clear(params),
      countPassphraseTry: (params) => passphrases.countTry(params),
      openPassphrase: (params) => passphrases.open(params),
      passphraseStatus: (params) => passphrases.status(params),
      forgetPassphraseTries: (params) => passphrases.forgetTries(params),
      directoryStatus: () => directory.status(),
      *publishDirectory(params) {
        lookups.forget();
        const result = yield* directory.publish(params);
        if (params.isServed && result.head !== undefined) yield* lookups.keepConfigChange();
        return result;
      },
      collectHeads: (params) => heads.collect(params.maxItems),
      *newestCheckpoint() {
        return yield* tree.checkpoint(yield* tree.size());
      },
      *addCosignatures(params) {
        lookups.forget();
        yield* tree.addCosignatures(params.size, params.cosignatures);
        yield* lookups.keepConfigChange();
      },
      *resignCheckpoint(params) {
        lookups.forget();
        yield* tree.resign(params.signer);
      },
      *serveHead(params) {
        lookups.forget();
        yield* directory.serve(params.size);
        yield* lookups.keepConfigChange();
      },
      *servedCheckpoint() {
        return yield* tree.checkpoint(yield* tree.servedSize());
      },
      lookup: (params) => lookups.lookup(params),
      lookupOperator: (params) => lookups.lookupOperator(params),
      newestOperatorValue: (params) => directory.newestOperatorValue(params.name),
      proveAbsence: (params) => lookups.proveAbsence(params.label, params.knownSize),
      *proveAccounts(params) {
        const proofs: Uint8Array[] = [];
        for (const accountId of params.accountIds) proofs.push(yield* lookups.proveAccount(accountId));
        return proofs;
      },
      *proveLogHead(params) {
        return yield* heads.prove(params.logId, yield* lookups.served(), params.knownSize);
      },
      *proveConsistency(params) {
        return params.to > (yield* tree.size()) ? [] : [...(yield* tree.proveConsistency(params.from, params.to))];
      },
      hashTile: (params) => tree.hashTile(params),
      entryTile: (params) => tree.entryTile(params),
      transition: (params) => tree.transition(params.index),
      configChange: (params) => lookups.configChange(params.index),
      unjournaled: () => journal.waiting(),
      dropJournaled: (params) => journal.drop(params),
      journalNote: () => journal.note(),
      acceptLogsBehind: () => heads.acceptBehind(),
      areLogsBehind: () => heads.areLogsBehind(),
      takeLease: (params) => leases.take(params),
      giveBackLease: (params) => leases.giveBack(params),
      addBlob: (params) => blobs.addBlob(params),
      findBlob: (params) => blobs.findBlob(params),
      listBlobs: (params) => blobs.listBlobs(params),
      expireBlobs: (params) => blobs.expireBlobs(params),
      leaveBytes: (params) => blobs.leaveBytes(params),
      takeLeaving: (params) => blobs.takeLeaving(params),
      dropLeft: (params) => blobs.dropLeft(params),
      blobTotals: () => blobs.blobTotals(),
      addUpload: (params) => uploads.add(params),
      findUpload: (params) => uploads.find(params),
      claimUpload: (params) => uploads.claim(params),
      saveUpload: (params) => uploads.save(params),
      removeUpload: (params) => uploads.remove(params),
      overUploads: (params) => uploads.over(params),
      uploadTotals: () => uploads.totals(),
      ...admin.handlers(),
      *totals() {
        return { accounts: yield* admin.countAccounts(), ...(yield* blobs.blobTotals()) };
      },
    };
  }

  /** After a transaction that did not commit: what is in memory may be ahead of the database. */
  forget(): void {
    this.#lookups.forget();
    this.heads.forget();
  }
}
