/** What the two schemas of a PostgreSQL have that the databases of a data folder have not, column by column: about nobody but where it says so. */
export const postgresColumns: Readonly<Record<"logs" | "accounts", Readonly<Record<string, string>>>> = {
  logs: {
    "schema_version.id": "Always 1.",
    "schema_version.marker": "Whose schema it is.",
    "schema_version.version": "Its format.",
    "schema_version.usable_from": "The oldest format of which servers can use it.",
    "logs.ref": "A random number of the log's row, in place of `logs.id`.",
    "logs.last_seq": "The number of its newest entry, which is also in that.",
    "logs.head": "The head of its newest entry, which is also in that.",
    "logs.current_epoch": "The number of its newest epoch, which is also in that.",
    "epochs.last_commit": "The number of the newest commit in the epoch, which is also in that.",
    "epochs.closed_seq": "The number of the commit that closed it.",
    "epochs.closed_day": "The day of that commit.",
    "entries.week": "The week of the entry's day, by which tables are dropped.",
    "entries.entry_id": "16 bytes of a hash over the entry, in place of `entries.digest`: the same entry is not taken twice.",
  },
  accounts: {
    "schema_version.id": "Always 1.",
    "schema_version.marker": "Whose schema it is.",
    "schema_version.version": "Its format.",
    "schema_version.usable_from": "The oldest format of which servers can use it.",
    "leases.name": "A task of which one server at a time has the turn.",
    "leases.term": "How often somebody has had it.",
    "leases.holder": "The random name of the server's run that has it.",
    "leases.until": "When its turn ends, unless it goes on.",
    "leases.is_wanted": "Whether another one waits for it.",
  },
};

/** Tables and columns of a data folder's databases that a PostgreSQL has not. */
export const notInPostgres: Readonly<Record<"logs" | "accounts", readonly string[]>> = {
  logs: ["logs.id", "logs.indexed_seq", "entries.digest", "entry_digests", "recent_entries", "noise"],
  accounts: ["noise"],
};
