import { CodecError, decode, equalBytes, utf8Bytes } from "@latchkey/codec";
import { isReservedUsername, isUsername, maxAccountHistoryBytes, maxAccountUpdatesPerDay, reservationMs } from "@latchkey/protocol";
import type { AbsentName, AccountRecord, Connect, PublishAccount, Published, TakenKeyPackage } from "@latchkey/protocol";
import {
  TransparencyError,
  accountIdOf,
  accountStateCodec,
  devicePopCodec,
  signedCodec,
  stateHashOf,
  verifyAccountState,
  verifyByDevice,
  verifyDeviceCard,
  verifyUsernameBinding,
} from "@latchkey/transparency";
import type { DeviceCard, AccountState, Signatures, VerifiedAccount } from "@latchkey/transparency";
import { hashOfCode } from "../admin/invitations.ts";
import { keyPackageDays, purgedAtOnce, releasedNameDays } from "../config.ts";
import type { ServerContext } from "../config.ts";
import { Refusal } from "../errors.ts";
import { keyOf } from "../keys.ts";
import type { AccountChange, AccountQuery, ChangeOutcome, DirectoryLogStore } from "../store/directory-store.ts";
import type { NameChange } from "../store/accounts.ts";
import type { DirectoryStore, KeyPackageCounts, Store } from "../store/store.ts";
import type { LabelName, VrfService } from "./vrf-service.ts";
import { dayOf } from "../days.ts";
import type { SpentToken } from "../store/token-store.ts";

/**
 * Bytes of states and proofs of possession in one answer: a longer chain is asked for in parts. The last of them has the name's bindings
 * and the proof besides, and is a frame of the wire all the same.
 */
const maxRecordBytes = 80_000;
const maxReservationsPerOwner = 4;
/** How far ahead of this server's clock an account may be dated: it is for good, and others go by it (spec A-1). */
const maxAheadMs = 3_600_000;

interface Reservation {
  readonly owner: object;
  /** By time that passes, not by the clock. */
  readonly untilMs: number;
  /** The hash of the invitation that a new account under this name uses up one of; `undefined` where it needs none. */
  readonly invitation: Uint8Array | undefined;
}

/** What of an account's change concerns others than its publisher. */
export interface PublishOutcome extends Published {
  readonly accountId: Uint8Array;
  /** The devices that the account has from now on; none when it is deleted. */
  readonly deviceIds: readonly Uint8Array[];
  /** Whether it has another recovery key than before. */
  readonly isRecoveryKeyNew: boolean;
}

/** What of a publication the directory asks for. */
export interface ChangePublisher {
  /** Says that a change is being checked and may come; answers how to say that it came, or will not. */
  expect(): () => void;
  publish(change: AccountChange): Promise<ChangeOutcome & { readonly proof: Uint8Array }>;
}

/** The answer to a lookup: an account, or that a name is nobody's. */
export type Found = ({ readonly kind: "account" } & AccountRecord) | ({ readonly kind: "absent" } & AbsentName);

/** Accounts and their devices (spec section 30), with the proofs of the public log (spec A-2, section 40). */
export class Directory {
  readonly #store: DirectoryStore & DirectoryLogStore & Pick<Store, "admin">;
  readonly #publisher: ChangePublisher;
  readonly #vrf: VrfService;
  readonly #context: ServerContext;
  readonly #signatures: Signatures;
  readonly #reservations = new Map<string, Reservation>();

  constructor(params: {
    store: DirectoryStore & DirectoryLogStore & Pick<Store, "admin">;
    publisher: ChangePublisher;
    vrf: VrfService;
    context: ServerContext;
    signatures: Signatures;
  }) {
    this.#store = params.store;
    this.#publisher = params.publisher;
    this.#vrf = params.vrf;
    this.#context = params.context;
    this.#signatures = params.signatures;
  }

