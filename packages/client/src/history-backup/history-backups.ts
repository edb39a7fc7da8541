import { equalBytes, toBase64Url } from "@latchkey/codec";
import { deviceOf } from "@latchkey/transparency";
import { beganByRecovery, recoveryPhrase } from "../account/own-account.ts";
import { deriveRecoveryKeys } from "../account/recovery.ts";
import type { ClientFailure } from "../api.ts";
import type { FoundHistory, HistoryBackup } from "../api/history-backup.ts";
import type { World } from "../engine/world.ts";
import { ClientError, failureOf } from "../errors.ts";
import { createMutex } from "../store/mutex.ts";
import type { RoleConnection } from "../transport/connection.ts";
import { findBackup } from "./found.ts";
import { isDayOver, Keeper } from "./keeper.ts";
import type { KeeperAccess } from "./keeper.ts";
import { publicKeyOf } from "./keys.ts";
import { Reading } from "./reading.ts";
import type { ReadingAccess } from "./reading.ts";
import { hostOf } from "./server.ts";
import {
  beginReading,
  forgetKeeping,
  forgetReading,
  loadFound,
  loadKeeping,
  loadSeen,
  mustErase,
  putFound,
  putMustErase,
  putSeen,
} from "./stored.ts";
import type { FoundBackup, Keeping, SeenBackup } from "./stored.ts";

/** A device that sleeps misses its timer: looked at again after so long at the latest. */
const lookMs = 3_600_000;
/** Not while the app opens, and while commands that end soon run. */
const firstMs = 20_000;
const againMs = 600_000;
/** The word that it is off is so far above the last one: above what a device that has not heard it writes meanwhile. */
const dropAhead = 1000;

/** What both need of the engine beside what each does. */
interface ConnectionAccess {
  /** This device's own, while it is open. */
  connection(): RoleConnection<"device"> | undefined;
}

/** The backup of the messages, as this device has to do with it (spec B-1 to B-7). Loaded where there is one, or when it is asked for. */
export class HistoryBackups {
  readonly #world: World;
  readonly #access: Pick<KeeperAccess, "shareSeen" | "host">;
  readonly #keeper: Keeper;
  readonly #reading: Reading;
  /** Writing, reading and what the person says follow one another. */
  readonly #steps = createMutex();
  #failure: ClientFailure | undefined;
  #isWriting = false;
  #lookedAtMs = 0;
  /** When all was written last, also where there was nothing to write. */
  #wroteAtMs = 0;
  /** When the server said that it takes no more. */
  #fullAtMs: number | undefined;
  #cancel: () => void = () => undefined;
  readonly #closing = new AbortController();

