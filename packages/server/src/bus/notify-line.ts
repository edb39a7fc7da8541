import pg from "pg";
import type { Line, OpenLine } from "./line-bus.ts";

/**
 * A line by LISTEN and NOTIFY of PostgreSQL, on a connection of its own.
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
        await client.query("SELECT 1");
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
  await client.query(
    `SET application_name = 'latchkey bus'; SET synchronous_commit = off; SET client_min_messages = warning; LISTEN "${channel}"`,
  );
  const { rows } = await client.query<{ process: number }>("SELECT pg_backend_pid() AS process");
  return rows[0]?.process ?? 0;
}

/** Whatever becomes of it, the connection's end is told. */
function end(client: pg.Client): void {
  client.end().catch(() => undefined);
}
