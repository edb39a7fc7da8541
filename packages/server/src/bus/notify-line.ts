import { createHash } from "node:crypto";
import pg from "pg";
import type { Line, OpenLine } from "./line-bus.ts";

/**
 * A line by LISTEN and NOTIFY of PostgreSQL, on a connection of its own. Who is on it shares a lock there, which nobody gets for themselves
 * while another has it.
 * @param params.url `postgresql://user:password@host:port/database`: a secret
 * @param params.channel 63 characters at most, and no quotation mark
 * @param params.answerMs how long a connection, or an answer on it, is waited for
 */
export function notifyLine({ url, channel, answerMs }: { url: string; channel: string; answerMs: number }): OpenLine {
  return async (hear) => {
    const client = new pg.Client({
      connectionString: url,
      keepAlive: true,
      connectionTimeoutMillis: answerMs,
      query_timeout: answerMs,
    });
    const ended = new Promise<void>((resolve) => {
      client.once("end", resolve);
    });
    // Its end is told as well.
    client.on("error", () => {});
    try {
      await client.connect();
      const process = await greet(client, channel);
      // What this node said itself comes back too.
      client.on("notification", ({ channel: at, processId, payload = "" }) => {
        if (at === channel && processId !== process) hear(payload);
      });
    } catch (error) {
      end(client);
      throw error;
    }
    const line: Line = {
      async say(texts) {
        const text = "SELECT pg_notify($1, said) FROM unnest($2::text[]) AS said";
        await client.query({ name: "notify", text, values: [channel, texts] });
      },
      async check() {
        const text = "SELECT NOT CASE WHEN pg_try_advisory_lock($1) THEN pg_advisory_unlock($1) ELSE false END AS shared";
        const { rows } = await client.query<{ shared: boolean }>({ name: "check", text, values: [lockOf(channel)] });
        return rows[0]?.shared !== false;
      },
      ended,
      end: () => end(client),
    };
    return line;
  };
}

/** Listens; answers the number of the database's process. A standby refuses. @throws Error of the driver */
async function greet(client: pg.Client, channel: string): Promise<number> {
  // Nobody waits until a hint is on disk.
  await client.query("SET application_name = 'latchkey bus'; SET synchronous_commit = off; SET client_min_messages = warning");
  // Whoever asks for others from now on finds this one.
  await client.query("SELECT pg_advisory_lock_shared($1)", [lockOf(channel)]);
  await client.query(`LISTEN "${channel}"`);
  const { rows } = await client.query<{ process: number }>("SELECT pg_backend_pid() AS process");
  return rows[0]?.process ?? 0;
}

/** The number of the lock that those of a channel share. */
function lockOf(channel: string): string {
  return createHash("sha256").update(`latchkey bus ${channel}`).digest().readBigInt64BE().toString();
}

/** Whatever becomes of it, the connection's end is told. */
function end(client: pg.Client): void {
  client.end().catch(() => undefined);
}
