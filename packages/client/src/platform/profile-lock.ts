import { ClientError } from "../errors.ts";

/** Somebody waits for the profile. */
export interface Wanted {
  /** What it called itself: the build that it is of. */
  readonly by: string;
  /** Milliseconds since it first asked: 0 with its first word. */
  readonly waitedMs: number;
}

/** The profile is this context's, and nobody else's, until it is let go or the context ends, whatever ends it. */
export interface ProfileLock {
  /** Resolves when it is free. */
  release(): Promise<void>;
  /** Calls the one listener, again and again, while somebody else waits. */
  onWanted(listener: (wanted: Wanted) => void): void;
}

/** What it is made with. */
export interface ProfileLockParams {
  readonly profile: string;
  /** What whoever holds the profile is told of this context, such as the address of its script. */
  readonly by: string;
}

/** A page that is being loaded again frees the lock within moments: only a longer wait is told. */
export const patienceMs = 1200;

/**
 * The name of the one Web Lock of a profile (spec O-5): workers, tabs and service workers of an origin share it. Whoever opens the profile's
 * databases, or erases them, holds it.
 */
export function profileLockName(profile: string): string {
  return `latchkey-worker:${profile}`;
}

/**
 * Waits for the profile, for as long as it takes. Whoever has it is told at once and then every `patienceMs`; after the first of these `onWait`
 * is called, once.
 * @throws ClientError `storage_in_use` when `signal` ends it
 */
export async function takeProfileLock(
  params: ProfileLockParams & { readonly onWait?: () => void; readonly signal?: AbortSignal },
): Promise<ProfileLock> {
  const { profile, by, onWait, signal } = params;
  const free = await tryProfileLock(params);
  if (free !== undefined) return free;
  const channel = new BroadcastChannel(channelName(profile));
  const began = performance.now();
  const tell = (waitedMs: number): void => {
    const wanted: Wanted = { by, waitedMs };
    // A channel of one's own origin has no target to name.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    channel.postMessage(wanted);
  };
  tell(0);
  let isTold = false;
  const timer = setInterval(() => {
    tell(performance.now() - began);
    if (!isTold) onWait?.();
    isTold = true;
  }, patienceMs);
  try {
    return await request(params, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted === true) throw new ClientError("storage_in_use", "Another tab has this profile open. Use that one, or close it.");
    throw error;
  } finally {
    clearInterval(timer);
    channel.close();
  }
}

/**
 * The profile, if nobody has it now: for whoever must not stand in a person's way, such as a service worker that catches up. Nothing where a browser
 * has no locks, since nobody knows that there.
 */
export async function tryProfileLock(params: Pick<ProfileLockParams, "profile">): Promise<ProfileLock | undefined> {
  if (locksOf() === undefined) return undefined;
  try {
    return await request(params, { ifAvailable: true });
  } catch (error) {
    if (error === taken) return undefined;
    throw error;
  }
}

const taken = new Error("somebody else has the profile");

function channelName(profile: string): string {
  return `latchkey-builds:${profile}`;
}

/** Absent where a page may not use it. */
function locksOf(): LockManager | undefined {
  return globalThis.navigator?.locks;
}

function request({ profile }: Pick<ProfileLockParams, "profile">, options: LockOptions): Promise<ProfileLock> {
  const locks = locksOf();
  // The owner's token of the database is what is left there.
  if (locks === undefined) return Promise.resolve(heldLock(profile, async () => undefined));
  return new Promise((resolve, reject) => {
    const held = locks.request(profileLockName(profile), options, async (lock) => {
      if (lock === null) throw taken;
      const { promise, resolve: letGo } = Promise.withResolvers<void>();
      const release = async (): Promise<void> => {
        letGo();
        await held;
      };
      resolve(heldLock(profile, release));
      await promise;
    });
    held.catch(reject);
  });
}

function heldLock(profile: string, release: () => Promise<void>): ProfileLock {
  const channel = new BroadcastChannel(channelName(profile));
  return {
    async release() {
      channel.close();
      await release();
    },
    onWanted(listener) {
      channel.addEventListener("message", ({ data }: MessageEvent<Wanted | string>) => {
        // Pages and workers of this origin alone can say it; one of a build before this says which build it is, and no more.
        listener(typeof data === "string" ? { by: data, waitedMs: patienceMs } : data);
      });
    },
  };
}
