import { createClient } from "@latchkey/client";
import type { Client } from "@latchkey/client";
import { createNodePlatform } from "@latchkey/client/node";
import { equalBytes, fromBase64Url, toHex } from "@latchkey/codec";
import { decodeGroupState, epoch, processMessage } from "@latchkey/mls";
import type { GroupState } from "@latchkey/mls";
import { nodeCrypto } from "@latchkey/mls/node";
import { decodeEnvelope, entryKindNumbers, envelopeAad, splitEntry } from "@latchkey/protocol";
import type { EntryKind } from "@latchkey/protocol";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { acceptRequest, createAccount, messageBox, messagesWith, seeMessage } from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import { readDatabases } from "./testing/database.ts";
import { eventually, joinedConversation, receiveText, registerPerson, sendAndWait, textsOf } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";
import { createRecordingStore } from "./testing/recording-store.ts";
import type { Recording } from "./testing/recording-store.ts";
import { openRawSocket } from "./testing/raw-socket.ts";

const groupName = "Rowing club";
const before = ["The boathouse key hangs behind the door", "We row at six"];
const after = ["Greta must not know the new code", "The new code is seven four one", "We row at seven"];

/** An entry of the log as the server's disk holds it. */
interface StoredEntry {
  readonly seq: number;
  readonly epochId: number;
  readonly kind: EntryKind;
  readonly blob: Uint8Array;
}

let folder: TemporaryFolder;
let server: ServerProcess;
let emil: TestPerson;
let franka: TestPerson;
/** Removed; keeps everything that its device ever stored, also what it erased. */
let greta: Client;
let gretaKept: Recording;
/** Stays; recorded in the same way, to show that the attack works for somebody who may read. */
let heidi: Client;
let heidiKept: Recording;
let conversationId: string;
let logId: Uint8Array;
let removalSeq: number;
let entries: StoredEntry[];

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  emil = await registerPerson({ home: folder.at("emil"), server: server.url, username: "emil" });
  franka = await registerPerson({ home: folder.at("franka"), server: server.url, username: "franka" });
  [greta, gretaKept] = await recordedPerson("greta");
  [heidi, heidiKept] = await recordedPerson("heidi");

  const group = await emil.client.startConversation({ to: ["franka", "greta", "heidi"], name: groupName });
  conversationId = group.id;
  logId = fromBase64Url(group.id);
  for (const client of [franka.client, greta, heidi]) await joinedConversation(client, groupName);
  for (const text of before) {
    await sendAndWait(emil.client, conversationId, text);
    for (const client of [franka.client, greta, heidi]) await receiveText(client, conversationId, text);
  }
  await sendAndWait(greta, conversationId, "I am still here");
  await receiveText(emil.client, conversationId, "I am still here");

  await remove(emil.client, "greta");
  await eventually(greta, () => statusOf(greta, "removed"), "greta learns of her removal");
  for (const text of after) {
    await sendAndWait(franka.client, conversationId, text);
    for (const client of [emil.client, heidi]) await receiveText(client, conversationId, text);
  }
  // The newest lie together until the server has had nothing to do for some seconds.
  for (let look = 0; look < 60; look++) {
    entries = readEntries();
    removalSeq = entries.filter(({ kind }) => kind === "commit").at(-1)?.seq ?? 0;
    if (removalSeq > 0 && entries.filter(({ seq }) => seq > removalSeq).length >= after.length) break;
    await delay(1000);
  }
});

