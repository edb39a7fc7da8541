import { networksOf } from "../addresses.ts";
import type { Network } from "../addresses.ts";
import type { ServerLimits } from "../config.ts";
import { Refusal } from "../errors.ts";
import type { TakenRoom } from "./blob-room.ts";
import type { HalfUpload } from "./half-upload.ts";
import type { Turns } from "./turns.ts";

/** How long somebody waits who has as many uploads as one may have. */
const retryAfterMs = 60_000;
/** Uploads that are whole and still answer for themselves, so that whoever missed that asks once more and is told. */
const maxDone = 4096;

/** The place that an upload takes, and whose it is. */
export interface UploadPlace {
  readonly name: string;
  /** Of whoever began it here. */
  readonly networks: readonly Network[];
  isDone: boolean;
}

/** An upload in a folder, and what the server has at hand of it. */
export interface HeldUpload extends UploadPlace {
  readonly upload: HalfUpload;
  readonly turns: Turns;
  room: TakenRoom;
  /** Bytes of it that were counted at the start, before anybody looked which of them are good. */
  countedBytes: number;
}

/** All uploads, bounded: of one address, and in all. Addresses are kept in memory only: after a restart uploads are nobody's. */
export class UploadTable<Held extends UploadPlace> {
  readonly #limits: Pick<ServerLimits, "maxUploads" | "maxUploadsPerAddress">;
  /** By name, the longest untouched first. */
  readonly #uploads = new Map<string, Held>();
  readonly #done = new Set<Held>();
  /** Places that are taken, by name, with what is not made yet. */
  readonly #places = new Map<string, readonly Network[]>();
  readonly #counts = new Map<string, number>();

  constructor(limits: Pick<ServerLimits, "maxUploads" | "maxUploadsPerAddress">) {
    this.#limits = limits;
  }

  /**
   * Takes a place for a new one. Answers those that lost theirs for it, and are to be removed: where all places are taken, the longest untouched of the network that
   * has most. @throws Refusal `rate_limited`
   */
  reserve(name: string, address: string): Held[] {
    const networks = networksOf(address);
    const { maxUploads, maxUploadsPerAddress } = this.#limits;
    if (networks.some(({ key, factor }) => this.#countOf(key) >= factor * maxUploadsPerAddress)) {
      throw new Refusal("rate_limited", retryAfterMs);
    }
    const gone = this.#places.size >= maxUploads ? this.#longestUntouched() : undefined;
    if (gone === undefined && this.#places.size >= maxUploads) throw new Refusal("rate_limited", retryAfterMs);
    if (gone !== undefined) this.release(gone.name);
    this.#take(name, networks);
    return gone === undefined ? [] : [gone];
  }

  /** Puts an upload in the place that was taken for it: what is made of its name and of whose it is. */
  fill(name: string, make: (place: UploadPlace) => Held): Held {
    const held = make({ name, networks: this.#places.get(name) ?? [], isDone: false });
    this.#uploads.set(name, held);
    return held;
  }

  /** One of an earlier process. */
  found(name: string, make: (place: UploadPlace) => Held): Held {
    this.#take(name, [nobodys]);
    return this.fill(name, make);
  }

  /** One that somebody asks for, which is therefore touched now. */
  get(name: string): Held | undefined {
    const held = this.#uploads.get(name);
    if (held === undefined) return undefined;
    this.#uploads.delete(name);
    this.#uploads.set(name, held);
    return held;
  }

  all(): Held[] {
    return [...this.#uploads.values()];
  }

  /** It is whole, and takes no place any more. Answers those of before that are forgotten for it. */
  done(held: Held): Held[] {
    held.isDone = true;
    this.#leave(held.name);
    if (this.#uploads.get(held.name) === held) this.#done.add(held);
    const forgotten = [...this.#done].slice(0, Math.max(0, this.#done.size - maxDone));
    for (const { name } of forgotten) this.release(name);
    return forgotten;
  }

  /** Forgets one, and its place. Answers whether it was there. */
  release(name: string): boolean {
    this.#leave(name);
    const held = this.#uploads.get(name);
    if (held !== undefined) this.#done.delete(held);
    return this.#uploads.delete(name);
  }

  #take(name: string, networks: readonly Network[]): void {
    this.#places.set(name, networks);
    for (const { key } of networks) this.#counts.set(key, this.#countOf(key) + 1);
  }

  #leave(name: string): void {
    for (const { key } of this.#places.get(name) ?? []) {
      const left = this.#countOf(key) - 1;
      if (left > 0) this.#counts.set(key, left);
      else this.#counts.delete(key);
    }
    this.#places.delete(name);
  }

  #countOf(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  #longestUntouched(): Held | undefined {
    let [found, most]: [Held | undefined, number] = [undefined, 0];
    for (const held of this.#uploads.values()) {
      if (held.isDone) continue;
      for (const { key } of held.networks) if (this.#countOf(key) > most) [found, most] = [held, this.#countOf(key)];
    }
    return found;
  }
}

/** Whose the uploads of an earlier process are. */
const nobodys: Network = { key: "of before", factor: 1 };
