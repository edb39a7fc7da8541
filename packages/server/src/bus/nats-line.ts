import { connect } from "@nats-io/transport-node";
import type { OpenLine } from "./line-bus.ts";

/**
 * A line by NATS, on a connection of its own, for more nodes than one database should carry the hints of. NATS keeps nothing and is asked for
 * nothing else: nodes that cannot reach it go on, and find what others stored when they look.
 * @param params.url `nats://user:password@host:port`, several with commas between them: a secret
 * @param params.answerMs how long a connection, or an answer on it, is waited for
 */
export function natsLine({ url, channel, answerMs }: { url: string; channel: string; answerMs: number }): OpenLine {
  return async (hear) => {
    const subject = `latchkey.${channel}`;
    // What this node says itself does not come back. Whoever has the line connects again.
    const connection = await connect({
      ...serversOf(url),
      name: "latchkey",
      noEcho: true,
      reconnect: false,
      timeout: answerMs,
      pingInterval: answerMs,
    });
    connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) hear(message.string());
      },
    });
    const ended = connection.closed().then(
      () => undefined,
      () => undefined,
    );
    const check = async (): Promise<void> => {
      let cancel = (): void => {};
      const late = new Promise<never>((_, reject) => {
        const timer = setTimeout(() => reject(new Error("no answer")), answerMs);
        cancel = () => clearTimeout(timer);
      });
      await Promise.race([connection.flush(), late]).finally(cancel);
    };
    try {
      await check();
    } catch (error) {
      void connection.close().catch(() => undefined);
      throw error;
    }
    return {
      async say(texts) {
        for (const text of texts) connection.publish(subject, text);
        await check();
      },
      async check() {
        await check();
        // It does not say who listens.
        return true;
      },
      ended,
      end: () => void connection.close().catch(() => undefined),
    };
  };
}

/** The addresses of the servers, and who this is there: the client takes them apart. */
function serversOf(url: string): { readonly servers: string[]; readonly user?: string; readonly pass?: string } {
  const addresses = url.split(",").map((each) => new URL(each.trim()));
  const [{ username, password } = { username: "", password: "" }] = addresses;
  const servers = addresses.map(({ protocol, host }) => `${protocol}//${host}`);
  if (username === "") return { servers };
  return { servers, user: decodeURIComponent(username), pass: decodeURIComponent(password) };
}
