import { toBase64Url } from "@latchkey/codec";
import type { Signal } from "@latchkey/protocol";
import type { Kept } from "../transport/kept-connection.ts";
import type { RoleConnection } from "../transport/connection.ts";
import type { ConversationRunner } from "./conversation-runner.ts";
import type { World } from "./world.ts";

/** One `log` connection to a host, shared by the conversations whose logs are there (spec C-5). */
export class HostLink {
  readonly host: string;
  readonly #runners = new Map<string, ConversationRunner>();
  #connection: RoleConnection<"log"> | undefined;
  readonly #kept: Kept<"log">;

  constructor(world: World, host: string, onSignal: (signal: Signal) => void) {
    this.host = host;
    this.#kept = world.connections.keep("log", host, {
      onOpen: (connection) => {
        this.#connection = connection;
        world.watch.greeted(host, connection.hello.ext);
        for (const runner of this.#runners.values()) runner.connected(connection);
      },
      onEvent: (event) => {
        if (event.kind === "signal") onSignal(event);
        else this.#runners.get(toBase64Url(event.logId))?.event(event);
      },
      onClose: () => {
        this.#connection = undefined;
        for (const runner of this.#runners.values()) runner.disconnected();
      },
    });
  }

  add(runner: ConversationRunner): void {
    this.#runners.set(runner.id, runner);
    if (this.#connection !== undefined) runner.connected(this.#connection);
  }

  release(): void {
    this.#kept.release();
  }
}