  constructor(world: World, engine: Omit<KeeperAccess, "changed" | "host"> & Omit<ReadingAccess, "host"> & ConnectionAccess) {
    this.#world = world;
    const host = hostOf(world.platform, () => engine.connection(), this.#closing.signal);
    const access = { ...engine, host };
    this.#access = access;
    const changed = (): void => world.emit({ kind: "history_backup" });
    this.#keeper = new Keeper(world, { ...access, changed });
    this.#reading = new Reading(world, access, changed);
  }

  /** Goes on with what was begun, and writes once a day. */
  start(): void {
    this.#plan(firstMs);
  }

  async state(): Promise<HistoryBackup> {
    const { keeping, seen, found, isToBeErased } = await this.#world.store.transact("read", async (tx) => ({
      keeping: await loadKeeping(tx),
      seen: await loadSeen(tx),
      found: await loadFound(tx),
      isToBeErased: await mustErase(tx),
    }));
    return {
      ...this.#keptBy(keeping, seen),
      written: writtenOf(keeping, seen),
      writing: this.#isWriting ? { done: keeping?.walk?.done ?? 0, total: keeping?.walk?.total ?? 0 } : undefined,
      leftOut: keeping?.leftOut ?? 0,
      failure: this.#failure,
      isToBeErased,
      found: found === undefined ? undefined : shownFound(found),
    };
  }

  /** As `historyBackup` of the API with `isAsked`. */
  async look(): Promise<void> {
    await this.#keeper.look();
    this.#lookedAtMs = this.#world.platform.nowMs();
  }

  /** As `keepHistoryBackup` of the API. */
  async keep(phrase: string | undefined): Promise<void> {
    const backupKey = await this.#backupKey(phrase);
    await this.#steps.run(async () => {
      await this.#keeper.eraseDue();
      await this.#refuseUnread(backupKey);
      await this.#keeper.begin(await publicKeyOf(this.#world.platform, backupKey));
    });
    this.#plan(0);
  }

  /** As `writeHistoryBackup` of the API. */
  async write(isAnew: boolean): Promise<void> {
    await this.#steps.run(async () => {
      if (isAnew) await this.#keeper.writeAnew();
      await this.#write();
    });
    this.#plan(lookMs);
  }

  /** As `dropHistoryBackup` of the API. */
  async drop(): Promise<void> {
    const { store, own } = this.#world;
    await this.#steps.run(async () => {
      await this.#refuseUnread();
      await store.transact("write", async (tx) => {
        const [keeping, seen] = [await loadKeeping(tx), await loadSeen(tx)];
        await forgetKeeping(tx);
        putMustErase(tx, true);
        const counter = Math.max(keeping?.counter ?? 0, seen?.counter ?? 0) + dropAhead;
        await putSeen(tx, { isOn: false, deviceId: own.deviceId, counter, writtenAtMs: 0, messages: 0, sizeBytes: 0 });
      });
      this.#failure = undefined;
      this.#access.shareSeen();
      await this.#keeper.eraseDue().catch((error: unknown) => this.#fail(error));
    });
    this.#world.emit({ kind: "history_backup" });
    this.#plan(againMs);
  }

  /** As `findHistoryBackup` of the API. */
  async find(phrase: string): Promise<void> {
    const backupKey = await this.#backupKey(phrase);
    await this.#steps.run(async () => {
      await this.#find(backupKey);
    });
  }

  /** As `restoreHistoryBackup` of the API. */
  async restore(): Promise<void> {
    const { store } = this.#world;
    await store.transact("write", async (tx) => {
      const found = await loadFound(tx);
      if (found === undefined || found.stage === "none" || found.stage === "declined")
        throw new ClientError("no_backup", "No backup was found of this account.");
      if (found.stage === "offered") await beginReading(tx, found);
    });
    await this.#steps.run(() => this.#read());
    this.#plan(0);
  }

  /** As `declineHistoryBackup` of the API. */
  async decline(): Promise<void> {
    await this.#steps.run(() =>
      this.#world.store.transact("write", async (tx) => {
        const found = await loadFound(tx);
        if (found === undefined || !isUnread(found)) return;
        await forgetReading(tx, true);
        putFound(tx, { ...found, stage: "declined", generationKey: new Uint8Array(32), left: 0 });
      }),
    );
    this.#world.emit({ kind: "history_backup" });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#cancel();
    this.#keeper.close();
    this.#reading.close();
    await this.#steps.run(() => Promise.resolve());
  }

  async #find(backupKey: Uint8Array): Promise<FoundBackup> {
    const { store, platform, own } = this.#world;
    const found = await this.#access.host((connection) => findBackup({ store, platform, connection, own, backupKey }));
    this.#world.emit({ kind: "history_backup" });
    return found;
  }

  /**
   * The only copy of what was said before is not written over, or erased, before it was read or the person declined that.
   * @param backupKey looks for one where nobody did @throws ClientError `backup_unread`
   */
  async #refuseUnread(backupKey?: Uint8Array): Promise<void> {
    const { found, seen } = await this.#world.store.transact("read", async (tx) => ({
      found: await loadFound(tx),
      seen: await loadSeen(tx),
    }));
    const isUnknown = beganByRecovery(this.#world.own) && (found === undefined || (found.stage === "none" && seen === undefined));
    const standing = isUnknown && backupKey !== undefined ? await this.#find(backupKey) : found;
    if (standing !== undefined && isUnread(standing))
      throw new ClientError("backup_unread", "There is a backup that was not read, or not all of it: read it, or decline it, first.");
  }

  /** Reads what was found, as far as it was not; then this device goes on with it. */
  async #read(): Promise<void> {
    const found = await this.#reading.run();
    if (found === undefined) return;
    // The last copy of what could not be read is not written over.
    if (found.missing + found.unreadable === 0) await this.#keeper.begin(found.publicKey, (tx) => this.#reading.finish(tx, found));
    else await this.#world.store.transact("write", (tx) => this.#reading.finish(tx, found));
    this.#world.emit({ kind: "history_backup" });
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    this.#world.emit({ kind: "history_backup" });
    try {
      await this.#keeper.eraseDue();
      await this.#keeper.write();
      // It may have stopped, having heard that it is off.
      await this.#keeper.eraseDue();
      this.#wroteAtMs = this.#world.platform.nowMs();
      this.#fullAtMs = undefined;
      this.#failure = undefined;
    } catch (error) {
      this.#fail(error);
      if (this.#failure?.code === "backup_full") this.#fullAtMs = this.#world.platform.nowMs();
      throw error;
    } finally {
      this.#isWriting = false;
      this.#world.emit({ kind: "history_backup" });
    }
  }

  #fail(error: unknown): void {
    this.#failure = failureOf(error);
  }

  #plan(delayMs: number): void {
    this.#cancel();
    if (this.#closing.signal.aborted) return;
    this.#cancel = this.#world.platform.setTimer(delayMs, () => {
      void this.#work().then((nextMs) => this.#plan(nextMs));
    });
  }

  /** Does what is due; how long to wait then. A failure is told where the backup is shown, and tried again. */
  async #work(): Promise<number> {
    try {
      await this.#steps.run(async () => {
        if (this.#closing.signal.aborted) return;
        await this.#read();
        if (await this.#isDue()) await this.#write();
        else await this.#keeper.eraseDue();
      });
      const nowMs = this.#world.platform.nowMs();
      if (isDayOver(nowMs - this.#lookedAtMs)) {
        if (!(await this.#keeper.look())) await this.#steps.run(() => this.#write());
        this.#lookedAtMs = nowMs;
      }
      return lookMs;
    } catch (error) {
      this.#fail(error);
      return error instanceof ClientError && error.canRetry ? Math.max(againMs, error.retryAfterMs) : lookMs;
    }
  }

  /** Once a day where there is something to write, and at once what was not written to its end, or was turned off elsewhere. */
  async #isDue(): Promise<boolean> {
    const { keeping, seen } = await this.#world.store.transact("read", async (tx) => ({
      keeping: await loadKeeping(tx),
      seen: await loadSeen(tx),
    }));
    if (keeping === undefined) return false;
    if (seen?.isOn === false && seen.counter > keeping.counter) return true;
    const nowMs = this.#world.platform.nowMs();
    // A full server is asked again the next day.
    if (this.#fullAtMs !== undefined && !isDayOver(nowMs - this.#fullAtMs)) return false;
    if (keeping.walk !== undefined || keeping.writtenAtMs === 0) return true;
    return isDayOver(nowMs - Math.max(keeping.writtenAtMs, this.#wroteAtMs)) && (await this.#keeper.hasWork());
  }

  #keptBy(keeping: Keeping | undefined, seen: SeenBackup | undefined): Pick<HistoryBackup, "keptBy" | "deviceId"> {
    const { own } = this.#world;
    if (keeping !== undefined) return { keptBy: "this", deviceId: toBase64Url(own.deviceId) };
    if (seen?.isOn !== true) return { keptBy: "nobody", deviceId: undefined };
    const isMember = !equalBytes(seen.deviceId, own.deviceId) && deviceOf(own.account, seen.deviceId) !== undefined;
    return { keptBy: isMember ? "other" : "gone", deviceId: toBase64Url(seen.deviceId) };
  }

  /** What the phrase gives; of the profile's own where none is said. @throws ClientError `invalid_phrase` */
  async #backupKey(phrase: string | undefined): Promise<Uint8Array> {
    const { own, platform } = this.#world;
    const words = phrase ?? (await recoveryPhrase(own));
    if (words === undefined) throw new ClientError("invalid_phrase", "This profile has no recovery phrase any more: it is to be typed.");
    const { signature, backupKey } = await deriveRecoveryKeys(words, platform).catch((cause: unknown) => {
      throw new ClientError("invalid_phrase", "These are not the 24 words of a recovery phrase. Check each word and their order.", {
        cause,
      });
    });
    if (!equalBytes(signature.publicKey, own.account.state.recoveryKey))
      throw new ClientError("invalid_phrase", "This is the recovery phrase of another account.");
    return backupKey;
  }
}

function writtenOf(keeping: Keeping | undefined, seen: SeenBackup | undefined): HistoryBackup["written"] {
  const last = keeping ?? (seen?.isOn === true ? seen : undefined);
  return last === undefined || last.writtenAtMs === 0
    ? undefined
    : { atMs: last.writtenAtMs, messages: last.messages, sizeBytes: last.sizeBytes };
}

/** Whether what was found is wanted still, in whole or for what could not be read of it. */
function isUnread({ stage, missing, unreadable }: FoundBackup): boolean {
  return stage === "offered" || stage === "running" || (stage === "done" && missing + unreadable > 0);
}

function shownFound({ stage, writtenAtMs, messages, chunks, left, restored, missing, unreadable }: FoundBackup): FoundHistory {
  return { stage, atMs: writtenAtMs, messages, done: chunks - left, total: chunks, restored, missing, unreadable };
}
