import { decode } from "@latchkey/codec";
import { httpPaths } from "@latchkey/protocol";
import type { LookupReply } from "@latchkey/protocol";
import {
  decodeDirectoryProof,
  nextReplay,
  openCheckpoint,
  parseVkey,
  decodeEntryBundle,
  directoryConfigCodec,
  replayRoot,
  tileBytes,
  tileHashReader,
  tilePath,
  rootAt,
  verifyAbsence,
  verifyLookup,
  entriesTilePath,
} from "@latchkey/transparency";
import type { DirectoryView, KnownLabels, ReplayState } from "@latchkey/transparency";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { defaultLimits } from "../config.ts";
import type { RunningServer } from "../server.ts";
import { databaseFiles, journalSuffix } from "../store/sqlite/database-files.ts";
import {
  createAccount,
  createDevice,
  deviceEntry,
  nextState,
  none,
  random,
  register,
  runServer,
  signBinding,
  signCard,
  signPop,
  temporaryDirectory,
} from "../testing/fixtures.ts";
import type { TestAccount } from "../testing/fixtures.ts";
import { TestClient } from "../testing/test-client.ts";
import { nodeSignatures as signatures } from "./signatures.ts";

type Found = Extract<LookupReply, { kind: "account" }>;

const byDevice = (account: TestAccount) => ({
  seed: account.device.seed,
  signer: { kind: "device", deviceId: account.device.deviceId } as const,
});

