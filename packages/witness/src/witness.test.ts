import { utf8Bytes } from "@latchkey/codec";
import {
  addSignatures,
  createVerifier,
  encodeAddCheckpoint,
  formatNote,
  parseCheckpoint,
  parseNote,
  parseSignatureLines,
  parseVkey,
  verifyNoteSignatures,
} from "@latchkey/transparency";
import { createMemoryDirectory } from "@latchkey/transparency/testing";
import type { MemoryDirectory } from "@latchkey/transparency/testing";
import { isCutOff, seededRandom } from "@latchkey/testkit";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { nodeSignatures } from "./signatures.ts";
import { startLogServer } from "./testing/log-server.ts";
import type { LogServer } from "./testing/log-server.ts";
import { startWitness } from "./witness.ts";
import type { RunningWitness, WitnessEvent, WitnessOptions } from "./witness.ts";

let folder: string;
let directory: MemoryDirectory;
let log: LogServer;
let events: WitnessEvent[];
const running: RunningWitness[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-witness-"));
  directory = await createMemoryDirectory({ witnesses: 0, nowMs: Date.now() - 3_600_000 });
  log = await startLogServer(directory);
  events = [];
});

afterEach(async () => {
  for (const witness of running.splice(0)) await witness.close();
  await log[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function start(options: Partial<WitnessOptions> = {}): Promise<RunningWitness> {
  const witness = await startWitness({
    serverUrl: log.url,
    keyPath: join(folder, "key"),
    name: "w.example",
    listen: "127.0.0.1:0",
    report: (event) => events.push(event),
    ...options,
  });
  running.push(witness);
  return witness;
}

const random = seededRandom("witness");
let names = 0;

/** Publishes as many new names, in one entry. */
async function publish(count: number, to: MemoryDirectory = directory): Promise<void> {
  await to.publish(
    Array.from({ length: count }, () => ({ type: "username" as const, label: utf8Bytes(`name${String(names++)}`), values: [random(40)] })),
  );
}

async function request(oldSize: number, from: MemoryDirectory = directory, size: number = from.size()): Promise<string> {
  const { checkpoint } = await from.head({ size });
  const proof = oldSize === 0 || oldSize > size ? [] : await from.consistency(oldSize, size);
  return encodeAddCheckpoint({ oldSize, proof, note: parseNote(checkpoint) });
}

async function submit(
  witness: RunningWitness,
  body: string | Uint8Array<ArrayBuffer>,
): Promise<{ status: number; type: string | null; text: string }> {
  const response = await fetch(`${witness.url}/add-checkpoint`, { method: "POST", body });
  return { status: response.status, type: response.headers.get("content-type"), text: await response.text() };
}

/** Names of the keys of the witness whose cosignatures of the directory's head the answer holds, verified. */
async function signersOf(witness: RunningWitness, text: string, from: MemoryDirectory = directory): Promise<string[]> {
  const { checkpoint } = await from.head();
  const note = addSignatures(parseNote(checkpoint), parseSignatureLines(text));
  const verified = await verifyNoteSignatures(note, [parseVkey(witness.logKey), parseVkey(witness.mapKey)], nodeSignatures);
  return verified.map(({ name }) => name);
}

describe("a witness", () => {
  test("[D-3] cosigns what continues the log, with the map key once it replayed every transition", async () => {
    const witness = await start();
    expect(witness.origin).toBe(directory.origin);
    await publish(3);
    const first = await submit(witness, await request(0));
    expect(first.status).toBe(200);
    expect(await signersOf(witness, first.text)).toEqual(["w.example", "w.example/latchkey-map"]);
    const before = directory.size();
    for (let i = 0; i < 20; i++) await publish(2);
    const second = await submit(witness, await request(before));
    expect([second.status, await signersOf(witness, second.text)]).toEqual([200, ["w.example", "w.example/latchkey-map"]]);
    // Again at the same size, as every six hours.
    const third = await submit(witness, await request(directory.size()));
    expect([third.status, await signersOf(witness, third.text)]).toEqual([200, ["w.example", "w.example/latchkey-map"]]);
    expect(events).toEqual([]);
  });

  test("[D-2] [E-53] cosigns nothing that is dated ahead of its clock, nor what has no date to be read", async () => {
    let clockMs = directory.nowMs();
    const witness = await start({ nowMs: () => clockMs, mapWaitMs: 500 });
    await publish(1);
    expect((await submit(witness, await request(0))).status).toBe(200);
    const before = directory.size();
    directory.setTime(directory.nowMs() + 8 * 86_400_000);
    await publish(1);
    const body = await request(before);
    expect((await submit(witness, body)).status).toBe(503);
    expect(events.at(-1)).toMatchObject({ kind: "ahead" });
    // Waited out: the same request, once the time has come.
    clockMs = directory.nowMs() - 300_000;
    const later = await submit(witness, body);
    expect([later.status, await signersOf(witness, later.text)]).toEqual([200, ["w.example", "w.example/latchkey-map"]]);
    const size = directory.size();
    await publish(1);
    const next = await request(size);
    await log[Symbol.asyncDispose]();
    expect((await submit(witness, next)).status).toBe(503);
  });

  test("answers with the statuses of C2SP tlog-witness", async () => {
    const witness = await start();
    await publish(1);
    const statusOf = async (body: string | Uint8Array<ArrayBuffer>): Promise<number> => (await submit(witness, body)).status;
    const good = await request(0);
    // 400: not of the form; the old size above the new one.
    for (const body of ["", "old 0\n", good.replace("old 0", "old 00"), good.replace("old 0", "old x"), good.slice(0, -1), "\n\n\n"]) {
      expect(await statusOf(body)).toBe(400);
    }
    expect(await statusOf(good.replace("old 0", "old 900"))).toBe(400);
    expect(await statusOf(new Uint8Array([0xff, 0x0a, 0x0a]))).toBe(400);
    // 404: another log.
    const other = await createMemoryDirectory({ host: "other.example", witnesses: 0 });
    expect(await statusOf(await request(0, other))).toBe(404);
    // 403: no signature of the log's key, or one that does not verify.
    const thief = directory.fork();
    thief.signWith(random(32));
    expect(await statusOf(await request(0, thief))).toBe(403);
    expect(await statusOf(good.replace(/\n2\n/, "\n3\n"))).toBe(403);
    // 422: a proof where there must be none.
    expect(await statusOf(good.replace("old 0\n", `old 0\n${"A".repeat(43)}=\n`))).toBe(422);
    // Only now is there anything to know.
    expect(await statusOf(good)).toBe(200);
    const conflict = await submit(witness, good);
    expect([conflict.status, conflict.type, conflict.text]).toEqual([409, "text/x.tlog.size", "2\n"]);
    await publish(1);
    const continued = await request(2);
    expect(await statusOf(continued.replace(/^old 2\n[^\n]*\n/, "old 2\n"))).toBe(422);
    expect(await statusOf(continued)).toBe(200);
    expect((await fetch(`${witness.url}/add-checkpoint`)).status).toBe(405);
    expect((await fetch(`${witness.url}/elsewhere`)).status).toBe(404);
    expect(await statusOf("x".repeat(100_000))).toBe(413);
  });

  test.each([
    "GET /elsewhere HTTP/1.1\r\nContent-Length: 99999999999",
    "DELETE / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFF",
    "POST /add-checkpoint HTTP/1.1\r\nContent-Length: 99999999999",
  ])("[E-313] what goes on after its answer is read no further: %j", async (head) => {
    const witness = await start();
    const socket = connect({ port: Number(new URL(witness.url).port), host: "127.0.0.1", allowHalfOpen: true });
    const [line = "", ...rest] = head.split("\r\n");
    socket.write([line, "Host: localhost", ...rest, "", ""].join("\r\n"));
    expect(await isCutOff(socket)).toBe(true);
    expect((await fetch(`${witness.url}/elsewhere`)).status).toBe(404);
  });

  test("never cosigns two trees of one size, nor a shorter one", async () => {
    const witness = await start();
    await publish(1);
    const forked = directory.fork();
    await publish(2);
    await publish(2, forked);
    expect((await submit(witness, await request(0))).status).toBe(200);
    const size = directory.size();
    expect(forked.size()).toBe(size);
    const fork = await submit(witness, await request(size, forked));
    expect([fork.status, fork.text]).toEqual([422, ""]);
    await publish(1, forked);
    expect((await submit(witness, await request(size, forked))).status).toBe(422);
    expect((await submit(witness, await request(0, directory, 2))).status).toBe(409);
    expect(events).toEqual([
      { kind: "refused", status: 422 },
      { kind: "refused", status: 422 },
    ]);
  });

  test("[D-3] withholds the map key where a transition is none, and says which rule was broken", async () => {
    const witness = await start();
    await publish(2);
    expect((await submit(witness, await request(0))).status).toBe(200);
    const before = directory.size();
    await publish(2);
    const [good] = directory.transitions().slice(-1);
    const broken = Uint8Array.from(good ?? []);
    broken[40] = (broken[40] ?? 0) ^ 1;
    log.replaced.set(`transition/${String(before)}`, broken);
    const answer = await submit(witness, await request(before));
    expect([answer.status, await signersOf(witness, answer.text)]).toEqual([200, ["w.example"]]);
    expect(events).toEqual([{ kind: "fault", rule: "D-3", message: expect.any(String) }]);
    // The log shows what it must: the map key signs what it missed.
    log.replaced.clear();
    const again = await submit(witness, await request(directory.size()));
    expect(await signersOf(witness, again.text)).toEqual(["w.example", "w.example/latchkey-map"]);
  });

  test("[D-3] signs nothing where the entries that are served are those of another tree", async () => {
    const witness = await start();
    await publish(2);
    const forked = directory.fork();
    await publish(1);
    await publish(1, forked);
    log.directory = forked;
    expect((await submit(witness, await request(0))).status).toBe(503);
    expect(events).toMatchObject([{ kind: "fault", rule: "D-3" }]);
    log.directory = directory;
    const again = await submit(witness, await request(0));
    expect(await signersOf(witness, again.text)).toEqual(["w.example", "w.example/latchkey-map"]);
  });

  test("a map that was rolled back within one consistent log gets no cosignature of the map key (A14)", async () => {
    const witness = await start();
    await publish(2);
    const back = directory.entries().at(-1);
    await publish(1);
    // The entry of before once more: the old map again, at a later place of the log.
    await directory.publishRaw(back ?? new Uint8Array(0), directory.transitions().at(-2));
    const answer = await submit(witness, await request(0));
    expect(await signersOf(witness, answer.text)).toEqual(["w.example"]);
    expect(events).toMatchObject([{ kind: "fault", rule: "D-3" }]);
  });

  test("a slow server delays no answer beyond the bound; the map key signs when it caught up", async () => {
    const witness = await start({ mapWaitMs: 50 });
    for (let i = 0; i < 5; i++) await publish(1);
    const silence = Promise.withResolvers<void>();
    log.until = silence.promise;
    // It answers, although nothing is answered to it.
    expect((await submit(witness, await request(0))).status).toBe(503);
    log.until = undefined;
    silence.resolve();
    const deadline = Date.now() + 30_000;
    let signers: string[] = [];
    while (signers.length < 2 && Date.now() < deadline) {
      const answer = await submit(witness, await request(0));
      signers = answer.status === 200 ? await signersOf(witness, answer.text) : [];
    }
    expect(signers).toEqual(["w.example", "w.example/latchkey-map"]);
    expect(events).toEqual([]);
  });

  test("requests at once are answered one after the other: of two with one old size one wins", async () => {
    const witness = await start();
    await publish(1);
    await submit(witness, await request(0));
    const size = directory.size();
    const forked = directory.fork();
    await publish(1);
    await publish(1, forked);
    const answers = await Promise.all([submit(witness, await request(size)), submit(witness, await request(size, forked))]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  test("more requests at once than it queues are told to come back", async () => {
    const witness = await start({ mapWaitMs: 300 });
    await publish(1);
    log.delayMs = 400;
    const body = await request(0);
    const answers = await Promise.all(Array.from({ length: 12 }, () => submit(witness, body)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 503).length).toBeGreaterThan(0);
  });

  test("a peer that sends its request slowly is cut off, others are answered meanwhile", async () => {
    const witness = await start({ requestTimeoutMs: 1000 });
    await publish(1);
    const { hostname, port } = new URL(witness.url);
    const socket = connect(Number(port), hostname);
    const closed = new Promise((done) => socket.once("close", done));
    socket.on("error", () => undefined).resume();
    socket.write("POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: 100\r\n\r\nold 0\n");
    expect((await submit(witness, await request(0))).status).toBe(200);
    await closed;
    expect(events).toEqual([]);
  });

  test("shows its last checkpoint with its own cosignatures, and its keys", async () => {
    const witness = await start();
    await publish(1);
    const origin = createHash("sha256").update(directory.origin).digest("hex");
    expect((await fetch(`${witness.url}/${origin}/checkpoint`)).status).toBe(404);
    const { text } = await submit(witness, await request(0));
    const shown = await (await fetch(`${witness.url}/${origin}/checkpoint`)).text();
    const note = parseNote(shown);
    expect(parseCheckpoint(note.text)).toMatchObject({ origin: directory.origin, size: 2 });
    expect(shown).toBe(formatNote(addSignatures(parseNote((await directory.head()).checkpoint), parseSignatureLines(text))));
    expect(await (await fetch(`${witness.url}/`)).text()).toContain(`${witness.logKey}\n${witness.mapKey}\n`);
  });
});

describe("a witness's files", () => {
  test("it goes on where it was: after a stop its size still binds it", async () => {
    const before = await start();
    await publish(3);
    await submit(before, await request(0));
    await before.close();
    await publish(1);
    log.asked.length = 0;
    const after = await start({ name: "w.example" });
    expect([after.logKey, after.mapKey]).toEqual([before.logKey, before.mapKey]);
    const conflict = await submit(after, await request(0));
    expect([conflict.status, conflict.text]).toEqual([409, "2\n"]);
    const answer = await submit(after, await request(2));
    expect(await signersOf(after, answer.text)).toEqual(["w.example", "w.example/latchkey-map"]);
    // It replays what is new, not what it replayed before.
    expect(log.asked.filter((path) => path.startsWith("transition/"))).toEqual(["transition/2"]);
  });

  test("the key file can be read by its owner only, and holds both keys as signer keys", async () => {
    const witness = await start();
    const path = join(folder, "key");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const lines = readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line.startsWith("PRIVATE+KEY+"));
    expect(lines.map((line) => line.split("+").slice(2, 4).join("+"))).toEqual(
      [witness.logKey, witness.mapKey].map((vkey) => vkey.split("+").slice(0, 2).join("+")),
    );
    expect(parseVkey(witness.logKey)).toEqual(createVerifier({ ...parseVkey(witness.logKey) }));
    await witness.close();
    chmodSync(path, 0o644);
    await expect(start()).rejects.toMatchObject({ code: "key_unusable" });
  });

  test("refuses to start without its state, on another's state, or a second time at once", async () => {
    const witness = await start();
    await expect(start()).rejects.toMatchObject({ code: "state_in_use" });
    await witness.close();
    await expect(start({ name: "other.example" })).rejects.toMatchObject({ code: "invalid_options" });
    const second = await start({ keyPath: join(folder, "second"), name: "second.example" });
    await second.close();
    for (const suffix of ["", "-wal", "-shm"]) rmSync(join(folder, `key.state${suffix}`), { force: true });
    await expect(start()).rejects.toMatchObject({ code: "state_unusable" });
  });

  test("needs a name to make keys; it starts before its server does, and pins the log when it reaches it", async () => {
    await expect(start({ name: "two words" })).rejects.toMatchObject({ code: "invalid_options" });
    await expect(startWitness({ serverUrl: log.url, keyPath: join(folder, "key"), listen: "127.0.0.1:0" })).rejects.toMatchObject({
      code: "invalid_options",
    });
    log.replaced.set("config", undefined);
    const witness = await start();
    expect(witness.origin).toBeUndefined();
    const early = await submit(witness, await request(0));
    expect([early.status, await (await fetch(witness.url)).text()]).toEqual([503, expect.stringContaining(witness.mapKey)]);
    log.replaced.set("config", new Uint8Array([1, 2, 3]));
    expect((await submit(witness, await request(0))).status).toBe(503);
    expect(events).toMatchObject([
      { kind: "waiting", code: "bad_answer" },
      { kind: "waiting", code: "bad_answer" },
      { kind: "fault", rule: "D-2" },
    ]);
    log.replaced.clear();
    const answer = await submit(witness, await request(0));
    expect([answer.status, witness.origin]).toEqual([200, directory.origin]);
  });

  test("[D-2] [E-54] a new log key counts beside the old one during its notice, and alone after it, by this witness's clock", async () => {
    let aheadMs = 0;
    const began = directory.nowMs();
    const witness = await start({ nowMs: () => began + 9 * 86_400_000 + aheadMs });
    await publish(1);
    await submit(witness, await request(0));
    let size = directory.size();
    const seed = random(32);
    await directory.publish([], { config: directory.changedConfig({ logSeed: seed }) });
    expect((await submit(witness, await request(size))).status).toBe(200);
    size = directory.size();
    const statusWith = async (isNew: boolean): Promise<number> => {
      const signed = directory.fork();
      if (isNew) signed.signWith(seed);
      return (await submit(witness, await request(size, signed))).status;
    };
    expect([await statusWith(false), await statusWith(true)]).toEqual([200, 200]);
    directory.setTime(directory.nowMs() + 8 * 86_400_000);
    await publish(1);
    expect(await statusWith(true)).toBe(200);
    size = directory.size();
    // The log dated its notice back: here not an hour of it has passed.
    expect([await statusWith(false), await statusWith(true)]).toEqual([200, 200]);
    aheadMs = 7 * 86_400_000;
    expect([await statusWith(false), await statusWith(true)]).toEqual([403, 200]);
  });
});