  /** Holds a free name for `owner`, a connection, for ten minutes (spec A-6). Answers until when. @throws Refusal */
  async reserve(params: { username: string; invitation: string; owner: object }): Promise<number> {
    const { username, owner } = params;
    const invitation = await this.#checkRegistration(params.invitation);
    if (!isUsername(username)) throw new Refusal("invalid_username");
    if (this.#isKept(username)) throw new Refusal("username_taken");
    this.#dropLapsed();
    const held = this.#reservations.get(username);
    if (held !== undefined && held.owner !== owner) throw new Refusal("username_taken");
    if (!(await this.#store.isNameFree({ username, day: this.#today() }))) throw new Refusal("username_taken");
    // The answer took a turn of the event loop: somebody else may have reserved meanwhile.
    const now = this.#reservations.get(username);
    if (now !== undefined && now.owner !== owner) throw new Refusal("username_taken");
    const own = [...this.#reservations].filter(([, reservation]) => reservation.owner === owner);
    if (own.length >= maxReservationsPerOwner && !own.some(([name]) => name === username)) throw new Refusal("rate_limited", reservationMs);
    this.#reservations.set(username, { owner, untilMs: this.#context.elapsedMs() + reservationMs, invitation });
    this.#vrf.prepare({ type: "username", value: utf8Bytes(username) });
    return this.#context.nowMs() + reservationMs;
  }

  /** Gives up what `owner` has reserved: its connection ended. */
  releaseReservations(owner: object): void {
    for (const [username, reservation] of this.#reservations) if (reservation.owner === owner) this.#reservations.delete(username);
  }

  /** 0 free, 1 taken or kept for the server, 2 invalid, 3 reserved for now. */
  async availability(username: string): Promise<number> {
    if (!isUsername(username)) return 2;
    if (this.#isKept(username)) return 1;
    this.#dropLapsed();
    if (this.#reservations.has(username)) return 3;
    return (await this.#store.isNameFree({ username, day: this.#today() })) ? 0 : 1;
  }

  /** Verifies and stores the next state of an account (spec ). @throws Refusal */
  async publish(request: PublishAccount, owner: object): Promise<PublishOutcome> {
    const arrived = this.#publisher.expect();
    const { change, deviceIds, isRecoveryKeyNew, published } = await this.#prepare(request, owner)
      .then((prepared) => ({ ...prepared, published: this.#publisher.publish(prepared.change) }))
      .finally(arrived);
    const outcome = await published;
    if (outcome.kind === "refused") throw new Refusal(outcome.code);
    const { bind } = change.names;
    if (bind !== undefined) {
      this.#reservations.delete(bind.username);
      this.#vrf.forget({ type: "username", value: utf8Bytes(bind.username) });
    }
    return { version: change.version, proof: outcome.proof, accountId: change.accountId, deviceIds, isRecoveryKeyNew };
  }

  /** By name. `admit` is called where the answer costs a VRF proof. @throws Refusal `not_found` for what is no name */
  async lookupUsername(params: { username: string; fromVersion: number; knownSize: number; admit: () => void }): Promise<Found> {
    const { username, fromVersion, knownSize, admit } = params;
    if (!isUsername(username)) throw new Refusal("not_found");
    const by = { kind: "username", username } as const;
    const found = await this.#lookup({ by, fromVersion, accountValues: 0, nameValues: 0, knownSize });
    if (found !== undefined) return this.#unlessHidden(username, found);
    const label = await this.#vrf.placeUnknown({ type: "username", value: utf8Bytes(username) }, admit);
    // Somebody may have taken it meanwhile.
    const now = await this.#lookup({ by, fromVersion, accountValues: 0, nameValues: 0, knownSize });
    if (now !== undefined) return this.#unlessHidden(username, now);
    return { kind: "absent", bindings: [], proof: await this.#store.proveAbsence({ label, knownSize }) };
  }

  /** By account id. @throws Refusal `not_found` */
  async lookupAccount(params: Omit<AccountQuery, "by" | "maxBytes"> & { accountId: Uint8Array }): Promise<Found> {
    const { accountId, ...query } = params;
    const found = await this.#lookup({ by: { kind: "account", accountId }, ...query });
    if (found === undefined) throw new Refusal("not_found");
    return found;
  }

  /** A device's card. @throws Refusal `not_found` */
  async card(params: { accountId: Uint8Array; deviceId: Uint8Array }): Promise<Uint8Array> {
    const card = await this.#store.card(params);
    if (card === undefined) throw new Refusal("not_found");
    return card;
  }

  /** The published head of a log of messages; empty when none is (spec L-11). */
  logHeadProof(params: { logId: Uint8Array; knownSize: number }): Promise<Uint8Array> {
    return this.#store.proveLogHead(params);
  }

  /** An account from its newest stored state, which was verified when it was stored. */
  async account(accountId: Uint8Array): Promise<VerifiedAccount | undefined> {
    const head = await this.#store.accountHead({ accountId });
    if (head === undefined) return undefined;
    const { body } = decode(signedCodec, head.state);
    // The genesis state names no account: later checks compare with the id itself.
    return { accountId: accountId.slice(), state: decode(accountStateCodec, body), stateHash: stateHashOf(body) };
  }

  /** Verifies what a device signed to connect (spec C-5); the bytes signed are the caller's. @throws Refusal `unauthenticated` */
  async authenticate(request: Connect, content: Uint8Array): Promise<VerifiedAccount> {
    const account = await this.account(request.accountId);
    if (account === undefined || account.state.status === "deleted") throw new Refusal("unauthenticated");
    try {
      await verifyByDevice({
        account,
        deviceId: request.deviceId,
        label: "Connect",
        content,
        signature: request.signature,
        rule: "C-5",
        signatures: this.#signatures,
      });
    } catch (error) {
      if (error instanceof TransparencyError) throw new Refusal("unauthenticated");
      throw error;
    }
    return account;
  }

  /** Sets a device's card. Answers its inbox. @throws Refusal `invalid_account_state` for a card that does not verify */
  async putCard(params: { accountId: Uint8Array; deviceId: Uint8Array; card: Uint8Array }): Promise<Uint8Array> {
    this.#checkNotSuspended(params.accountId);
    const account = await this.account(params.accountId);
    if (account === undefined) throw new Refusal("not_found");
    const { nowMs, latestMs } = this.#context;
    const verify = (atMs: number): Promise<DeviceCard> =>
      verifyDeviceCard({ account, signedCard: params.card, nowMs: atMs, signatures: this.#signatures });
    // While the clock is doubted the device's may be the right one: its card is in time by either.
    const card = await orRefuse(() => verify(nowMs()).catch(() => verify(latestMs())));
    if (!equalBytes(card.deviceId, params.deviceId)) throw new Refusal("not_allowed_here");
    const stored = await this.#store.putCard({ ...params, inboxId: card.inboxId });
    if (stored.kind === "refused") throw new Refusal(stored.code);
    await this.#context.rules.followInboxes(params.accountId);
    return card.inboxId;
  }

  /** The inbox of a device, `undefined` before its first card. */
  async inboxOf(params: { accountId: Uint8Array; deviceId: Uint8Array }): Promise<Uint8Array | undefined> {
    return this.#store.inboxOf(params);
  }

  /** Adds key packages (spec A-5): lifetimes in whole days, at most 30. @throws Refusal `clock_off` for a longer one, and others */
  async publishKeyPackages(params: {
    accountId: Uint8Array;
    deviceId: Uint8Array;
    lastResort: boolean;
    notAfterMs: number;
    keyPackages: readonly Uint8Array[];
  }): Promise<KeyPackageCounts> {
    this.#checkNotSuspended(params.accountId);
    if (params.lastResort && params.keyPackages.length !== 1) throw new Refusal("malformed");
    const latestDay = dayOf(this.#context.latestMs());
    // A clock some hours off is no offence; one further ahead made packages that nobody can use yet.
    const notAfterDay = dayOf(params.notAfterMs);
    if (notAfterDay > latestDay + keyPackageDays + 1) throw new Refusal("clock_off");
    const { accountId, deviceId, lastResort, keyPackages } = params;
    const maxOneTime = this.#context.limits.maxOneTimeKeyPackages;
    const counts = await this.#store.addKeyPackages({
      accountId,
      deviceId,
      lastResort,
      notAfterDay,
      keyPackages,
      maxOneTime,
      day: this.#today(),
    });
    if (counts.kind === "refused") throw new Refusal(counts.code);
    return counts;
  }

  /** @throws Refusal `account_suspended`: a device asks at each start, and its person learns of it then. */
  async countKeyPackages(params: { accountId: Uint8Array; deviceId: Uint8Array }): Promise<KeyPackageCounts> {
    this.#checkNotSuspended(params.accountId);
    return this.#store.countKeyPackages({ ...params, day: this.#today() });
  }

  /** Takes one key package of a device, each one-time package once. @throws Refusal `not_found` or `no_key_package` */
  async takeKeyPackage(params: {
    accountId: Uint8Array;
    deviceId: Uint8Array;
    sparedMs: number;
    /** What a one-time package costs, which spends it; without it, where it costs one, the last-resort one alone is given. */
    token: SpentToken | "none" | undefined;
  }): Promise<TakenKeyPackage> {
    // As if none were left: to whom it belongs, and why, is nobody else's business.
    if (this.#context.rules.isRestricted(params.accountId, "key-packages")) throw new Refusal("no_key_package");
    const { accountId, deviceId, sparedMs } = params;
    const token = params.token === "none" ? undefined : params.token;
    const onlyLastResort = sparedMs > 0 || params.token === "none";
    const taken = await this.#store.takeKeyPackage({ accountId, deviceId, day: this.#today(), onlyLastResort, token });
    if (taken.kind === "refused") {
      // There may be others, for whoever asks when they are not spared any more.
      if (taken.code === "no_key_package" && params.token === "none") throw new Refusal("token_required");
      if (taken.code === "no_key_package" && sparedMs > 0) throw new Refusal("rate_limited", sparedMs);
      throw new Refusal(taken.code);
    }
    return { card: taken.card, keyPackage: taken.keyPackage, lastResort: taken.lastResort };
  }

  /** Removes key packages past their day. */
  async expireKeyPackages(): Promise<number> {
    let removed = 0;
    for (;;) {
      const count = await this.#store.expireKeyPackages({ day: this.#today(), maxItems: purgedAtOnce });
      removed += count;
      if (count < purgedAtOnce) return removed;
    }
  }

  /** Whether nobody may register it, since it reads like the service, its staff or this server (spec C-3). */
  #isKept(username: string): boolean {
    const { host, serverName, rules } = this.#context;
    return isReservedUsername(username, [host, serverName]) || rules.isNameKept(username);
  }

  /** A name that is not to be found is answered without proof, which shows nobody that there is none (spec A-10). @throws Refusal `not_found` */
  async #unlessHidden(username: string, found: Found): Promise<Found> {
    if (await this.#context.rules.isNameHidden(username)) throw new Refusal("not_found");
    return found;
  }

  /** An account that the operator has suspended gets nothing new (spec A-9). @throws Refusal `account_suspended` */
  #checkNotSuspended(accountId: Uint8Array): void {
    if (this.#context.rules.isSuspended(accountId)) throw new Refusal("account_suspended");
  }

  /** What an earlier state is dated may be said again: an account that was dated ahead once goes on. @throws Refusal `clock_off` */
  #requireClock(timeMs: number, before: AccountState | undefined): void {
    if (timeMs > Math.max(this.#context.latestMs() + maxAheadMs, before?.timeMs ?? 0)) throw new Refusal("clock_off");
  }

  #today(): number {
    return dayOf(this.#context.nowMs());
  }

  /** Whether somebody may register now. Answers the hash of the invitation that this uses up one of. @throws Refusal */
  async #checkRegistration(code: string): Promise<Uint8Array | undefined> {
    const { registration, invitationCodes } = this.#context;
    if (registration === "closed") throw new Refusal("registration_closed");
    if (registration === "open" || invitationCodes.includes(code)) return undefined;
    const codeHash = hashOfCode(code);
    if (!(await this.#store.admin.isInvited({ codeHash, day: this.#today() }))) throw new Refusal("registration_closed");
    return codeHash;
  }

  #dropLapsed(): void {
    const now = this.#context.elapsedMs();
    for (const [username, { untilMs }] of this.#reservations) if (untilMs <= now) this.#reservations.delete(username);
  }

  /** What `owner` has reserved. @throws Refusal `no_reservation` */
  #checkReservation(username: string, owner: object): Reservation {
    this.#dropLapsed();
    const reservation = this.#reservations.get(username);
    if (reservation?.owner !== owner) throw new Refusal("no_reservation");
    return reservation;
  }

  /** Verifies a state and all that comes with it, and places the labels that it needs. @throws Refusal */
  async #prepare(
    request: PublishAccount,
    owner: object,
  ): Promise<{ change: AccountChange; deviceIds: readonly Uint8Array[]; isRecoveryKeyNew: boolean }> {
    const body = readSigned(request.state);
    const state = readState(body);
    const accountId = state.version === 0 ? accountIdOf(body) : state.accountId;
    const previous = await this.account(accountId);
    if (previous !== undefined && state.version <= previous.state.version) {
      // A retry, or somebody who lost the race: the store compares the bytes.
      return { change: retryOf(accountId, state, request.state), deviceIds: deviceIdsOf(previous.state), isRecoveryKeyNew: false };
    }
    const verified = await this.#verify(request, previous);
    this.#requireClock(state.timeMs, previous?.state);
    const names = await this.#verifyNames(request.bindings, verified, previous?.state);
    // Kept before anything is waited for: a reservation may lapse meanwhile.
    if (names.bind !== undefined) this.#checkNotSuspended(accountId);
    const invitation = names.bind === undefined ? undefined : this.#checkReservation(names.bind.username, owner).invitation;
    const change: AccountChange = {
      accountId: verified.accountId,
      version: state.version,
      state: request.state,
      pops: popsOfAdded(request.pops, state, previous?.state),
      deviceIds: deviceIdsOf(state),
      names,
      labels: await this.#vrf.place(newLabels(verified, previous, names)),
      deletion: state.status === "deleted" ? { reservedUntilDay: dayOf(this.#context.latestMs()) + releasedNameDays } : undefined,
      invitation,
      maxAccounts: this.#context.rules.quota("max-accounts"),
      day: this.#today(),
      maxUpdatesPerDay: maxAccountUpdatesPerDay,
      maxHistoryBytes: maxAccountHistoryBytes,
    };
    const isRecoveryKeyNew = previous !== undefined && !equalBytes(previous.state.recoveryKey, state.recoveryKey);
    return { change, deviceIds: change.deviceIds, isRecoveryKeyNew };
  }

  async #lookup(query: Omit<AccountQuery, "maxBytes">): Promise<Found | undefined> {
    const found = await this.#store.lookup({ ...query, maxBytes: maxRecordBytes });
    if (found.kind === "unlisted") return undefined;
    if (found.kind === "refused") throw new Refusal(found.code);
    return found;
  }

  async #verify(request: PublishAccount, previous: VerifiedAccount | undefined): Promise<VerifiedAccount> {
    const verified = await orRefuse(
      () => verifyAccountState({ previous, signedState: request.state, pops: request.pops, signatures: this.#signatures }),
      // A state that continues another one than the newest: somebody was faster.
      (error) => (error.code === "chain" && previous !== undefined ? "account_conflict" : "invalid_account_state"),
    );
    const { username, host } = verified.state;
    if (host !== this.#context.host) throw new Refusal("invalid_account_state");
    if (!isUsername(username)) throw new Refusal("invalid_username");
    return verified;
  }

  async #verifyNames(bindings: readonly Uint8Array[], account: VerifiedAccount, before: AccountState | undefined): Promise<NameChange> {
    let bind: NameChange["bind"];
    let release: NameChange["release"];
    for (const signedBinding of bindings) {
      const binding = await orRefuse(() => verifyUsernameBinding({ account, signedBinding, signatures: this.#signatures }));
      if (binding.host !== this.#context.host) throw new Refusal("invalid_account_state");
      this.#requireClock(binding.timeMs, before);
      const { username } = binding;
      if (binding.status === "bound" && username === account.state.username && account.state.status === "active") {
        bind = { username, binding: signedBinding };
      } else if (binding.status === "released" && username === before?.username) {
        release = { username, binding: signedBinding, reservedUntilDay: dayOf(this.#context.latestMs()) + releasedNameDays };
      } else {
        throw new Refusal("invalid_account_state");
      }
    }
    const isNewName = account.state.username !== before?.username;
    if (isNewName && bind === undefined) throw new Refusal("invalid_account_state");
    if (isNewName && before !== undefined && release === undefined) throw new Refusal("invalid_account_state");
    if (!isNewName && release !== undefined && account.state.status === "active") throw new Refusal("invalid_account_state");
    // A name that the account has already needs no new binding.
    return { bind: isNewName ? bind : undefined, release };
  }
}

/** The devices of an account with this state: none once it is deleted. */
function deviceIdsOf(state: AccountState): Uint8Array[] {
  return state.status === "deleted" ? [] : state.devices.map((device) => device.deviceId);
}

/** A state that may be stored already: nothing of it is stored, it is compared. */
function retryOf(accountId: Uint8Array, { version }: AccountState, state: Uint8Array): AccountChange {
  return {
    accountId,
    version,
    state,
    pops: [],
    deviceIds: [],
    names: { bind: undefined, release: undefined },
    labels: [],
    deletion: undefined,
    invitation: undefined,
    maxAccounts: 0,
    day: 0,
    maxUpdatesPerDay: 0,
    maxHistoryBytes: 0,
  };
}

/** The labels that a state may need and that the directory may not have placed yet. */
function newLabels(account: VerifiedAccount, before: VerifiedAccount | undefined, names: NameChange): LabelName[] {
  const labels: LabelName[] = before === undefined ? [{ type: "account", value: account.accountId }] : [];
  for (const name of [names.bind, names.release])
    if (name !== undefined) labels.push({ type: "username", value: utf8Bytes(name.username) });
  return labels;
}

/** The proofs that this state needs: others would be stored for nothing. */
function popsOfAdded(pops: readonly Uint8Array[], state: AccountState, before: AccountState | undefined): Uint8Array[] {
  const known = new Set(before?.devices.map((device) => keyOf(device.deviceId)));
  const added = new Set(state.devices.map((device) => keyOf(device.deviceId)).filter((id) => !known.has(id)));
  return pops.filter((pop) => {
    const { deviceId } = decode(devicePopCodec, decode(signedCodec, pop).body).device;
    return added.delete(keyOf(deviceId));
  });
}

function readSigned(signed: Uint8Array): Uint8Array {
  return orMalformed(() => decode(signedCodec, signed).body);
}

function readState(body: Uint8Array): AccountState {
  return orMalformed(() => decode(accountStateCodec, body));
}

function orMalformed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CodecError) throw new Refusal("invalid_account_state");
    throw error;
  }
}

async function orRefuse<T>(
  verify: () => Promise<T>,
  // What has expired by this server's clock, or is not yet valid: one of the two clocks is off.
  codeOf: (error: TransparencyError) => "invalid_account_state" | "account_conflict" | "clock_off" = (error) =>
    error.code === "expired" || error.code === "ahead" ? "clock_off" : "invalid_account_state",
): Promise<T> {
  try {
    return await verify();
  } catch (error) {
    if (error instanceof TransparencyError) throw new Refusal(codeOf(error));
    throw error;
  }
}
