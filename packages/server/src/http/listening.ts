import { Server as NetServer, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { ServerError } from "../errors.ts";

/** A port that is held for a server until it is ready: whoever connects before is cut off at once. */
export interface HeldPort {
  readonly port: number;
  readonly server: NetServer;
  release(): void;
}

/** Holds any free port. @throws ServerError `address_not_allowed` */
export async function holdPort(address: string): Promise<HeldPort> {
  const server = createServer((socket) => socket.destroy());
  await listening(server, { host: address, port: 0 });
  // A TCP server's address is always AddressInfo.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    server,
    release() {
      server.close();
    },
  };
}

/**
 * Listens with all that the app is, as the last step of a start. Answers the port.
 * @throws ServerError `port_in_use` or `address_not_allowed`
 */
export async function listenOn(app: FastifyInstance, at: { address: string; port: number; held: HeldPort | undefined }): Promise<number> {
  const { address, port, held } = at;
  // Fastify ends connections only of servers that it made listen; nothing is taken on after this.
  app.addHook("preClose", (done) => {
    app.server.closeAllConnections();
    done();
  });
  await app.ready();
  await listening(app.server, held?.server ?? { host: address, port });
  return (app.server.address() as AddressInfo).port;
}

/** Where to listen, and the option that the port was given by. */
export interface ListenPlace {
  readonly host: string;
  readonly port: number;
  readonly option?: "--http-port";
}

/** Listens at an address, or in the place of a server that holds one. @throws ServerError `port_in_use` or `address_not_allowed` */
export function listening(server: NetServer, at: NetServer | ListenPlace): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error): void => reject(at instanceof NetServer ? cause : listenError(cause, at));
    server.once("error", failed);
    server.listen(at, () => {
      server.off("error", failed);
      resolve();
    });
  });
}

function listenError(cause: Error, { host, port, option }: ListenPlace): ServerError {
  const another = option ?? "port";
  const code = "code" in cause ? cause.code : undefined;
  if (code === "EADDRINUSE")
    return new ServerError("port_in_use", `Port ${port} is in use: stop what uses it, or choose another ${another}.`, { cause });
  if (code === "EACCES") {
    return new ServerError("address_not_allowed", `Port ${port} is not allowed for this user: choose a ${another} above 1023.`, { cause });
  }
  return new ServerError("address_not_allowed", `Cannot listen on ${host}, port ${port}: choose an address of this machine.`, { cause });
}
