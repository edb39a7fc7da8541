import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { fromBase64Url } from "@latchkey/codec";
import type { Client, Message } from "@latchkey/client";
import { httpPaths, paddedFileBytes, sealedFileBytes } from "@latchkey/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bytesOf, readDatabases } from "./testing/database.ts";
import type { Table } from "./testing/database.ts";
import { eventually, joinedConversation, receiveText, registerPerson, sendAndWait } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";
import { readTree, search } from "./testing/search.ts";
import { openRawSocket } from "./testing/raw-socket.ts";

// What is said here is found nowhere on the server. The words are long and odd, so that chance cannot write them.
const displayNames = {
  adelheid: "Ada Quillfeather",
  beatrix: "Beatrice Ömlandsson",
  cyprian: "Сид Мокроусов",
  dovberish: "Dov Ben-Yaakov Tzur",
} as const;
type Username = keyof typeof displayNames;
const usernames = Object.keys(displayNames) as Username[];
const groupNames = ["Lighthouse Keepers of Skerryvore", "Überraschungsfest für Mokroúsov"];
const texts = {
  direct: [
    "The heron flies at a quarter past midnight",
    "Then the ferryman must know by Thursday",
    "Schlüssel unter dem dritten Blumentopf, 鍵は植木鉢の下",
  ],
  group: [
    "Bring eleven lanterns to the north stair",
    "Who ordered the crimson tarpaulin?",
    "x".repeat(40) + " marks the quarry ".repeat(60),
  ],
  afterRemoval: ["Dov must not learn of the second boat"],
  // Too large for an entry: stored as a blob.
  caption: ["What the timetable leaves out, the puffins know"],
  large: [
    `Manifest of the brigantine: ${Array.from({ length: 2500 }, (_, index) => `crate ${String(index)} of saltpetre`).join("; ")}`.slice(
      0,
      60_000,
    ),
  ],
} as const;

/** Files of a person: one goes in one request, one in parts. */
const files = [
  { name: "Fahrplan der Fähre nach Skerryvore.pdf", mediaType: "application/x-skerryvore-timetable", sizeBytes: 123_457, description: "" },
  {
    name: "thirteen puffins on the ledge.mp4",
    mediaType: "video/x-puffin-census",
    sizeBytes: 5_234_567,
    description: "A ledge below the lamp with thirteen puffins",
  },
] as const;
const fileMarker = Buffer.from("PUFFIN-CENSUS-OF-THE-LOWER-LEDGE");
/** How much of an upload came that nobody finishes. */
const halfBytes = 700_000;

let folder: TemporaryFolder;
let server: ServerProcess;
let people: Record<Username, TestPerson>;
const logIds: Buffer[] = [];
/** Ids that stand for a person or device, by what they are. */
const identifiers = new Map<string, Buffer>();
let running: Map<string, Buffer>;
let tables: Table[];

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data"), args: ["--log-level", "debug"] });
  people = {} as Record<Username, TestPerson>;
  for (const username of usernames)
    people[username] = await registerPerson({
      home: folder.at("homes", username),
      server: server.url,
      username,
      displayName: displayNames[username],
    });
  await live();
  await sendFiles();
  await collectIdentifiers();
  // A moment of the running server, with its write-ahead log, and everything that it printed.
  running = readTree(folder.at("data"));
  running.set("printed by the server", Buffer.from(server.output()));
  tables = readDatabases(folder.at("data"), folder.at("copy"));
});

