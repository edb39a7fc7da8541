import type { ClientEvent, Picture } from "@latchkey/client";

/** Pictures that nothing shows any more and that stay at hand: a list that is scrolled back has them at once. */
const maxAtHand = 100;

interface Shown {
  readonly listeners: Set<() => void>;
  address: string | undefined;
  /** Counts what was asked for: an answer to an earlier question is none. */
  asked: number;
}

/** The pictures of people and groups, as addresses for `img`, while they are shown. */
export interface Pictures {
  /** Tells of the picture of a person or a group from now on; returns how to stop. */
  subscribe(id: string, listener: () => void): () => void;
  /** Where it is, for this page alone; `undefined` for none. */
  address(id: string): string | undefined;
  hear(event: ClientEvent): void;
}

/** Asks for pictures once each, and lets go of their bytes when they are shown no more. */
export function createPictures(ask: (id: string) => Promise<Picture | undefined>): Pictures {
  const shown = new Map<string, Shown>();

  function letGo(one: Shown): void {
    if (one.address !== undefined) URL.revokeObjectURL(one.address);
    one.address = undefined;
  }

  async function load(id: string, one: Shown): Promise<void> {
    one.asked += 1;
    const { asked } = one;
    const picture = await ask(id).catch(() => undefined);
    if (one.asked !== asked || shown.get(id) !== one || (picture === undefined && one.address === undefined)) return;
    letGo(one);
    if (picture !== undefined) one.address = URL.createObjectURL(new Blob([new Uint8Array(picture.bytes)], { type: picture.mediaType }));
    for (const listener of one.listeners) listener();
  }

  /** Those that were shown longest ago go first. */
  function tidy(): void {
    const idle = [...shown].filter(([, { listeners }]) => listeners.size === 0);
    for (const [id, one] of idle.slice(0, Math.max(0, idle.length - maxAtHand))) {
      shown.delete(id);
      letGo(one);
    }
  }

  return {
    subscribe(id, listener) {
      const known = shown.get(id);
      const one = known ?? { listeners: new Set(), address: undefined, asked: 0 };
      shown.delete(id);
      shown.set(id, one);
      one.listeners.add(listener);
      if (known === undefined) void load(id, one);
      return () => {
        one.listeners.delete(listener);
        tidy();
      };
    },
    address: (id) => shown.get(id)?.address,
    hear(event) {
      const ids = event.kind === "picture" ? [event.id] : event.kind === "account" ? [...shown.keys()] : [];
      for (const id of ids) {
        const one = shown.get(id);
        if (one !== undefined) void load(id, one);
      }
    },
  };
}
