// Everything that the server does by a time, under a clock that jumps: what it keeps, dates, takes and lets in.
import { expect, test } from "vitest";
import { dayMs } from "../days.ts";
import { connectDevice, createAccount, none, random, register, signBinding, signCard, signState } from "../testing/fixtures.ts";
import { Machine, reasons } from "../testing/machine.ts";
import { TestClient } from "../testing/test-client.ts";
import { accountIdOf, signedCodec } from "@latchkey/transparency";
import { decode } from "@latchkey/codec";

const hourMs = 3_600_000;

test("[E-97] a clock that jumps by an hour, a week or ten years, and back, costs nobody anything that was kept, and dates no public record ahead", async () => {
  const machine = new Machine();
  const server = await machine.run();
  await machine.append(server, true);
  const { account, client } = await register(server, "alice");
  const keyPackages = [random(100), random(100)];
  const notAfterMs = machine.wallMs + 20 * dayMs;
  await client.ask({ kind: "publish_key_packages", lastResort: false, notAfterMs, keyPackages });
  const inboxId = random(32);
  expect(await client.outcome({ kind: "card", card: await signCard(account.device, inboxId, machine.wallMs + 20 * dayMs) })).toBe("done");
  for (const jump of [hourMs, -hourMs, 7 * dayMs, -7 * dayMs, 3650 * dayMs, -3650 * dayMs]) {
    machine.pass(hourMs);
    machine.wallMs += jump;
    machine.pass(60_000);
    await machine.append(server);
    await reasons(server);
    machine.wallMs -= jump;
    machine.pass(60_000);
    expect(await reasons(server), String(jump)).toEqual([]);
    await machine.append(server);
  }
  expect(await machine.positions(server)).toMatchObject({ firstSeq: 1, lastSeq: 13 });
  expect(await client.ask({ kind: "count_key_packages" })).toMatchObject({ oneTime: 2 });
  await register(server, "bert");
  await client.close();
  await server.close();
  expect(await machine.newestEntryMs()).toBeLessThanOrEqual(machine.wallMs);
});

test("[E-84] a server that was off for a week takes what devices date rightly while it doubts its clock, and promises nothing by the old day", async () => {
  const machine = new Machine();
  const before = await machine.run();
  await register(before, "alice");
  await before.close();
  machine.pass(7 * dayMs);
  machine.passedMs = 0;
  const server = await machine.run();
  expect((await reasons(server)).map(({ code }) => code)).toEqual(["clock"]);
  const client = await TestClient.connect(server.url, "device");
  // What a device holds its own clock against.
  expect(client.hello.timeMs).toBe(machine.wallMs);
  await client.ask({ kind: "reserve", username: "bert", invitation: "", token: none });
  const made = await createAccount("bert", server.host);
  const signedState = await signState({ ...made.state, timeMs: machine.wallMs }, made.device.seed);
  const accountId = accountIdOf(decode(signedCodec, signedState).body);
  const binding = await signBinding({ username: "bert", host: server.host, accountId, status: "bound", device: made.device });
  expect(await client.outcome({ kind: "publish", state: signedState, pops: made.pops, bindings: [binding] })).toBe("published");
  expect(await connectDevice(client, accountId, made.device)).toBe("done");
  const notAfterMs = machine.wallMs + 30 * dayMs;
  expect(await client.outcome({ kind: "publish_key_packages", lastResort: true, notAfterMs, keyPackages: [random(100)] })).toBe(
    "key_packages",
  );
  expect(await client.outcome({ kind: "card", card: await signCard(made.device, random(32), notAfterMs) })).toBe("done");
  await client.close();
});
