import { compareBytes, decode, equalBytes } from "@latchkey/codec";
import type { PublishAccount } from "@latchkey/protocol";
import { accountStateCodec, signedCodec } from "@latchkey/transparency";
import type { Contact } from "../account/contacts.ts";
import { createOwnAccount, loadOwnAccount, newestOf, saveOwnAccount } from "../account/own-account.ts";
import type { OwnAccount } from "../account/own-account.ts";
import { ClientError, offlineError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import type { Connections } from "../transport/connection-manager.ts";
import { createFakeServer } from "../transport/fake-server.testing.ts";
import { proofOfPossession } from "./new-device.ts";
import type { NewDevice } from "./new-device.ts";
import { OwnStates } from "./own-states.ts";
import type { OwnChange, WantedState } from "./own-states.ts";

export const platform: Platform = createFakeServer("own states").platform;

/** The account's host: takes the next state only (spec A-2), and shows all of them. */
export class Host {
  readonly states: Uint8Array[];
  readonly pops: Uint8Array[];
  readonly #bindings: readonly Uint8Array[];
  readonly #accountId: Uint8Array;
  readonly received: Uint8Array[] = [];
  /** What happens to the next requests: lost before or after they are carried out, or refused. */
  readonly faults: ("before" | "after" | "rate_limited" | "invalid_account_state")[] = [];
  proves = true;

  constructor({ record, accountId }: OwnAccount) {
    this.#accountId = accountId;
    this.states = [...record.states];
    this.pops = [...record.pops];
    this.#bindings = record.bindings;
  }

  readonly connections: Pick<Connections, "once"> = {
    // Only `publish` is asked here.
    once: (async (_role: string, _host: string, use: (connection: object) => Promise<unknown>) =>
      use({ request: (request: PublishAccount) => this.#publish(request) })) as unknown as Connections["once"],
  };

  get directory(): ConstructorParameters<typeof OwnStates>[0]["directory"] {
    return {
      confirmPublished: async () => {
        if (!this.proves) throw new ClientError("directory_unproven", "No proof.");
      },
      lookUpOwn: async () => {
        const record = { states: [...this.states], pops: [...this.pops], bindings: this.#bindings, proof: new Uint8Array(0) };
        // The rest of a contact is not read.
        return { record, account: newestOf(this.#accountId, record).account } as unknown as Contact;
      },
    };
  }

  async #publish({ state, pops }: PublishAccount): Promise<object> {
    const fault = this.faults.shift();
    if (fault === "before") throw offlineError();
    this.received.push(state);
    if (fault === "rate_limited" || fault === "invalid_account_state") return { kind: "error", code: fault, retryAfterMs: 5 };
    const { version } = decode(accountStateCodec, decode(signedCodec, state).body);
    const known = this.states[version];
    if (known !== undefined && !equalBytes(known, state)) return { kind: "error", code: "account_conflict", retryAfterMs: 0 };
    if (known === undefined) {
      this.states.push(state);
      this.pops.push(...pops);
    }
    if (fault === "after") throw offlineError();
    return { kind: "published", version, proof: new Uint8Array(0) };
  }
}

/** An account's host, and its first device's store. */
export interface World {
  readonly host: Host;
  readonly store: Store;
  readonly changes: OwnChange[];
  open(store?: Store): Promise<OwnStates>;
}

/** An account of one device. */
export async function createWorld(): Promise<World> {
  const own = {
    ...(await createOwnAccount({ platform, host: "chat.example", username: "ann", displayName: "Ann" })),
    status: "registered" as const,
  };
  const host = new Host(own);
  const store = createMemoryStore();
  const changes: OwnChange[] = [];
  await store.transact("write", (tx) => saveOwnAccount(tx, own));
  return {
    host,
    store,
    changes,
    async open(at = store) {
      const stored = await at.transact("read", (tx) => loadOwnAccount(tx));
      if (stored === undefined) throw new Error("no account");
      return new OwnStates({
        store: at,
        platform,
        connections: host.connections as Connections,
        directory: host.directory,
        own: stored,
        onChange: (change) => changes.push(change),
      });
    },
  };
}

/** What takes a device into the account. */
export async function adding(
  states: OwnStates,
  device: NewDevice,
): Promise<(state: Parameters<Parameters<OwnStates["publish"]>[0]>[0]) => WantedState | undefined> {
  const pop = await proofOfPossession(platform, device, states.own.accountId);
  return (state) =>
    state.devices.some((known) => equalBytes(known.deviceId, device.deviceId))
      ? undefined
      : { devices: [...state.devices, device.entry].toSorted((a, b) => compareBytes(a.deviceId, b.deviceId)), pops: [pop] };
}

/** The same account on another device, with a store of its own. */
export async function otherDevice(world: World, from: OwnAccount, device: NewDevice): Promise<OwnStates> {
  const store = createMemoryStore();
  const { signatureKeyPair, deviceId } = device;
  await store.transact("write", (tx) => saveOwnAccount(tx, { ...from, signatureKeyPair, deviceId }));
  return world.open(store);
}
