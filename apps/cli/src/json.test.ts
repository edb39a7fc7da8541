import { encodeRecord, periodOf, receiptText } from "@latchkey/client/counts";
import { openNodeClient } from "@latchkey/client/node";
import { greyJpeg } from "@latchkey/client/testing";
import { archiveOf } from "@latchkey/client/testing/archives";
import { makeRelease } from "@latchkey/releases/testing";
import { beginDesk } from "@latchkey/server/testing";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runWith } from "./run.testing.ts";
import { serverOfAllTests } from "./server.testing.ts";

/*
 * docs/json.md is what programs are promised of --json: each command is run on a real server, and what it prints is held against the page.
 */

const server = serverOfAllTests();
const { folder } = server;

type Schema = string | readonly Schema[] | { readonly [key: string]: Schema };

const page = readFileSync(new URL("../../../docs/json.md", import.meta.url), "utf8");

/** The objects that the page describes, by their names. */
const objects = new Map<string, Schema>(
  [...page.matchAll(/^### (\S[^\n]*)\n(?:(?!^#)[^])*?^```json\n([^]*?)^```/gm)].map(([, name = "", text = ""]) => [
    name,
    JSON.parse(text) as Schema,
  ]),
);

/** What each command prints, by its words: the name of an object. */
const commands = new Map([...page.matchAll(/^\| `([a-z -]+)` \| ([A-Za-z]+)/gm)].map(([, words = "", name = ""]) => [words, name]));

/** Where a value is not what a schema says: empty where it is. */
function differences(value: unknown, schema: Schema, at: string): string[] {
  if (typeof schema === "string") {
    if (schema.startsWith("@")) {
      const found = objects.get(schema.slice(1));
      return found === undefined ? [`${at}: the page has no ${schema.slice(1)}`] : differences(value, found, at);
    }
    if (schema.includes("|")) return schema.split("|").includes(String(value)) ? [] : [`${at}: ${String(value)} is none of ${schema}`];
    const kind = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
    return kind === schema || schema === "any" ? [] : [`${at}: ${kind} in place of ${schema}`];
  }
  if (Array.isArray(schema)) {
    const [element] = schema as readonly Schema[];
    if (!Array.isArray(value)) return [`${at}: no array`];
    return value.flatMap((each, index) => differences(each, element ?? "any", `${at}[${String(index)}]`));
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [`${at}: no object`];
  const members = Object.entries(schema).map(([key, inner]) => ({ key: key.replace(/\?$/, ""), isOptional: key.endsWith("?"), inner }));
  const unknown = Object.keys(value).filter((key) => !members.some((member) => member.key === key) && !("..." in schema));
  return [
    ...unknown.map((key) => `${at}.${key}: not on the page`),
    ...members.flatMap(({ key, isOptional, inner }) => {
      if (key === "...") return [];
      const found: unknown = Reflect.get(value, key);
      if (found === undefined) return isOptional ? [] : [`${at}.${key}: missing`];
      return differences(found, inner, `${at}.${key}`);
    }),
  ];
}

const run = async (name: string, args: readonly string[]): Promise<{ status: number; lines: unknown[]; errors: unknown[] }> => {
  const home = join(folder, name);
  mkdirSync(home, { recursive: true });
  const { status, stdout, stderr } = await runWith(home, [...args, "--json", "--server", server.url], undefined, {
    openClient: (params) => openNodeClient(params),
  });
  const parsed = (text: string): unknown[] =>
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as unknown);
  return { status, lines: parsed(stdout), errors: parsed(stderr) };
};

const seen = new Set<string>();

/** Runs a command that has to succeed, and holds each of its lines against the page. Answers them. */
async function held(name: string, words: string, ...args: readonly string[]): Promise<Record<string, unknown>[]> {
  const { status, lines, errors } = await run(name, [...words.split(" "), ...args]);
  expect([words, status, errors]).toEqual([words, 0, []]);
  const object = commands.get(words);
  expect(object, `docs/json.md says what "${words}" prints`).toBeDefined();
  for (const line of lines) expect(differences(line, `@${object ?? ""}`, words)).toEqual([]);
  if (lines.length > 0) seen.add(words);
  return lines as Record<string, unknown>[];
}

