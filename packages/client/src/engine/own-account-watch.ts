import { decode, encode, equalBytes, struct, toBase64Url, uint32 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { signedCodec, usernameBindingCodec } from "@latchkey/transparency";
import { ClientError } from "../errors.ts";
import { createSingleFlight } from "../single-flight.ts";
import type { World } from "./world.ts";

const dayMs = 86_400_000;
/** How long another device of one's own has to say that a new state of the account is its doing (spec A-2). */
const graceMs = 60_000;
const knownCodec: Codec<{ version: number }> = struct<{ version: number }>({ version: uint32 });
const knownKey = "own-version";

const changedSentence =
  "Your account was changed, and none of your devices says that it did it. Nothing is sent until you looked at your devices.";
const nameTakenSentence =
  "The server gave your name to another account for a time. Whoever looked for you then may have met somebody else. Nothing is sent until you looked at this.";
const unprovenSentence =
  "For a day the server has not proven your account as it stands in its public record. It is asked again every hour; nobody new can find you meanwhile.";
const missingSentence = "The server does not show a change of your account that it had taken. Others may be shown an old account of yours.";

/**
 * Watches over one's own account (spec A-2): a version that none of its devices made is an alarm, and so are one that is missing and a name
 * that was somebody else's for a time.
 */
export class OwnAccountWatch {
  readonly #world: World;
  readonly #later: (delayMs: number, run: () => Promise<void>) => void;
  /** The newest version that this device made, heard of from another device, or that the person agreed to. */
  #knownVersion: number | undefined;
  #checkedAtMs = 0;
  /** Since when the host shows nothing of one's own account that holds. */
  #unprovenSinceMs: number | undefined;
  readonly #checking = createSingleFlight(() => this.#check());

  /** @param later runs something after a while, one after the other with what else is watched */
  constructor(world: World, later: (delayMs: number, run: () => Promise<void>) => void) {
    this.#world = world;
    this.#later = later;
  }

  /** Reads what is stored. */
  async load(): Promise<void> {
    const stored = await this.#world.store.transact("read", (tx) => tx.get(knownKey));
    this.#knownVersion = stored === undefined ? undefined : decode(knownCodec, stored).version;
    // What this profile begins with it knows.
    if (this.#knownVersion === undefined) await this.know(this.#world.own.stateVersion);
  }

  /** When the host's answer last held; 0 for never since the start. */
  get checkedAtMs(): number {
    return this.#checkedAtMs;
  }

  /** One look at a time. @throws ClientError when the record cannot be had, or does not hold */
  check(): Promise<void> {
    return this.#checking.join();
  }

  /** This version is one's own doing, or the person agreed to it. */
  async know(version: number): Promise<void> {
    if (version <= (this.#knownVersion ?? -1)) return;
    await this.#world.store.transact("write", (tx) => {
      tx.put(knownKey, encode(knownCodec, { version }));
      tx.afterCommit(() => {
        this.#knownVersion = Math.max(version, this.#knownVersion ?? 0);
      });
    });
  }

  /** A version came that nobody told of: another device of one's own may be about to. */
  judgeSoon(): void {
    this.#later(graceMs, () => this.#judge());
  }

  async #check(): Promise<void> {
    const { directory, own, alarms } = this.#world;
    if (own.status !== "registered") return;
    const versionBefore = own.stateVersion;
    let found;
    try {
      found = await directory.lookUpOwn(own);
    } catch (error) {
      if (error instanceof ClientError && this.#world.own.status === "registered") await this.#doubt(error);
      throw error;
    }
    this.#checkedAtMs = this.#world.platform.nowMs();
    this.#unprovenSinceMs = undefined;
    const takenBy = otherOwnerSince(found.record.bindings, own.accountId);
    if (takenBy !== undefined) {
      const about = `name ${toBase64Url(takenBy)}`;
      await alarms.raise({ failure: { code: "account_changed", message: nameTakenSentence, canRetry: false }, about });
    }
    if (found.proven === undefined) return;
    const shown = found.record.states;
    if (shown.length <= versionBefore) {
      const failure = { code: "server_lied" as const, message: missingSentence, canRetry: false };
      await alarms.raise({ failure, about: `missing ${versionBefore}` });
      return;
    }
    const ours = this.#world.own.record.states;
    const isSame = shown
      .slice(0, ours.length)
      .every((state, version) => version >= ours.length || equalBytes(state, ours[version] ?? state));
    if (!isSame) {
      await this.#raiseChanged(`fork ${shown.length}`);
      return;
    }
    if (shown.length - 1 > (this.#knownVersion ?? 0)) {
      await this.#world.refreshOwn();
      const hasOthers = own.account.state.devices.length > 1;
      // Another device of one's own may be about to tell; with one device only there is nobody else.
      if (hasOthers) this.judgeSoon();
      else await this.#judge();
    }
  }

  /**
   * The host's answer about one's own account does not hold. Where its signed record commits to what it showed, others may be shown the same
   * (attacks A3, B1). Anything else is its word (spec E-57): asked again, and told by its name once it went on for a day.
   */
  async #doubt({ code, canRetry }: ClientError): Promise<void> {
    if (code === "account_changed") {
      await this.#raiseChanged("not signed");
      return;
    }
    if (canRetry) return;
    const now = this.#world.platform.nowMs();
    this.#unprovenSinceMs ??= now;
    if (now - this.#unprovenSinceMs < dayMs) return;
    const failure = { code: "directory_unproven" as const, message: unprovenSentence, canRetry: true };
    await this.#world.alarms.raise({ failure, about: `own ${Math.floor(this.#unprovenSinceMs / dayMs)}` });
  }

  async #judge(): Promise<void> {
    const { stateVersion, stateHash } = this.#world.own;
    if (stateVersion > (this.#knownVersion ?? 0)) await this.#raiseChanged(toBase64Url(stateHash));
  }

  async #raiseChanged(about: string): Promise<void> {
    await this.#world.alarms.raise({ failure: { code: "account_changed", message: changedSentence, canRetry: false }, about });
  }
}

/** The account that one's own name was bound to after it was one's own (spec A-3); `undefined` for none. */
function otherOwnerSince(signedBindings: readonly Uint8Array[], accountId: Uint8Array): Uint8Array | undefined {
  const bindings = signedBindings.map((signed) => decode(usernameBindingCodec, decode(signedCodec, signed).body));
  const first = bindings.findIndex((binding) => equalBytes(binding.accountId, accountId));
  return bindings.slice(first).find((binding) => !equalBytes(binding.accountId, accountId))?.accountId;
}
