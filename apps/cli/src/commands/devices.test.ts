import type { HistoryBackup, LinkState, OwnDevice } from "@latchkey/client";
import { describe, expect, test } from "vitest";
import { ann, createFake, profileOfEachTest } from "../run.testing.ts";
import type { Fake } from "../run.testing.ts";

const { run } = profileOfEachTest();

describe("devices", () => {
  const device = (deviceId: string, name: string, isThisDevice: boolean): OwnDevice => ({
    deviceId,
    name,
    addedAtMs: 0,
    lastUsedAtMs: 3 * 86_400_000,
    isThisDevice,
  });
  const both = [device("first", "", true), device("second", "Tab\u001Blet", false)];

  test("are listed one a line, and one is removed", async () => {
    const fake = createFake({ devices: () => Promise.resolve(both), removeDevice: () => Promise.resolve() });
    const { stdout } = await run(["devices"], fake);
    expect(stdout.split("\n").map((line) => line.replace(/added .{16}/, "added TIME"))).toEqual([
      "first  (no name)  added TIME  this device",
      "second  Tab\uFFFDlet  added TIME  last used 1970-01-04",
      "",
    ]);
    expect((await run(["devices", "remove", "second"], fake)).status).toBe(0);
    expect(fake.calls).toContainEqual(["removeDevice", "second"]);
    const others = createFake({ devices: () => Promise.resolve(both.slice(0, 1)), removeOtherDevices: () => Promise.resolve() });
    expect((await run(["devices", "remove-others"], others)).status).toBe(0);
    expect(others.calls).toContainEqual(["removeOtherDevices"]);
    expect((await run(["devices", "remove-others", "first"], others)).status).toBe(2);
    const unknown = await run(["devices", "remove", "third"], fake);
    expect([unknown.status, unknown.stderr]).toEqual([1, expect.stringMatching(/^latchkey: unknown_device: /)]);
    expect((await run(["devices", "paint"], fake)).status).toBe(2);
  });

  test.each(["-SdX0vTq3kK5gX1m0b2RcA", "--dX0vTq3kK5gX1m0b2RcA"])("one is removed whose id looks like an option: %s", async (deviceId) => {
    const fake = createFake({
      devices: () => Promise.resolve([device(deviceId, "Tablet", false)]),
      removeDevice: () => Promise.resolve(),
    });
    const { status, stderr } = await run(["devices", "remove", deviceId], fake);
    expect([status, stderr]).toEqual([0, ""]);
    expect(fake.calls).toContainEqual(["removeDevice", deviceId]);
  });

  function linkingFake(role: "new" | "existing", end: LinkState): Fake {
    const fake: Fake = createFake({
      offerLink: () => Promise.resolve({ code: "latchkey:link:AbC", words: Array.from({ length: 12 }, () => "zoo"), expiresAtMs: 5 }),
      acceptLink: () => Promise.resolve(),
      cancelLink: () => Promise.resolve(),
      confirmLink(same: boolean) {
        const state: LinkState = same ? end : { kind: "failed", failure: { code: "link_refused", message: "No.", canRetry: false } };
        setTimeout(() => fake.emit({ kind: "link", state: { kind: "moving", done: 1, total: 2 } }), 1);
        setTimeout(() => fake.emit({ kind: "link", state }), 2);
        return Promise.resolve();
      },
    });
    setTimeout(() => fake.emit({ kind: "link", state: { kind: "compare", digits: "012345", deviceName: role } }), 20);
    return fake;
  }
  const never = { stopRequested: (): Promise<never> => new Promise(() => undefined) };

  test("are linked after the digits were compared", async () => {
    const asked = { ...never, readLine: () => Promise.resolve("Y\n") };
    const accepted = await run(["link", "accept", ...Array.from({ length: 12 }, () => "zoo")], linkingFake("new", { kind: "done" }), asked);
    expect(accepted.stderr).toBe("Are they the same on both screens? [y/N] ");
    expect(accepted.stdout).toContain("012345");
    expect(accepted.stdout).toMatch(/The device is linked\n$/);
    const offered = await run(["link", "--yes", "--json", "--name", "Box"], linkingFake("existing", { kind: "done" }), never);
    const steps = offered.stdout.trim().split("\n");
    expect(steps.map((line): unknown => Reflect.get(Object(JSON.parse(line)), "step"))).toEqual(["offer", "compare", "moving", "done"]);
    expect(JSON.parse(steps[0] ?? "")).toMatchObject({ code: "latchkey:link:AbC" });
    const drawn = await run(["link", "--yes"], linkingFake("existing", { kind: "done" }), never);
    expect(drawn.stdout).toContain("▀");
    expect(drawn.stdout).toContain("link accept zoo zoo");
  });

  test("are not linked when the digits differ, when it fails, or when it is interrupted", async () => {
    const differ = linkingFake("new", { kind: "done" });
    const refused = await run(["link", "accept", "code"], differ, { ...never, readLine: () => Promise.resolve("") });
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringMatching(/latchkey: link_refused: No\.\n$/)]);
    expect(differ.calls).toContainEqual(["confirmLink", false]);
    const failing = linkingFake("new", { kind: "failed", failure: { code: "link_expired", message: "Late.", canRetry: false } });
    expect((await run(["link", "accept", "code", "--yes"], failing, never)).stderr).toBe("latchkey: link_expired: Late.\n");
    const interrupted = linkingFake("new", { kind: "done" });
    expect(await run(["link"], interrupted)).toMatchObject({ status: 143, stderr: "" });
    expect(interrupted.calls).toContainEqual(["cancelLink"]);
    expect((await run(["link", "accept"])).status).toBe(2);
    expect((await run(["link", "hands"])).status).toBe(2);
  });
});