async function fetchBytes(server: RunningServer, path: string): Promise<Uint8Array> {
  const response = await fetch(`${server.url}${httpPaths.directory}/${path}`);
  if (response.status !== 200) throw new Error(`${path}: ${String(response.status)}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Verifies answers as a client does, with what it has seen before. */
class Verifier {
  view: DirectoryView | undefined;
  /** Its clock. */
  nowMs: () => number = Date.now;
  readonly #server: RunningServer;
  readonly #config: Uint8Array;

  constructor(server: RunningServer, config: Uint8Array) {
    this.#server = server;
    this.#config = config;
  }

  static async open(server: RunningServer): Promise<Verifier> {
    return new Verifier(server, await fetchBytes(server, "config"));
  }

  #head() {
    return { host: this.#server.host, view: this.view, config: this.#config, nowMs: this.nowMs(), signatures };
  }

  get knownSize(): number {
    return this.view?.size ?? 0;
  }

  async account(found: Found, query: { username?: string; accountId?: Uint8Array }, known?: KnownLabels) {
    const result = await verifyLookup({ ...this.#head(), proof: decodeDirectoryProof(found.proof), query, known, record: found });
    this.view = result.view;
    return result;
  }

  async absence(found: Extract<LookupReply, { kind: "absent" }>, username: string) {
    const result = await verifyAbsence({ ...this.#head(), proof: decodeDirectoryProof(found.proof), username, bindings: found.bindings });
    this.view = result.view;
    return result;
  }
}

async function ask<Kind extends LookupReply["kind"]>(
  client: TestClient<"lookup">,
  kind: Kind,
  request: Parameters<TestClient<"lookup">["ask"]>[0],
): Promise<Extract<LookupReply, { kind: Kind }>> {
  const reply = await client.ask(request);
  if (reply.kind !== kind) throw new Error(`${kind} expected: ${JSON.stringify(reply)}`);
  // Compared above.
  return reply as Extract<LookupReply, { kind: Kind }>;
}

describe("the public log", () => {
  test("[A-2] who registers gets the proof of its account and its name", async () => {
    const server = await runServer();
    const client = await TestClient.connect(server.url, "device");
    const account = await createAccount("alice", server.host);
    await client.ask({ kind: "reserve", username: "alice", invitation: "", token: none });
    const published = await client.ask({ kind: "publish", state: account.signedState, pops: account.pops, bindings: account.bindings });
    if (published.kind !== "published") throw new Error(published.kind);
    const verifier = await Verifier.open(server);
    const record = {
      kind: "account",
      states: [account.signedState],
      pops: account.pops,
      bindings: account.bindings,
      proof: published.proof,
    } as const;
    const { labels } = await verifier.account(record, { accountId: account.accountId, username: "alice" });
    expect(labels).toMatchObject({ account: { version: 1 }, username: { version: 1 } });
    // The retry of who has not heard the answer is shown it too.
    const again = await client.ask({ kind: "publish", state: account.signedState, pops: account.pops, bindings: account.bindings });
    if (again.kind !== "published") throw new Error(again.kind);
    await verifier.account({ ...record, proof: again.proof }, { accountId: account.accountId, username: "alice" });
  });

  test("[D-1] a lookup verifies from nothing, goes on from what is known, and an unknown name is proved to be nobody's", async () => {
    const server = await runServer();
    const { account, client } = await register(server, "alice");
    await register(server, "bobby");
    const lookup = await TestClient.connect(server.url, "lookup");
    const verifier = await Verifier.open(server);
    const first = await ask(lookup, "account", { kind: "lookup_username", username: "alice", fromVersion: 0, knownSize: 0 });
    const { labels } = await verifier.account(first, { username: "alice" });
    const absent = await ask(lookup, "absent", {
      kind: "lookup_username",
      username: "carol",
      fromVersion: 0,
      knownSize: verifier.knownSize,
    });
    expect((await verifier.absence(absent, "carol")).username).toBeUndefined();
    await expect(verifier.absence(absent, "carla")).rejects.toMatchObject({ code: "proof" });

    const second = createDevice();
    const devices = [deviceEntry(account.device), deviceEntry(second)].toSorted((a, b) => Buffer.compare(a.deviceId, b.deviceId));
    const next = await nextState(account, { devices }, byDevice(account));
    const pops = [await signPop(second, account.accountId)];
    expect(await client.outcome({ kind: "publish", state: next.signedState, pops, bindings: [] })).toBe("published");
    await register(server, "daisy");
    const { accountId } = account;
    const more = await ask(lookup, "account", {
      kind: "lookup_account",
      accountId,
      fromVersion: 1,
      accountValues: 1,
      nameValues: 1,
      knownSize: verifier.knownSize,
    });
    expect(more).toMatchObject({ states: [next.signedState], pops, bindings: [] });
    const result = await verifier.account(more, { accountId, username: "alice" }, labels);
    expect(result).toMatchObject({ relation: "newer", labels: { account: { version: 2 }, username: { version: 1 } } });
    // Who claims to know more than there is gets everything, and sees.
    const all = await ask(lookup, "account", {
      kind: "lookup_account",
      accountId,
      fromVersion: 0,
      accountValues: 9,
      nameValues: 9,
      knownSize: 999,
    });
    await verifier.account(all, { accountId });
    expect(more.proof.length).toBeLessThan(all.proof.length);
    // A proof with one bit changed is refused.
    const forged = all.proof.slice();
    forged[forged.length - 40] = (forged[forged.length - 40] ?? 0) ^ 1;
    await expect(verifier.account({ ...all, proof: forged }, { accountId })).rejects.toThrow();
  });

  test("[A-3] a name given up shows its release, and whoever has it next shows whose it was", async () => {
    let nowMs = Date.now();
    const server = await runServer({}, { nowMs: () => nowMs });
    const { account, client } = await register(server, "alice");
    const { accountId, device } = account;
    const sign = (username: string, status: "bound" | "released") =>
      signBinding({ username, host: server.host, accountId, status, device });
    const renamed = await nextState(account, { username: "alicia" }, byDevice(account));
    await client.ask({ kind: "reserve", username: "alicia", invitation: "", token: none });
    const bindings = [await sign("alicia", "bound"), await sign("alice", "released")];
    expect(await client.outcome({ kind: "publish", state: renamed.signedState, pops: [], bindings })).toBe("published");
    const lookup = await TestClient.connect(server.url, "lookup");
    const verifier = await Verifier.open(server);
    verifier.nowMs = () => nowMs;
    const gone = await ask(lookup, "absent", { kind: "lookup_username", username: "alice", fromVersion: 0, knownSize: 0 });
    expect(gone.bindings).toHaveLength(2);
    expect(await verifier.absence(gone, "alice")).toMatchObject({ username: { version: 2 } });
    // The name is another one: what the asker knew of the old name does not count.
    const query = {
      kind: "lookup_account",
      accountId,
      fromVersion: 1,
      accountValues: 1,
      nameValues: 1,
      knownSize: verifier.knownSize,
    } as const;
    expect(await ask(lookup, "account", query)).toMatchObject({ states: [renamed.signedState], bindings: bindings.slice(0, 1) });
    nowMs += 181 * 86_400_000;
    const other = await register(server, "alice");
    const found = await ask(lookup, "account", {
      kind: "lookup_username",
      username: "alice",
      fromVersion: 0,
      knownSize: verifier.knownSize,
    });
    const result = await verifier.account(found, { username: "alice" });
    expect(result).toMatchObject({ accountId: other.account.accountId, hadOtherOwner: true });
  });

  test("[A-1] of a deleted account its last state is left, and the commitments to what was erased", async () => {
    const directory = temporaryDirectory();
    const server = await runServer({ dataDirectory: directory });
    const { account, client } = await register(server, "alice");
    const { accountId, device } = account;
    const deleted = await nextState(account, { status: "deleted" }, byDevice(account));
    const released = await signBinding({ username: "alice", host: server.host, accountId, status: "released", device });
    const published = await client.ask({ kind: "publish", state: deleted.signedState, pops: [], bindings: [released] });
    if (published.kind !== "published") throw new Error(published.kind);
    const verifier = await Verifier.open(server);
    const record = { kind: "account", states: [deleted.signedState], pops: [], bindings: [released] } as const;
    await verifier.account({ ...record, proof: published.proof }, { accountId, username: "alice" });
    const lookup = await TestClient.connect(server.url, "lookup");
    const query = { kind: "lookup_account", accountId, fromVersion: 0, accountValues: 0, nameValues: 0, knownSize: 0 } as const;
    const found = await ask(lookup, "account", query);
    expect(found).toMatchObject({ states: [deleted.signedState], pops: [], bindings: [released] });
    await verifier.account(found, { accountId });
    const absent = await ask(lookup, "absent", { kind: "lookup_username", username: "alice", fromVersion: 0, knownSize: 0 });
    await verifier.absence(absent, "alice");
    expect(await lookup.ask({ kind: "check_username", username: "alice" })).toMatchObject({ reason: 1 });
    // Scrubbed and stopped, no file has the first state any more.
    await server.close();
    const body = account.signedState.slice(-64);
    const files = databaseFiles.flatMap((name) => [name, `${name}${journalSuffix}`]).map((name) => join(directory, name));
    for (const file of files)
      expect(statSync(file, { throwIfNoEntry: false }) !== undefined && readFileSync(file).includes(body), file).toBe(false);
  });

  test("anyone replays the log from its files: entries, transitions, tiles and checkpoint agree", async () => {
    const server = await runServer();
    for (const name of ["alice", "bobby", "carol"]) await register(server, name);
    const config = decode(directoryConfigCodec, await fetchBytes(server, "config"));
    expect(config.origin).toBe(`${server.host}/latchkey`);
    const note = await fetchBytes(server, "checkpoint");
    const { checkpoint } = await openCheckpoint({ note, origin: config.origin, log: parseVkey(config.logKey), witnesses: [], signatures });
    expect(checkpoint.size).toBe(4);
    const entries = decodeEntryBundle(await fetchBytes(server, entriesTilePath(0, checkpoint.size)), checkpoint.size);
    let state: ReplayState | undefined;
    for (const [index, entry] of entries.entries()) {
      const transition = index === 0 ? undefined : await fetchBytes(server, `transition/${String(index)}`);
      const step = nextReplay(state, { entry, transition });
      state = step.state;
      if (index > 0) expect(step).toMatchObject({ changed: 2, added: 2 });
    }
    if (state === undefined) throw new Error("no entries");
    expect(replayRoot(state)).toEqual(checkpoint.root);
    const readTile = (tile: { level: number; index: number; width: number }) =>
      fetchBytes(server, tilePath(tile.level, tile.index, tile.width));
    const reader = tileHashReader(checkpoint.size, readTile);
    expect(await rootAt(checkpoint.size, reader)).toEqual(checkpoint.root);
    expect(await tileBytes({ level: 0, index: 0, width: 3 }, reader)).toEqual(await readTile({ level: 0, index: 0, width: 3 }));
  });

  test("files of the log are for everybody and for ever; only the checkpoint changes, and nothing else is there", async () => {
    const server = await runServer();
    await register(server, "alice");
    const get = (path: string) => fetch(`${server.url}${httpPaths.directory}/${path}`);
    for (const path of ["config", "tile/0/000.p/2", "tile/entries/000.p/1", "transition/1"]) {
      const response = await get(path);
      expect(response.status, path).toBe(200);
      expect(response.headers.get("cache-control"), path).toBe("public, max-age=31536000, immutable");
      expect(response.headers.get("access-control-allow-origin")).toBe("*");
      expect(response.headers.get("cross-origin-resource-policy")).toBe("cross-origin");
    }
    const checkpoint = await get("checkpoint");
    expect(checkpoint.headers.get("cache-control")).toBe("public, max-age=1");
    expect(checkpoint.headers.get("access-control-allow-origin")).toBe("*");
    const nowhere = [
      "tile/0/000",
      "tile/0/000.p/3",
      "tile/0/000.p/0",
      "tile/1/000.p/1",
      "tile/64/000",
      "tile/entries/000",
      "tile/entries/001.p/1",
    ];
    const malformed = [
      "tile/",
      "tile/0/0",
      "tile/../checkpoint",
      "transition/0",
      "transition/2",
      "transition/01",
      "transition/x",
      "transition/99999999999999999999",
    ];
    const others = ["config-change/0", "config-change/1", "", "nothing"];
    for (const path of [...nowhere, ...malformed, ...others]) {
      const response = await get(path);
      if (path === "tile/../checkpoint") continue;
      expect(response.status, path).toBe(404);
    }
  });

  test("the keys are files of the server's user alone; with another VRF key it does not start", async () => {
    const dataDirectory = temporaryDirectory();
    const host = "latchkey.example";
    const server = await runServer({ dataDirectory, host });
    for (const name of ["log.key", "vrf.key"]) {
      const { mode, size } = statSync(join(dataDirectory, "directory", name));
      expect([mode & 0o777, size], name).toEqual([0o600, 32]);
    }
    await server.close();
    writeFileSync(join(dataDirectory, "directory", "vrf.key"), new Uint8Array(32).fill(3));
    await expect(runServer({ dataDirectory, host })).rejects.toMatchObject({ code: "data_unusable" });
    writeFileSync(join(dataDirectory, "directory", "vrf.key"), new Uint8Array(31));
    await expect(runServer({ dataDirectory, host })).rejects.toMatchObject({ code: "data_unusable" });
  });

  test("names that nobody has cost proofs, so they are limited; what was asked for before, and names that somebody has, are not", async () => {
    const proveAbsence = { burst: 2, perSecond: 0 };
    const server = await runServer({ limits: { rates: { ...defaultLimits.rates, proveAbsence } } });
    await register(server, "alice");
    const lookup = await TestClient.connect(server.url, "lookup");
    const outcome = (username: string) => lookup.outcome({ kind: "lookup_username", username, fromVersion: 0, knownSize: 0 });
    expect(await outcome("carol")).toBe("absent");
    expect(await outcome("daisy")).toBe("absent");
    expect(await outcome("emily")).toBe("rate_limited");
    expect(await outcome("carol")).toBe("absent");
    expect(await outcome("alice")).toBe("account");
    expect(await outcome("No Name")).toBe("not_found");
    expect(
      await lookup.outcome({
        kind: "lookup_account",
        accountId: random(32),
        fromVersion: 0,
        accountValues: 0,
        nameValues: 0,
        knownSize: 0,
      }),
    ).toBe("not_found");
  });

  test("files of the log have a limit for each address, far above what an audit needs at once", async () => {
    const readDirectory = { burst: 3, perSecond: 0 };
    const server = await runServer({ limits: { rates: { ...defaultLimits.rates, readDirectory } } });
    const statuses: number[] = [];
    for (const path of ["checkpoint", "config", "tile/0/000.p/1", "tile/0/000.p/1", "nothing"]) {
      statuses.push((await fetch(`${server.url}${httpPaths.directory}/${path}`)).status);
    }
    expect(statuses).toEqual([200, 200, 200, 429, 404]);
  });

  test("the card of a device is there for whoever knows its account", async () => {
    const server = await runServer();
    const { account, client } = await register(server, "alice");
    const lookup = await TestClient.connect(server.url, "lookup");
    const query = { kind: "lookup_card", accountId: account.accountId, deviceId: account.device.deviceId } as const;
    expect(await lookup.outcome(query)).toBe("not_found");
    const card = await signCard(account.device, random(32));
    await client.outcome({ kind: "card", card });
    expect(await lookup.ask(query)).toEqual({ kind: "card", card });
    expect(await lookup.outcome({ ...query, accountId: random(32) })).toBe("not_found");
  });
});
