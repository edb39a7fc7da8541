import { indexOf, labelInput } from "@latchkey/transparency";
import { Refusal } from "../errors.ts";
import { keyOf } from "../keys.ts";
import type { NewLabel } from "../store/directory-store.ts";
import { ThreadCalls } from "../thread-calls.ts";
import { startThread } from "../threads.ts";

/** To the VRF's thread. */
export interface VrfQuestion {
  readonly id: number;
  readonly secretKey: Uint8Array;
  readonly alphas: readonly Uint8Array[];
}

/** From it: proofs of 80 bytes with their outputs of 64, in the order of the question. */
export interface VrfAnswer {
  readonly id: number;
  readonly proofs: readonly { readonly proof: Uint8Array; readonly beta: Uint8Array }[];
}

/** A label to be placed. */
export interface LabelName {
  readonly type: NewLabel["type"];
  readonly value: Uint8Array;
}

/** Proofs of names that nobody has, kept for the next who asks. */
const maxRemembered = 10_000;
/** Labels waiting for their proof beyond which lookups of unknown names are told to come back: registrations go first. */
const maxWaitingForLookups = 500;
const busyRetryMs = 2000;

/** The thread, one for all servers of a process. */
const thread = new ThreadCalls<Omit<VrfQuestion, "id">, VrfAnswer>("VRF's", () =>
  startThread("latchkey-vrf", new URL("./vrf-worker.ts", import.meta.url)),
);

/** Proves the places of labels: one proof with its output for each alpha, in order. */
export type VrfProve = (secretKey: Uint8Array, alphas: readonly Uint8Array[]) => Promise<VrfAnswer["proofs"]>;

const proveOnThread: VrfProve = async (secretKey, alphas) =>
  (await thread.ask({ secretKey: secretKey.slice(), alphas: alphas.map((alpha) => alpha.slice()) })).proofs;

/** Where labels stand in the map of one directory. */
export class VrfService {
  readonly #secretKey: Uint8Array;
  readonly #prove: VrfProve;
  /** Names that were asked for and that the directory may not have listed: made, or being made. */
  readonly #remembered = new Map<string, Promise<NewLabel>>();
  #waiting = 0;

  /** `prove` stands in for the VRF's thread. */
  constructor(secretKey: Uint8Array, prove: VrfProve = proveOnThread) {
    this.#secretKey = secretKey;
    this.#prove = prove;
  }

  /** The labels with their places, in the order asked. Half a millisecond each on the VRF's thread, unless they are remembered. */
  async place(names: readonly LabelName[]): Promise<NewLabel[]> {
    const unknown = names.filter((name) => !this.#remembered.has(keyOfName(name)));
    const made = unknown.length === 0 ? [] : this.#make(unknown);
    return Promise.all(
      names.map(async (name): Promise<NewLabel> => {
        const known = await this.#remembered.get(keyOfName(name));
        const label = known ?? (await made)[unknown.indexOf(name)];
        if (label === undefined) throw new Error("every label gets its place");
        return label;
      }),
    );
  }

  /** The place of a name that nobody has; `admit` is called where it costs a proof. @throws Refusal `rate_limited` */
  placeUnknown(name: LabelName, admit: () => void): Promise<NewLabel> {
    const key = keyOfName(name);
    const known = this.#remembered.get(key);
    if (known !== undefined) {
      // Asked for again: the last to be forgotten.
      this.#remembered.delete(key);
      this.#remembered.set(key, known);
      return known;
    }
    admit();
    if (this.#waiting >= maxWaitingForLookups) throw new Refusal("rate_limited", busyRetryMs);
    return this.#remember(name);
  }

  /** Has the place of a name made that is about to be registered, so that its registration need not wait for it. */
  prepare(name: LabelName): void {
    if (this.#remembered.has(keyOfName(name))) return;
    // Where it fails, the registration tries again itself.
    this.#remember(name).catch(() => {});
  }

  /** A name that the directory has listed: its place is in the store. */
  forget(name: LabelName): void {
    this.#remembered.delete(keyOfName(name));
  }

  #remember(name: LabelName): Promise<NewLabel> {
    const key = keyOfName(name);
    const making = this.#make([name]).then(([label]) => {
      if (label === undefined) throw new Error("every label gets its place");
      return label;
    });
    if (this.#remembered.size >= maxRemembered) {
      const oldest = this.#remembered.keys().next();
      if (oldest.done !== true) this.#remembered.delete(oldest.value);
    }
    this.#remembered.set(key, making);
    making.catch(() => this.#remembered.delete(key));
    return making;
  }

  async #make(names: readonly LabelName[]): Promise<NewLabel[]> {
    this.#waiting += names.length;
    try {
      const alphas = names.map(({ type, value }) => labelInput(type, value));
      const proofs = await this.#prove(this.#secretKey, alphas);
      return names.map(({ type, value }, at): NewLabel => {
        const made = proofs[at];
        if (made === undefined) throw new Error("the VRF's thread answers every label");
        return { type, value, index: indexOf(made.beta), vrfProof: made.proof };
      });
    } finally {
      this.#waiting -= names.length;
    }
  }
}

function keyOfName({ type, value }: LabelName): string {
  return `${type} ${keyOf(value)}`;
}
