import type { GrownEnd, KnownEnd } from "../store.ts";
import type { PostgresTransaction } from "./transaction.ts";

/** Each by the index of the ids: a plain join reads a whole table where many are asked. */
const statements = {
  logs: `
    SELECT w.at - 1 AS at, l.last_seq AS "lastSeq" FROM unnest($1::bytea[], $2::bigint[]) WITH ORDINALITY AS w (id, last_seq, at)
      CROSS JOIN LATERAL (SELECT last_seq FROM logs WHERE log_id = w.id LIMIT 1) l
    WHERE l.last_seq > w.last_seq ORDER BY w.at`,
  inboxes: `
    SELECT w.at - 1 AS at, i.last_seq AS "lastSeq" FROM unnest($1::bytea[], $2::bigint[]) WITH ORDINALITY AS w (id, last_seq, at)
      CROSS JOIN LATERAL (SELECT last_seq FROM inboxes WHERE inbox_id = w.id LIMIT 1) i
    WHERE i.last_seq > w.last_seq ORDER BY w.at`,
  accounts: `
    SELECT w.at - 1 AS at, a.version AS "lastSeq" FROM unnest($1::bytea[], $2::bigint[]) WITH ORDINALITY AS w (id, version, at)
      CROSS JOIN LATERAL (SELECT version FROM accounts WHERE account_id = w.id LIMIT 1) a
    WHERE a.version > w.version ORDER BY w.at`,
};

/** As `LogStore.grownLogs`, `InboxStore.grownInboxes` and `DirectoryStore.grownAccounts`, of what was committed before it was called. One statement. @throws StoreError */
export async function grownEnds(
  tx: PostgresTransaction,
  table: keyof typeof statements,
  { known }: { readonly known: readonly KnownEnd[] },
): Promise<GrownEnd[]> {
  const { rows } = await tx.query<GrownEnd>(statements[table], [known.map(({ id }) => id), known.map(({ lastSeq }) => lastSeq)]);
  return [...rows];
}
