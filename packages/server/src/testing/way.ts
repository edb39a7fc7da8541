import { connect, createServer } from "node:net";
import type { Socket } from "node:net";

/** What stands before the databases of a cluster, and leads to the one that is the primary. */
export interface Way {
  readonly url: string;
  /** New connections go there from now on. */
  lead(url: string): void;
  close(): void;
}

/** Leads connections to a database, and from some time on to another one. */
export async function startWay(url: string): Promise<Way> {
  let target = new URL(url);
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    const further = connect(Number(target.port), target.hostname);
    for (const end of [socket, further]) {
      open.add(end);
      end.on("error", () => {});
      end.on("close", () => {
        open.delete(end);
        socket.destroy();
        further.destroy();
      });
    }
    socket.pipe(further).pipe(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const here = new URL(url);
  const address = server.address();
  here.port = typeof address === "object" && address !== null ? String(address.port) : "";
  return {
    url: here.href,
    lead(to) {
      target = new URL(to);
    },
    close() {
      server.close();
      for (const end of open) end.destroy();
    },
  };
}
