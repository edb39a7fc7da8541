import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { commandLinePeer, createFolder, freePort, latchkey, startServerProcess } from "./testing/processes.ts";
import type { CommandLinePeer, ServerProcess, TemporaryFolder } from "./testing/processes.ts";
import { startWitnessProcess } from "./testing/witness-process.ts";
import type { WitnessProcess } from "./testing/witness-process.ts";

// Three witnesses, each a process of its own, of whom two are required: what clients do when some of them are gone, lie or sleep.

let folder: TemporaryFolder;
let server: ServerProcess;
let witnesses: WitnessProcess[];
const closers: (() => Promise<void>)[] = [];

beforeEach(async () => {
  folder = createFolder();
});

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  await server[Symbol.asyncDispose]();
  for (const witness of witnesses) await witness.kill();
  folder[Symbol.dispose]();
});

/** Three witnesses of a server that is not there yet, then the server. `between` stands in front of the third. */
async function start(between?: (witness: WitnessProcess) => Promise<string>): Promise<void> {
  const port = await freePort();
  const watched = `http://localhost:${String(port)}`;
  witnesses = await Promise.all(
    ["first", "second", "third"].map((name) => startWitnessProcess({ folder: folder.at(name), name: `${name}.example`, server: watched })),
  );
  const lines = await Promise.all(
    witnesses.map(async (witness, index) => {
      const url = between !== undefined && index === 2 ? await between(witness) : witness.url;
      return `${url} ${witness.logKey} ${witness.mapKey}`;
    }),
  );
  server = await startServerProcess({
    data: folder.at("data"),
    port,
    args: [...lines.flatMap((line) => ["--witness", line]), "--witness-quorum", "2"],
  });
}

/** Something in front of a witness that answers in its place. */
async function startProxy(listener: RequestListener): Promise<string> {
  const proxy = createServer(listener);
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  closers.push(async () => {
    const closed = once(proxy, "close");
    proxy.close();
    proxy.closeAllConnections();
    await closed;
  });
  // A TCP server's address is always AddressInfo.
  return `http://127.0.0.1:${String((proxy.address() as AddressInfo).port)}`;
}

async function registered(username: string): Promise<CommandLinePeer> {
  const peer = commandLinePeer({ home: folder.at(username), server: server.url });
  await peer.run("register", username);
  return peer;
}

interface Shown {
  readonly head: {
    readonly size: number;
    readonly logWitnesses: string[];
    readonly mapWitnesses: string[];
    readonly required: { readonly log: number; readonly map: number };
  };
}

/** The witnesses that vouch for a name's proof. */
async function vouching(username: string): Promise<{ log: string[]; map: string[] }> {
  const [shown] = (await latchkey(["directory", "show", username, "--json", "--server", server.url])).json<Shown>();
  expect(shown?.head.required).toEqual({ log: 2, map: 2 });
  return { log: shown?.head.logWitnesses ?? [], map: shown?.head.mapWitnesses ?? [] };
}

interface Audit {
  readonly holds: boolean;
  readonly entries: number;
  readonly witnesses: { readonly name: string }[];
}

async function audit(): Promise<Audit | undefined> {
  const { status, json } = await latchkey(["directory", "audit", "--json", "--server", server.url]);
  const [report] = json<Audit>();
  expect(status).toBe(report?.holds === true ? 0 : 1);
  return report;
}

