import type { PassphraseCalls } from "../api/passphrases.ts";
import type { PassphraseParts } from "./calls.ts";

/** Recovery by passphrase, loaded when it is asked for: seldom. */
export function lazyPassphraseCalls(parts: PassphraseParts): PassphraseCalls {
  const load = async (): Promise<PassphraseCalls> => (await import("./calls.ts")).createPassphraseCalls(parts);
  return {
    recoveryPassphrase: async () => (await load()).recoveryPassphrase(),
    beginRecoveryPassphrase: async (params) => (await load()).beginRecoveryPassphrase(params),
    setRecoveryPassphrase: async (params) => (await load()).setRecoveryPassphrase(params),
    clearRecoveryPassphrase: async () => (await load()).clearRecoveryPassphrase(),
    findPassphraseAccount: async (username) => (await load()).findPassphraseAccount(username),
    tryRecoveryPassphrase: async (params) => (await load()).tryRecoveryPassphrase(params),
    openRecoveryPassphrase: async (params) => (await load()).openRecoveryPassphrase(params),
  };
}
