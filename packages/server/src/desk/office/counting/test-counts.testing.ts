import { concatBytes, encode, utf8Bytes } from "@latchkey/codec";
import { countsLabel } from "@latchkey/counts";
import type { ProvenTree } from "@latchkey/counts";
import {
  buildMap,
  chainOf,
  commitmentOf,
  emptyHash,
  leafHash,
  logEntryCodec,
  memoryNodes,
  newHashes,
  operatorLabel,
  proveIndex,
  rootAt,
} from "@latchkey/transparency";
import type { HashReader } from "@latchkey/transparency";
import { sha256 } from "../../../hash.ts";
import type { CountsInRecord } from "./value-table.ts";

interface Value {
  readonly value: Uint8Array;
  readonly opening: Uint8Array;
  readonly commitment: Uint8Array;
}

/** The public record as far as counting needs one: its one label, in a real log. */
export class TestCounts {
  readonly values: Value[] = [];
  /** When the log dates what comes. */
  nowMs = 0;
  /** Why nothing can be published. */
  failure: Error | undefined;
  readonly #entries: Uint8Array[] = [];
  readonly #hashes = new Map<string, Uint8Array>();
  readonly #index = sha256(utf8Bytes("where the label stands"));
  #chain: Uint8Array = emptyHash;
  #mapProof: CountsInRecord["newest"]["mapProof"] | undefined;

  async counts({ value, known }: { value?: Uint8Array; known: number }): Promise<CountsInRecord | undefined> {
    if (value !== undefined && !isSame(value, this.values.at(-1)?.value)) await this.#publish(value);
    const newest = this.values.at(-1);
    const entry = this.#entries.at(-1);
    if (newest === undefined || entry === undefined || this.#mapProof === undefined) return undefined;
    return {
      version: this.values.length,
      commitments: this.values.slice(known).map(({ commitment }) => commitment),
      newest: { value: newest.value, opening: newest.opening, index: this.#entries.length - 1, entry, mapProof: this.#mapProof },
    };
  }

  async tree(): Promise<ProvenTree> {
    const size = this.#entries.length;
    return { size, root: await rootAt(size, this.#read), hashes: this.#read, index: this.#index };
  }

  async #publish(value: Uint8Array): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    const version = this.values.length + 1;
    const opening = sha256(concatBytes(utf8Bytes(`opening ${version}`)));
    const commitment = commitmentOf({ opening, label: operatorLabel(countsLabel), version, value });
    this.values.push({ value, opening, commitment });
    this.#chain = chainOf(this.#chain, commitment);
    const map = buildMap([{ index: this.#index, version, chain: this.#chain }]);
    const nodes = memoryNodes();
    nodes.add(map.added);
    this.#mapProof = proveIndex({ root: map.root, index: this.#index, read: nodes.read });
    const entry = encode(logEntryCodec, {
      format: 1,
      timestampMs: this.nowMs + version,
      leafCount: 1,
      mapRoot: map.root,
      changesHash: emptyHash,
      headsRoot: emptyHash,
      configIndex: 0,
      config: new Uint8Array(),
      ext: new Uint8Array(),
    });
    for (const { level, index, hash } of await newHashes(this.#entries.length, leafHash(entry), this.#read)) {
      this.#hashes.set(`${level}/${index}`, hash);
    }
    this.#entries.push(entry);
  }

  readonly #read: HashReader = async (ids) =>
    Promise.resolve(
      ids.map(({ level, index }) => {
        const hash = this.#hashes.get(`${level}/${index}`);
        if (hash === undefined) throw new Error("the log has no such subtree");
        return hash;
      }),
    );
}

function isSame(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((byte, at) => byte === b[at]);
}
