import type {
  CountReceipt,
  Finding,
  KindSummary,
  PublicCounts,
  ReceiptState,
  ShownNumber,
  VerifiedHalfYear,
} from "@latchkey/client/counts";
import { open } from "node:fs/promises";
import { CommandError, usageError } from "../errors.ts";
import { formatTime, printableLine } from "../output.ts";
import { defaultServerUrl, rememberedServer } from "../profile.ts";
import type { Command, CommandContext } from "./command.ts";

const maxReceiptFile = 8192;

/** `latchkey transparency verify` and `latchkey transparency receipt`. */
export const transparencyCommand: Command = {
  name: "transparency",
  usage: "transparency verify [HOST] | transparency receipt FILE",
  summary: "verify what a server counts in public: requests, reports and what became of them",
  help: `  transparency verify [HOST]   every half-year that the server shows, held against its public record; exit status 0 only if all of it holds
  transparency receipt FILE    whether the case of a receipt is in the count, and unchanged; exit status 0 only if it is, or is not due yet

HOST is a server's name or address. No account is needed.`,
  positionals: [1, 2],
  async run(context) {
    const [action, argument] = context.positionals;
    if (action === "verify") return await verify(context, argument);
    if (action === "receipt" && argument !== undefined) return await receipt(context, argument);
    throw usageError(`latchkey ${transparencyCommand.usage}`);
  },
};

async function verify(context: CommandContext, host: string | undefined): Promise<void> {
  const { counts, name } = await openCounts(urlOf(context, host));
  const { isHarmless, periodText, summarize } = await import("@latchkey/client/counts");
  const { halfYears: verified, hidden } = await counts.verifyAll(name);
  const problems = verified.flatMap(({ report }) => report.findings.filter((one) => !isHarmless(one)));
  const holds = problems.length === 0 && hidden === 0;
  context.output.result(
    {
      host: name,
      holds,
      hidden,
      halfYears: verified.map(({ report, bytes, tookMs, record }) => ({
        period: periodText(report.period),
        batches: report.batches,
        due: report.due,
        opening: report.opening,
        opensMs: report.opensMs ?? null,
        sealed: report.sealed,
        findings: report.findings,
        kinds: report.opening === 0 ? [] : summarize(report),
        bytes,
        tookMs: Math.round(tookMs),
        witnesses: record.witnesses,
      })),
    },
    [
      `Server  ${printableLine(name)}`,
      ...(verified.length === 0 ? ["Nothing is counted in public here."] : []),
      ...verified.flatMap((one) => linesOf(one, periodText(one.report.period), one.report.opening === 0 ? [] : summarize(one.report))),
      ...(hidden === 0 ? [] : [`Values in the public record that none of it shows: ${hidden}`]),
      ...(verified.length === 0 && hidden === 0 ? [] : [holds ? "All of it holds." : "It does NOT hold: see above."]),
    ].join("\n"),
  );
  if (!holds) throw new CommandError("counts_differ", "What this server counts in public is not what stands in its record.");
}

async function receipt(context: CommandContext, path: string): Promise<void> {
  const { parseReceipt, checkReceipt, periodStartMs, periodText, CountsError } = await import("@latchkey/client/counts");
  const text = await readText(path);
  let given: CountReceipt;
  try {
    given = parseReceipt(text);
  } catch (error) {
    if (error instanceof CountsError) throw new CommandError("invalid_receipt", error.message, { cause: error });
    throw error;
  }
  const { counts, name } = await openCounts(context.serverUrl ?? `https://${given.host}`);
  const found = name === given.host ? await counts.verify(name, periodText(given.period)) : undefined;
  if (name !== given.host)
    throw new CommandError("invalid_receipt", `The receipt is of ${printableLine(given.host)}, and this is ${printableLine(name)}.`);
  // A half-year that is over and not shown at all has nothing of it.
  const isOver = Date.now() >= periodStartMs(given.period + 1);
  const first = found === undefined ? (isOver ? "missing" : "waiting") : checkReceipt(given, found.report);
  // What came into the half-year before was counted earlier than it was promised.
  const before = first === "missing" && found !== undefined ? await counts.verify(name, periodText(given.period - 1)) : undefined;
  const state: ReceiptState = found === undefined || before === undefined ? first : checkReceipt(given, found.report, before.report);
  context.output.result(
    { host: name, period: periodText(given.period), batch: given.batch, state },
    `${periodText(given.period)}: ${receiptWords[state]}`,
  );
  if (state === "missing")
    throw new CommandError("count_missing", "This case is not in the public count, or is not there as the receipt has it.");
}

const receiptWords: Readonly<Record<ReceiptState, string>> = {
  waiting: "not to be seen yet; ask again once this half-year was opened",
  counted: "it stands in its batch, which was not opened yet",
  sealed: "it is counted, and stays sealed",
  open: "it is counted, for everybody to read",
  missing: "it is NOT there",
};

function linesOf({ report, bytes, tookMs, record }: VerifiedHalfYear, period: string, kinds: readonly KindSummary[]): string[] {
  const { batches, due, sealed, opening, opensMs, findings } = report;
  const when =
    opening === 0 ? `opened on ${opensMs === undefined ? "no day" : formatTime(opensMs)}` : `opening ${opening}, ${sealed} slots sealed`;
  return [
    "",
    `${period}  ${batches} of ${due} batches, ${when}`,
    ...kinds.flatMap(({ of, arrivals, types, countries, results, median }) => [
      `  ${of === "request" ? "Requests" : "Notices"}: ${shown(arrivals)}${median === undefined ? "" : `, half of them within ${median} days`}`,
      ...[...types, ...countries.map((one) => ({ ...one, name: one.name === "" ? "countries not named" : one.name })), ...results].map(
        ({ name, number }) => `    ${printableLine(name).padEnd(34)} ${shown(number)}`,
      ),
    ]),
    ...findings.map((one) => `  ${wordsOf(one)}`),
    `  verified in ${Math.round(tookMs)} ms: ${bytes.opening} bytes opened, ${bytes.log} bytes of proof, ${record.witnesses} witnesses`,
  ];
}

function shown({ least, most }: ShownNumber): string {
  return least === most ? String(least) : `${least} to ${most}`;
}

function wordsOf({ kind, batch, slot, hours }: Finding): string {
  const where = `${batch === undefined ? "" : ` batch ${batch}`}${slot === undefined ? "" : ` slot ${slot}`}`;
  return `FOUND ${kind}${where}${hours === undefined ? "" : `, ${hours} hours`}`;
}

async function openCounts(serverUrl: string): Promise<{ counts: PublicCounts; name: string }> {
  const { openPublicCounts } = await import("@latchkey/client/counts");
  const { createNodePlatform } = await import("@latchkey/client/node");
  const counts = openPublicCounts({ platform: createNodePlatform(), serverUrl });
  return { counts, name: await counts.host() };
}

function urlOf({ serverUrl, home }: CommandContext, host: string | undefined): string {
  if (host === undefined) return serverUrl ?? rememberedServer(home) ?? defaultServerUrl;
  const url = /^https?:\/\//.test(host) ? host : `https://${host}`;
  if (!URL.canParse(url)) throw usageError("HOST is a server's name, such as chat.example.org");
  return url;
}

async function readText(path: string): Promise<string> {
  try {
    const file = await open(path);
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(maxReceiptFile), 0, maxReceiptFile, 0);
      return buffer.subarray(0, bytesRead).toString("utf8");
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new CommandError("invalid_receipt", `${printableLine(path)} cannot be read.`, { cause });
  }
}
