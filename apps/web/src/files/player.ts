import type { AttachedFile } from "@latchkey/client";
import type { Controller } from "../state/controller.ts";
import { createStore } from "../state/store.ts";
import type { Store } from "../state/store.ts";
import type { ShowFailure } from "./file-source.ts";
import { ShowError } from "./file-source.ts";
import type { FileHolder } from "./holder.ts";
import { fileSourceOf } from "./use-files.ts";

/** How fast it can be played. */
export const rates = [1, 1.5, 2] as const;

/** What is played, or was last. */
export interface Playing {
  readonly message: FileHolder;
  readonly file: AttachedFile;
  readonly isPlaying: boolean;
  /** Seconds. */
  readonly at: number;
  readonly length: number;
  readonly failure: ShowFailure | undefined;
}

/** What the player is at: one sound in the whole app, which goes on wherever the person goes. */
export interface PlayerState {
  readonly current: Playing | undefined;
  readonly rate: number;
}

/** The one player of sounds. */
export interface Player {
  readonly store: Store<PlayerState>;
  /** Plays it from where it was left, or stops it there. */
  toggle(message: FileHolder, file: AttachedFile): void;
  /** Goes to that second of it. */
  seek(message: FileHolder, file: AttachedFile, at: number): void;
  nextRate(): void;
  /** Where it was left, in seconds. */
  placeOf(file: AttachedFile): number;
  /** Stops, and forgets what was played. */
  end(): void;
}

const players = new WeakMap<Controller, Player>();

/** The one player of an app. */
export function playerOf(controller: Controller): Player {
  const player = players.get(controller) ?? createPlayer(controller);
  players.set(controller, player);
  return player;
}

function createPlayer(controller: Controller): Player {
  const store = createStore<PlayerState>({ current: undefined, rate: 1 });
  const places = new Map<string, number>();
  const element = new Audio();
  element.preload = "auto";
  const source = fileSourceOf(controller);

  /** What is in the element; `undefined` while the address of what is to be played comes. */
  let loaded: AttachedFile | undefined;
  /** What comes. */
  let coming: object | undefined;

  const change = (over: Partial<Playing>): void =>
    store.update((state) => (state.current === undefined ? state : { ...state, current: { ...state.current, ...over } }));
  /** What is played, once it is in the element: what that tells late of the one before counts for nothing. */
  const inElement = (): Playing | undefined => {
    const { current } = store.get();
    return current !== undefined && current.file.id === loaded?.id ? current : undefined;
  };
  const keep = (): void => {
    const current = inElement();
    if (current !== undefined) places.set(current.file.id, element.currentTime);
  };
  element.addEventListener("timeupdate", () => {
    if (inElement() === undefined) return;
    keep();
    change({ at: element.currentTime });
  });
  element.addEventListener("durationchange", () => {
    if (inElement() !== undefined && Number.isFinite(element.duration)) change({ length: element.duration });
  });
  element.addEventListener("play", () => {
    if (inElement() !== undefined) change({ isPlaying: true });
  });
  element.addEventListener("pause", () => {
    if (inElement() !== undefined) change({ isPlaying: false });
  });
  element.addEventListener("error", () => {
    const address = element.getAttribute("src");
    const failed = inElement()?.file.id;
    if (address === null || failed === undefined) return;
    void source.why(address).then((failure) => {
      if (inElement()?.file.id === failed) change({ failure, isPlaying: false });
    });
  });
  element.addEventListener("ended", () => {
    const current = inElement();
    if (current === undefined) return;
    // Played again, it begins anew.
    places.delete(current.file.id);
    loaded = undefined;
    change({ at: 0, isPlaying: false });
    const next = current.file.kind === "voice" ? nextVoice(controller, current.message) : undefined;
    if (next !== undefined) void begin(next.message, next.file, 0);
  });

  const begin = async (message: FileHolder, file: AttachedFile, at: number): Promise<void> => {
    keep();
    loaded = undefined;
    element.pause();
    const mine = {};
    coming = mine;
    store.update((state) => ({
      ...state,
      current: { message, file, isPlaying: true, at, length: (file.durationMs ?? 0) / 1000, failure: undefined },
    }));
    try {
      const address = await source.address({ message, file });
      if (coming !== mine) return;
      loaded = file;
      element.src = address;
      element.currentTime = at;
      element.defaultPlaybackRate = store.get().rate;
      element.playbackRate = store.get().rate;
    } catch (error) {
      if (coming === mine) change({ failure: error instanceof ShowError ? error.why : "failed", isPlaying: false });
      return;
    } finally {
      if (coming === mine) coming = undefined;
    }
    // What cannot be played is told by the element.
    await element.play().catch(() => undefined);
  };
  /** It is stopped before it began. */
  const letGo = (): void => {
    coming = undefined;
    change({ isPlaying: false });
  };
  const isCurrent = (message: FileHolder, file: AttachedFile): boolean => {
    const { current } = store.get();
    return current?.file.id === file.id && current.message.id === message.id && current.failure === undefined;
  };

  return {
    store,
    toggle(message, file) {
      if (isCurrent(message, file) && coming !== undefined) letGo();
      else if (!isCurrent(message, file) || loaded === undefined) void begin(message, file, places.get(file.id) ?? 0);
      else if (element.paused) void element.play().catch(() => undefined);
      else element.pause();
    },
    seek(message, file, at) {
      places.set(file.id, at);
      if (isCurrent(message, file) && loaded !== undefined) element.currentTime = at;
      else void begin(message, file, at);
    },
    nextRate() {
      const { rate } = store.get();
      const next = rates[(rates.findIndex((one) => one === rate) + 1) % rates.length] ?? 1;
      element.playbackRate = next;
      element.defaultPlaybackRate = next;
      store.update((state) => ({ ...state, rate: next }));
    },
    placeOf: (file) => places.get(file.id) ?? 0,
    end() {
      keep();
      [coming, loaded] = [undefined, undefined];
      element.pause();
      element.removeAttribute("src");
      element.load();
      store.update((state) => ({ ...state, current: undefined }));
    },
  };
}

/** The voice message that follows, if the next one that somebody said is one. */
function nextVoice(controller: Controller, after: FileHolder): { readonly message: FileHolder; readonly file: AttachedFile } | undefined {
  const messages = controller.store.get().timelines.get(after.conversationId)?.messages ?? [];
  const message = messages.find(({ order, body }) => order > after.order && body.kind === "text");
  const file = message?.isOnce === true ? undefined : message?.files?.find(({ kind }) => kind === "voice");
  return message === undefined || file === undefined ? undefined : { message, file };
}
