import { toBase64Url } from "@latchkey/codec";
import { blobPath } from "@latchkey/protocol";
import { expect, test, vi } from "vitest";
import { defaultLimits } from "../config.ts";
import { Refusal } from "../errors.ts";
import { answer } from "../testing/ask-admin.ts";
import { connectDevice, createAccount, none, random, runServer, temporaryDirectory } from "../testing/fixtures.ts";
import { TestClient } from "../testing/test-client.ts";
import { DeviceRegistry } from "../ws/device-registry.ts";
import { createRateAdmission } from "./admission.ts";
import { ConnectedMembers } from "./members.ts";

test("an address has a share more for each account that is connected from it, once for all of its connections, and while it is", () => {
  const members = new ConnectedMembers();
  const rates = { ...defaultLimits.rates, createLog: { burst: 2, perSecond: 0.000_01 } };
  const admission = createRateAdmission(rates, () => 0, members);
  /** How many logs the address makes until it is refused. */
  const made = (address: string): number => {
    for (let count = 0; ; count += 1) {
      try {
        admission.admit("createLog", { address });
      } catch (error) {
        expect(error).toBeInstanceOf(Refusal);
        return count;
      }
    }
  };
  members.add("office", "alice");
  members.add("office", "alice");
  members.add("office", "bob");
  expect(made("office")).toBe(6);
  expect(made("elsewhere")).toBe(2);
  // Neither coming again nor another address makes a share new.
  members.remove("office", "bob");
  members.add("office", "bob");
  members.add("elsewhere", "alice");
  expect([made("office"), made("elsewhere")]).toEqual([0, 0]);
  members.add("office", "carol");
  members.remove("office", "carol");
  expect(made("office")).toBe(0);
  for (const account of ["alice", "alice", "bob"]) members.remove("office", account);
  expect([...members.at("office")]).toEqual([]);
});

test("what is no member's to do without saying who they are has no shares", () => {
  const members = new ConnectedMembers();
  members.add("office", "alice");
  const rates = { ...defaultLimits.rates, register: { burst: 1, perSecond: 0.000_01 } };
  const admission = createRateAdmission(rates, () => 0, members);
  admission.admit("register", { address: "office" });
  expect(() => admission.admit("register", { address: "office" })).toThrow(Refusal);
});

test("a device that comes back from another address leaves the one before", () => {
  const registry = new DeviceRegistry(() => 0);
  const [accountId, deviceId] = [random(32), random(16)];
  const home = { address: "home", close: vi.fn() };
  const office = { address: "office", close: vi.fn() };
  const at = (address: string): number => [...registry.members.at(address)].length;
  registry.add({ accountId, version: 0, deviceId, connection: home });
  registry.add({ accountId, version: 0, deviceId, connection: home });
  registry.add({ accountId, version: 0, deviceId, connection: office });
  expect([at("home"), at("office")]).toEqual([0, 1]);
  // The old connection ends after it was replaced.
  registry.remove({ accountId, deviceId, connection: home });
  expect([at("home"), at("office")]).toEqual([0, 1]);
  registry.remove({ accountId, deviceId, connection: office });
  expect([at("home"), at("office")]).toEqual([0, 0]);
});

test.each([
  ["invitation", 4],
  ["open", 2],
] as const)(
  "with registration %s an address with one account connected uploads %i where two are a share",
  async (registration, uploads) => {
    const dataDirectory = temporaryDirectory();
    const limitSettings = ["rates.putBlob=2/0.00001"];
    const server = await runServer({ dataDirectory, registration, limitSettings });
    const upload = async (): Promise<number> =>
      (await fetch(`${server.url}${blobPath(toBase64Url(random(32)))}`, { method: "PUT", body: random(10).slice() })).status;
    const invitation = String((await answer(dataDirectory, "invite-create"))["code"]);
    const client = await TestClient.connect(server.url, "device");
    const account = await createAccount("alice", server.host);
    await client.ask({ kind: "reserve", username: "alice", invitation, token: none });
    await client.ask({ kind: "publish", state: account.signedState, pops: account.pops, bindings: account.bindings });
    expect(await connectDevice(client, account.accountId, account.device)).toBe("done");
    const statuses = [await upload(), await upload(), await upload(), await upload(), await upload()];
    expect(statuses).toEqual([...Array.from({ length: uploads }, () => 201), ...Array.from({ length: 5 - uploads }, () => 429)]);
  },
);