describe("two witnesses of three are required", () => {
  test("[D-3] all three vouch; one may stop; with two gone clients trust nothing new and say why, and go on when one is back", async () => {
    await start();
    const annabel = await registered("annabel");
    await registered("benedict");
    expect((await vouching("annabel")).map).toEqual(
      ["first.example", "second.example", "third.example"].map((name) => `${name}/latchkey-map`),
    );
    const replayed = await audit();
    expect(replayed).toMatchObject({ holds: true });
    // The log's own first entry, two accounts, and the keys of tokens, which may have come along with one of those.
    expect([3, 4]).toContain(replayed?.entries);
    await annabel.run("send", "benedict", "All three watch");

    await witnesses[2]?.kill();
    await registered("claudia");
    expect(await vouching("claudia")).toMatchObject({ map: ["first.example/latchkey-map", "second.example/latchkey-map"] });
    await annabel.run("send", "claudia", "Two of them watch");

    // A name that entered the record while one witness watched: nobody takes it.
    await witnesses[1]?.kill();
    const lonely = commandLinePeer({ home: folder.at("lonely"), server: server.url });
    const refused = await lonely.attempt("register", "lonely");
    const waits = [
      1,
      expect.stringMatching(/^\{"error":\{"code":"account_waits","message":"[^\n]*goes on by itself[^\n]*witness[^\n]*\n$/),
    ];
    expect([refused.status, refused.stderr]).toEqual(waits);
    // The profile has it, and every command goes on with it.
    const waiting = await lonely.attempt("whoami");
    expect([waiting.status, waiting.stderr]).toEqual(waits);
    const audited = await latchkey(["directory", "audit", "--server", server.url]);
    expect([audited.status, audited.stderr]).toEqual([
      1,
      expect.stringMatching(/^latchkey: audit_failed: checkpoint: the quorum is not met: 1 of the 2 witnesses[^\n]*\n$/),
    ]);
    const unsent = await annabel.attempt("send", "lonely", "Nobody but one watches");
    expect([unsent.status, unsent.stderr]).toEqual([
      1,
      expect.stringMatching(/^\{"error":\{"code":"directory_(stale|unproven)","message":"[^\n]*witness[^\n]*\n$/),
    ]);
    const shown = await latchkey(["directory", "show", "lonely", "--server", server.url]);
    expect([shown.status, shown.stderr]).toEqual([1, expect.stringMatching(/^latchkey: quorum: [^\n]+\n$/)]);
    // Whom one knows already is written to as before.
    await annabel.run("send", "benedict", "We know each other");

    const second = witnesses[1];
    if (second === undefined) throw new Error("there are three witnesses");
    witnesses[1] = await second.restart();
    // It is asked again within a minute, whoever asks the server for what meanwhile.
    await expect.poll(async () => (await lonely.attempt("whoami")).status, { timeout: 90_000, interval: 2000 }).toBe(0);
    // The phrase is kept until it was seen.
    expect(await lonely.run("phrase")).toHaveLength(1);
    await annabel.run("send", "lonely", "Two watch again");
    expect(await audit()).toMatchObject({ holds: true });
  }, 400_000);

  test("one that answers with signatures that are none is not counted", async () => {
    // It cosigns another tree, with its true key's name and id, or sends no signature at all.
    const answers = ["\u2014 third.example AAAAAAAAAAAA\n", "not a signature\n", ""];
    let asked = 0;
    await start(async ({ logKey }) => {
      const [name = "", keyId = ""] = logKey.split("+");
      const forged = Buffer.concat([Buffer.from(keyId, "hex"), Buffer.alloc(72, 7)]).toString("base64");
      return await startProxy((_request, response) => {
        asked++;
        response.writeHead(200).end([`\u2014 ${name} ${forged}\n`, ...answers][asked % 4]);
      });
    });
    const annabel = await registered("annabel");
    await registered("benedict");
    expect((await vouching("benedict")).map).toEqual(["first.example/latchkey-map", "second.example/latchkey-map"]);
    await annabel.run("send", "benedict", "The third lies");
    expect(asked).toBeGreaterThan(0);
    const report = await audit();
    expect([report?.holds, report?.witnesses.some(({ name }) => name.startsWith("third"))]).toEqual([true, false]);
  });

  test("one that does not answer holds nobody up: what was published counts without it", async () => {
    // It never answers: whoever waited for it without a bound would wait until this test is over.
    await start(async () => await startProxy(() => undefined));
    const annabel = await registered("annabel");
    await registered("benedict");
    await annabel.run("send", "benedict", "The third sleeps");
    expect((await vouching("benedict")).map).toEqual(["first.example/latchkey-map", "second.example/latchkey-map"]);
  });
});

describe("a witness's process", () => {
  test("killed and started again, it is bound by what it signed before; a second one on the same key does not start", async () => {
    await start();
    await registered("annabel");
    const [first] = witnesses;
    if (first === undefined) throw new Error("there are three witnesses");
    const twice = await latchkey(["witness", "--server", server.url, "--key", first.keyPath, "--listen", "127.0.0.1:0"]);
    expect([twice.status, twice.stderr]).toEqual([1, expect.stringMatching(/^latchkey: state_in_use: [^\n]+\n$/)]);
    await first.kill();
    witnesses[0] = await first.restart();
    expect([witnesses[0].logKey, witnesses[0].mapKey]).toEqual([first.logKey, first.mapKey]);
    await registered("benedict");
    expect((await vouching("benedict")).map).toHaveLength(3);
    const empty = await fetch(`${witnesses[0].url}/add-checkpoint`, { method: "POST", body: "old 0\n" });
    expect(empty.status).toBe(400);
    expect(witnesses[0].output()).not.toContain("FAULT");
  });
});