/** Ben reports what Cyd wrote; the desk warns Cyd, who is told why, and appeals; so does Ben, to whom that is not enough. */
async function reportToTheDesk(group: string, message: string): Promise<void> {
  const { page } = await beginDesk({ dataDirectory: join(folder, "data"), url: server.url });
  const complaint = [group, message, "--reason", "scam", "--words", "a trick"];
  const [preview] = await held("ben", "report --preview", ...complaint);
  expect(preview).toMatchObject({ lines: [{ role: "reported", text: "send me your code" }], unproven: [], namesReporter: true });
  const [sent] = await held("ben", "report", ...complaint);
  expect(sent).toMatchObject({ kind: "report", accused: { username: "cyd" } });
  const [reported] = await until(async () => (await page.ask("case-list", {})).cases);
  if (reported === undefined) throw new Error("a case");
  expect(reported).toMatchObject({ reasons: ["scam"], messages: 1, proved: 1 });
  const { number, revision } = reported;
  const ground = { kind: "incompatible" as const, basis: "Rule 2", explanation: "No tricks" };
  const decision = { kind: "warn" as const, ground, facts: "A code was asked for.", category: "SCAMS_AND_FRAUD" as const };
  const about = { contentTypes: ["TEXT" as const], territory: [], toReporter: "They were warned." };
  await page.ask("case-decide", { cases: [{ number, revision }], decision: { ...decision, ...about } });
  const [notice] = await until(() => held("cyd", "notices"));
  expect(notice).toMatchObject({ body: { sanction: "warn", facts: "A code was asked for.", messageIds: [message] } });
  await until(async () => (await held("ben", "reports")).filter(({ status }) => Reflect.get(Object(status), "kind") === "decided"));
  await held("cyd", "appeal", String(notice?.["noticeId"]), "--words", "It was a joke");
  await held("ben", "appeal", "--report", String(sent?.["reportId"]), "--words", "Not enough");
  await until(async () => [(await page.ask("case-get", { number })).case.appeals].filter(({ length }) => length === 2));
}

