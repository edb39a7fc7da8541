import { profileLockName } from "@latchkey/client/web";
import { profile } from "./profile.ts";

/*
 * Pages that ask for a shared worker by one name have the same one. One whose script never came stays, silent, and every later page would get it (Chromium, where
 * a service worker ends just then): then another name is the way on. Web Locks say which worker works.
 */

const usualName = "latchkey";
const holderPrefix = "latchkey-holder:";
/** So many times a worker may say nothing before another name is tried, where no worker has anything to do with the profile: seven seconds. */
const silentTries = 3;

/** Says to all pages, while `hold` runs, that the shared worker of this name has the profile. */
export async function asHolder(name: string, hold: () => Promise<void>): Promise<void> {
  await navigator.locks.request(holderPrefix + name, hold);
}

/** The names by which a page asks, one after the other. */
export function createWorkerNames(locks: Pick<LockManager, "query">): (tries: number) => string {
  let holder: string | undefined;
  let isFree = false;
  const look = async (): Promise<void> => {
    const { held = [], pending = [] } = await locks.query();
    holder = held.find(({ name }) => name?.startsWith(holderPrefix))?.name?.slice(holderPrefix.length);
    isFree = ![...held, ...pending].some(({ name }) => name === profileLockName(profile));
  };
  return (tries) => {
    // What is known is of the time before.
    const name = holder ?? (isFree && tries >= silentTries ? `${usualName}-${String(tries)}` : usualName);
    look().catch(() => undefined);
    return name;
  };
}
