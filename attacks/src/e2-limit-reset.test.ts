// E2 | the operator guesses a recovery passphrase by the server's own keys, past every limit, or sets the limit back | R
// Source: Green 2020 and Palant 2020, of a messenger's PIN
// Counter-measure: none by one operator: only what the passphrase is worth against Argon2id with 64 MiB a guess, and that it is off unless it was chosen; later several operators
import { readFileSync } from "node:fs";
import { hkdfSync } from "node:crypto";
import { join } from "node:path";
import { toBase64Url, fromBase64Url } from "@latchkey/codec";
import { client as opaque, ready, server as opaqueServer } from "@serenity-kit/opaque";
import sodium from "libsodium-wrappers-sumo";
import { describe, expect, test } from "vitest";
import { isRight } from "./testing/guesser.ts";
import { havePassphrase, storedPassphrase } from "./testing/recovery-passphrase.ts";
import { host, Scene } from "./testing/scene.ts";

/** Long enough to be set, and in every list of phrases. */
const popular = "to be or not to be that is the question";

describe("E2", () => {
  test("residual: who has the keys and the database tries a list of phrases off line, and neither a limit nor a count stands in the way", async () => {
    await using scene = await Scene.open();
    const alice = await scene.person("alice");
    await havePassphrase(alice, popular);
    const { record } = storedPassphrase(scene);
    const secret = readFileSync(join(scene.folder, "server", "directory", "vrf.key"));
    const serverSetup = await setupFrom(secret);
    const found = ["all that glitters is not gold my friend", "the quick brown fox jumps over", popular].filter((passphrase) => {
      const { clientLoginState, startLoginRequest } = opaque.startLogin({ password: passphrase });
      const { loginResponse } = opaqueServer.startLogin({
        serverSetup,
        registrationRecord: toBase64Url(record),
        startLoginRequest,
        userIdentifier: alice.accountId,
        identifiers: { client: alice.accountId, server: host },
      });
      return isRight(clientLoginState, { person: alice, passphrase, ke2: fromBase64Url(loginResponse) });
    });
    expect(found).toEqual([popular]);
    // Nothing of it is seen: what her devices are told is what the server counted.
    expect(await alice.client.recoveryPassphrase()).toMatchObject({ isSet: true, tries: 0, openedMs: undefined });
  }, 300_000);

  test("who chose no passphrase has nothing there to guess", async () => {
    await using scene = await Scene.open();
    const alice = await scene.person("alice");
    expect(await alice.client.recoveryPassphrase()).toMatchObject({ isSet: false });
    expect(() => storedPassphrase(scene)).toThrow("no passphrase is set");
  }, 120_000);
});

/** The keys of OPAQUE, as the server makes them of its own. */
async function setupFrom(secret: Uint8Array): Promise<string> {
  await Promise.all([sodium.ready, ready]);
  const part = (what: string): Uint8Array =>
    new Uint8Array(hkdfSync("sha256", secret, new Uint8Array(), `latchkey/passphrase-${what}/1`, 64));
  const privateKey = sodium.crypto_core_ristretto255_scalar_reduce(part("key"));
  const nobody = sodium.crypto_core_ristretto255_from_hash(part("nobody"));
  return Buffer.concat([part("seed"), privateKey, nobody]).toString("base64url");
}
