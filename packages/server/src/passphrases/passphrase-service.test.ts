import { equalBytes } from "@latchkey/codec";
import { expect, test } from "vitest";
import { nodeSignatures } from "../directory/signatures.ts";
import type { PassphraseStore } from "../store/passphrase-store.ts";
import { createAccount, random } from "../testing/fixtures.ts";
import type { PassphraseCrypto, PassphraseTry } from "./passphrase-crypto.ts";
import { PassphraseService } from "./passphrase-service.ts";

const host = "latchkey.example";

/** A service whose thread takes whatever it is given for right, over a store with one passphrase. */
async function setUp(crypto: Partial<PassphraseCrypto> = {}) {
  const account = await createAccount("alice", host);
  const { state } = account;
  const passphrase = { recoveryKey: state.recoveryKey, record: random(192), sealed: random(72) };
  const counts = { tries: 0 };
  const store: PassphraseStore = {
    setPassphrase: async () => ({ kind: "stored" }),
    clearPassphrase: async () => undefined,
    countPassphraseTry: async () => {
      counts.tries += 1;
      return { kind: "counted", passphrase };
    },
    openPassphrase: async ({ record }) => (equalBytes(record, passphrase.record) ? passphrase.sealed : undefined),
    passphraseStatus: async () => ({ isSet: true, setDay: 1, tries: 0, lastTryDay: 0, openedDay: 0 }),
    forgetPassphraseTries: async () => 0,
  };
  const service = new PassphraseService({
    store,
    accounts: async () => ({ accountId: account.accountId, state, stateHash: random(32) }),
    crypto: {
      begin: async () => random(64),
      try: async () => ({ ke2: random(320), state: random(128) }),
      verify: async () => true,
      ...crypto,
    },
    secret: random(32),
    signatures: nodeSignatures,
    context: { host, nowMs: () => 0, elapsedMs: () => 0 },
  });
  const tryOnce = () => service.try({ accountId: account.accountId, ke1: random(96) });
  return { service, sealed: passphrase.sealed, counts, tryOnce };
}

test("[E-302] of 4,096 tries that wait the oldest goes for one more, and no other", async () => {
  const { service, sealed, tryOnce } = await setUp();
  const [oldest, second] = [await tryOnce(), await tryOnce()];
  for (let count = 2; count < 4096; count++) await tryOnce();
  const newest = await tryOnce();
  await expect(service.open({ ticket: oldest.ticket, ke3: random(64) })).rejects.toMatchObject({ code: "not_found" });
  for (const { ticket } of [second, newest]) expect(await service.open({ ticket, ke3: random(64) })).toEqual(sealed);
});

test("[E-302] [A-13] what the thread cannot do in seconds is told to come back: it is not counted, and a try that is shown then is not over", async () => {
  const waits = Promise.withResolvers<undefined>();
  const answers: Promise<PassphraseTry | undefined>[] = [Promise.resolve({ ke2: random(320), state: random(128) })];
  const { service, sealed, counts, tryOnce } = await setUp({ try: () => answers.shift() ?? waits.promise });
  const { ticket } = await tryOnce();
  const under = Array.from({ length: 1000 }, () => tryOnce());
  await expect(tryOnce()).rejects.toMatchObject({ code: "rate_limited", retryAfterMs: 1000 });
  expect(counts.tries).toBe(1001);
  await expect(service.open({ ticket, ke3: random(64) })).rejects.toMatchObject({ code: "rate_limited", retryAfterMs: 1000 });
  waits.resolve(undefined);
  for (const one of under) await expect(one).rejects.toMatchObject({ code: "malformed" });
  expect(await service.open({ ticket, ke3: random(64) })).toEqual(sealed);
});
