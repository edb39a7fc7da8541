import type { PassphraseCalls } from "@latchkey/client";

/** No recovery passphrase, and no server that would answer OPAQUE. */
export function createFakePassphrase(): PassphraseCalls {
  const none = (): Promise<never> => Promise.reject(new Error("no server here"));
  return {
    recoveryPassphrase: async () => ({
      isSet: false,
      setMs: undefined,
      tries: 0,
      lastTryMs: undefined,
      openedMs: undefined,
      isSpent: false,
    }),
    clearRecoveryPassphrase: async () => undefined,
    beginRecoveryPassphrase: none,
    setRecoveryPassphrase: none,
    findPassphraseAccount: none,
    tryRecoveryPassphrase: none,
    openRecoveryPassphrase: none,
  };
}
