import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commandLinePeer, createFolder, latchkey, startServerProcess } from "./testing/processes.ts";
import type { CommandLinePeer, ServerProcess, TemporaryFolder } from "./testing/processes.ts";

const launcher = fileURLToPath(new URL("../../apps/cli/bin/latchkey.js", import.meta.url));

let folder: TemporaryFolder;
let server: ServerProcess;
let desk: CommandLinePeer;
let laptop: CommandLinePeer;
let phrase: string;

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  desk = commandLinePeer({ home: folder.at("desk"), server: server.url });
  laptop = commandLinePeer({ home: folder.at("laptop"), server: server.url });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

interface Step {
  readonly step: string;
  readonly words?: readonly string[];
  readonly digits?: string;
}

/** `latchkey link` on a new device: its steps as they come, and its end. */
function startLink(home: string, ...args: string[]): { steps: Step[]; offer: Promise<Step>; ended: Promise<number | null> } {
  const command = [launcher, "link", "--json", "--home", home, "--server", server.url, ...args];
  const child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "ignore"] });
  const steps: Step[] = [];
  const offer = Promise.withResolvers<Step>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    // Each line is a step, by the command's own help.
    const step = JSON.parse(line) as Step;
    steps.push(step);
    if (step.step === "offer") offer.resolve(step);
  });
  const ended = once(child, "close").then(([status]: unknown[]) => (typeof status === "number" ? status : null));
  return { steps, offer: offer.promise, ended };
}

interface Device {
  readonly deviceId: string;
  readonly name: string;
  readonly isThisDevice: boolean;
}

describe("the command line with several devices", () => {
  test("[A-4] registers, and shows the recovery phrase once", async () => {
    const [account] = await desk.run<{ recoveryPhrase?: string }>("register", "frida");
    phrase = account?.recoveryPhrase ?? "";
    expect(phrase.split(" ")).toHaveLength(24);
    const again = await desk.attempt("phrase");
    expect([again.status, again.stderr]).toEqual([1, expect.stringMatching(/^\{"error":\{"code":"no_phrase","message":"[^\n]+\n$/)]);
    await desk.run("send", "frida", "note to myself");
  });

  test("[A-7] links a second device by words, with the same digits on both", async () => {
    const link = startLink(laptop.home, "--yes", "--name", "Laptop");
    const { words = [] } = await link.offer;
    expect(words).toHaveLength(12);
    const accepted = await desk.run<Step>("link", "accept", ...words, "--yes");
    expect(await link.ended).toBe(0);
    const digits = (steps: readonly Step[]): string | undefined => steps.find(({ step }) => step === "compare")?.digits;
    expect(digits(accepted)).toMatch(/^\d{6}$/);
    expect(digits(link.steps)).toBe(digits(accepted));
    expect(link.steps.at(-1)).toMatchObject({ step: "done", account: { username: "frida" } });
    const lines = await laptop.run<{ body: { text?: string } }>("read");
    expect(lines.map(({ body }) => body.text)).toContain("note to myself");
    const devices = await laptop.run<Device>("devices");
    expect(devices.map(({ name, isThisDevice }) => [name, isThisDevice])).toEqual([
      ["", false],
      ["Laptop", true],
    ]);
  });

  test("[A-8] either device writes, and both have it", async () => {
    await laptop.run("send", "frida", "from the laptop");
    const lines = await desk.run<{ body: { text?: string }; author?: { isSelf: boolean } }>("read");
    expect(lines.filter(({ body }) => body.text === "from the laptop")).toMatchObject([{ author: { isSelf: true } }]);
  });

  test("[A-7] refuses a code that is none, and one of nobody, in one line", async () => {
    const none = await desk.attempt("link", "accept", "hello");
    expect([none.status, none.stderr]).toEqual([1, expect.stringMatching(/^\{"error":\{"code":"invalid_code","message":"[^\n]+\n$/)]);
    const nobody = await desk.attempt("link", "accept", ..."zoo ".repeat(11).trim().split(" "), "wrong");
    expect([nobody.status, nobody.stderr]).toEqual([1, expect.stringMatching(/^\{"error":\{"code":"invalid_code","message":"[^\n]+\n$/)]);
    const linked = await laptop.attempt("link", "--yes");
    expect([linked.status, linked.stderr]).toEqual([1, expect.stringMatching(/^\{"error":\{"code":"account_exists","message":"[^\n]+\n$/)]);
  });

  test("[A-7] digits that differ end it on both sides", async () => {
    const link = startLink(folder.at("other"), "--yes");
    const { words = [] } = await link.offer;
    const refused = await latchkey(["link", "accept", ...words, "--json", "--home", desk.home, "--server", server.url], { stdin: "n\n" });
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringMatching(/\{"error":\{"code":"link_refused","message":"[^\n]+\n$/)]);
    expect(await link.ended).toBe(1);
    expect(await desk.run("devices")).toHaveLength(2);
  });

  test("removes a device, which then says so", async () => {
    const devices = await desk.run<Device>("devices");
    const { deviceId = "" } = devices.find(({ isThisDevice }) => !isThisDevice) ?? {};
    expect(await desk.run("devices", "remove", deviceId)).toHaveLength(1);
    // The first command may hear of the conversation before it hears of the account.
    const first = await laptop.attempt("send", "frida", "still here");
    expect([first.status, first.stderr]).toEqual([
      1,
      expect.stringMatching(/\{"error":\{"code":"(device_removed|not_a_member)","message":"[^\n]+\n$/),
    ]);
    await laptop.attempt("read");
    const refused = await laptop.attempt("send", "frida", "still here");
    expect([refused.status, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/\{"error":\{"code":"device_removed","message":"[^\n]+\n$/),
    ]);
  });

  test("[A-4] recovers the account from its phrase, and [A-1] deletes it", async () => {
    const home = folder.at("recovered");
    const recovered = await latchkey(["recover", "frida", "--json", "--home", home, "--server", server.url, "--name", "New"], {
      stdin: `${phrase}\n`,
    });
    expect([recovered.status, recovered.stderr]).toEqual([0, ""]);
    expect(recovered.json()).toMatchObject([{ username: "frida" }]);
    const peer = commandLinePeer({ home, server: server.url });
    expect(await peer.run<Device>("devices")).toMatchObject([{ name: "New", isThisDevice: true }]);
    expect((await peer.attempt("account", "delete", "frida")).status).toBe(2);
    expect(await peer.run("account", "delete", "--yes", "frida")).toEqual([{ deleted: "frida", host: expect.any(String) }]);
    const gone = await peer.attempt("whoami");
    expect([gone.status, gone.stderr]).toEqual([1, expect.stringMatching(/^\{"error":\{"code":"no_account","message":"/)]);
    const wrong = await latchkey(["recover", "frida", "--json", "--home", home, "--server", server.url], { stdin: phrase });
    expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringMatching(/^\{"error":\{"code":"unknown_user","message":"[^\n]+\n$/)]);
  });
});
