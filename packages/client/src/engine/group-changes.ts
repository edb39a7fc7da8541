import { encode, equalBytes, fromBase64Url, toBase64Url } from "@latchkey/codec";
import { groupRightsCodec, maxAdministrators, maxDescriptionBytes, maxGroupNameBytes, maxKeptOut } from "@latchkey/protocol";
import type { GroupRights } from "@latchkey/protocol";
import type { GroupSettingsChange, Role } from "../api.ts";
import { isWritable } from "../core/phase.ts";
import { mayAdd } from "../core/permitted.ts";
import { removableLeaves } from "../core/proven.ts";
import { readdition } from "../core/rejoin.ts";
import { holds, isLastOwner, manages, roleOf, roles } from "../core/rights.ts";
import { edited } from "../core/settings.ts";
import type { KeptOut, SettingsEdit } from "../core/settings-edit.ts";
import type { ChangeOutcome, Roster, WantedChange } from "../core/types.ts";
import { ClientError, offlineError } from "../errors.ts";
import { cleanDescription, cleanName } from "../names/clean.ts";
import type { Contact } from "../account/contacts.ts";
import { addition } from "./addition.ts";
import type { ConversationRunner } from "./conversation-runner.ts";
import { changeToLetBack } from "./let-back.ts";
import { sentenceOf } from "./sentences.ts";
import { requireSettingsPace } from "./settings-pace.ts";
import { requireUnblocked, requireWritable } from "./writable.ts";
import type { World } from "./world.ts";

const changeTimeoutMs = 60_000;
/** Longest time after which what is said may go, and longest wait between two messages: a year, and an hour. */
const maxTimerS = 31_622_400;
const maxSlowModeS = 3600;

/** What the engine lends to those who change a group. */
export interface GroupAccess {
  runner(id: string): ConversationRunner;
  resolveAll(addresses: readonly string[]): Promise<readonly Contact[]>;
  acceptWritten(contacts: readonly Contact[]): Promise<void>;
}

/** What a person changes of a group: who is in it, who may do what, and how it is run. Each call is one commit. */
export class GroupChanges {
  readonly #world: World;
  readonly #access: GroupAccess;
  readonly #ownId: string;

  constructor(world: World, access: GroupAccess) {
    this.#world = world;
    this.#access = access;
    this.#ownId = toBase64Url(world.own.accountId);
  }

  /** `again`: who is in the group already and cannot read it any more is removed and added in one commit. */
  async add(id: string, addresses: readonly string[], { again = false }: { again?: boolean } = {}): Promise<void> {
    await this.#changeable(id, mayAdd);
    await this.#addContacts(id, await this.#access.resolveAll(addresses), { again });
  }

  /** As `add`, of an account that was met. `isUnasked`: no person decides of it, so that it becomes nobody's contact (spec I-4). */
  async addAccount(id: string, accountId: Uint8Array, isUnasked: boolean): Promise<void> {
    const { directory, own } = this.#world;
    await this.#addContacts(id, [await directory.account(own.host, accountId)], { isUnasked });
  }

