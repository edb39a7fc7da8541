/*
 * Whether something goes on in a tab of this browser that a restart would break off: a recording, files that are made ready, a message that is changed. A
 * Web Lock says it to all tabs: who has something shares it, and who restarts has it alone. A tab that ends lets go of it, whatever ends it.
 */

const lockName = "latchkey-page-held";

/** Something goes on here. Returns what ends that. */
export function holdRestart(): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  void lockManager()
    ?.request(lockName, { mode: "shared" }, () => promise)
    .catch(() => undefined);
  return resolve;
}

/** Resolves when nothing goes on in any tab; nothing that this app waits for begins until what it resolves to is called. @throws the reason of `signal` */
export async function whenNobodyHolds(signal?: AbortSignal): Promise<() => void> {
  const locks = lockManager();
  if (locks === undefined) return () => undefined;
  for (;;) {
    const release = await alone(locks, signal);
    const { pending = [] } = await locks.query();
    // Whatever began while this waited has gone on since then, behind it in the line.
    if (!pending.some(({ name, mode }) => name === lockName && mode === "shared")) return release;
    release();
  }
}

async function alone(locks: LockManager, signal: AbortSignal | undefined): Promise<() => void> {
  const { promise, resolve } = Promise.withResolvers<() => void>();
  const held = locks.request(
    lockName,
    signal === undefined ? {} : { signal },
    async () => await new Promise<void>((release) => resolve(release)),
  );
  return await Promise.race([promise, held.then(() => () => undefined)]);
}

/** Absent where a page may not use it. */
function lockManager(): LockManager | undefined {
  return globalThis.navigator?.locks;
}
