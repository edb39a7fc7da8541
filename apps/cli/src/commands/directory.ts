import type { AuditReport, NameRecord, RecordedHead } from "@latchkey/witness";
import { CommandError, usageError } from "../errors.ts";
import { formatTime, printableLine } from "../output.ts";
import { defaultServerUrl, rememberedServer } from "../profile.ts";
import type { Command, CommandContext } from "./command.ts";
import { stringOption } from "./command.ts";

/** `latchkey directory audit`, `latchkey directory show NAME` and `latchkey directory accept NAME`. */
export const directoryCommand: Command = {
  name: "directory",
  usage: "directory audit | directory show NAME | directory accept NAME",
  summary: "check the public record of the server's accounts",
  help: `  directory audit              replays the whole record from its beginning; exit status 0 only if all of it holds
  directory show NAME          looks a name up and verifies the proof, as a client does that knows nothing yet
  directory accept NAME        a name that belonged to another account: you know that the one which has it now is whom you mean

  --config-hash HEX            with audit: the record is the one with this configuration, as an invitation or another person names it

The first two need no account.`,
  options: { "config-hash": { type: "string" } },
  positionals: [1, 2],
  async run(context) {
    const [action, name, ...rest] = context.positionals;
    if (action === "audit" && name === undefined) return await audit(context);
    if (action === "show" && name !== undefined && rest.length === 0) return await show(context, name);
    if (action === "accept" && name !== undefined && rest.length === 0) return await accept(context, name);
    throw usageError(`latchkey ${directoryCommand.usage}`);
  },
};

async function audit(context: CommandContext): Promise<void> {
  const { output, values } = context;
  const pinned = stringOption(values, "config-hash");
  if (pinned !== undefined && !/^[0-9a-f]{64}$/.test(pinned)) throw usageError("--config-hash takes 64 hexadecimal digits");
  const { auditDirectory, httpLogSource } = await import("@latchkey/witness");
  const report = await auditDirectory({
    source: httpLogSource({ serverUrl: serverUrlOf(context), timeoutMs: 30_000, retries: 3 }),
    ...(pinned === undefined ? {} : { pinnedConfigHash: new Uint8Array(Buffer.from(pinned, "hex")) }),
  });
  const { configHash, fault, elapsedMs, ...counts } = report;
  const changesPerSecond = elapsedMs === 0 ? 0 : Math.round((report.changes / elapsedMs) * 1000);
  output.result(
    {
      ...counts,
      configHash: hex(configHash),
      elapsedMs: Math.round(elapsedMs),
      changesPerSecond,
      holds: fault === undefined,
      fault: fault ?? null,
    },
    formatReport(report, changesPerSecond),
  );
  if (fault !== undefined) throw new CommandError("audit_failed", `${fault.where}: ${fault.message} (${fault.rule})`);
}

async function show(context: CommandContext, name: string): Promise<void> {
  const { lookUpName } = await import("@latchkey/witness");
  const [username = ""] = name.split("@");
  const record = await lookUpName({ serverUrl: serverUrlOf(context), username });
  const { head, ...rest } = record;
  const jsonHead = { ...head, configHash: hex(head.configHash) };
  if (record.kind === "absent") {
    context.output.result({ ...rest, username, head: jsonHead }, formatAbsence(record));
    return;
  }
  const devices = record.devices.map(({ deviceId, addedMs }) => ({ deviceId: hex(deviceId), addedMs }));
  context.output.result({ ...rest, accountId: hex(record.accountId), devices, head: jsonHead }, formatAccount(record, devices));
}

async function accept({ output, withClient }: CommandContext, name: string): Promise<void> {
  await withClient(async (client) => {
    const person = await client.acceptName(name);
    output.result(person, `${printableLine(person.address)} is account ${person.accountId} for you from now on`);
  });
}

function serverUrlOf({ serverUrl, home }: CommandContext): string {
  return serverUrl ?? rememberedServer(home) ?? defaultServerUrl;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function formatReport(report: AuditReport, changesPerSecond: number): string {
  const { origin, configHash, entries, size, transitions, changes, labels, tiles, witnesses, bytes, elapsedMs, fault } = report;
  const lines = [
    `Directory     ${printableLine(origin)}`,
    `Configuration ${hex(configHash)}`,
    ...(report.newestConfigIndex === report.configIndex
      ? []
      : [`Announced     another configuration, in entry ${String(report.newestConfigIndex)}: its keys and witnesses do not count yet`]),
    `Entries       ${String(entries)} of ${String(size)}${report.newestMs === 0 ? "" : `, from ${formatTime(report.firstMs)} to ${formatTime(report.newestMs)}`}`,
    `Transitions   ${String(transitions)} with ${String(changes)} changes of ${String(labels)} names and accounts; ${String(tiles)} tiles compared`,
    `Witnesses     ${witnesses.length === 0 ? "none" : witnesses.map(({ name, timeMs }) => `${printableLine(name)} (${formatTime(timeMs)})`).join(", ")}`,
    `Read          ${(bytes / 1e6).toFixed(1)} MB in ${(elapsedMs / 1000).toFixed(1)} s, ${String(changesPerSecond)} changes a second`,
    fault === undefined ? "All of it holds." : `FAULT at ${fault.where}: ${fault.message} (${fault.rule})`,
  ];
  return lines.join("\n");
}

function formatAccount(record: NameRecord & { kind: "account" }, devices: readonly { deviceId: string; addedMs: number }[]): string {
  const { username, accountId, status, versions, createdMs, changedMs, hadOtherOwner, proofBytes, recordBytes, head } = record;
  const lines = [
    `${printableLine(username)}${status === "deleted" ? " (deleted)" : ""}`,
    `Account    ${hex(accountId)}`,
    `Since      ${formatTime(createdMs)}, ${String(versions)} ${versions === 1 ? "state" : "states"}, changed last ${formatTime(changedMs)}`,
    ...devices.map(({ deviceId, addedMs }) => `Device     ${deviceId}, added ${formatTime(addedMs)}`),
    ...(hadOtherOwner ? ["Name       belonged to another account before"] : []),
    ...formatHead(head),
    `Proof      ${String(proofBytes)} bytes beside ${String(recordBytes)} bytes of signed states`,
  ];
  return lines.join("\n");
}

function formatAbsence({ head, isReleased, proofBytes }: NameRecord & { kind: "absent" }): string {
  return [
    isReleased ? "Nobody has this name any more" : "Nobody has this name, and nobody had",
    ...formatHead(head),
    `Proof      ${String(proofBytes)} bytes`,
  ].join("\n");
}

function formatHead({ size, timestampMs, logWitnesses, mapWitnesses, required }: RecordedHead): string[] {
  const all = [...new Set([...logWitnesses, ...mapWitnesses])];
  const vouching =
    all.length === 0
      ? "none: nobody but you watches this record"
      : `${all.map(printableLine).join(", ")} (required: ${String(required.log)} for the log, ${String(required.map)} for its changes)`;
  return [`Record     entry ${String(size - 1)} of ${formatTime(timestampMs)}`, `Witnesses  ${vouching}`];
}
