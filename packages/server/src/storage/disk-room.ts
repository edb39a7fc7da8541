import { diskSpaceOf } from "./disk-space.ts";

/** How often free space is looked at. */
const lookMs = 5000;

/**
 * How much of the disk is left. Below a reserve strangers' items, new logs, new accounts and blobs are refused, and what an address may
 * write shrinks, so that the conversations there are go on for as long as possible.
 */
export class DiskRoom {
  readonly #reserveBytes: number;
  readonly #freeBytes: () => Promise<number>;
  #free = Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(params: { directory: string; reserveBytes: number; freeBytes?: () => Promise<number> }) {
    this.#reserveBytes = params.reserveBytes;
    this.#freeBytes = params.freeBytes ?? (async () => (await diskSpaceOf(params.directory)).freeBytes);
  }

  /** Looks once, and then every few seconds until `stop`. */
  async start(): Promise<void> {
    await this.look();
    this.#timer = setInterval(() => void this.look(), lookMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Looks now. A disk that does not say is another part's business. */
  async look(): Promise<void> {
    try {
      this.#free = await this.#freeBytes();
    } catch {
      this.#free = Infinity;
    }
  }

  /** What is left above the reserve, as of the last look; below 0 where it is touched. */
  get spareBytes(): number {
    return this.#free - this.#reserveBytes;
  }

  /** Whether the reserve is touched, as of the last look. */
  get isLow(): boolean {
    return this.spareBytes < 0;
  }
}
