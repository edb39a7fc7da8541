import { Listeners } from "./bus.ts";
import type { Bus } from "./bus.ts";
import type { Hint } from "./hint.ts";

/** The buses of nodes in one process, which hear each other at once and lose nothing. One that is alone has nobody to tell. */
export class LocalHub {
  readonly #nodes = new Map<Bus, Listeners<[Hint]>>();

  /** A node's bus. */
  join(reportBug: (error: unknown) => void): Bus {
    const listeners = new Listeners<[Hint]>(reportBug);
    const bus: Bus = {
      publish: (hint) => {
        if (this.#nodes.size <= 1 || !this.#nodes.has(bus)) return;
        for (const [node, others] of this.#nodes) if (node !== bus) others.tell(hint);
      },
      listen: (listener) => listeners.add(listener),
      onGap: () => () => {},
      close: () => {
        this.#nodes.delete(bus);
        listeners.clear();
        return Promise.resolve();
      },
    };
    this.#nodes.set(bus, listeners);
    return bus;
  }
}