afterAll(async () => {
  for (const person of Object.values(people)) await person.client.close();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** A direct conversation and two groups, with a removal, a large message and a reconnection. */
async function live(): Promise<void> {
  const { adelheid, beatrix, cyprian, dovberish } = people;
  const direct = await adelheid.client.startConversation({ to: ["beatrix"] });
  await say(adelheid.client, direct.id, texts.direct, [beatrix.client]);
  for (const name of groupNames) {
    const group = await beatrix.client.startConversation({ to: ["adelheid", "cyprian", "dovberish"], name });
    logIds.push(idBytes(group.id));
    for (const { client } of [adelheid, cyprian, dovberish]) await joinedConversation(client, name);
    await say(cyprian.client, group.id, texts.group, [adelheid.client, beatrix.client, dovberish.client]);
    const { members } = await beatrix.client.details(group.id);
    const gone = members.find(({ person }) => person.username === "dovberish");
    await beatrix.client.removeMembers(group.id, [gone?.person.accountId ?? ""]);
    await say(beatrix.client, group.id, [...texts.afterRemoval, ...texts.large], [adelheid.client, cyprian.client]);
  }
  logIds.push(idBytes(direct.id));
}

async function say(speaker: Client, conversationId: string, said: readonly string[], listeners: readonly Client[]): Promise<void> {
  for (const text of said) {
    await sendAndWait(speaker, conversationId, text);
    for (const listener of listeners) await receiveText(listener, conversationId, text);
  }
}

/** Sends files, which the other person reads; and leaves an upload of a third one as it is on its way. */
async function sendFiles(): Promise<void> {
  const { adelheid, beatrix } = people;
  const { id } = await adelheid.client.startConversation({ to: ["beatrix"] });
  const contents = files.map(({ sizeBytes }) => Buffer.alloc(sizeBytes, fileMarker));
  const sent = await adelheid.client.send(id, texts.caption[0], {
    files: files.map((file, index) => ({ ...file, content: new Blob([new Uint8Array(contents[index] ?? [])]) })),
  });
  const accepted = async (): Promise<Message | undefined> =>
    (await adelheid.client.messages(id, { limit: 50 })).find((message) => message.id === sent.id && message.delivery?.kind === "accepted");
  await eventually(adelheid.client, accepted, "the message with files is accepted");
  await receiveText(beatrix.client, id, texts.caption[0]);
  for (const [index, file] of files.entries()) {
    const shown = (await beatrix.client.messages(id, { limit: 50 }))
      .flatMap((message) => message.files ?? [])
      .find(({ name }) => name === file.name);
    const pieces: Uint8Array[] = [];
    for await (const piece of await beatrix.client.readFile(id, sent.id, shown?.id ?? "")) pieces.push(piece);
    expect(Buffer.concat(pieces).equals(contents[index] ?? Buffer.alloc(0))).toBe(true);
  }
  const tus = { "tus-resumable": "1.0.0" };
  const length = String(sealedFileBytes(paddedFileBytes(files[1].sizeBytes)));
  const metadata = { "upload-length": length, "upload-metadata": `blob ${randomBytes(32).toString("base64")}` };
  const begun = await fetch(`${server.url}${httpPaths.uploads}`, { method: "POST", headers: { ...tus, ...metadata } });
  const part = { "upload-offset": "0", "content-type": "application/offset+octet-stream" };
  const path = begun.headers.get("location") ?? "";
  const { status } = await fetch(server.url + path, { method: "PATCH", headers: { ...tus, ...part }, body: randomBytes(halfBytes) });
  expect(status).toBe(204);
}

function idBytes(id: string): Buffer {
  return Buffer.from(fromBase64Url(id));
}

async function collectIdentifiers(): Promise<void> {
  const lookup = await openRawSocket(server.url, "lookup");
  for (const { username, client } of Object.values(people)) {
    const account = await client.account();
    if (account === undefined) throw new Error("no account");
    const [accountId, deviceId] = [idBytes(account.accountId), idBytes(account.deviceId)];
    identifiers.set(`account of ${username}`, accountId);
    identifiers.set(`device of ${username}`, deviceId);
    const card = await lookup.ask({
      kind: "take_key_package",
      accountId: new Uint8Array(accountId),
      deviceId: new Uint8Array(deviceId),
      token: new Uint8Array(),
    });
    if (card.kind !== "key_package") throw new Error(`no card of ${username}: ${card.kind}`);
    identifiers.set(`inbox of ${username}`, inboxIdIn(Buffer.from(card.card), deviceId));
  }
  lookup.close();
}

/** The inbox id stands behind format and device id in a card (spec section 30). */
function inboxIdIn(card: Buffer, deviceId: Buffer): Buffer {
  const place = card.indexOf(deviceId);
  if (place < 0) throw new Error("the card names no device");
  return card.subarray(place + deviceId.length, place + deviceId.length + 32);
}

/** Everything said or named, whole, and its first and last words, so that a fragment is found too. */
function secrets(): Map<string, Buffer> {
  const ofFiles = files.flatMap(({ name, mediaType, description }) => [name, mediaType, ...(description === "" ? [] : [description])]);
  const all = [...Object.values(displayNames), ...groupNames, ...Object.values(texts).flat(), ...ofFiles, fileMarker.toString()];
  return new Map(
    all.flatMap((secret) => {
      const pieces =
        secret.length > 60 ? [secret.slice(0, 40), secret.slice(-40), secret.slice(secret.length / 2, secret.length / 2 + 40)] : [secret];
      return pieces.map((piece): [string, Buffer] => [piece, Buffer.from(piece, "utf8")]);
    }),
  );
}

/** Whether any value of a row contains these bytes. */
function contains(row: Table["rows"][number], bytes: Buffer): boolean {
  return Object.values(row).some((value) => {
    const own = bytesOf(value);
    return own !== undefined && (own.includes(bytes) || own.includes(bytes.toString("hex")) || own.includes(bytes.toString("base64url")));
  });
}

function tablesWith(ids: Iterable<Buffer>): Set<string> {
  const wanted = [...ids];
  return new Set(tables.filter(({ rows }) => rows.some((row) => wanted.some((id) => contains(row, id)))).map(({ name }) => name));
}

describe("what a seized server gives away", () => {
  test("the search finds what is there, in every encoding", () => {
    const needle = Buffer.from("Wörter, die da sind");
    for (const form of [
      needle,
      Buffer.from(needle.toString(), "utf16le"),
      Buffer.from(needle.toString("hex").toUpperCase()),
      Buffer.from(Buffer.concat([Buffer.from("ab"), needle, Buffer.from("c")]).toString("base64")),
      Buffer.from(Buffer.concat([Buffer.from("a"), needle]).toString("base64url")),
    ]) {
      writeFileSync(folder.at("planted"), Buffer.concat([Buffer.from("before"), form, Buffer.from("after")]));
      const files = new Map([...readTree(folder.path)].filter(([file]) => file.endsWith("planted")));
      expect(search(files, new Map([["needle", needle]]))).not.toEqual([]);
      expect(search(files, new Map([["another", Buffer.from("Wörter, die fehlen")]]))).toEqual([]);
    }
    // Usernames are public: the directory holds them in clear, where this search sees them.
    expect(search(running, new Map([["adelheid", Buffer.from("adelheid")]]))).not.toEqual([]);
    expect(tables.length).toBeGreaterThan(3);
    expect(tablesWith(logIds).size).toBeGreaterThan(0);
    expect(tablesWith(identifiers.values()).size).toBeGreaterThan(0);
  });

  test("[P1] no text, display name or group name is in any file of the running server, nor in what it printed", () => {
    expect(search(running, secrets())).toEqual([]);
  });

  test("[P1] [C-4] of a person's file there is neither the name, the type nor the exact size: not in a file, a number or a file's length", () => {
    const exact = files.flatMap(({ sizeBytes }) => [sizeBytes, sealedFileBytes(sizeBytes)]);
    const needles = new Map(
      exact.flatMap((size): [string, Buffer][] => {
        const number = Buffer.alloc(8);
        number.writeBigUInt64BE(BigInt(size));
        return [
          [`${String(size)} in words`, Buffer.from(String(size))],
          [`${String(size)} as a uint64`, number],
        ];
      }),
    );
    expect(search(running, needles)).toEqual([]);
    const numbers = tables
      .flatMap(({ rows }) => rows.flatMap((row) => Object.values(row)))
      .map((value) => (typeof value === "bigint" ? Number(value) : value));
    expect(exact.filter((size) => numbers.includes(size))).toEqual([]);
    const lengths = [...running.values()].map(({ length }) => length);
    expect(exact.filter((size) => lengths.includes(size))).toEqual([]);
    // What is there instead: what each is padded to, and of the upload on its way what has come.
    for (const { sizeBytes } of files) expect(lengths).toContain(sealedFileBytes(paddedFileBytes(sizeBytes)));
    const uploads = [...running].filter(([name]) => name.includes("/blobs/uploads/"));
    expect(uploads.map(([, { length }]) => length).toSorted((a, b) => a - b)).toEqual([126, 126, halfBytes]);
  });

  test("[P1] no row holds an account, device or inbox together with a log", () => {
    const findings = tables.flatMap(({ name, rows }) =>
      rows.flatMap((row) => {
        const who = [...identifiers].filter(([, id]) => contains(row, id)).map(([what]) => what);
        return who.length > 0 && logIds.some((id) => contains(row, id)) ? [{ table: name, who }] : [];
      }),
    );
    expect(findings).toEqual([]);
  });

  test("[P1] no join leads from an account, device or inbox to a log", () => {
    const linked = new Map(tables.map(({ name }) => [name, new Set<string>()]));
    const link = (one: string, other: string): void => {
      linked.get(one)?.add(other);
      linked.get(other)?.add(one);
    };
    for (const table of tables) for (const target of table.references.values()) link(table.name, target.split(".")[0] ?? "");
    // A value of 16 bytes or more that stands in two tables joins them, whatever the schema says. Constants join nothing.
    const places = new Map<string, Set<string>>();
    for (const { name, rows } of tables) {
      for (const value of rows.flatMap((row) => Object.values(row))) {
        const bytes = bytesOf(value);
        if (typeof value === "bigint" ? value < 2n ** 32n : bytes === undefined || bytes.length < 16 || new Set(bytes).size < 4) continue;
        const key = bytes === undefined ? String(value) : bytes.toString("hex");
        places.set(key, (places.get(key) ?? new Set()).add(name));
      }
    }
    for (const [first = "", ...others] of [...places.values()].map((set) => [...set])) for (const other of others) link(first, other);
    // Two columns of one name join their tables too, unless it is a name that says nothing; equal values of these were looked for above.
    const common = new Set([
      "id",
      "seq",
      "day",
      // Of an epoch, and of a recovery passphrase: a day, as the one above.
      "opened_day",
      // One of three: how far a map of heads, or an upload, has come.
      "stage",
      "digest",
      "blob",
      "bytes",
      "entry",
      "kind",
      "value",
      "key",
      "name",
      "version",
      "size",
      "state",
    ]);
    for (const one of tables) {
      for (const other of tables) {
        if (one.name < other.name && one.columns.some((column) => !common.has(column) && other.columns.includes(column)))
          link(one.name, other.name);
      }
    }

    const people = tablesWith(identifiers.values());
    const logs = tablesWith(logIds);
    const reached = new Set(people);
    for (const name of reached) for (const next of linked.get(name) ?? []) reached.add(next);
    expect([...logs].filter((name) => reached.has(name))).toEqual([]);
  });

  test("[P1] what is kept of a log tells the day, not the hour", () => {
    const logs = tablesWith(logIds);
    // The entries stand in tables that refer to those, and in one that is numbered by them.
    const related = tables.filter(
      ({ name, references }) =>
        logs.has(name) || name === "entries" || [...references.values()].some((target) => logs.has(target.split(".")[0] ?? "")),
    );
    expect(related.some(({ name, rows }) => name === "entries" && rows.length > 0)).toBe(true);
    const nowMs = Date.now();
    const findings = related.flatMap(({ name, rows }) =>
      rows.flatMap((row) =>
        Object.entries(row).flatMap(([column, value]) => {
          if (typeof value !== "number" && typeof value !== "bigint") return [];
          const age = (unitMs: number): number => Math.abs(nowMs - Number(value) * unitMs);
          return age(1) < 3_600_000 || age(1000) < 3_600_000 || age(0.001) < 3_600_000 ? [{ table: name, column }] : [];
        }),
      ),
    );
    expect(findings).toEqual([]);
  });

  test("[P1] after the server stopped its files still hold nothing of it", async () => {
    for (const person of Object.values(people)) await person.client.close();
    expect(await server.stop()).toBe(0);
    const stopped = readTree(folder.at("data"));
    stopped.set("printed by the server", Buffer.from(server.output()));
    expect(search(stopped, secrets())).toEqual([]);
    // Nor do the logs name who came: no account, no device, no log, no address.
    const printed = new Map([["printed by the server", Buffer.from(server.output())]]);
    const names = new Map([...identifiers, ...logIds.map((id, index): [string, Buffer] => [`log ${String(index)}`, id])]);
    expect(search(printed, names)).toEqual([]);
    for (const username of usernames) expect(server.output()).not.toMatch(new RegExp(`\\b${username}\\b`));
    expect(server.output()).not.toMatch(/127\.0\.0\.1:\d{4,5}\b(?<!127\.0\.0\.1:8080)|::ffff:|remoteAddress|remotePort/);
  });
});
