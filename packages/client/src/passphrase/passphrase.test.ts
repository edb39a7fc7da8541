import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { recoveryPhraseOf } from "../account/recovery.ts";
import { isStrongPassphrase, makePassphrase, normalPassphrase } from "./passphrase.ts";
import { openEntropy, sealEntropy } from "./seal.ts";

const random = (size: number): Uint8Array => crypto.getRandomValues(new Uint8Array(size));

test("[A-12] a passphrase that may be set has 20 characters, eight of them different, however it is typed", () => {
  expect(normalPassphrase("  two   words\nand ﬁve ")).toBe("two words and five");
  const verdicts = {
    "": false,
    hunter2hunter2: false,
    aaaaaaaaaaaaaaaaaaaaaaaaa: false,
    abcabcabcabcabcabcabcabc: false,
    "                          four": false,
    "acid lighthouse marma": true,
    "Ψυχή μου αγαπημένη θάλασσα": true,
    [`long enough and${" more".repeat(60)}`]: false,
    "to be or not to be": false,
    "correcthorse correcthorse": false,
    "hello world hello world": false,
    "0123456789abcdefghij": false,
    "1 2 3 4 5 6 7 8 9 10 11": false,
    zyxwvutsrqponmlkjihgfe: false,
  };
  for (const [typed, isStrong] of Object.entries(verdicts)) expect(isStrongPassphrase(typed), typed).toBe(isStrong);
  // Little else than the account's name.
  expect(isStrongPassphrase("marguerite-Marguerite 1999", "marguerite")).toBe(false);
  expect(isStrongPassphrase("marguerite acid lighthouse", "marguerite")).toBe(true);
});

test("[A-12] one that is made has six words of the list, each by eleven bits of chance, and may always be set", async () => {
  const list = readFileSync(new URL(import.meta.resolve("@scure/bip39/wordlists/english.js")), "utf8");
  const seen = new Set<string>();
  for (let count = 0; count < 200; count++) {
    const made = await makePassphrase(random);
    const words = made.split(" ");
    expect(words).toHaveLength(6);
    for (const word of words) expect(list).toContain(word);
    expect(isStrongPassphrase(made)).toBe(true);
    seen.add(made);
  }
  expect(seen.size).toBe(200);
  // The bits of both bytes count, and those above eleven do not.
  const bytes = Uint8Array.of(0xf8, 0x00, 0x07, 0xff, 0x00, 0x01, 0x00, 0x02, 0x01, 0x00, 0x02, 0x00);
  expect(await makePassphrase(() => bytes)).toBe("abandon zoo ability able cactus divorce");
});

test("[A-12] what is sealed opens with the same export key for the same account and recovery key, and is then the phrase", async () => {
  const [entropy, exportKey, nonce] = [random(32), random(64), random(24)];
  const owner = { accountId: random(32), recoveryKey: random(32) };
  const sealed = sealEntropy(entropy, exportKey, owner, nonce);
  expect(sealed).toHaveLength(72);
  const opened = openEntropy(sealed, exportKey, owner);
  expect(opened).toEqual(entropy);
  expect((await recoveryPhraseOf(opened ?? random(32))).split(" ")).toHaveLength(24);
  expect(openEntropy(sealed, random(64), owner)).toBeUndefined();
  expect(openEntropy(sealed, exportKey, { ...owner, accountId: random(32) })).toBeUndefined();
  expect(openEntropy(sealed, exportKey, { ...owner, recoveryKey: random(32) })).toBeUndefined();
  for (const at of [0, 23, 24, 71])
    expect(
      openEntropy(
        sealed.map((byte, index) => (index === at ? byte ^ 1 : byte)),
        exportKey,
        owner,
      ),
    ).toBeUndefined();
  expect(openEntropy(sealed.subarray(0, 30), exportKey, owner)).toBeUndefined();
});

test("[A-12] sealed bytes are those of the rule: XChaCha20-Poly1305 under HKDF-SHA256 of the export key", () => {
  const fill = (value: number, size = 32): Uint8Array => new Uint8Array(size).fill(value);
  const sealed = sealEntropy(fill(1), fill(2, 64), { accountId: fill(3), recoveryKey: fill(4) }, fill(5, 24));
  expect(Buffer.from(sealed).toString("hex")).toBe(
    `${"05".repeat(24)}41c773312b6023e5f9247467a147e0cc457f12f9bf8e79454b27695c1f7f79189f19af700036a1b5a95200de5af2a5a5`,
  );
});
