import { profile } from "./profile.ts";

/*
 * Pages that ask for a shared worker by one name have the same one. One whose script never came stays, silent, and every later page would get it (Chromium, where
 * a service worker ends just then): then another name is the way on. Web Locks say which worker works.
 */

const usualName = "latchkey";
const holderPrefix = "latchkey-holder:";
/** As the client names it (spec O-5): to ask it would bring half of it into the page. */
const profileLock = `latchkey-worker:${profile}`;
/** So many times a worker may say nothing before another name is tried, where no worker has anything to do with the profile: seven seconds. */
const silentTries = 3;

/** How often one that waits looks whether another of its build has the profile. */
const siblingLookMs = 500;

type Locks = Pick<LockManager, "query">;

/** The same script by another name is another worker; another script is of another build. */
interface SharedWorkerId {
  /** The script's address. */
  readonly address: string;
  readonly name: string;
}

/** Says to all pages, while `hold` runs, that this shared worker has the profile. */
export async function asHolder({ address, name }: SharedWorkerId, hold: () => Promise<void>): Promise<void> {
  await navigator.locks.request(holderPrefixOf(address) + name, hold);
}

/** Calls `found`, once, when another worker of the same build has the profile: pages of this one find that one. Returns what ends that. */
export function watchForSibling(locks: Locks, { address, name }: SharedWorkerId, found: () => void): () => void {
  const timer = setInterval(() => {
    const look = async (): Promise<void> => {
      const holder = holderOf(await locks.query(), address);
      if (holder === undefined || holder === name || hasEnded) return;
      end();
      found();
    };
    look().catch(() => undefined);
  }, siblingLookMs);
  let hasEnded = false;
  const end = (): void => {
    hasEnded = true;
    clearInterval(timer);
  };
  return end;
}

function holderPrefixOf(address: string): string {
  return `${holderPrefix}${new URL(address).pathname} `;
}

function holderOf({ held = [] }: LockManagerSnapshot, address: string): string | undefined {
  const prefix = holderPrefixOf(address);
  return held.find(({ name }) => name?.startsWith(prefix))?.name?.slice(prefix.length);
}

/** The names by which a page asks for the worker of this script, one after the other. */
export function createWorkerNames(locks: Locks, address: string): (tries: number) => string {
  let holder: string | undefined;
  let isFree = false;
  const look = async (): Promise<void> => {
    const found = await locks.query();
    const { held = [], pending = [] } = found;
    holder = holderOf(found, address);
    isFree = ![...held, ...pending].some(({ name }) => name === profileLock);
  };
  return (tries) => {
    // What is known is of the time before.
    const name = holder ?? (isFree && tries >= silentTries ? `${usualName}-${String(tries)}` : usualName);
    look().catch(() => undefined);
    return name;
  };
}
