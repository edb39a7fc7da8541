import type { Standing } from "./timeline.ts";

const storageKey = "latchkey.places";
/** Conversations whose place is kept: those that were left last. */
const mostPlaces = 50;

/** Where the person left conversations that they did not read to the end. */
export interface Places {
  get(conversationId: string): Standing | undefined;
  /** `undefined`: at the end, where a conversation opens anyway. */
  set(conversationId: string, place: Standing | undefined): void;
  /** Has what a reload of this tab needs; called when the page may go. */
  save(): void;
  /** The conversations are erased here: nothing of them is kept. */
  clear(): void;
}

/** The places of this tab: they outlive a reload, and end with the tab. */
export function createPlaces(storage: Pick<Storage, "getItem" | "setItem"> | undefined): Places {
  const places = new Map(read(storage));
  const save = (): void => {
    try {
      storage?.setItem(storageKey, JSON.stringify([...places]));
    } catch {
      // Storage is full or blocked: the places hold until the page is closed.
    }
  };
  return {
    get: (conversationId) => places.get(conversationId),
    set(conversationId, place) {
      places.delete(conversationId);
      if (place !== undefined) places.set(conversationId, place);
      const [oldest] = places.keys();
      if (places.size > mostPlaces && oldest !== undefined) places.delete(oldest);
    },
    save,
    clear() {
      places.clear();
      save();
    },
  };
}

/** What was stored, as far as it is what `save` stores: anything may lie there. */
function read(storage: Pick<Storage, "getItem"> | undefined): [string, Standing][] {
  let stored: unknown;
  try {
    stored = JSON.parse(storage?.getItem(storageKey) ?? "[]");
  } catch {
    return [];
  }
  if (!Array.isArray(stored)) return [];
  return stored.slice(-mostPlaces).flatMap((entry: unknown): [string, Standing][] => {
    const [id, place]: unknown[] = Array.isArray(entry) ? entry : [];
    const known: Partial<Record<keyof Standing, unknown>> = typeof place === "object" && place !== null ? place : {};
    const { order, abovePx } = known;
    if (typeof id !== "string" || typeof order !== "number" || typeof abovePx !== "number") return [];
    return Number.isSafeInteger(order) && Number.isFinite(abovePx) ? [[id, { order, abovePx }]] : [];
  });
}

/** What outlives a reload of this tab, where the browser has that. */
export function tabStorage(): Storage | undefined {
  try {
    return globalThis.sessionStorage;
  } catch {
    return undefined;
  }
}
