import { utf8Bytes } from "@latchkey/codec";
import { isOperatorLabelName, maxOperatorValueBytes } from "@latchkey/protocol";
import type { OperatorLabelName, OperatorValue } from "@latchkey/protocol";
import { Refusal } from "../errors.ts";
import type { DirectoryLogStore, NewLabel } from "../store/directory-store.ts";
import type { Publisher } from "./publisher.ts";
import type { VrfService } from "./vrf-service.ts";

/** What the operator publishes to everybody in the public record (spec D-8). */
export class OperatorLabels {
  readonly #store: Pick<DirectoryLogStore, "lookupOperator" | "newestOperatorValue">;
  readonly #publisher: Pick<Publisher, "publishOperator">;
  readonly #vrf: Pick<VrfService, "place">;
  /** Their places never change, and nobody else's questions push them out. */
  readonly #labels = new Map<OperatorLabelName, Promise<NewLabel>>();

  constructor(parts: {
    store: Pick<DirectoryLogStore, "lookupOperator" | "newestOperatorValue">;
    publisher: Pick<Publisher, "publishOperator">;
    vrf: Pick<VrfService, "place">;
  }) {
    this.#store = parts.store;
    this.#publisher = parts.publisher;
    this.#vrf = parts.vrf;
  }

  /**
   * Publishes a value under a name, or nothing where it is the newest already: stored, cosigned and served when it resolves. Whoever makes
   * a value out of the one before it does so one after the other.
   * @throws StoreError; Refusal `clock_off` while nothing can be published
   */
  async publish(name: OperatorLabelName, value: Uint8Array): Promise<void> {
    if (value.length > maxOperatorValueBytes) throw new Error("a value of the operator's is too long to be looked up");
    await this.#publisher.publishOperator({ label: await this.#place(name), value });
  }

  /** The newest value under a name, served or not; `undefined` for none. */
  newest(name: OperatorLabelName): Promise<Uint8Array | undefined> {
    return this.#store.newestOperatorValue({ name: utf8Bytes(name) });
  }

  /** What everybody is shown under a name. @throws Refusal `not_found` for a name under which nothing is ever published */
  async lookup(params: { name: string; knownValues: number; knownSize: number }): Promise<OperatorValue> {
    const { name, knownValues, knownSize } = params;
    if (!isOperatorLabelName(name)) throw new Refusal("not_found");
    return this.#store.lookupOperator({ label: await this.#place(name), knownValues, knownSize });
  }

  #place(name: OperatorLabelName): Promise<NewLabel> {
    const known = this.#labels.get(name);
    if (known !== undefined) return known;
    const made = this.#vrf.place([{ type: "operator", value: utf8Bytes(name) }]).then(([label]) => {
      if (label === undefined) throw new Error("every label gets its place");
      return label;
    });
    this.#labels.set(name, made);
    made.catch(() => this.#labels.delete(name));
    return made;
  }
}
