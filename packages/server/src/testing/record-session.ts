// Records what a client of this version says to a server and gets, once for each version of the frames:
//   node tools/run.js packages/server/src/testing/record-session.ts
// The recording is never changed afterwards: packages/server/src/sessions.test.ts plays it to every later server.
import { decode, encode } from "@latchkey/codec";
import { entryHead, joinEntry, roleCodecs, socketPath, spokenVersions, subprotocol, zeroHash } from "@latchkey/protocol";
import type { Role, RoleFrames } from "@latchkey/protocol";
import { accountIdOf, deviceIdOf, signedCodec } from "@latchkey/transparency";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "../hash.ts";
import { startServerWith } from "../server.ts";
import { deviceEntry, signBinding, signCard, signPop, signState } from "./fixtures.ts";
import type { TestDevice } from "./fixtures.ts";
import { fixedBytes, playSession } from "./session.ts";
import type { RecordedSession, SessionStep } from "./session.ts";
import { dayMs } from "../days.ts";

const host = "chat.example";
const nowMs = Date.UTC(2026, 10, 27, 12);
const token = new Uint8Array(0);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function fixedDevice(label: string): TestDevice {
  const seed = fixedBytes(`seed of ${label}`, 32);
  const prefix = Buffer.from("302e020100300506032b657004220420", "hex");
  const key = createPrivateKey({ key: Buffer.concat([prefix, seed]), format: "der", type: "pkcs8" });
  const publicKey = new Uint8Array(createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32));
  return { seed, publicKey, deviceId: deviceIdOf(publicKey) };
}

/** Writes down what is sent and how many frames are to come. */
class Script {
  readonly steps: SessionStep[] = [];
  readonly #roles = new Map<string, Role>();
  #lastId = 0;

  open(name: string, role: Role): void {
    this.#roles.set(name, role);
    this.steps.push({ open: name, path: socketPath(role) });
  }

