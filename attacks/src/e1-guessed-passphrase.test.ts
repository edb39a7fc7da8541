// E1 | a recovery passphrase is guessed, by a stranger, by who holds a device of the account, or by whoever has the server's database | P
// Source: Green 2020 and Palant 2020, of a messenger's PIN
// Counter-measure: the 24 words stay the default; OPAQUE, ten tries a day, none that opens after a hundred, the record in no package, 20 characters at least, six words by default
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { toBase64Url, fromBase64Url } from "@latchkey/codec";
import { readHoldings } from "@latchkey/client/holdings";
import { opaqueHere } from "@latchkey/client/opaque";
import { phraseByPassphrase, setPassphrase } from "@latchkey/client/passphrase";
import { defaultLimits } from "@latchkey/server";
import { client as opaque, server as opaqueServer } from "@serenity-kit/opaque";
import { describe, expect, test } from "vitest";
import { guess, isRight } from "./testing/guesser.ts";
import { havePassphrase, storedPassphrase } from "./testing/recovery-passphrase.ts";
import { host, Scene } from "./testing/scene.ts";

const right = "acid lighthouse marmalade cobalt winter zoo";

describe("E1", () => {
  test("ten guesses a day are answered, whoever makes them, and an account without a passphrase answers the same", async () => {
    // As if from ever new addresses: their own limit is not what stops this one.
    await using scene = await Scene.open({ rates: { ...defaultLimits.rates, tryPassphrase: { burst: 1000, perSecond: 1000 } } });
    const [alice, bob] = [await scene.person("alice"), await scene.person("bob")];
    await havePassphrase(alice, right);
    for (const person of [alice, bob]) {
      const outcomes: (string | (() => boolean))[] = [];
      for (let count = 0; count < 12; count++) outcomes.push(await guess(scene, person, `acid lighthouse marmalade ${String(count)}`));
      const answered = outcomes.slice(0, 10).filter((outcome) => typeof outcome === "function");
      expect([answered.length, answered[0]?.(), ...outcomes.slice(10)], person.name).toEqual([10, false, "rate_limited", "rate_limited"]);
    }
    // Nor does the right one open now, for whoever comes: the 24 words do, as ever.
    const fresh = await scene.reopen("alice-2");
    const trying = phraseByPassphrase(fresh, opaqueHere, { username: "alice", passphrase: right });
    await expect(trying).rejects.toMatchObject({ code: "rate_limited" });
    expect(await alice.client.recoveryPassphrase()).toMatchObject({ isSet: true, tries: 10, openedMs: undefined });
    const phrase = ((await alice.client.recoveryPhrase()) ?? []).join(" ");
    expect(await fresh.recover({ username: "alice", phrase })).toMatchObject({ username: "alice", isRecovered: true });
  }, 300_000);

  test("a thief's device is given neither the record to test guesses with nor what is sealed, and turning it off gives no more guesses that day", async () => {
    await using scene = await Scene.open({ rates: { ...defaultLimits.rates, tryPassphrase: { burst: 1000, perSecond: 1000 } } });
    const alice = await scene.person("alice");
    await havePassphrase(alice, right);
    await alice.client.forgetRecoveryPhrase();
    const { record, sealed } = storedPassphrase(scene);
    const pieces = await Array.fromAsync(readHoldings(await alice.client.inspect()));
    const held = Buffer.concat(pieces).toString("utf8");
    // The package is of the account, and the passphrase is in it.
    expect(JSON.parse(held)).toMatchObject({ account_id: alice.accountId, passphrase: { record: { size_bytes: record.length } } });
    for (const bytes of [record, sealed])
      for (const text of [toBase64Url(bytes), Buffer.from(bytes).toString("base64"), Buffer.from(bytes).toString("hex")])
        expect(held.includes(text)).toBe(false);
    const answers = async (): Promise<number> => {
      let count = 0;
      while (typeof (await guess(scene, alice, `acid lighthouse marmalade ${String(count)}`)) === "function") count += 1;
      return count;
    };
    expect(await answers()).toBe(10);
    await alice.client.clearRecoveryPassphrase();
    expect(await answers()).toBe(0);
  }, 300_000);

  test("the database alone has neither passphrase nor words in it, and with the right guess nothing opens without the server's keys", async () => {
    await using scene = await Scene.open();
    const alice = await scene.person("alice");
    const words = await havePassphrase(alice, right);
    const { record } = storedPassphrase(scene);
    const folder = join(scene.folder, "server");
    const files = readdirSync(folder).filter((name) => name.startsWith("accounts.sqlite"));
    expect(files).not.toEqual([]);
    for (const name of files)
      for (const needle of [right, words.split(" ").slice(0, 4).join(" ")])
        expect(readFileSync(join(folder, name)).includes(needle), `${name}: ${needle}`).toBe(false);
    // The thief runs a server of their own with the record.
    const serverSetup = opaqueServer.createSetup();
    const { clientLoginState, startLoginRequest } = opaque.startLogin({ password: right });
    const { loginResponse } = opaqueServer.startLogin({
      serverSetup,
      registrationRecord: toBase64Url(record),
      startLoginRequest,
      userIdentifier: alice.accountId,
      identifiers: { client: alice.accountId, server: host },
    });
    expect(isRight(clientLoginState, { person: alice, passphrase: right, ke2: fromBase64Url(loginResponse) })).toBe(false);
    // That was no fault of the guess: the server itself answers it.
    const answer = await guess(scene, alice, right);
    expect(typeof answer === "function" && answer()).toBe(true);
  }, 300_000);

  test("[E-301] an answer, or a sealed phrase, that the server changed is refused, and nothing waits for it; a passphrase that is too weak is not set", async () => {
    await using scene = await Scene.open();
    const alice = await scene.person("alice");
    expect(await setPassphrase(alice.client, opaqueHere, { passphrase: "1234" })).toBe("weak");
    const words = await havePassphrase(alice, right);
    const fresh = await scene.reopen("alice-2");
    const recover = (): Promise<string | undefined> => phraseByPassphrase(fresh, opaqueHere, { username: "alice", passphrase: right });
    const flipped = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
    for (const at of [5, 100, 319]) {
      const stop = scene.operator.override({
        reply: (_, body) => (body.kind === "passphrase_challenge" ? { ...body, ke2: flipped(body.ke2, at) } : body),
      });
      expect(await recover(), `byte ${String(at)} of KE2`).toBeUndefined();
      stop();
    }
    const stop = scene.operator.override({
      reply: (_, body) => (body.kind === "sealed_phrase" ? { ...body, sealed: flipped(body.sealed, 40) } : body),
    });
    await expect(recover()).rejects.toMatchObject({ code: "server_lied" });
    stop();
    expect(await recover()).toBe(words);
  }, 300_000);
});
