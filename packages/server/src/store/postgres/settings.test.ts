import { describe, expect, onTestFinished, test } from "vitest";
import { findPostgres, keptSettings, startPostgres } from "../../testing/postgres.ts";
import { PostgresDatabase } from "./database.ts";
import { checkSettings, settingFaults } from "./settings.ts";

/** All as it should be. */
const good: Readonly<Record<string, string>> = {
  server_version_num: "150018",
  server_encoding: "UTF8",
  fsync: "on",
  full_page_writes: "on",
  synchronous_commit: "on",
  synchronous_standby_names: "ANY 1 (a, b)",
  log_statement: "none",
  log_duration: "off",
  log_min_duration_statement: "-1",
  log_min_duration_sample: "-1",
  log_transaction_sample_rate: "0",
  log_min_error_statement: "panic",
  log_parameter_max_length_on_error: "0",
  log_error_verbosity: "terse",
  log_connections: "off",
  log_disconnections: "off",
  track_commit_timestamp: "off",
};
const faults = (settings: Readonly<Record<string, string>>, acceptLoss = false): string[] =>
  settingFaults(
    Object.entries(settings).map(([name, setting]) => ({ name, setting })),
    { acceptLoss },
  );

test("a database that is set as it should be has no fault", () => {
  expect(faults(good)).toEqual([]);
  expect(faults({ ...good, synchronous_commit: "remote_apply", log_connections: "", "pgaudit.log": "none" })).toEqual([]);
  for (const version of ["150013", "160009", "170005", "180000", "190001"])
    expect(faults({ ...good, server_version_num: version })).toEqual([]);
});

test("[L-7] what may lose what was acknowledged is told, one line each, with what to set", () => {
  expect(faults({ ...good, fsync: "off" })).toEqual(["What is acknowledged may not be on disk: set fsync = on."]);
  expect(faults({ ...good, full_page_writes: "off" })).toEqual([expect.stringContaining("full_page_writes = on")]);
  for (const setting of ["off", "local", "remote_write"]) expect(faults({ ...good, synchronous_commit: setting })).toHaveLength(1);
  const alone = { ...good, synchronous_standby_names: "" };
  expect(faults(alone)).toEqual([expect.stringContaining("synchronous_standby_names = 'ANY 1 (...)'")]);
  expect(faults(alone, true)).toEqual([]);
  expect(faults({ ...alone, fsync: "off" }, true)).toHaveLength(1);
});

test.for([
  ["log_statement", "ddl"],
  ["log_duration", "on"],
  ["log_min_duration_statement", "0"],
  ["log_min_duration_sample", "100"],
  ["log_transaction_sample_rate", "0.1"],
  ["log_min_error_statement", "error"],
  ["log_parameter_max_length_on_error", "-1"],
  ["log_error_verbosity", "default"],
  ["log_connections", "on"],
  ["log_connections", "receipt,authentication"],
  ["log_disconnections", "on"],
  ["track_commit_timestamp", "on"],
  ["auto_explain.log_min_duration", "0"],
  ["pgaudit.log", "all"],
  ["server_version_num", "140020"],
  ["server_version_num", "150012"],
  ["server_version_num", "160008"],
  ["server_version_num", "170004"],
  ["server_encoding", "SQL_ASCII"],
] as const)("%s = %s is told", ([name, setting]) => {
  expect(faults({ ...good, [name]: setting })).toHaveLength(1);
});

test("a setting that the database does not know is a fault, but for those of extensions", () => {
  expect(faults({})).toHaveLength(Object.keys(good).length);
});

describe.skipIf(findPostgres() === undefined)("on PostgreSQL", () => {
  const open = async (settings: Readonly<Record<string, string>>): Promise<PostgresDatabase> => {
    const postgres = await startPostgres(settings);
    onTestFinished(() => postgres.stop());
    const database = await PostgresDatabase.open({ url: postgres.url, schema: "settings" });
    onTestFinished(() => database.close());
    return database;
  };
  test("it is asked for its settings, and refused as it is installed", async () => {
    const message = expect.stringMatching(/fsync = on.*synchronous_standby_names.*log_min_error_statement/) as string;
    await expect(checkSettings(await open({}), { acceptLoss: false })).rejects.toMatchObject({ code: "database_failed", message });
  });

  test("set as it should be it is taken", async () => {
    await checkSettings(await open(keptSettings), { acceptLoss: true });
  });
});
