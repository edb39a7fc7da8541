import { Refusal } from "../errors.ts";
import type { Bucket } from "../s3/bucket.ts";
import type { LeaseStore } from "../store/lease-store.ts";
import type { SetTimer } from "../start/parts.ts";
import type { BlobPatience } from "./blob-patience.ts";
import type { BucketWatch } from "./bucket-watch.ts";

/** The object that says which run of a server has the bucket. */
const runKey = "run";
const maxRunBytes = 256;
/** How often it is looked at. */
const usualLookMs = 60_000;
/** Nothing is removed before a copy of this server, if one runs, had so long to say so: some of its looks. */
const usualAloneMs = 300_000;
const comeAgainMs = 600_000;
/** Longer than a claim takes: of several nodes with the same data one claims at a time. */
const claimMs = 60_000;

/** What the data know of the runs that had their bucket. */
export interface KnownRuns {
  /** The run that had it last, and one that may have said so before it ended. */
  readonly ids: readonly string[];
  /** It was in use by data that are not these, or not any more: nothing is removed until the operator says so. */
  readonly isHeld: boolean;
  /** One of their runs found another one there. */
  readonly isContested: boolean;
}

/** What it is made with. */
interface BucketRunParams {
  readonly bucket: Bucket;
  readonly watch: BucketWatch;
  /** Of this run, random. */
  readonly id: string;
  /** `holder` names this process beside the other nodes of its data. */
  readonly leases: LeaseStore;
  readonly holder: string;
  /** What the data know now: another node may have put it down. */
  readonly read: () => Promise<KnownRuns>;
  /** The operator says that what these data do not know may be removed. */
  readonly isTold: boolean;
  /** Puts down what the next run is to know. */
  readonly keep: (known: KnownRuns) => Promise<void>;
  readonly setTimer: SetTimer;
  /** A clock that never jumps, in milliseconds. */
  readonly elapsedMs: () => number;
  /** A line for the operator, without anything secret. */
  readonly tell: (message: string) => void;
  readonly patience?: Pick<BlobPatience, "lookMs" | "aloneMs"> | undefined;
}

/**
 * Whether this process alone has the bucket, or it and other nodes of one database, with the newest data of their server. Nodes are one run,
 * named by the last of them that started: all others find its name in their data. A copy of a data folder that is started beside the server,
 * and data that were restored, know nothing of what came since, and would remove it: so nothing is removed where another run had the bucket.
 * Who finds another one there says so, and puts itself back, so that both know.
 */
export class BucketRun {
  readonly #params: BucketRunParams;
  /** What the bucket says while it is theirs. */
  #id: string;
  #isHeld = false;
  #claimedMs: number | undefined;
  #isContested = false;
  #cancel: () => void = () => undefined;
  #isClosed = false;

  constructor(params: BucketRunParams) {
    this.#params = params;
    this.#id = params.id;
  }

