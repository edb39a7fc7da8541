import type { AdminStore } from "./admin-store.ts";
import type { DirectoryLogStore } from "./directory-store.ts";
import type { HistoryStore } from "./history-store.ts";
import type { LeaseStore } from "./lease-store.ts";
import type { LinkStore } from "./link-store.ts";
import type { PassphraseStore } from "./passphrase-store.ts";
import type { BlobIndex, DayStore, DirectoryStore, InboxStore, KnownEnd, LogStore, PageLimits, Store, StoredEntry } from "./store.ts";
import type { TokenStore } from "./token-store.ts";
import type { UploadStore } from "./upload-store.ts";

type Methods = Omit<LogStore, "append" | "readEntriesOfLogs"> &
  Omit<InboxStore, "eraseItems"> &
  LinkStore &
  DirectoryStore &
  DirectoryLogStore &
  BlobIndex &
  UploadStore &
  DayStore &
  AdminStore &
  TokenStore &
  PassphraseStore &
  LeaseStore &
  HistoryStore & {
    /** A part of `eraseItems`, so that nobody waits for it: erases the first items up to `uptoSeq`; answers whether there may be more of them. */
    eraseSome(params: { inboxId: Uint8Array; uptoSeq: number }): Promise<boolean>;
  };

/** The operations that an engine is asked for one by one; appends come by themselves. */
export type CallName = keyof Methods;

/** What an operation takes. */
export type CallParams<Name extends CallName> = Parameters<Methods[Name]>[0];

/** What an operation answers. */
export type CallResult<Name extends CallName> = Awaited<ReturnType<Methods[Name]>>;

/** The face of a store that does its operations by their names. */
export abstract class CalledStore implements Omit<Store, "append" | "scrub" | "close" | "failed"> {
  readonly admin: AdminStore = {
    addInvitation: (params) => this.call("addInvitation", params),
    isInvited: (params) => this.call("isInvited", params),
    listInvitations: (params) => this.call("listInvitations", params),
    revokeInvitation: (params) => this.call("revokeInvitation", params),
    rules: () => this.call("rules", undefined),
    setNameReserved: (params) => this.call("setNameReserved", params),
    accountOfName: (params) => this.call("accountOfName", params),
    setSuspended: (params) => this.call("setSuspended", params),
    setRestrictions: (params) => this.call("setRestrictions", params),
    expireRestrictions: (params) => this.call("expireRestrictions", params),
    setSetting: (params) => this.call("setSetting", params),
    listAccounts: (params) => this.call("listAccounts", params),
    totals: () => this.call("totals", undefined),
  };

  /** Does an operation. @throws StoreError */
  protected abstract call<Name extends CallName>(name: Name, params: CallParams<Name>): Promise<CallResult<Name>>;

