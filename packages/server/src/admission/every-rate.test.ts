import { toBase64Url } from "@latchkey/codec";
import { blobPath, httpPaths } from "@latchkey/protocol";
import { reportPaths } from "@latchkey/protocol/reports";
import { expect, test } from "vitest";
import { defaultLimits } from "../config.ts";
import type { RunningServer } from "../server.ts";
import {
  connectDevice,
  createLog,
  createTestLog,
  entryBytes,
  none,
  openLog,
  random,
  register,
  runServer,
  zeros,
} from "../testing/fixtures.ts";
import { TestClient } from "../testing/test-client.ts";
import type { CostedOperation } from "./admission.ts";
import { TargetLimits } from "./targets.ts";

/** Asks for something again and again, from one address. */
type Ask = () => Promise<string>;

const headersOf = (address: string): { headers: Record<string, string> } => ({ headers: { "x-forwarded-for": address } });

async function onLog(server: RunningServer, address: string): Promise<TestClient<"log">> {
  return TestClient.connect(server.url, "log", headersOf(address));
}

async function posting(server: RunningServer, address: string, capability: Uint8Array): Promise<Ask> {
  const client = await TestClient.connect(server.url, "post", headersOf(address));
  return () => client.outcome({ kind: "post", inboxId: zeros, capability, blob: random(100), token: none });
}

/** An HTTP request, whose refusal is its status. */
function overHttp(server: RunningServer, address: string, path: () => string, body?: Uint8Array<ArrayBuffer>): Ask {
  return async () => {
    const init = body === undefined ? {} : { method: "PUT", body };
    const { status } = await fetch(`${server.url}${path()}`, { ...init, ...headersOf(address) });
    return status === 429 ? "rate_limited" : String(status);
  };
}

/** Bytes that are posted. */
function posted(path: string): (server: RunningServer, address: string) => Ask {
  return (server, address) => async () => {
    const { status } = await fetch(`${server.url}${path}`, { method: "POST", body: "A".repeat(64), ...headersOf(address) });
    return status === 429 ? "rate_limited" : String(status);
  };
}

const upload = (server: RunningServer, address: string): Ask =>
  overHttp(server, address, () => blobPath(toBase64Url(random(32))), random(10).slice());

/** What each rate holds back. */
const asks: { readonly [Name in CostedOperation]: (server: RunningServer, address: string) => Ask | Promise<Ask> } = {
  async createLog(server, address) {
    const client = await onLog(server, address);
    return () => client.outcome({ kind: "create", logId: random(32), accessHash: zeros, token: none });
  },
  strangerPost: (server, address) => posting(server, address, zeros),
  contactPost: (server, address) => posting(server, address, random(32)),
  async takeKeyPackage(server, address) {
    const client = await TestClient.connect(server.url, "lookup", headersOf(address));
    return () => client.outcome({ kind: "take_key_package", accountId: zeros, deviceId: random(16), token: none });
  },
  putBlob: upload,
  patchUpload: (server, address) => async () => {
    const headers = { "tus-resumable": "1.0.0", "content-type": "application/offset+octet-stream", ...headersOf(address).headers };
    const { status } = await fetch(`${server.url}${httpPaths.uploads}/unknown`, { method: "PATCH", headers, body: random(10).slice() });
    return status === 429 ? "rate_limited" : String(status);
  },
  async register(server, address) {
    const client = await TestClient.connect(server.url, "device", headersOf(address));
    return () => client.outcome({ kind: "reserve", username: `alice-${address.at(-1)}`, invitation: "", token: none });
  },
  async withoutToken(server, address) {
    const client = await onLog(server, address);
    return () => refusedAs("token_required", client.outcome({ kind: "create", logId: random(32), accessHash: zeros, token: none }));
  },
  async badToken(server, address) {
    const client = await onLog(server, address);
    const ask = () => client.outcome({ kind: "create", logId: random(32), accessHash: zeros, token: random(9) });
    // The one beyond them is answered as the others, and none after it is looked at.
    await ask();
    return ask;
  },
  async lookup(server, address) {
    const client = await TestClient.connect(server.url, "lookup", headersOf(address));
    return () => client.outcome({ kind: "check_username", username: "alice" });
  },
  async tryPassphrase(server, address) {
    const client = await TestClient.connect(server.url, "lookup", headersOf(address));
    return () => client.outcome({ kind: "try_passphrase", accountId: zeros, ke1: random(96) });
  },
  async proveAbsence(server, address) {
    const client = await TestClient.connect(server.url, "lookup", headersOf(address));
    const name = (): string => `nobody-${Buffer.from(random(6)).toString("hex")}`;
    return () => client.outcome({ kind: "lookup_username", username: name(), fromVersion: 0, knownSize: 0 });
  },
  async wake(server, address) {
    const client = await TestClient.connect(server.url, "post", headersOf(address));
    return () => client.outcome({ kind: "wake", token: random(100) });
  },
  deskRefused: posted(`${httpPaths.desk}/open`),
  report: posted(reportPaths.reports),
  reportBytes: posted(reportPaths.reports),
  reportAnswers: posted(reportPaths.answers),
  readDirectory: (server, address) => overHttp(server, address, () => `${httpPaths.directory}/checkpoint`),
  holdings: posted(httpPaths.holdings),
  async historyBytes(server, address) {
    const { account } = await register(server, `alice-${address.at(-1) ?? ""}`);
    const client = await TestClient.connect(server.url, "device", headersOf(address));
    await connectDevice(client, account.accountId, account.device);
    const chunk = random(4096);
    return () => client.outcome({ kind: "put_history_chunk", generation: random(16), number: 0, chunk });
  },
  async openLog(server, address) {
    const client = await onLog(server, address);
    return () => openLog(client, createTestLog());
  },
  async headProof(server, address) {
    const [client, log] = [await onLog(server, address), createTestLog()];
    await createLog(client, log);
    return () => client.outcome({ kind: "head_proof", logId: log.logId, knownSize: 0 });
  },
  async storeBytes(server, address) {
    const [client, log] = [await onLog(server, address), createTestLog()];
    await createLog(client, log);
    return () => client.outcome({ kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob: entryBytes(512) });
  },
  blobBytes: upload,
};

