import { openNodeClient } from "@latchkey/client/node";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { profileOfEachTest, createFake, runWith } from "../run.testing.ts";
import type { Run } from "../run.testing.ts";
import { serverOfAllTests } from "../server.testing.ts";

const server = serverOfAllTests();
const { run } = profileOfEachTest();

/** A command of somebody's profile on the server; `typed` are lines of standard input. */
async function on(name: string, args: readonly string[], typed: readonly string[] = []): Promise<Run> {
  const home = join(server.folder, name);
  mkdirSync(home, { recursive: true });
  const lines = [...typed];
  return runWith(home, [...args, "--server", server.url], undefined, {
    isTyped: false,
    openClient: (params) => openNodeClient(params),
    readLine: () => Promise.resolve(lines.shift() ?? ""),
    readStdin: () => Promise.resolve(lines.join("\n")),
  });
}

const json = ({ stdout }: Run): Record<string, unknown> => JSON.parse(stdout) as Record<string, unknown>;

test("[A-12] [A-14] [E-300] a passphrase is made and shown once, brings the account back, and is turned off; tries of it are told as the server's word", async () => {
  const registered = await on("ann", ["register", "ann", "--json"]);
  const phrase = String(json(registered)["recoveryPhrase"]);
  expect((await on("ann", ["recovery", "passphrase"])).stdout).toBe("no passphrase brings this account back: the 24 words alone do\n");

  const wrongWords = await on("ann", ["recovery", "passphrase", "on"], [phrase.split(" ").toReversed().join(" ")]);
  expect([wrongWords.status, wrongWords.stderr]).toEqual([1, expect.stringMatching(/^latchkey: invalid_phrase: /)]);
  const on1 = await on("ann", ["recovery", "passphrase", "on", "--json"], [phrase]);
  const passphrase = String(json(on1)["passphrase"]);
  expect(JSON.parse(on1.stderr)).toEqual({ notice: { code: "passphrase_made", message: expect.stringContaining(`: ${passphrase}`) } });
  expect(passphrase).toMatch(/^([a-z]+ ){5}[a-z]+$/);
  expect(json(on1)).toMatchObject({ isSet: true, tries: 0, isSpent: false });

  const guessed = await on("thief", ["recover", "ann", "--passphrase"], ["a guess that is long enough to be tried"]);
  expect([guessed.status, guessed.stderr]).toEqual([1, expect.stringMatching(/^latchkey: wrong_passphrase: /)]);
  expect((await on("ann", ["recovery", "passphrase"])).stdout).toMatch(
    /^on, since \d{4}-\d\d-\d\d\ntries that opened nothing: 1, the last on \d{4}-\d\d-\d\d \(the server's word\)\n$/,
  );

  const back = await on("ann-2", ["recover", "ann", "--passphrase"], [`  ${passphrase.replaceAll(" ", "  ")}\n`]);
  expect(back.stdout).toMatch(/^Recovered ann on [^]*"latchkey phrase --forget" shows them/);
  // Who came by the passphrase has the words nowhere: this device keeps them until they are written down.
  expect(json(await on("ann-2", ["phrase", "--forget", "--json"]))).toEqual({ recoveryPhrase: phrase });
  expect((await on("ann-2", ["phrase"])).status).toBe(1);
  const told = await on("ann-2", ["recovery", "passphrase"]);
  expect(told.stdout).toMatch(/tries that opened nothing: 0 \(the server's word\)\nopened by somebody who had it on \d{4}-\d\d-\d\d\n$/);
  expect(json(await on("ann-2", ["recovery", "passphrase", "off", "--json"]))).toMatchObject({ isSet: false, tries: 0 });
  const none = await on("ann-3", ["recover", "ann", "--passphrase"], [passphrase]);
  expect([none.status, none.stderr]).toEqual([1, expect.stringMatching(/^latchkey: wrong_passphrase: /)]);
}, 120_000);

test("[A-12] a passphrase that was made is told before it is set: an answer that is lost, or what fails afterwards, does not lose it", async () => {
  let stored = false;
  const home = join(server.folder, "lost");
  mkdirSync(home, { recursive: true });
  const registered = await on("lost", ["register", "lost", "--json"]);
  const lost = await runWith(home, ["recovery", "passphrase", "on", "--server", server.url], undefined, {
    isTyped: false,
    readLine: () => Promise.resolve(String(json(registered)["recoveryPhrase"])),
    openClient: async (params) => {
      const client = await openNodeClient(params);
      return {
        ...client,
        async setRecoveryPassphrase(set) {
          await client.setRecoveryPassphrase(set);
          stored = true;
          throw new Error("the answer was lost");
        },
      };
    },
  });
  expect([stored, lost.status]).toEqual([true, 1]);
  const [, passphrase = ""] = /may be set from now on: ((?:[a-z]+ ){5}[a-z]+)\n/.exec(lost.stderr) ?? [];
  expect((await on("lost-2", ["recover", "lost", "--passphrase"], [passphrase])).stdout).toMatch(/^Recovered lost on /);
}, 120_000);

test("[A-12] one's own has 20 characters at least; what is typed wrongly does nothing", async () => {
  const fake = createFake({
    account: () => Promise.resolve(undefined),
    recoveryPassphrase: () =>
      Promise.resolve({ isSet: true, setMs: 43_200_000, tries: 100, lastTryMs: 129_600_000, openedMs: undefined, isSpent: true }),
  });
  const short = await run(["recovery", "passphrase", "on", "--own"], fake, {
    isTyped: false,
    readLine: () => Promise.resolve("short"),
  });
  expect([short.status, short.stderr]).toEqual([1, expect.stringMatching(/^latchkey: weak_passphrase: /)]);
  for (const args of [["recovery"], ["recovery", "phrase"], ["recovery", "passphrase", "maybe"]])
    expect((await run(args, fake)).status).toBe(2);
  expect((await run(["recovery", "passphrase"], fake)).stdout).toMatch(/^spent: /);
  expect(fake.calls.some(([name]) => name === "setRecoveryPassphrase" || name === "clearRecoveryPassphrase")).toBe(false);
});