  /** A request, and the frames that follow it on its connection; `isWhole` false for those whose end is the server's own. */
  ask<R extends Role>(name: string, role: R, body: RoleFrames[R]["request"], frames: readonly boolean[] = [true]): void {
    if (this.#roles.get(name) !== role) throw new Error("another role");
    this.steps.push({ on: name, send: hex(encode(roleCodecs[role].request, { id: ++this.#lastId, body })) });
    this.expect(name, frames);
  }

  connect(name: string, params: { accountId: Uint8Array; device: TestDevice }): void {
    const { accountId, device } = params;
    const ids = { accountId: hex(accountId), deviceId: hex(device.deviceId), seed: hex(device.seed) };
    this.steps.push({ on: name, connect: String(++this.#lastId), ...ids });
    this.expect(name, [true]);
  }

  raw(name: string, bytes: Uint8Array): void {
    this.steps.push({ on: name, send: hex(bytes) });
    this.expect(name, [true]);
  }

  expect(name: string, frames: readonly boolean[]): void {
    for (const isWhole of frames) this.steps.push({ on: name, receive: "", isWhole });
  }

  close(name: string): void {
    this.steps.push({ close: name });
  }
}

async function script(): Promise<Script> {
  const made = new Script();
  const [device, recovery] = [fixedDevice("alice"), fixedDevice("alice's recovery")];
  const devices = [deviceEntry(device)];
  const state = await signState(
    {
      format: 1,
      accountId: zeroHash,
      version: 0,
      prevHash: zeroHash,
      timeMs: nowMs,
      status: "active",
      username: "alice",
      host,
      devices,
      recoveryKey: recovery.publicKey,
      signer: { kind: "device", deviceId: device.deviceId },
      ext: token,
    },
    device.seed,
  );
  const accountId = accountIdOf(decode(signedCodec, state).body);
  const { deviceId } = device;
  const binding = await signBinding({ username: "alice", host, accountId, status: "bound", device });
  const inboxId = fixedBytes("inbox of alice", 32);

  // An account, its device, its inbox.
  made.open("alice", "device");
  made.ask("alice", "device", { kind: "reserve", username: "alice", invitation: "", token });
  made.ask("alice", "device", { kind: "publish", state, pops: [await signPop(device, zeroHash)], bindings: [binding] }, [false]);
  made.connect("alice", { accountId, device });
  made.ask("alice", "device", { kind: "card", card: await signCard(device, inboxId, nowMs + 20 * dayMs) });
  const keyPackages = [fixedBytes("key package 1", 3000), fixedBytes("key package 2", 3000)];
  const notAfterMs = nowMs + 20 * dayMs;
  made.ask("alice", "device", { kind: "publish_key_packages", lastResort: false, notAfterMs, keyPackages });
  made.ask("alice", "device", {
    kind: "publish_key_packages",
    lastResort: true,
    notAfterMs,
    keyPackages: [fixedBytes("last resort", 3000)],
  });
  made.ask("alice", "device", { kind: "count_key_packages" });
  const capability = fixedBytes("capability of alice's inbox", 32);
  made.ask("alice", "device", { kind: "set_inbox_capability", generation: nowMs, hash: sha256(capability) });
  made.ask("alice", "device", { kind: "read_inbox", afterSeq: 0 });
  made.ask("alice", "device", { kind: "inspect" }, [false]);
  made.ask("alice", "device", { kind: "ping" });

  // Somebody looks her up.
  made.open("bob", "lookup");
  made.ask("bob", "lookup", { kind: "check_username", username: "alice" });
  made.ask("bob", "lookup", { kind: "lookup_username", username: "alice", fromVersion: 0, knownSize: 0 }, [false]);
  made.ask("bob", "lookup", { kind: "lookup_username", username: "nobody", fromVersion: 0, knownSize: 0 }, [false]);
  made.ask("bob", "lookup", { kind: "lookup_account", accountId, fromVersion: 0, accountValues: 0, nameValues: 0, knownSize: 0 }, [false]);
  made.ask("bob", "lookup", { kind: "lookup_card", accountId, deviceId });
  made.ask("bob", "lookup", { kind: "take_key_package", accountId, deviceId, token });
  made.ask("bob", "lookup", { kind: "take_key_package", accountId: fixedBytes("nobody", 32), deviceId, token });
  made.ask("bob", "lookup", { kind: "ping" });
  made.close("bob");

  // A group: two who follow it.
  const logId = fixedBytes("log", 32);
  const access = [fixedBytes("access 0", 32), fixedBytes("access 1", 32)] as const;
  const append = (label: string, epochId: number): RoleFrames["log"]["request"] => {
    return { kind: "append", logId, epochId, entryKind: "message", blob: fixedEntry(label, 512) };
  };
  made.open("one", "log");
  made.ask("one", "log", { kind: "create", logId, accessHash: sha256(access[0]), token });
  // The answer, then the entry, as everybody gets it.
  made.ask("one", "log", append("first", 0), [true, true]);
  // A retry gets its first result.
  made.ask("one", "log", append("first", 0));
  made.open("two", "log");
  made.ask("two", "log", { kind: "open", logId, epochId: 0, access: access[0], afterSeq: 0, closed: [] }, [true, true]);
  const commit = { kind: "commit" as const, logId, epochId: 0, nextAccessHash: sha256(access[1]), token };
  made.ask("one", "log", { ...commit, afterSeq: 0, blob: fixedEntry("commit", 1024) }, [true, true]);
  made.expect("two", [true]);
  made.ask("two", "log", { ...commit, afterSeq: 0, blob: fixedEntry("too late", 1024) });
  made.ask("two", "log", append("stale", 0));
  made.ask("two", "log", { kind: "open", logId, epochId: 2, access: access[0], afterSeq: 2, closed: [] });
  made.ask("two", "log", { kind: "open", logId, epochId: 2, access: access[1], afterSeq: 2, closed: [] });
  made.ask("one", "log", { kind: "open", logId, epochId: 2, access: access[1], afterSeq: 2, closed: [] });
  made.ask("two", "log", append("second", 2), [true, true]);
  made.expect("one", [true]);
  // Who was added with the commit sees what was before as links of the chain only.
  made.open("three", "log");
  made.ask("three", "log", { kind: "open", logId, epochId: 2, access: access[1], afterSeq: 0, closed: [] }, [true, true, true, true]);
  made.ask("three", "log", { kind: "append", logId, epochId: 2, entryKind: "complaint", blob: fixedEntry("complaint", 512) }, [true, true]);
  made.ask("three", "log", { kind: "head_proof", logId, knownSize: 0 }, [false]);
  made.ask("three", "log", { kind: "open", logId: fixedBytes("no log", 32), epochId: 0, access: access[0], afterSeq: 0, closed: [] });
  // What a later client may ask, and this one might be asked.
  made.raw("three", new Uint8Array([0, 0, 9, 9, 222, 1, 2, 3]));
  made.ask("three", "log", { kind: "close", logId });
  made.ask("three", "log", { kind: "ping" });

  // Something for her inbox.
  made.open("post", "post");
  made.ask("post", "post", { kind: "post", inboxId, capability: zeroHash, blob: fixedBytes("item", 1024), token });
  made.expect("alice", [true]);
  made.ask("post", "post", { kind: "ping" });
  made.ask("alice", "device", { kind: "erase_inbox", uptoSeq: 1 });
  made.ask("alice", "device", { kind: "count_key_packages" });
  return made;
}

/** An entry that names no blob and that nobody reads. */
function fixedEntry(label: string, size: number): Uint8Array {
  const head = entryHead([]);
  return joinEntry(head, fixedBytes(label, size - head.length));
}

const file = join(import.meta.dirname, "sessions", `v${spokenVersions.max}.json`);
if (existsSync(file))
  throw new Error(`${file} is recorded already: a recording is never changed. A new version of the frames gets its own.`);
const dataDirectory = mkdtempSync(join(tmpdir(), "latchkey-session-"));
const server = await startServerWith(
  { port: 0, logLevel: "silent", host, dataDirectory, limits: { publicationIntervalMs: 0 } },
  { nowMs: () => nowMs },
);
try {
  const { steps } = await script();
  const session: RecordedSession = { subprotocol, nowMs, host, steps };
  const received: string[] = [];
  await playSession(server.url, session, (_step, frame) => void received.push(frame));
  const recorded = steps.map((step) => {
    if (!("receive" in step)) return step;
    const frame = received.shift() ?? "";
    // Of a frame whose end is the server's own: its id and kind.
    return { ...step, receive: step.isWhole ? frame : frame.slice(0, 10) };
  });
  writeFileSync(file, `${JSON.stringify({ ...session, steps: recorded }, undefined, 2)}\n`);
} finally {
  await server.close();
  rmSync(dataDirectory, { recursive: true, force: true });
}