/** What `look` finds, as soon as it finds something. */
async function until<T>(look: () => Promise<readonly T[]>): Promise<readonly T[]> {
  for (;;) {
    const found = await look();
    if (found.length > 0) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("what commands print is what docs/json.md promises, neither more nor less", async () => {
  await held("ann", "register", "ann");
  await held("ben", "register", "ben");
  await held("cyd", "register", "cyd");
  await held("ann", "whoami");
  const [sent] = await held("ann", "send", "ben", "hello");
  const [request] = await held("ben", "requests");
  expect(request).toBeDefined();
  await held("ben", "requests accept", "ann");
  await held("ben", "read");
  const id = String(sent?.["id"]);
  await held("ben", "reply", id, "hello to you");
  await held("ben", "react", id, "👍");
  await held("ann", "read");
  await held("ann", "edit", id, "hello, Ben");
  await held("ann", "info", id);
  const picture = join(folder, "cat.png");
  writeFileSync(picture, new Uint8Array(70_000).fill(7));
  const [album] = await held("ann", "send", "ben", "--file", picture, "--file", picture, "--caption", "Cats");
  expect(album?.["files"]).toHaveLength(2);
  await held("ben", "read");
  const saved = await held("ben", "save", String(album?.["id"]), "--out", folder);
  expect(saved.map(({ path }) => path)).toEqual([join(folder, "cat (1).png"), join(folder, "cat (2).png")]);
  expect(readFileSync(join(folder, "cat (2).png")).equals(readFileSync(picture))).toBe(true);
  const [poll] = await held("ann", "poll", "ben", "When?", "today", "tomorrow");
  await held("ben", "read");
  await held("ben", "vote", String(poll?.["id"]), "1");
  await held("ann", "vote", String(poll?.["id"]), "2");
  await held("ann", "pin", id);
  const since = await run("ann", ["read", "--since", "start"]);
  expect([since.status, since.errors]).toEqual([0, []]);
  for (const line of since.lines.slice(0, -1)) expect(differences(line, "@Message", "read --since")).toEqual([]);
  expect(differences(since.lines.at(-1), "@Cursor", "read --since")).toEqual([]);
  expect(await held("ann", "search", "ello", "from:me")).toHaveLength(1);
  const [forwarded] = await held("ann", "forward", id, "ben");
  await held("ann", "delete", String(forwarded?.["id"]));
  await held("ann", "deletions", String(sent?.["conversationId"]));
  await held("ann", "export", "ben", "--out", join(folder, "ben.zip"));
  const chat = "31/01/2024, 17:30 - Ada: hello\n99/99/2024, 17:30 - Ada: hello\n31/01/2024, 17:31 - Ada: sun.jpg (file attached)\n";
  const archive = archiveOf({ name: "_chat.txt", content: Buffer.from(chat) }, { name: "sun.jpg", content: greyJpeg({ widthPx: 64 }) });
  writeFileSync(join(folder, "chat.zip"), archive);
  const [imported] = await held("ann", "import", join(folder, "chat.zip"));
  await held("ann", "import list");
  await held("ann", "import read", String(imported?.["id"]));
  await held("ann", "import save", String(imported?.["id"]), "--out", folder);
  await held("ann", "import aside", String(imported?.["id"]));
  await held("ann", "import search", "hello");
  await held("ann", "import delete", String(imported?.["id"]));
  await held("ann", "conversations");
  await held("ann", "mute", "ben", "8h");
  await held("ann", "archive", "ben");
  await held("ann", "top", "ben");
  await held("ann", "unread", "ben");
  await held("ann", "star", id);
  await held("ann", "starred");
  await held("ann", "later", "ben", "good morning", "--at", "8h");
  await held("ann", "scheduled");
  await held("ann", "remind", id, "8h");
  await held("ann", "reminders");
  await held("ann", "draft", "ben", "not yet");
  await held("ann", "clear", "ben");
  const [group] = await held("ann", "group create", "Picnic", "ben");
  await held("ann", "group show", String(group?.["id"]));
  const [link] = await held("ann", "invite create", String(group?.["id"]));
  await held("ann", "invite list", String(group?.["id"]));
  await held("cyd", "join", String(link?.["url"]));
  await held("ann", "knocks list", String(group?.["id"]));
  await held("ann", "knocks refuse", String(group?.["id"]), "cyd");
  await held("cyd", "join", String(link?.["url"]));
  await held("ann", "knocks admit", String(group?.["id"]), "cyd");
  await held("cyd", "conversations");
  const [claim] = await held("cyd", "send", String(group?.["id"]), "send me your code");
  await held("ben", "read");
  await held("ben", "moderate report", String(group?.["id"]), String(claim?.["id"]), "--reason", "fraud", "--words", "a trick");
  const [report] = await held("ann", "moderate reports", String(group?.["id"]));
  expect(report).toMatchObject({ reason: "fraud", words: "a trick", messages: [{ message: { body: { text: "send me your code" } } }] });
  await held("ann", "moderate dismiss", String(group?.["id"]), String(report?.["reportId"]));
  const came = await held("ann", "moderate invited-by", String(group?.["id"]));
  expect(came.map(({ linkOf }) => linkOf !== undefined).toSorted()).toEqual([false, false, true]);
  await reportToTheDesk(String(group?.["id"]), String(claim?.["id"]));
  await held("ann", "invite revoke", String(group?.["id"]), String(link?.["linkId"]));
  await held("ann", "devices");
  await held("ann", "alarms");
  await held("ann", "privacy", "--typing", "off");
  await held("ann", "recovery passphrase", "off");
  await held("ann", "account name", "Ann of the choir");
  const ownPicture = join(folder, "picture.jpg");
  writeFileSync(ownPicture, greyJpeg({ widthPx: 64 }));
  await held("ann", "account picture", ownPicture);
  await held("ann", "quiet", "weekdays", "22:30-07:00");
  await held("ann", "history-backup");
  await held("ben", "block", "ann");
  await held("ben", "block");
  await held("ben", "unblock", "ann");
  await held("cyd", "send", "ben", "let me in");
  await held("ben", "requests decline", "cyd");
  await held("ann", "inspect");
  const release = join(folder, "release.zip");
  writeFileSync(release, (await makeRelease()).zip);
  await held("ann", "verify-release", release);
  const [counted] = await held("ann", "transparency verify", server.url);
  const host = String(counted?.["host"]);
  const receipt = join(folder, "receipt.txt");
  const none = new Uint8Array();
  const salt = new Uint8Array(32);
  const fields = { format: 1, host, batch: 0, salt, country: undefined, place: undefined, ext: none } as const;
  // Of a half-year that nobody has begun.
  writeFileSync(receipt, receiptText({ ...fields, period: periodOf(Date.now()) + 2, record: encodeRecord({ kind: "none" }) }));
  expect(await held("ann", "transparency receipt", receipt)).toMatchObject([{ host, state: "waiting" }]);
  const [package_] = (await run("ann", ["inspect", "--out", join(folder, "held.json")])).lines;
  expect(differences(package_, "@SavedHoldings", "inspect --out")).toEqual([]);
  await held("ann", "account delete", "--yes", "ann");
  // Rows that nothing was printed for were not held against anything.
  const silent = new Set(["alarms", "link"]);
  expect([...commands.keys()].filter((words) => !seen.has(words) && !silent.has(words))).toEqual([]);
}, 300_000);

test("a failure, and a notice beside results, are objects too", async () => {
  const { status, errors } = await run("dan", ["whoami"]);
  expect(status).toBe(1);
  for (const error of errors) expect(differences(error, "@Error", "error")).toEqual([]);
  const usage = await run("dan", ["send"]);
  expect(usage.status).toBe(2);
  expect(usage.errors).toHaveLength(1);
  for (const error of usage.errors) expect(differences(error, "@Error", "error")).toEqual([]);
});
