import type { PassphraseCalls, RecoveryPassphrase } from "@latchkey/client";

const off: RecoveryPassphrase = { isSet: false, setMs: undefined, tries: 0, lastTryMs: undefined, openedMs: undefined, isSpent: false };

/** A recovery passphrase that was tried three times; turning it off works, and there is no server that would answer OPAQUE. */
export function createFakePassphrase(): PassphraseCalls {
  const dayMs = 86_400_000;
  let now: RecoveryPassphrase = { ...off, isSet: true, setMs: Date.now() - 30 * dayMs, tries: 3, lastTryMs: Date.now() - dayMs };
  const none = (): Promise<never> => Promise.reject(new Error("no server here"));
  return {
    recoveryPassphrase: async () => now,
    async clearRecoveryPassphrase() {
      now = off;
    },
    beginRecoveryPassphrase: none,
    setRecoveryPassphrase: none,
    findPassphraseAccount: none,
    tryRecoveryPassphrase: none,
    openRecoveryPassphrase: none,
  };
}