afterAll(async () => {
  for (const client of [emil.client, franka.client, greta, heidi]) await client.close();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function recordedPerson(username: string): Promise<[Client, Recording]> {
  const { store, recording } = createRecordingStore();
  const client = await createClient({ store, platform: createNodePlatform(), serverUrl: server.url, requests: "accept" });
  await client.register({ username });
  return [client, recording];
}

async function remove(client: Client, username: string): Promise<void> {
  const { members } = await client.details(conversationId);
  await client.removeMembers(conversationId, [members.find(({ person }) => person.username === username)?.person.accountId ?? ""]);
}

async function statusOf(client: Client, status: string): Promise<true | undefined> {
  return (await client.conversations()).some((conversation) => conversation.id === conversationId && conversation.status === status)
    ? true
    : undefined;
}

/** The group's entries from the server's database, oldest first. */
function readEntries(): StoredEntry[] {
  const tables = readDatabases(folder.at("data"), folder.at("copy"));
  const rowsOf = (name: string) => tables.find((table) => table.name === name)?.rows ?? [];
  const log = rowsOf("logs").find((row) => row["log_id"] instanceof Uint8Array && equalBytes(row["log_id"], logId));
  const kinds = Object.entries(entryKindNumbers);
  return (
    rowsOf("entries")
      // An entry is numbered by the random number of its log and by its own in it (27 bits).
      .filter((row) => BigInt(Number(row["id"])) >> 27n === BigInt(Number(log?.["id"])))
      .map((row) => ({
        seq: Number(row["id"]) % 2 ** 27,
        epochId: Number(row["epoch"]),
        // The numbers of the wire name the kinds in the database too.
        kind: kinds.find(([, number]) => number === Number(row["kind"]))?.[0] as EntryKind,
        blob: row["blob"] instanceof Uint8Array ? row["blob"] : new Uint8Array(),
      }))
      .toSorted((a, b) => a.seq - b.seq)
  );
}

/** Every 32 bytes that stand together in anything that was ever stored of the group: whatever was a key of it is among them. */
function* possibleKeys(recording: Recording): Generator<Uint8Array> {
  const seen = new Set<string>();
  for (const [key, values] of recording.values) {
    // The secrets of key packages lead to nothing but the Welcome that used one; they are tried by their state below.
    if (!key.includes(conversationId)) continue;
    for (const value of values) {
      for (let place = 0; place + 32 <= value.length; place++) {
        const window = value.subarray(place, place + 32);
        const name = Buffer.from(window).toString("latin1");
        if (seen.has(name)) continue;
        seen.add(name);
        yield window;
      }
    }
  }
}

function openWith(key: Uint8Array, entry: StoredEntry): Uint8Array | undefined {
  try {
    const { head, sealed } = splitEntry(entry.blob) ?? { head: entry.blob, sealed: entry.blob };
    const aad = envelopeAad(logId, entry.epochId, entry.kind, head);
    return xchacha20poly1305(key, sealed.subarray(0, 24), aad).decrypt(sealed.subarray(24));
  } catch {
    return undefined;
  }
}

/** The key that opens an entry, found by trying everything. */
function findKey(recording: Recording, entry: StoredEntry): Uint8Array | undefined {
  for (const key of possibleKeys(recording)) if (openWith(key, entry) !== undefined) return key;
  return undefined;
}

/** Every state of the group that was ever stored, the newest of each epoch last. */
function statesOf(recording: Recording): GroupState[] {
  const suite = nodeCrypto.suite(0xf001);
  const states: GroupState[] = [];
  let last = "";
  for (const snapshot of recording.snapshots) {
    for (const [key, value] of snapshot) {
      if (!key.includes(conversationId) || !key.endsWith("/group")) continue;
      const prefix = key.slice(0, -"group".length);
      const records = [...snapshot].flatMap(([name, record]): [string, Uint8Array][] =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), record]] : [],
      );
      const print = toHex(nodeCrypto.suite(0x0001).hash(Buffer.concat([value, ...records.map(([, record]) => record)])));
      if (print === last) continue;
      last = print;
      states.push(decodeGroupState(suite, records));
    }
  }
  return states;
}

