import { equalBytes, fromBase64Url, toBase64Url } from "@latchkey/codec";
import type { DeviceEntry } from "@latchkey/transparency";
import { deviceOf } from "@latchkey/transparency";
import type { LinkState, OwnDevice } from "../api.ts";
import type { Change, ChangeOutcome, ConversationState, Joiner, WantedChange } from "../core/types.ts";
import { markKey } from "../engine/account-news.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import { giveHistory } from "./give-history.ts";
import { HistoryImport, putNotice } from "./import.ts";
import type { ImportAccess } from "./import.ts";
import type { LinkSession } from "./link-session.ts";
import { deleteLinkTask, loadLinkTasks, putLinkTask, withoutDevice, withoutOthers } from "./link-task.ts";
import type { LinkTask } from "./link-task.ts";
import type { OwnChange, OwnStates } from "./own-states.ts";
import { changeFor, changePrefix, ownJoiners, takeFrom } from "./own-joiners.ts";
import { Told, background } from "./told.ts";
import type { ToldAccess } from "./told.ts";
import { isWritable } from "../core/phase.ts";
import { lastUsedMs } from "../own/last-use.ts";

/** What the devices need of the engine. */
export interface EngineAccess extends ImportAccess, ToldAccess {
  /** Makes a change; `undefined` when it is still waiting after a minute. */
  change(runner: ConversationRunner, change: WantedChange): Promise<ChangeOutcome | undefined>;
  /** Tells the other devices all that the person set for themselves: one was added. */
  tellOwn(): Promise<void>;
  /** Makes the group of the account's devices. */
  createDevicesGroup(change: WantedChange): Promise<void>;
}

const reconcileKey = "devices-reconcile";
const retryMs = 5000;
/** A device that can take no part now is tried again so often before the rest goes on without it. */
const maxTries = 12;
/** Conversations that are changed at a time. */
const parallel = 4;
/** Lets the device that published a state, or another one of the account, come first. */
const joinedDelayMs = 4000;

/**
 * One's own devices: keeps them in the account and in every conversation, and in step with each other. What is not finished is
 * put down in the store and goes on after a restart.
 */
export class Devices {
  readonly #world: World;
  readonly #states: OwnStates;
  readonly #access: EngineAccess;
  readonly #import: HistoryImport;
  /** What the devices tell each other. */
  readonly told: Told;
  readonly #ownId: string;
  #session: LinkSession | undefined;
  /** The device that the session took into the account. */
  #linking: Uint8Array | undefined;
  /** Devices that the account has, and that may not know it: they are not waited for. */
  #unsure: readonly Uint8Array[] = [];
  #task: Promise<void> | undefined;
  readonly #timers = new Set<() => void>();
  #closed = false;

  constructor(params: { world: World; states: OwnStates; access: EngineAccess }) {
    const { world, states, access } = params;
    this.#world = world;
    this.#states = states;
    this.#access = access;
    this.#ownId = toBase64Url(world.own.accountId);
    this.told = new Told({ world, states, access });
    const { store, platform, connections, own } = world;
    const emit = (state: LinkState): void => world.emit({ kind: "link", state });
    this.#import = new HistoryImport({ store, platform, baseUrl: () => connections.httpUrl(own.host), access, emit });
  }

  /** Goes on with what an earlier run did not finish. */
  async start(): Promise<void> {
    await this.told.start();
    this.#import.wake();
    this.#work();
  }

  /** Whether nothing is under way that ends by itself soon. */
  get isIdle(): boolean {
    return this.#task === undefined && this.told.isIdle && this.#import.isIdle;
  }

  list(): OwnDevice[] {
    const { own, ownThings, platform } = this.#world;
    const { account, deviceId: ownId, deviceName, createdAtMs } = own;
    const nowMs = platform.nowMs();
    return account.state.devices
      .map(({ deviceId, addedMs }): OwnDevice => {
        const id = toBase64Url(deviceId);
        const isThisDevice = equalBytes(deviceId, ownId);
        const name = this.told.names.get(id) ?? (isThisDevice ? deviceName : "");
        const addedAtMs = Math.max(addedMs, createdAtMs);
        const lastUsedAtMs = isThisDevice ? nowMs : lastUsedMs(ownThings, { deviceId, addedAtMs }, nowMs);
        return { deviceId: id, name, addedAtMs, lastUsedAtMs, isThisDevice };
      })
      .toSorted((a, b) => a.addedAtMs - b.addedAtMs);
  }

