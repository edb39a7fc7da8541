import { arrivalOf, outcomeOf, startCountedServer } from "@latchkey/server/testing";
import type { CountedServer } from "@latchkey/server/testing";
import { encodeRecord, receiptText } from "@latchkey/client/counts";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../run.ts";

let folder: string;
let counted: CountedServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-transparency-"));
  counted = await startCountedServer({
    dataDirectory: join(folder, "data"),
    cases: [
      ...[1, 2, 3].map((week) => ({ ref: `request:${week}`, week, count: arrivalOf({ country: "DE" }) })),
      { ref: "request:4", week: 4, count: arrivalOf({ country: "FR", type: "us-2703d" }) },
      { ref: "request:5", week: 4, count: arrivalOf({ country: "FR", secrecy: { kind: "open" } }) },
      { ref: "request:1", week: 6, count: outcomeOf() },
    ],
  });
}, 120_000);

afterAll(async () => {
  await counted.server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function run(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const written = { stdout: "", stderr: "" };
  const stream = (name: "stdout" | "stderr"): { write(text: string): unknown } => ({ write: (text) => (written[name] += text) });
  const status = await runCli(args, {
    stdout: stream("stdout"),
    stderr: stream("stderr"),
    variables: { LATCHKEY_SERVER: counted.server.url },
    homeDirectory: folder,
    workingDirectory: folder,
    readStdin: async () => "",
    readLine: async () => "",
    readSecret: async () => "",
    openClient: async () => {
      throw new Error("no account is needed");
    },
    stopRequested: async () => "SIGTERM" as const,
    isTyped: true,
    onReloadRequested: () => undefined,
  });
  return { status, ...written };
}

function receiptFile(at: number, change: (text: string) => string = (text) => text): string {
  const receipt = counted.receipts[at];
  if (receipt === undefined) throw new Error("there is a receipt");
  const path = join(folder, `receipt-${at}`);
  writeFileSync(path, change(receiptText(receipt)));
  return path;
}

describe("latchkey transparency", () => {
  test("[E-250] a server's half-years are verified against its public record, by anybody", async () => {
    const shown = await run("transparency", "verify");
    expect([shown.status, shown.stderr]).toEqual([0, ""]);
    expect(shown.stdout).toContain(`${counted.text}  2`);
    expect(shown.stdout).toMatch(/Requests: 4\b/);
    expect(shown.stdout).toMatch(/DE +3\n/);
    expect(shown.stdout).toMatch(/countries not named +1 to 2\n/);
    expect(shown.stdout).toMatch(/All of it holds\.\n$/);
    const { stdout } = await run("transparency", "verify", counted.server.url, "--json");
    const { holds, halfYears } = JSON.parse(stdout) as { holds: boolean; halfYears: readonly object[] };
    expect(holds).toBe(true);
    expect(halfYears).toContainEqual(expect.objectContaining({ period: counted.text, opening: 1, batches: 26, sealed: 52, findings: [] }));
  });

  test("[E-251] a receipt says whether its case is there, and whether it is the same", async () => {
    expect(await run("transparency", "receipt", receiptFile(0))).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("for everybody to read") as string,
    });
    expect(await run("transparency", "receipt", receiptFile(4))).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("stays sealed") as string,
    });
    const [receipt] = counted.receipts;
    if (receipt === undefined) throw new Error("there is a receipt");
    const other = receiptText({ ...receipt, record: encodeRecord({ kind: "none" }), country: undefined });
    const found = await run(
      "transparency",
      "receipt",
      receiptFile(1, () => other),
    );
    expect(found).toMatchObject({ status: 1, stdout: expect.stringContaining("it is NOT there") as string });
    for (const bad of ["", "latchkey-receipt-1.xyz", "\u0000".repeat(20_000)])
      expect(
        await run(
          "transparency",
          "receipt",
          receiptFile(2, () => bad),
        ),
      ).toMatchObject({ status: 1, stdout: "" });
    expect((await run("transparency", "receipt", join(folder, "nowhere"))).status).toBe(1);
    expect((await run("transparency")).status).toBe(2);
  });
});