describe("recover", () => {
  test("[A-4] reads the words from standard input", async () => {
    let before: HistoryBackup = {
      keptBy: "nobody",
      deviceId: undefined,
      written: undefined,
      writing: undefined,
      leftOut: 0,
      failure: undefined,
      isToBeErased: false,
      found: undefined,
    };
    const fake = createFake({
      recover: () => Promise.resolve({ ...ann, deviceId: "d", createdAtMs: 0, hasRecoveryPhrase: false, isRecovered: false }),
      historyBackup: () => Promise.resolve(before),
    });
    const { stdout } = await run(["recover", "ann", "--name", "Box"], fake, {
      isTyped: false,
      readStdin: () => Promise.resolve(" one\n two "),
    });
    expect(stdout).toMatch(/^Recovered ann on localhost:8080/);
    expect(stdout).toContain("could not be asked");
    const found = { stage: "offered", atMs: 0, messages: 7, done: 0, total: 1, restored: 0, missing: 0, unreadable: 0 } as const;
    for (const [stage, words] of [
      ["offered", "with 7 messages"],
      ["none", "the server has no backup of it."],
    ] as const) {
      before = { ...before, found: { ...found, stage } };
      const said = await run(["recover", "ann"], fake, { isTyped: false, readStdin: () => Promise.resolve("one two") });
      expect(said.stdout).toContain(words);
    }
    expect(fake.calls[0]).toEqual(["recover", { username: "ann", phrase: "one two", keepPhrase: false, deviceName: "Box" }]);
    expect((await run(["recover", "ann"], fake, { isTyped: false, readStdin: () => Promise.resolve("\n") })).status).toBe(2);
    // At a terminal they are asked for as a passphrase is: nothing of them is shown.
    await run(["recover", "ann"], fake, { isTyped: true, readSecret: () => Promise.resolve("three four") });
    expect(fake.calls.filter(([name]) => name === "recover").at(-1)?.[1]).toMatchObject({ phrase: "three four" });
  });
});

describe("account delete", () => {
  test("wants --yes and the right name", async () => {
    const fake = createFake({ deleteAccount: () => Promise.resolve() });
    expect((await run(["account", "delete", "ann"], fake)).status).toBe(2);
    expect((await run(["account", "rename", "--yes", "ann"], fake)).status).toBe(2);
    expect((await run(["account", "delete", "--yes", "ben"], fake)).stderr).toMatch(/^latchkey: wrong_account: /);
    expect(fake.calls).not.toContainEqual(["deleteAccount"]);
    expect((await run(["account", "delete", "--yes", "ann"], fake)).stdout).toBe(
      "Deleted ann on localhost:8080\nThe server has erased what it held. What stays: that the account was deleted, and its name, which nobody else gets for 180 days.\n",
    );
    expect(fake.calls).toContainEqual(["deleteAccount"]);
  });
});