  /** What is wrong now, in a sentence; `undefined` where nothing is. */
  get reason(): string | undefined {
    const { name } = this.#params.bucket;
    if (this.#isContested)
      return `Another server uses ${name} with a copy of this server's data: stop one of the two. Nothing is removed from it meanwhile, nor before the next start.`;
    return this.#claimedMs !== undefined && this.#isHeld ? heldSentence(name) : undefined;
  }

  /** Looks now, and again and again until `close`. */
  start(): void {
    // A bucket that does not answer is told of by its watch.
    void this.look()
      .catch(() => undefined)
      .then(() => {
        if (this.#isClosed) return;
        this.#cancel = this.#params.setTimer(this.#params.patience?.lookMs ?? usualLookMs, () => this.start());
      });
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  /** For whoever would remove something. @throws Refusal `unavailable` where it is not known that this may be, or it may not */
  requireAlone(): void {
    const { elapsedMs, patience } = this.#params;
    const isAlone = this.#claimedMs !== undefined && elapsedMs() - this.#claimedMs >= (patience?.aloneMs ?? usualAloneMs);
    if (!isAlone || this.#isHeld || this.#isContested) throw new Refusal("unavailable", comeAgainMs);
  }

  /** Looks who has the bucket, and takes it. @throws Refusal, StoreError */
  async look(): Promise<void> {
    const { watch, read } = this.#params;
    await watch.verify();
    if (this.#claimedMs === undefined) {
      await this.#claim();
      return;
    }
    const found = await this.#found();
    const known = await read();
    this.#heed(known);
    if (found === this.#id) return;
    if (found !== undefined && known.ids.includes(found)) {
      this.#id = found;
      return;
    }
    // Unless further nodes started between the two.
    if ((await this.#found()) !== found) return;
    this.#id = known.ids.at(-1) ?? this.#id;
    if (found !== undefined) await this.#contest();
    await this.#put(this.#id);
  }

  #found(): Promise<string | undefined> {
    const { bucket, watch } = this.#params;
    return watch.ask("read", () => readRun(bucket));
  }

  #put(id: string): Promise<void> {
    const { bucket, watch } = this.#params;
    return watch.ask("write", () => bucket.put(runKey, new TextEncoder().encode(id)));
  }

  /** Where another node claims now, the next look does. */
  async #claim(): Promise<void> {
    const { leases, holder } = this.#params;
    const lease = await leases.takeLease({ name: "bucket", holder, forMs: claimMs });
    if (lease.kind === "held") return;
    try {
      await this.#claimAlone();
    } finally {
      await leases.giveBackLease({ name: "bucket", term: lease.term });
    }
  }

  async #claimAlone(): Promise<void> {
    const { id, isTold, read, keep, elapsedMs } = this.#params;
    const known = await read();
    const found = await this.#found();
    const isOurs = found === undefined || known.ids.includes(found);
    const isHeld = !isTold && (known.isHeld || !isOurs);
    // Before the bucket says it: whoever is killed in between finds one of the two there.
    await keep({ ids: found === undefined || !isOurs ? [id] : [found, id], isHeld, isContested: false });
    await this.#put(id);
    await keep({ ids: [id], isHeld, isContested: false });
    this.#isHeld = isHeld;
    this.#claimedMs = elapsedMs();
    this.#tellReason();
  }

  /** What another node has found of the bucket, or was told, holds for this one. */
  #heed({ isHeld, isContested }: KnownRuns): void {
    if (isHeld === this.#isHeld && (this.#isContested || !isContested)) return;
    this.#isHeld = isHeld;
    this.#isContested ||= isContested;
    this.#tellReason();
  }

  async #contest(): Promise<void> {
    if (this.#isContested) return;
    this.#isContested = true;
    this.#tellReason();
    await this.#params.keep({ ids: [this.#id], isHeld: this.#isHeld, isContested: true });
  }

  #tellReason(): void {
    if (this.reason !== undefined) this.#params.tell(this.reason);
  }
}

async function readRun(bucket: Bucket): Promise<string | undefined> {
  const bytes = await bucket.get(runKey, maxRunBytes);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

/** Says in a bucket that nobody has it any more. @throws ServerError `bucket_failed` */
export async function removeRun(bucket: Bucket): Promise<void> {
  await bucket.remove(runKey);
}

/** Reads the setting of known runs. */
export function parseKnownRuns(value: string | undefined): KnownRuns {
  const [state = "", ...ids] = (value ?? "").split(" ");
  return { ids: ids.filter((id) => id !== ""), isHeld: state === "held", isContested: state === "contested" };
}

/** The value of that setting. Nothing is removed of what is held, contested or not. */
export function formatKnownRuns({ ids, isHeld, isContested }: KnownRuns): string {
  return [isHeld ? "held" : isContested ? "contested" : "free", ...ids].join(" ");
}

function heldSentence(name: string): string {
  return `${name} was used by other data than these since: a copy of them, or newer ones that were restored over. Nothing is removed from it. Once you know that nobody else uses it and nothing of it is missed, start the server once with --i-know extra-blobs.`;
}