describe("a removed member", () => {
  test("[P2] gets nothing after its removal", async () => {
    const texts = await textsOf(greta, conversationId);
    expect(texts).toEqual([...before, "I am still here"]);
    await greta.settle({ timeoutMs: 10_000 }).catch(() => undefined);
    expect(await textsOf(greta, conversationId)).toEqual(texts);
    expect(await statusOf(greta, "removed")).toBe(true);
    await expect(greta.send(conversationId, "Let me in")).rejects.toMatchObject({ code: "not_a_member" });
    // Those who stay lost nothing.
    expect(await textsOf(heidi, conversationId)).toEqual([...before, "I am still here", ...after]);
  });

  test("[P2] is refused by the server beyond the commit that removed it, with every access key it ever had", async () => {
    const socket = await openRawSocket(server.url, "log");
    const epochs = [...new Set(entries.map(({ epochId }) => epochId))];
    const newest = epochs.at(-1) ?? 0;
    expect(newest).toBe(removalSeq);
    let tried = 0;
    // The server is asked with the keys that stood in the small records; all others are tried against the ciphertexts below.
    for (const [key, values] of gretaKept.values) {
      if (key !== `conversation/${conversationId}`) continue;
      for (const value of values.slice(-3)) {
        for (let place = 0; place + 32 <= value.length; place++) {
          const answer = await socket.ask({
            kind: "open",
            logId,
            epochId: newest,
            access: value.slice(place, place + 32),
            afterSeq: 0,
            closed: [],
          });
          expect(answer).toMatchObject({ kind: "error", code: "wrong_access_key" });
          tried += 1;
        }
      }
    }
    expect(tried).toBeGreaterThan(50);
    expect(socket.frames.filter(({ body }) => body.kind === "entry")).toEqual([]);
    socket.close();
  });

  test("[P2] given the ciphertexts from the server's disk, decrypts none with anything that it ever stored", async () => {
    const later = entries.filter(({ seq }) => seq > removalSeq);
    expect(later.length).toBeGreaterThanOrEqual(after.length);
    const [first] = later;
    if (first === undefined) throw new Error("nothing was sent after the removal");

    // The attack works: it finds the keys of who stays, and those that greta had while she was a member.
    const heidiKey = findKey(heidiKept, first);
    expect(heidiKey).toBeDefined();
    const earlier = entries.findLast(({ seq, kind }) => seq < removalSeq && kind === "message");
    if (earlier === undefined || heidiKey === undefined) throw new Error("nothing was sent before the removal");
    expect(findKey(gretaKept, earlier)).toBeDefined();

    let tried = 0;
    for (const key of possibleKeys(gretaKept)) {
      tried += 1;
      expect(openWith(key, first), "an envelope opened").toBeUndefined();
    }
    expect(tried).toBeGreaterThan(1000);

    // Even with the envelope's key, as if somebody had given it away, no state of MLS that greta had leads further.
    const states = statesOf(gretaKept);
    expect(new Set(states.map(epoch)).size).toBeGreaterThanOrEqual(1);
    const heidiStates = statesOf(heidiKept).filter((state) => epoch(state) === epochAfterRemoval());
    let readByHeidi = 0;
    for (const entry of later.filter(({ kind }) => kind === "message")) {
      const opened = openWith(heidiKey, entry);
      if (opened === undefined) throw new Error("a later entry has another key");
      const { content } = decodeEnvelope(opened);
      if (content.kind !== "inline") throw new Error("a text was stored outside its entry");
      for (const state of states) await expect(processMessage(state, content.mlsMessage, {})).rejects.toThrow();
      for (const state of heidiStates) {
        const read = await processMessage(state, content.mlsMessage, {}).catch(() => undefined);
        if (read?.kind === "application") readByHeidi += 1;
      }
    }
    expect(readByHeidi).toBeGreaterThan(0);

    function epochAfterRemoval(): bigint {
      return statesOf(heidiKept)
        .map(epoch)
        .reduce((highest, next) => (next > highest ? next : highest), 0n);
    }
  });

  test("in a browser is told, can write no more, and keeps what it had", async () => {
    await using browser = await openBrowser({ folder: folder.at("ida") });
    const { page } = browser;
    await createAccount(page, { url: server.url, username: "ida" });
    await emil.client.addMembers(conversationId, ["ida"]);
    await acceptRequest(page, "emil");
    await sendAndWait(emil.client, conversationId, "Welcome aboard");
    await seeMessage(page, "Welcome aboard");
    await remove(emil.client, "ida");
    await page.getByText("You are no longer in this conversation").waitFor();
    await sendAndWait(emil.client, conversationId, "Ida must not read this");
    await receiveText(heidi, conversationId, "Ida must not read this");
    await page.reload();
    await seeMessage(page, "Welcome aboard");
    expect(await messageBox(page).count()).toBe(0);
    expect(await messagesWith(page, "Ida must not read this").count()).toBe(0);
    expect(browser.errors).toEqual([]);
  });
});