  /** Takes a device out of the account; it leaves every conversation as soon as the server is reached. @throws ClientError */
  async remove(deviceId: string): Promise<void> {
    const { own } = this.#world;
    const found = own.account.state.devices.find((device) => toBase64Url(device.deviceId) === deviceId);
    if (found === undefined) throw new ClientError("unknown_user", "This is no device of this account.");
    if (equalBytes(found.deviceId, own.deviceId)) {
      throw new ClientError("not_permitted", "A device does not remove itself. Use another one, or delete the account.");
    }
    await this.#publishWithout((state) => withoutDevice(state, found.deviceId));
    this.#work();
  }

  /** Takes every other device out of the account, in one state (spec A-11); they leave the conversations one after the other. @throws ClientError */
  async removeOthers(): Promise<void> {
    const { deviceId } = this.#world.own;
    await this.#publishWithout((state) => withoutOthers(state, deviceId));
    this.#work();
  }

  #publishWithout(change: Parameters<OwnStates["publish"]>[0]): Promise<void> {
    return this.#states.publish(change, (tx) => {
      tx.put(reconcileKey, new Uint8Array([1]));
      this.#world.appendSecrets.deviceLeft(tx);
    });
  }

  /** Takes up a new device's offer; resolves once the digits are shown. @throws ClientError */
  async acceptLink(code: string): Promise<void> {
    this.#session?.input({ kind: "cancel" });
    const { store, platform, connections, emit } = this.#world;
    const { acceptLink } = await import("./accept-link.ts");
    const session = acceptLink({
      store,
      platform,
      connections,
      states: this.#states,
      code,
      emit: (state) => emit({ kind: "link", state }),
      conversations: () => this.#joinedConversations().map(({ logId }) => logId),
      onPublish: (deviceId) => {
        this.#linking = deviceId;
        // Earlier ones that came to nothing go first.
        this.#work();
      },
      onLinked: () => this.#work(),
      onUndo: (deviceId) => this.#undo(deviceId),
    });
    this.#session = session;
    await session.compared.promise;
  }

  confirmLink(same: boolean): void {
    if (this.#session === undefined || this.#session.isOver) {
      throw new ClientError("link_expired", "There is no linking to confirm. Start again with a new code.");
    }
    this.#session.input({ kind: "confirm", same });
  }

  async cancelLink(): Promise<void> {
    this.#session?.input({ kind: "cancel" });
    await this.#session?.settled();
  }

  /** The linking failed after its state was published: the device goes again, unless it got its account after all. */
  async #undo(deviceId: Uint8Array): Promise<void> {
    const { store, platform } = this.#world;
    const expiresAtMs = platform.nowMs();
    await store.transact("write", (tx) => putLinkTask(tx, { deviceId, stage: "published", expiresAtMs }));
    this.#work();
  }

  /** The account has changed, here or by another device. */
  changed({ before, after, isOwn }: OwnChange): void {
    const { emit, alarms } = this.#world;
    emit({ kind: "devices" });
    // Also the last word of a device that takes itself out: else the others would have to ask whose doing it was (spec A-2).
    if (isOwn) this.told.tell({ kind: "published", version: after.stateVersion });
    if (after.status !== "registered") return;
    background(this.#world.watch.ownChanged({ version: after.stateVersion, isKnown: isOwn, isOurs: isOwn }));
    if (isOwn) return;
    const hasNew = after.account.state.devices.some((device) => deviceOf(before.account, device.deviceId) === undefined);
    const message = "Another of your devices added a device to your account. If that was not you, remove it in the list of your devices.";
    if (hasNew)
      background(alarms.raise({ failure: { code: "device_added", message, canRetry: false }, about: String(after.stateVersion) }));
  }

  /** A conversation was joined: whoever added this device may have known fewer of them. */
  joined(runner: ConversationRunner): void {
    this.#import.wake();
    const [random = 0] = this.#world.platform.random(1);
    this.#later(500 + (random / 256) * joinedDelayMs, () => {
      void this.#reconcile(runner).catch(() => undefined);
    });
  }

  /** The existing device has written the archive: read it. In the transaction of the inbox item. */
  get putNotice(): typeof putNotice {
    return putNotice;
  }

  noticed(): void {
    this.#import.wake();
  }

  /** The person marked an account as verified, or took that back: the other devices are told. */
  async marked(accountId: string): Promise<void> {
    await this.told.share(markKey(fromBase64Url(accountId)));
  }

  /** A record that all devices share is another now (`takeSharedRecord`): the other devices are told. */
  shared(key: string): void {
    background(this.told.share(key));
  }

  /** Brings devices and conversations in line, and finishes a linking, in the background; again until it is done. */
  #work(): void {
    if (this.#task !== undefined || this.#closed) return;
    this.#task = this.#finish()
      .catch((error: unknown): "later" => {
        if (!(error instanceof ClientError)) throw error;
        return "later";
      })
      .then((outcome) => {
        this.#task = undefined;
        if (outcome === "later") this.#later(retryMs, () => this.#work());
        if (outcome === "again") this.#work();
      });
  }

  async #finish(): Promise<"done" | "later" | "again"> {
    const { store } = this.#world;
    // A state that was stored and not acknowledged comes first: what follows depends on it.
    await this.#states.resume();
    const { tasks, mustReconcile } = await store.transact("read", async (tx) => ({
      tasks: await loadLinkTasks(tx),
      mustReconcile: (await tx.get(reconcileKey)) !== undefined,
    }));
    this.#unsure = tasks.filter(({ stage }) => stage === "published").map(({ deviceId }) => deviceId);
    let outcome: "done" | "later" | "again" = "done";
    for (const task of tasks) {
      const one = await this.#finishLink(task);
      if (one === "again") return one;
      if (one === "later") outcome = one;
    }
    if (!mustReconcile) return outcome;
    if (!(await this.#reconcileAll())) return "later";
    await this.#world.appendSecrets.removedEverywhere();
    await store.transact("write", (tx) => tx.delete(reconcileKey));
    return outcome;
  }

  async #finishLink(task: LinkTask): Promise<"done" | "later" | "again"> {
    const { store, platform, own } = this.#world;
    const { deviceId } = task;
    const device = deviceOf(own.account, deviceId);
    if (device === undefined) {
      // Not published after all, or removed meanwhile.
      await store.transact("write", (tx) => deleteLinkTask(tx, deviceId));
      return "again";
    }
    if (task.stage === "linked") return this.#complete(device);
    const isRunning = this.#session !== undefined && !this.#session.isOver;
    if (isRunning && this.#linking !== undefined && equalBytes(this.#linking, deviceId)) return "done";
    if ((await takeFrom(this.#world, device)) !== undefined) {
      // It published its keys: it has its account.
      await store.transact("write", (tx) => putLinkTask(tx, { ...task, stage: "linked" }));
      return "again";
    }
    // Another linking has begun since: nobody waits for this one.
    if (platform.nowMs() < task.expiresAtMs && !isRunning) return "later";
    await this.#publishWithout((state) => withoutDevice(state, deviceId));
    await store.transact("write", (tx) => deleteLinkTask(tx, deviceId));
    return "again";
  }

  /** The new device has its account: adds it everywhere, gives it the history. */
  async #complete(device: DeviceEntry): Promise<"done" | "later" | "again"> {
    const { store, emit } = this.#world;
    const conversations = this.#joinedConversations().length;
    const total = 2 * conversations + 1;
    const tell = (done: number): void => emit({ kind: "link", state: { kind: "moving", done, total } });
    tell(0);
    await this.told.loadNames();
    emit({ kind: "devices" });
    this.told.tell({ kind: "device", deviceId: device.deviceId, name: this.told.names.get(toBase64Url(device.deviceId)) ?? "" });
    for (let attempt = 1; !(await this.#reconcileAll((done) => tell(Math.min(done, conversations)))); attempt++) {
      if (this.#closed || deviceOf(this.#world.own.account, device.deviceId) === undefined) return "again";
      // Those that cannot be changed now are changed later.
      if (attempt >= maxTries) {
        await store.transact("write", (tx) => tx.put(reconcileKey, new Uint8Array([1])));
        break;
      }
      await this.#pause(Math.min(retryMs, 250 * attempt ** 2));
    }
    await this.#access.tellOwn();
    const isTold = await giveHistory({
      world: this.#world,
      runners: this.#access.runners(),
      device,
      onProgress: (done) => tell(Math.min(conversations + done, total - 1)),
    });
    if (!isTold) return "later";
    emit({ kind: "link", state: { kind: "done" } });
    return "again";
  }

  #joinedConversations(): ConversationState[] {
    return this.#access
      .runners()
      .map(({ state }) => state)
      .filter((state) => state.kind !== "devices" && isWritable(state));
  }

  /** Whether every conversation now has exactly the account's devices. */
  async #reconcileAll(onProgress: (done: number) => void = () => undefined): Promise<boolean> {
    const waiting = this.#access.runners().filter(({ state }) => isWritable(state));
    let complete = true;
    let done = 0;
    const one = async (): Promise<void> => {
      for (let runner = waiting.shift(); runner !== undefined && !this.#closed; runner = waiting.shift()) {
        if (!(await this.#reconcile(runner))) complete = false;
        if (runner.state.kind !== "devices") onProgress(++done);
      }
    };
    await Promise.all(Array.from({ length: parallel }, one));
    const { devices } = this.#world.own.account.state;
    if (this.told.group === undefined && devices.length > 1 && !this.#closed) {
      const change = await changeFor(this.#world, devices, []);
      if (change.adds.length === 0) return false;
      await this.#access.createDevicesGroup(change);
    }
    return complete && !this.#closed;
  }

  /** Adds one's own devices that are missing in a conversation, and removes those that left the account. */
  async #reconcile(runner: ConversationRunner): Promise<boolean> {
    await runner.load();
    const { roster, changes, staged } = runner.state;
    if (roster?.own === undefined || !isWritable(runner.state) || this.#closed) return true;
    const isOwnChange = (change: Change | undefined): boolean => change?.id.startsWith(changePrefix) === true;
    if (changes.some(isOwnChange) || isOwnChange(staged?.change)) return false;
    const { own } = this.#world;
    const leaves = roster.accounts.get(this.#ownId) ?? [];
    const missing = own.account.state.devices.filter(
      ({ deviceId }) =>
        !leaves.some((leaf) => equalBytes(leaf.deviceId, deviceId)) && !this.#unsure.some((unsure) => equalBytes(unsure, deviceId)),
    );
    const gone = leaves.filter((leaf) => deviceOf(own.account, leaf.deviceId) === undefined);
    if (missing.length === 0 && gone.length === 0) return true;
    const change = await changeFor(this.#world, missing, gone);
    if (change.adds.length === 0 && change.removeDevices.length === 0) return false;
    const outcome = await this.#access.change(runner, change);
    return outcome?.kind === "done" && change.adds.length === missing.length;
  }

  /** Key packages of one's other devices, as far as they have some now: for a conversation that begins. */
  joiners(): Promise<Joiner[]> {
    return ownJoiners(this.#world);
  }

  #later(delayMs: number, run: () => void): void {
    if (this.#closed) return;
    const cancel = this.#world.platform.setTimer(delayMs, () => {
      this.#timers.delete(cancel);
      if (!this.#closed) run();
    });
    this.#timers.add(cancel);
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#closed) resolve();
      else this.#pauses.add(resolve);
      this.#later(delayMs, () => {
        this.#pauses.delete(resolve);
        resolve();
      });
    });
  }
  readonly #pauses = new Set<() => void>();

  /** Stops; what is not finished goes on with the next start. */
  async close(): Promise<void> {
    if (this.#closed) return;
    await this.told.close();
    this.#closed = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    for (const resolve of this.#pauses) resolve();
    this.#session?.close();
    await this.#import.close();
    // A change that waits for the server is not waited for.
  }
}