/** Of some the bound has another name. */
async function refusedAs(code: string, outcome: Promise<string>): Promise<string> {
  return (await outcome) === code ? "rate_limited" : outcome;
}

test.each(Object.keys(asks) as CostedOperation[])("rates.%s holds one address back at what it is set to, and no other", async (name) => {
  const rates = { ...defaultLimits.rates, [name]: { burst: 1, perSecond: 0.001 } };
  const server = await runServer({ limits: { rates, tokensPerDay: name.endsWith("Token") ? 10 : 0 }, trustProxy: "loopback" });
  const [flood, honest] = [await asks[name](server, "203.0.113.9"), await asks[name](server, "203.0.113.1")];
  expect(await flood()).not.toBe("rate_limited");
  expect(await flood()).toBe("rate_limited");
  expect(await honest()).not.toBe("rate_limited");
});

test("contacts' items for one inbox are bounded for each address, and strangers' not by them", () => {
  const targets = new TargetLimits({ ...defaultLimits.targets, contactPost: { burst: 1, perSecond: 0 } }, () => 0);
  const post = (part: "contacts" | "strangers", address: string, inboxId = zeros) => targets.post(part, inboxId, { address });
  post("contacts", "203.0.113.9");
  expect(() => post("contacts", "203.0.113.9")).toThrow("rate_limited");
  for (const more of [() => post("contacts", "203.0.113.1"), () => post("strangers", "203.0.113.9")]) expect(more).not.toThrow();
  expect(() => post("contacts", "203.0.113.9", random(32))).not.toThrow();
});

test("key packages of one device are spared for each address, and for all together", () => {
  const rates = { takeKeyPackage: { burst: 2, perSecond: 0 }, takeKeyPackageInAll: { burst: 3, perSecond: 0 } };
  const targets = new TargetLimits({ ...defaultLimits.targets, ...rates }, () => 0);
  const isGiven = (address: string, deviceId = zeros): boolean => targets.sparedMs(deviceId, { address }) === 0;
  expect(["203.0.113.9", "203.0.113.9", "203.0.113.9"].map((address) => isGiven(address))).toEqual([true, true, false]);
  expect([isGiven("203.0.113.1"), isGiven("203.0.113.2")]).toEqual([true, false]);
  expect(isGiven("203.0.113.9", random(16))).toBe(true);
});
