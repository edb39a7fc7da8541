import { ServerError } from "../../errors.ts";
import type { PostgresDatabase } from "./database.ts";

/** A row of pg_settings, as of a connection of this server. */
export interface DatabaseSetting {
  readonly name: string;
  readonly setting: string;
}

interface Demand {
  readonly name: string;
  /** What it may be; `undefined` where the setting is not there, which is an extension's that is not loaded. */
  readonly isGood: (setting: string | undefined) => boolean;
  /** One line: why, and what to set. */
  readonly advice: string;
}

const only =
  (...values: readonly string[]) =>
  (setting: string | undefined): boolean =>
    setting !== undefined && values.includes(setting);
const absentOr =
  (...values: readonly string[]) =>
  (setting: string | undefined): boolean =>
    setting === undefined || values.includes(setting);

/** From these on commits wait for the standby right after PostgreSQL has started, too: major version, and minor. */
const waiting: ReadonlyMap<number, number> = new Map([
  [15, 13],
  [16, 9],
  [17, 5],
]);
const allWaiting = 18;

function isNewEnough(version: string | undefined): boolean {
  const number = Number(version);
  const [major, minor] = [Math.floor(number / 10_000), number % 10_000];
  return major >= allWaiting || minor >= (waiting.get(major) ?? Infinity);
}

/** What does not hold is as if there were no database: tables could not be made, or would hold something else. */
const compatible: readonly Demand[] = [
  {
    name: "server_version_num",
    isGood: isNewEnough,
    advice: "PostgreSQL is too old: use 15.13, 16.9, 17.5, 18 or a newer one, which wait for the standby from their start on.",
  },
  { name: "server_encoding", isGood: only("UTF8"), advice: "The database's texts are not UTF-8: create one with ENCODING 'UTF8'." },
];

/** Without these what was acknowledged may be lost with the power (spec L-7). */
const durable: readonly Demand[] = [
  { name: "fsync", isGood: only("on"), advice: "What is acknowledged may not be on disk: set fsync = on." },
  { name: "full_page_writes", isGood: only("on"), advice: "A loss of power may leave half a page: set full_page_writes = on." },
  {
    name: "synchronous_commit",
    isGood: only("on", "remote_apply"),
    advice: "What is acknowledged may not be on disk: set synchronous_commit = on.",
  },
];

const onStandby: Demand = {
  name: "synchronous_standby_names",
  isGood: (setting) => setting !== undefined && setting !== "",
  advice:
    "What is acknowledged is on one machine alone: set synchronous_standby_names = 'ANY 1 (...)', or tell Latchkey that the loss of what came last is accepted.",
};

const values = "The log of the database would hold what people send or ask, and when";
const times = "The database would keep when each message came";

/** Without these the database tells more than is kept: values and times to its log, times to its files (promise P1). */
const discreet: readonly Demand[] = [
  { name: "log_statement", isGood: only("none"), advice: `${values}: set log_statement = none.` },
  { name: "log_duration", isGood: only("off"), advice: `${times}: set log_duration = off.` },
  { name: "log_min_duration_statement", isGood: only("-1"), advice: `${values}: set log_min_duration_statement = -1.` },
  { name: "log_min_duration_sample", isGood: only("-1"), advice: `${values}: set log_min_duration_sample = -1.` },
  { name: "log_transaction_sample_rate", isGood: only("0"), advice: `${values}: set log_transaction_sample_rate = 0.` },
  { name: "log_min_error_statement", isGood: only("panic"), advice: `${values}: set log_min_error_statement = panic.` },
  {
    name: "log_parameter_max_length_on_error",
    isGood: only("0"),
    advice: `${values}: set log_parameter_max_length_on_error = 0.`,
  },
  { name: "log_error_verbosity", isGood: only("terse"), advice: `${values}: set log_error_verbosity = terse.` },
  // From version 18 on a list of what is told.
  {
    name: "log_connections",
    isGood: only("off", ""),
    advice: "The log of the database would tell of connections: set log_connections = off.",
  },
  {
    name: "log_disconnections",
    isGood: only("off"),
    advice: "The log of the database would tell of connections: set log_disconnections = off.",
  },
  { name: "track_commit_timestamp", isGood: only("off"), advice: `${times}: set track_commit_timestamp = off.` },
  {
    name: "auto_explain.log_min_duration",
    isGood: absentOr("-1"),
    advice: `${values}: set auto_explain.log_min_duration = -1, or do not load auto_explain.`,
  },
  { name: "pgaudit.log", isGood: absentOr("none", ""), advice: `${values}: set pgaudit.log = none, or do not load pgaudit.` },
];

/** What is wrong with the settings, a line each with what to set; empty where nothing is. @param acceptLoss whether there need be no standby */
export function settingFaults(settings: readonly DatabaseSetting[], { acceptLoss }: { readonly acceptLoss: boolean }): string[] {
  const known = new Map(settings.map(({ name, setting }) => [name, setting]));
  const demands = [...compatible, ...durable, ...(acceptLoss ? [] : [onStandby]), ...discreet];
  return demands.filter(({ name, isGood }) => !isGood(known.get(name))).map(({ advice }) => advice);
}

/** Looks whether the database is set so that it keeps this server's promises. @throws ServerError `database_failed` with all that has to be set; StoreError */
export async function checkSettings(database: PostgresDatabase, options: { readonly acceptLoss: boolean }): Promise<void> {
  const { rows } = await database.query<DatabaseSetting>("SELECT name, setting FROM pg_settings");
  const faults = settingFaults(rows, options);
  if (faults.length > 0) throw new ServerError("database_failed", faults.join(" "));
}