  async #addContacts(id: string, contacts: readonly Contact[], { again = false, isUnasked = false }): Promise<void> {
    const runner = await this.#changeable(id, mayAdd);
    const { keptOut } = runner.state.opening.settings;
    if (contacts.some(({ accountId }) => keptOut.some((kept) => equalBytes(kept, accountId))))
      throw new ClientError("kept_out", "This person is kept out of the group until somebody who may remove people lets them in again.");
    if (isUnasked)
      requireUnblocked(
        this.#world.people,
        contacts.map(({ accountId }) => accountId),
      );
    else await this.#access.acceptWritten(contacts);
    const added = await addition(this.#world, contacts);
    const change = readdition({ state: runner.state, added, again, departed: (leaf) => this.#world.people.departed(leaf) });
    if (change === undefined) throw new ClientError("already_member", "This person is in the group already.");
    await this.#change(runner, change);
  }

  async letBack(id: string, accountId: string): Promise<void> {
    const runner = await this.#changeable(id, mayAdd);
    await this.#change(runner, await changeToLetBack(this.#world, runner.state, fromBase64Url(accountId)));
  }

  /** `keepOut`: in the same commit they are kept out (spec X-24). */
  async remove(id: string, accountIds: readonly string[], { keepOut = false }: { keepOut?: boolean } = {}): Promise<void> {
    const runner = await this.#changeable(id, mayRemoveAny);
    if (accountIds.includes(this.#ownId)) throw new ClientError("not_permitted", "To go, leave the group.");
    const removes = accountIds.map((accountId) => memberOf(runner.state.roster, accountId));
    const keptOut = removes.map((accountId) => ({ accountId, isKept: true }));
    await this.#change(runner, { ...this.#nothing(), removes, ...(keepOut ? { settings: keepingOut(runner, keptOut) } : {}) });
  }

  async keepOut(id: string, accountIds: readonly string[], isKept: boolean): Promise<void> {
    const runner = await this.#changeable(id, mayRemoveAny);
    if (isKept && accountIds.some((accountId) => runner.state.roster?.accounts.has(accountId) === true))
      throw new ClientError("already_member", "Who is in the group is removed and kept out at once.");
    const keptOut = accountIds.map((accountId) => ({ accountId: fromBase64Url(accountId), isKept }));
    await this.#set(runner, keepingOut(runner, keptOut));
  }

  async removeUnproven(id: string): Promise<void> {
    const runner = this.#access.runner(id);
    await runner.load();
    requireWritable(runner.state);
    const removeDevices = removableLeaves(runner.state).map(({ accountId, deviceId }) => ({ accountId, deviceId }));
    if (removeDevices.length === 0) throw new ClientError("not_permitted", sentenceOf("not_permitted"));
    await this.#change(runner, { ...this.#nothing(), removeDevices });
  }

  async setRole(id: string, accountIds: readonly string[], role: Role): Promise<void> {
    const isOwn = accountIds.every((accountId) => accountId === this.#ownId);
    const runner = await this.#changeable(id, (roster, account) => {
      const own = roleOf(roster, account);
      return own === roles.owner || (isOwn && roles[role] < own);
    });
    const given = accountIds.map((accountId) => ({ accountId: memberOf(runner.state.roster, accountId), role: roles[role] }));
    const { roster } = runner.state;
    const isLeft = role === "owner" || ownersOf(roster).some((owner) => !accountIds.includes(owner));
    if (!isLeft) throw new ClientError("last_owner", sentenceOf("last_owner"));
    const others = (roster?.settings.roles ?? []).filter((entry) => !accountIds.includes(toBase64Url(entry.accountId)));
    const count = others.filter((entry) => entry.role === roles[role]).length + given.length;
    if (role !== "member" && count > maxAdministrators)
      throw new ClientError("invalid_setting", `A group has at most ${String(maxAdministrators)} of them.`);
    await this.#set(runner, { roles: given });
  }

  /** All that a person sets at once is one commit; with nothing in it there is none. */
  async changeSettings(id: string, settings: GroupSettingsChange): Promise<void> {
    const { name, description, timerS, slowModeS, rights } = settings;
    if (timerS !== undefined) requireSeconds(timerS, maxTimerS);
    if (slowModeS !== undefined) requireSeconds(slowModeS, maxSlowModeS);
    const { kind } = this.#access.runner(id).state;
    // Of a conversation of two nothing else can be set.
    const isTimerAlone = timerS !== undefined && [name, description, slowModeS, rights].every((other) => other === undefined);
    const may = (roster: Roster, account: string): boolean => maySet(roster, account, settings) || (kind === "direct" && isTimerAlone);
    const runner = await this.#changeable(id, may, isTimerAlone);
    const edit: SettingsEdit = {
      name: name === undefined ? undefined : groupNameOf(name),
      description: description === undefined ? undefined : descriptionOf(description),
      timerS,
      slowModeS,
      rights: rights === undefined ? undefined : requireRights({ ...runner.state.opening.settings.rights, ...rights }, rights),
    };
    await requireSettingsPace(this.#world, runner.state, edit);
    await this.#set(runner, edit);
  }

  /** @param make gives what leads to the picture: asked for once it is known that it may be set; empty for none */
  async setPicture(id: string, make: () => Promise<Uint8Array>): Promise<void> {
    const runner = await this.#changeable(id, (roster, account) => holds(roster, account, roster.settings.rights.editInfo));
    await requireSettingsPace(this.#world, runner.state, { picture: new Uint8Array(0) });
    await this.#set(runner, { picture: await make() });
  }

  /** @throws ClientError `last_owner` where somebody else has to be named first (spec X-13). */
  async leave(id: string): Promise<void> {
    const runner = this.#access.runner(id);
    await runner.load();
    const { roster, kind, phase } = runner.state;
    if (kind === "group" && phase.kind === "active" && roster !== undefined && isLastOwner(roster, this.#ownId))
      throw new ClientError("last_owner", sentenceOf("last_owner"));
    await this.#sayLeave(runner);
  }

  /** Says in every conversation that one leaves, whoever owns it then; waits a little until the server has it. */
  async leaveAll(runners: readonly ConversationRunner[], timeoutMs: number): Promise<void> {
    const { platform } = this.#world;
    const left = runners.filter(({ state }) => isWritable(state) && state.kind !== "devices");
    for (const runner of left) {
      await runner.load();
      await this.#sayLeave(runner);
    }
    const untilMs = platform.nowMs() + timeoutMs;
    while (platform.nowMs() < untilMs && left.some(({ state }) => state.phase.kind === "leaving")) {
      await new Promise<void>((resolve) => {
        platform.setTimer(50, resolve);
      });
    }
  }

  async #sayLeave(runner: ConversationRunner): Promise<void> {
    await runner.input({ kind: "leave", id: toBase64Url(this.#world.platform.random(16)) });
  }

  /** Makes a change; `undefined` when it is still waiting after a minute. */
  async make(runner: ConversationRunner, change: WantedChange): Promise<ChangeOutcome | undefined> {
    const done = runner.outcomeOf(change.id);
    await runner.input({ kind: "change", change });
    const { platform } = this.#world;
    return await new Promise<ChangeOutcome | undefined>((resolve) => {
      const cancel = platform.setTimer(changeTimeoutMs, () => resolve(undefined));
      void done.then((value) => {
        cancel();
        resolve(value);
      });
    });
  }

  #nothing(): WantedChange {
    const id = toBase64Url(this.#world.platform.random(8));
    return { id, adds: [], removes: [], removeDevices: [], proofs: new Uint8Array(0), update: false };
  }

  async #set(runner: ConversationRunner, settings: SettingsEdit): Promise<void> {
    await this.#change(runner, { ...this.#nothing(), settings });
  }

  /** A conversation that this person may change so. @throws ClientError `not_permitted` */
  async #changeable(id: string, may: (roster: Roster, account: string) => boolean, orDirect = false): Promise<ConversationRunner> {
    const runner = this.#access.runner(id);
    await runner.load();
    requireWritable(runner.state);
    const { roster, kind } = runner.state;
    if ((kind === "direct" && !orDirect) || roster === undefined || !may(roster, this.#ownId))
      throw new ClientError("not_permitted", sentenceOf("not_permitted"));
    return runner;
  }

  async #change(runner: ConversationRunner, change: WantedChange): Promise<void> {
    const outcome = await this.make(runner, change);
    // It stays queued: it is made when the server can be reached again.
    if (outcome === undefined) throw offlineError();
    if (outcome.kind !== "failed") return;
    // It ended with the conversation, which says why.
    requireWritable(runner.state);
    throw new ClientError(outcome.code, sentenceOf(outcome.code));
  }
}

/** @throws ClientError `unknown_user` */
function memberOf(roster: Roster | undefined, accountId: string): Uint8Array {
  const leaf = roster?.accounts.get(accountId)?.[0];
  if (leaf === undefined) throw new ClientError("unknown_user", "This person is not in the group.");
  return leaf.accountId;
}

function mayRemoveAny(roster: Roster, account: string): boolean {
  return holds(roster, account, roster.settings.rights.remove);
}

/** @throws ClientError `invalid_setting` where too many are kept out */
function keepingOut({ state }: ConversationRunner, keptOut: readonly KeptOut[]): SettingsEdit {
  if (edited(state.opening.settings, { keptOut }).keptOut.length > maxKeptOut)
    throw new ClientError("invalid_setting", `A group keeps out at most ${String(maxKeptOut)} people.`);
  return { keptOut };
}

function ownersOf(roster: Roster | undefined): readonly string[] {
  return [...(roster?.accounts.keys() ?? [])].filter((account) => roster !== undefined && roleOf(roster, account) === roles.owner);
}

/** A group's name as it is set. @throws ClientError `name_required`, `invalid_setting` */
export function groupNameOf(text: string): string {
  const name = cleanName(text);
  if (name === "") throw new ClientError("name_required", "A group needs a name.");
  return requireBytes(name, maxGroupNameBytes, "name");
}

function descriptionOf(text: string): string {
  return requireBytes(cleanDescription(text), maxDescriptionBytes, "description");
}

function requireBytes(text: string, mostBytes: number, what: string): string {
  if (new TextEncoder().encode(text).length <= mostBytes) return text;
  throw new ClientError("invalid_setting", `A group's ${what} has at most ${mostBytes.toLocaleString("en")} bytes.`);
}

/** Whether this account may set each of these by the rights of its group (spec X-13). */
function maySet(roster: Roster, account: string, { name, description, timerS, slowModeS, rights }: GroupSettingsChange): boolean {
  const { editInfo, timer } = roster.settings.rights;
  if ((name !== undefined || description !== undefined) && !holds(roster, account, editInfo)) return false;
  if (timerS !== undefined && !holds(roster, account, timer)) return false;
  if (slowModeS !== undefined && !manages(roster, account)) return false;
  return rights === undefined || roleOf(roster, account) === roles.owner;
}

/** @returns what is changed, where rights may be so. @throws ClientError `invalid_setting` */
function requireRights(all: GroupRights, changed: Partial<GroupRights>): Partial<GroupRights> {
  try {
    encode(groupRightsCodec, all);
  } catch (cause) {
    const message = "A right is everyone's, the administrators' or the owner's, and nobody lets everyone remove.";
    throw new ClientError("invalid_setting", message, { cause });
  }
  return changed;
}

function requireSeconds(seconds: number, most: number): void {
  if (!Number.isSafeInteger(seconds) || seconds < 0 || seconds > most)
    throw new ClientError("invalid_setting", `This is from 0 to ${most.toLocaleString("en")} seconds.`);
}
