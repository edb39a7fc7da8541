import { startServer } from "@latchkey/server";
import type { RunningServer } from "@latchkey/server";
import { startFakeS3 } from "@latchkey/server/testing";
import { mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runWith } from "../run.testing.ts";
import type { Run } from "../run.testing.ts";

const page = readFileSync(new URL("../../../../docs/operations.md", import.meta.url), "utf8");

/** The commands of docs/operations.md that stand in blocks of their own, in its order. */
const commands = [...page.matchAll(/^```(?:sh)?\n([\s\S]*?)^```/gm)]
  .flatMap(([, block = ""]) => block.split("\n"))
  .filter((line) => line.startsWith("latchkey "))
  .map((line) => line.slice("latchkey ".length));

/** The words of a command as a shell would split it: spaces, and double quotes around some. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}

test("every command of docs/operations.md does what it is there for, one after the other, with a server of the default options", async () => {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-operations-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const start = async (): Promise<RunningServer> => {
    const server = await startServer({
      port: 0,
      dataDirectory: join(folder, "data"),
      journal: join(folder, "journal"),
      logLevel: "silent",
    });
    onTestFinished(() => server.close());
    return server;
  };
  let server = await start();
  const bucket = await startFakeS3();
  onTestFinished(() => bucket.close());
  const variables = {
    ...bucket.environment,
    LATCHKEY_HOME: join(folder, "home"),
    LATCHKEY_BACKUP_PASSPHRASE: "correct horse battery staple",
  };
  const run = (words: readonly string[]): Promise<Run> =>
    runWith(folder, words, undefined, {
      variables,
      openClient: async (params) => (await import("@latchkey/client/node")).openNodeClient(params),
    });
  const register = ["register", "alice", "--no-phrase", "--server", server.url];
  expect((await run(register)).status).toBe(0);

  const done: string[] = [];
  for (const command of commands) {
    let words = wordsOf(command).map((word) => word.replace("/mnt/", `${folder}/`));
    if (words.includes("ID")) {
      const { invitations } = JSON.parse((await run(["admin", "invite", "list", "--json"])).stdout) as { invitations: { id: string }[] };
      words = words.map((word) => (word === "ID" ? (invitations[0]?.id ?? "") : word));
    }
    // Beside the server that goes on.
    const isInPlace = words[0] === "restore" && !words.includes("new");
    if (isInPlace) {
      await server.close();
      renameSync(join(folder, "data"), join(folder, "data-before"));
    }
    const { status, stderr } = await run(words);
    // Of a server without a backup and witnesses doctor has something to say.
    const isDone = status === 0 || (words.includes("doctor") && stderr.startsWith("latchkey: needs_attention: "));
    expect([command, isDone, isDone ? "" : stderr]).toEqual([command, true, ""]);
    done.push(command);
    if (isInPlace) server = await start();
  }
  expect(done.length).toBeGreaterThan(15);
  // What came back is the server that it was.
  expect(JSON.parse((await run(["admin", "accounts", "--json"])).stdout)).toMatchObject({ count: 1, accounts: [{ username: "alice" }] });
});

test("every command of latchkey admin stands in docs/operations.md", async () => {
  const { stdout } = await runWith(tmpdir(), ["admin", "--help"]);
  // A usage, a gap, a summary: its first words in small letters are its name.
  const usages = [...stdout.matchAll(/^ {2}([a-z]\S*(?: \S+)*) {2,}\S/gm)].map(([, usage = ""]) => usage);
  const names = usages.map((usage) => /^[a-z-]+(?: [a-z]+)*/.exec(usage)?.[0] ?? usage);
  expect(names.length).toBeGreaterThan(12);
  const documented = (name: string): boolean => commands.some((command) => `${command} `.startsWith(`admin ${name} `));
  expect(names.filter((name) => !documented(name))).toEqual([]);
});