  createLog(params: CallParams<"createLog">): Promise<CallResult<"createLog">> {
    return this.call("createLog", params);
  }
  readEpoch(params: CallParams<"readEpoch">): Promise<CallResult<"readEpoch">> {
    return this.call("readEpoch", params);
  }
  readEntries(params: CallParams<"readEntries">): Promise<CallResult<"readEntries">> {
    return this.call("readEntries", params);
  }
  /** One after the other: an engine that they have to travel from asks once for all. */
  async readEntriesOfLogs({ logs, maxItems, maxBytes }: { logs: readonly KnownEnd[] } & PageLimits): Promise<StoredEntry[][]> {
    const lists: StoredEntry[][] = logs.map(() => []);
    let [items, bytes] = [0, 0];
    for (const [at, { id: logId, lastSeq: afterSeq }] of logs.entries()) {
      if (items >= maxItems || bytes >= maxBytes) break;
      const limits = { maxItems: maxItems - items, maxBytes: maxBytes - bytes };
      for (const entry of await this.readEntries({ logId, afterSeq, ...limits })) {
        items += 1;
        bytes += entry.blob.length;
        if (items > 1 && bytes > maxBytes) return lists;
        lists[at]?.push(entry);
      }
    }
    return lists;
  }
  grownLogs(params: CallParams<"grownLogs">): Promise<CallResult<"grownLogs">> {
    return this.call("grownLogs", params);
  }
  purgeEntries(params: CallParams<"purgeEntries">): Promise<CallResult<"purgeEntries">> {
    return this.call("purgeEntries", params);
  }
  postItem(params: CallParams<"postItem">): Promise<CallResult<"postItem">> {
    return this.call("postItem", params);
  }
  readItems(params: CallParams<"readItems">): Promise<CallResult<"readItems">> {
    return this.call("readItems", params);
  }
  setCapability(params: CallParams<"setCapability">): Promise<CallResult<"setCapability">> {
    return this.call("setCapability", params);
  }
  capabilityHash(params: CallParams<"capabilityHash">): Promise<CallResult<"capabilityHash">> {
    return this.call("capabilityHash", params);
  }
  lastItem(params: CallParams<"lastItem">): Promise<CallResult<"lastItem">> {
    return this.call("lastItem", params);
  }
  grownInboxes(params: CallParams<"grownInboxes">): Promise<CallResult<"grownInboxes">> {
    return this.call("grownInboxes", params);
  }
  async eraseItems(params: CallParams<"eraseSome">): Promise<void> {
    while (await this.call("eraseSome", params));
  }
  purgeItems(params: CallParams<"purgeItems">): Promise<CallResult<"purgeItems">> {
    return this.call("purgeItems", params);
  }
  openLinkInbox(params: CallParams<"openLinkInbox">): Promise<CallResult<"openLinkInbox">> {
    return this.call("openLinkInbox", params);
  }
  linkInbox(params: CallParams<"linkInbox">): Promise<CallResult<"linkInbox">> {
    return this.call("linkInbox", params);
  }
  putKnock(params: CallParams<"putKnock">): Promise<CallResult<"putKnock">> {
    return this.call("putKnock", params);
  }
  readKnocks(params: CallParams<"readKnocks">): Promise<CallResult<"readKnocks">> {
    return this.call("readKnocks", params);
  }
  eraseKnocks(params: CallParams<"eraseKnocks">): Promise<CallResult<"eraseKnocks">> {
    return this.call("eraseKnocks", params);
  }
  closeLinkInbox(params: CallParams<"closeLinkInbox">): Promise<CallResult<"closeLinkInbox">> {
    return this.call("closeLinkInbox", params);
  }
  purgeLinkInboxes(params: CallParams<"purgeLinkInboxes">): Promise<CallResult<"purgeLinkInboxes">> {
    return this.call("purgeLinkInboxes", params);
  }
  accountHead(params: CallParams<"accountHead">): Promise<CallResult<"accountHead">> {
    return this.call("accountHead", params);
  }
  grownAccounts(params: CallParams<"grownAccounts">): Promise<CallResult<"grownAccounts">> {
    return this.call("grownAccounts", params);
  }
  isNameFree(params: CallParams<"isNameFree">): Promise<CallResult<"isNameFree">> {
    return this.call("isNameFree", params);
  }
  putCard(params: CallParams<"putCard">): Promise<CallResult<"putCard">> {
    return this.call("putCard", params);
  }
  inboxOf(params: CallParams<"inboxOf">): Promise<CallResult<"inboxOf">> {
    return this.call("inboxOf", params);
  }
  addKeyPackages(params: CallParams<"addKeyPackages">): Promise<CallResult<"addKeyPackages">> {
    return this.call("addKeyPackages", params);
  }
  countKeyPackages(params: CallParams<"countKeyPackages">): Promise<CallResult<"countKeyPackages">> {
    return this.call("countKeyPackages", params);
  }
  takeKeyPackage(params: CallParams<"takeKeyPackage">): Promise<CallResult<"takeKeyPackage">> {
    return this.call("takeKeyPackage", params);
  }
  expireKeyPackages(params: CallParams<"expireKeyPackages">): Promise<CallResult<"expireKeyPackages">> {
    return this.call("expireKeyPackages", params);
  }
  card(params: CallParams<"card">): Promise<CallResult<"card">> {
    return this.call("card", params);
  }
  holdings(params: CallParams<"holdings">): Promise<CallResult<"holdings">> {
    return this.call("holdings", params);
  }
  heldStates(params: CallParams<"heldStates">): Promise<CallResult<"heldStates">> {
    return this.call("heldStates", params);
  }
  tokenSeeds(params: CallParams<"tokenSeeds">): Promise<CallResult<"tokenSeeds">> {
    return this.call("tokenSeeds", params);
  }
  countTokens(params: CallParams<"countTokens">): Promise<CallResult<"countTokens">> {
    return this.call("countTokens", params);
  }
  forgetTokens(params: CallParams<"forgetTokens">): Promise<CallResult<"forgetTokens">> {
    return this.call("forgetTokens", params);
  }
  forgetTokensOfLogs(params: CallParams<"forgetTokensOfLogs">): Promise<CallResult<"forgetTokensOfLogs">> {
    return this.call("forgetTokensOfLogs", params);
  }
  setPassphrase(params: CallParams<"setPassphrase">): Promise<CallResult<"setPassphrase">> {
    return this.call("setPassphrase", params);
  }
  clearPassphrase(params: CallParams<"clearPassphrase">): Promise<void> {
    return this.call("clearPassphrase", params);
  }
  countPassphraseTry(params: CallParams<"countPassphraseTry">): Promise<CallResult<"countPassphraseTry">> {
    return this.call("countPassphraseTry", params);
  }
  openPassphrase(params: CallParams<"openPassphrase">): Promise<CallResult<"openPassphrase">> {
    return this.call("openPassphrase", params);
  }
  passphraseStatus(params: CallParams<"passphraseStatus">): Promise<CallResult<"passphraseStatus">> {
    return this.call("passphraseStatus", params);
  }
  forgetPassphraseTries(params: CallParams<"forgetPassphraseTries">): Promise<CallResult<"forgetPassphraseTries">> {
    return this.call("forgetPassphraseTries", params);
  }
  historyManifest(params: CallParams<"historyManifest">): Promise<CallResult<"historyManifest">> {
    return this.call("historyManifest", params);
  }
  historyChunk(params: CallParams<"historyChunk">): Promise<CallResult<"historyChunk">> {
    return this.call("historyChunk", params);
  }
  putHistoryChunk(params: CallParams<"putHistoryChunk">): Promise<CallResult<"putHistoryChunk">> {
    return this.call("putHistoryChunk", params);
  }
  putHistoryManifest(params: CallParams<"putHistoryManifest">): Promise<CallResult<"putHistoryManifest">> {
    return this.call("putHistoryManifest", params);
  }
  eraseHistory(params: CallParams<"eraseHistory">): Promise<CallResult<"eraseHistory">> {
    return this.call("eraseHistory", params);
  }
  purgeHistory(params: CallParams<"purgeHistory">): Promise<CallResult<"purgeHistory">> {
    return this.call("purgeHistory", params);
  }
  heldChunks(params: CallParams<"heldChunks">): Promise<CallResult<"heldChunks">> {
    return this.call("heldChunks", params);
  }
  directoryStatus(): Promise<CallResult<"directoryStatus">> {
    return this.call("directoryStatus", undefined);
  }
  publishDirectory(params: CallParams<"publishDirectory">): Promise<CallResult<"publishDirectory">> {
    return this.call("publishDirectory", params);
  }
  collectHeads(params: CallParams<"collectHeads">): Promise<CallResult<"collectHeads">> {
    return this.call("collectHeads", params);
  }
  newestCheckpoint(): Promise<CallResult<"newestCheckpoint">> {
    return this.call("newestCheckpoint", undefined);
  }
  addCosignatures(params: CallParams<"addCosignatures">): Promise<CallResult<"addCosignatures">> {
    return this.call("addCosignatures", params);
  }
  resignCheckpoint(params: CallParams<"resignCheckpoint">): Promise<CallResult<"resignCheckpoint">> {
    return this.call("resignCheckpoint", params);
  }
  serveHead(params: CallParams<"serveHead">): Promise<CallResult<"serveHead">> {
    return this.call("serveHead", params);
  }
  servedCheckpoint(): Promise<CallResult<"servedCheckpoint">> {
    return this.call("servedCheckpoint", undefined);
  }
  lookup(params: CallParams<"lookup">): Promise<CallResult<"lookup">> {
    return this.call("lookup", params);
  }
  lookupOperator(params: CallParams<"lookupOperator">): Promise<CallResult<"lookupOperator">> {
    return this.call("lookupOperator", params);
  }
  newestOperatorValue(params: CallParams<"newestOperatorValue">): Promise<CallResult<"newestOperatorValue">> {
    return this.call("newestOperatorValue", params);
  }
  proveAbsence(params: CallParams<"proveAbsence">): Promise<CallResult<"proveAbsence">> {
    return this.call("proveAbsence", params);
  }
  proveAccounts(params: CallParams<"proveAccounts">): Promise<CallResult<"proveAccounts">> {
    return this.call("proveAccounts", params);
  }
  proveLogHead(params: CallParams<"proveLogHead">): Promise<CallResult<"proveLogHead">> {
    return this.call("proveLogHead", params);
  }
  proveConsistency(params: CallParams<"proveConsistency">): Promise<CallResult<"proveConsistency">> {
    return this.call("proveConsistency", params);
  }
  hashTile(params: CallParams<"hashTile">): Promise<CallResult<"hashTile">> {
    return this.call("hashTile", params);
  }
  entryTile(params: CallParams<"entryTile">): Promise<CallResult<"entryTile">> {
    return this.call("entryTile", params);
  }
  transition(params: CallParams<"transition">): Promise<CallResult<"transition">> {
    return this.call("transition", params);
  }
  configChange(params: CallParams<"configChange">): Promise<CallResult<"configChange">> {
    return this.call("configChange", params);
  }
  unjournaled(): Promise<CallResult<"unjournaled">> {
    return this.call("unjournaled", undefined);
  }
  dropJournaled(params: CallParams<"dropJournaled">): Promise<void> {
    return this.call("dropJournaled", params);
  }
  acceptLogsBehind(): Promise<void> {
    return this.call("acceptLogsBehind", undefined);
  }
  areLogsBehind(): Promise<CallResult<"areLogsBehind">> {
    return this.call("areLogsBehind", undefined);
  }
  journalNote(): Promise<CallResult<"journalNote">> {
    return this.call("journalNote", undefined);
  }
  addBlob(params: CallParams<"addBlob">): Promise<CallResult<"addBlob">> {
    return this.call("addBlob", params);
  }
  findBlob(params: CallParams<"findBlob">): Promise<CallResult<"findBlob">> {
    return this.call("findBlob", params);
  }
  listBlobs(params: CallParams<"listBlobs">): Promise<CallResult<"listBlobs">> {
    return this.call("listBlobs", params);
  }
  expireBlobs(params: CallParams<"expireBlobs">): Promise<CallResult<"expireBlobs">> {
    return this.call("expireBlobs", params);
  }
  leaveBytes(params: CallParams<"leaveBytes">): Promise<CallResult<"leaveBytes">> {
    return this.call("leaveBytes", params);
  }
  takeLeaving(params: CallParams<"takeLeaving">): Promise<CallResult<"takeLeaving">> {
    return this.call("takeLeaving", params);
  }
  dropLeft(params: CallParams<"dropLeft">): Promise<CallResult<"dropLeft">> {
    return this.call("dropLeft", params);
  }
  blobTotals(): Promise<CallResult<"blobTotals">> {
    return this.call("blobTotals", undefined);
  }
  addUpload(params: CallParams<"addUpload">): Promise<CallResult<"addUpload">> {
    return this.call("addUpload", params);
  }
  findUpload(params: CallParams<"findUpload">): Promise<CallResult<"findUpload">> {
    return this.call("findUpload", params);
  }
  claimUpload(params: CallParams<"claimUpload">): Promise<CallResult<"claimUpload">> {
    return this.call("claimUpload", params);
  }
  saveUpload(params: CallParams<"saveUpload">): Promise<CallResult<"saveUpload">> {
    return this.call("saveUpload", params);
  }
  removeUpload(params: CallParams<"removeUpload">): Promise<CallResult<"removeUpload">> {
    return this.call("removeUpload", params);
  }
  overUploads(params: CallParams<"overUploads">): Promise<CallResult<"overUploads">> {
    return this.call("overUploads", params);
  }
  uploadTotals(): Promise<CallResult<"uploadTotals">> {
    return this.call("uploadTotals", undefined);
  }
  takeLease(params: CallParams<"takeLease">): Promise<CallResult<"takeLease">> {
    return this.call("takeLease", params);
  }
  giveBackLease(params: CallParams<"giveBackLease">): Promise<CallResult<"giveBackLease">> {
    return this.call("giveBackLease", params);
  }
  newestDay(): Promise<CallResult<"newestDay">> {
    return this.call("newestDay", undefined);
  }
  correctDays(params: CallParams<"correctDays">): Promise<CallResult<"correctDays">> {
    return this.call("correctDays", params);
  }
}
