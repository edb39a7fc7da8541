import { maxFileBytes, maxFiles } from "@latchkey/client/limits";
import { safeFileName } from "@latchkey/client/file-name";
import type { Message, NewFile } from "@latchkey/client";
import type { Controller } from "../state/controller.ts";
import { loadPictureQuality, undoMs } from "../state/preferences.ts";
import { emptyTray, withTray } from "../state/trays.ts";
import type { Made, Tray, TrayItem, TrayNote } from "../state/trays.ts";
import { takeTurn } from "../state/turns.ts";
import { holdPage } from "./hold-page.ts";
import { make } from "./make.ts";
import type { PictureQuality } from "../media/prepare-picture.ts";

/** What a message that can be taken back had with it is kept a little longer than that. */
const graceMs = 2000;

let count = 0;

/** A key that no other file has. */
export function nextKey(): number {
  return count++;
}

/** What of the app this needs. */
export type AttachAccess = Pick<Controller, "store" | "client" | "history">;

/** Files that were chosen, dropped or pasted, and whether a folder was among them. */
export interface Chosen {
  readonly files: readonly File[];
  readonly hasFolder: boolean;
}

function trayOf({ store }: AttachAccess, conversationId: string): Tray {
  return store.get().trays.get(conversationId) ?? emptyTray;
}

function change({ store }: AttachAccess, conversationId: string, update: (tray: Tray) => Tray): void {
  store.update((state) => withTray(state, conversationId, update));
}

/** Puts files into the tray of a conversation, and begins to make them ready; what cannot be sent is said. */
export function attach(access: AttachAccess, conversationId: string, { files, hasFolder }: Chosen): void {
  const { items: before } = trayOf(access, conversationId);
  const { taken, notes } = sorted(files, maxFiles - before.length);
  const items = taken.map((file): TrayItem => {
    const name = safeFileName(file.name);
    return { key: nextKey(), file, name, description: "", isUnchanged: false, made: { kind: "making" } };
  });
  change(access, conversationId, (tray) => ({
    ...tray,
    items: [...tray.items, ...items],
    isOnce: false,
    notes: hasFolder ? [{ kind: "folder" }, ...notes] : notes,
  }));
  for (const { key } of items) void remake(access, conversationId, key);
}

/** Which of these files can be sent, and why the others cannot. */
export function sorted(files: readonly File[], room: number): { readonly taken: readonly File[]; readonly notes: readonly TrayNote[] } {
  const names = (some: readonly File[]): readonly string[] => some.map(({ name }) => safeFileName(name));
  const empty = files.filter(({ size }) => size === 0);
  const large = files.filter(({ size }) => size > maxFileBytes);
  const fitting = files.filter(({ size }) => size > 0 && size <= maxFileBytes);
  const taken = fitting.slice(0, Math.max(0, room));
  const n = fitting.length - taken.length;
  return {
    taken,
    notes: [
      ...(empty.length > 0 ? [{ kind: "empty" as const, names: names(empty) }] : []),
      ...(large.length > 0 ? [{ kind: "large" as const, names: names(large) }] : []),
      ...(n > 0 ? [{ kind: "many" as const, n }] : []),
    ],
  };
}

/** Makes of a file what is sent of it, with what is chosen now. */
async function remake(access: AttachAccess, conversationId: string, key: number): Promise<void> {
  const { items, quality = loadPictureQuality() } = trayOf(access, conversationId);
  const item = items.find((one) => one.key === key);
  if (item === undefined) return;
  const making: Made = { kind: "making" };
  changeItem(access, conversationId, key, (one) => ({ ...one, made: making }));
  const made = await make(item, quality).catch((): Made => ({ kind: "gone" }));
  // Something else may have been chosen meanwhile.
  changeItem(access, conversationId, key, (one) => (one.made === making ? { ...one, made } : one));
  if (made.kind !== "gone") return;
  change(access, conversationId, (tray) => {
    const gone = tray.items.find((one) => one.key === key);
    return gone === undefined ? tray : withoutGone(tray, [gone]);
  });
}

/** The tray without files that can be read no more; it says so. */
function withoutGone(tray: Tray, gone: readonly TrayItem[]): Tray {
  const keys = new Set(gone.map(({ key }) => key));
  const names = [...tray.notes.flatMap((note) => (note.kind === "gone" ? note.names : [])), ...gone.map(({ name }) => name)];
  return {
    ...tray,
    items: tray.items.filter(({ key }) => !keys.has(key)),
    notes: [...tray.notes.filter(({ kind }) => kind !== "gone"), { kind: "gone", names }],
  };
}

/** Of the tray, or of a message that is leaving. */
function changeItem(access: AttachAccess, conversationId: string, key: number, update: (item: TrayItem) => TrayItem): void {
  const changed = (item: TrayItem): TrayItem => (item.key === key ? update(item) : item);
  change(access, conversationId, (tray) => ({
    ...tray,
    items: tray.items.map(changed),
    leaving: tray.leaving.map((one) => ({ ...one, items: one.items.map(changed) })),
  }));
}

/** What a person does with the tray. */
export interface TrayActs {
  describe(key: number, description: string): void;
  setUnchanged(key: number, isUnchanged: boolean): void;
  /** Moves a file by so many places. */
  move(key: number, by: number): void;
  remove(key: number): void;
  setQuality(quality: PictureQuality): void;
  setOnce(isOnce: boolean): void;
  dropNotes(): void;
  /** A message that is being encrypted is not sent. */
  cancel(key: number): void;
}

/** What a person can do with the tray of a conversation. */
export function trayActs(access: AttachAccess, conversationId: string): TrayActs {
  const update = (next: (tray: Tray) => Tray): void => change(access, conversationId, next);
  return {
    describe: (key, description) => changeItem(access, conversationId, key, (item) => ({ ...item, description })),
    setUnchanged(key, isUnchanged) {
      changeItem(access, conversationId, key, (item) => ({ ...item, isUnchanged }));
      update((tray) => ({ ...tray, isOnce: false }));
      void remake(access, conversationId, key);
    },
    move: (key, by) => update((tray) => ({ ...tray, items: moved(tray.items, key, by) })),
    remove: (key) => update((tray) => ({ ...tray, items: tray.items.filter((item) => item.key !== key), isOnce: false, notes: [] })),
    setQuality(quality) {
      update((tray) => ({ ...tray, quality }));
      for (const { key, made, isUnchanged } of trayOf(access, conversationId).items)
        if (!isUnchanged && (made.kind === "making" || (made.kind === "made" && made.file.kind === "picture")))
          void remake(access, conversationId, key);
    },
    setOnce: (isOnce) => update((tray) => ({ ...tray, isOnce })),
    dropNotes: () => update((tray) => ({ ...tray, notes: [] })),
    cancel: (key) =>
      update((tray) => ({ ...tray, leaving: tray.leaving.map((one) => (one.key === key ? { ...one, isCancelled: true } : one)) })),
  };
}

/** The files with one of them moved by so many places; as they were where it would leave. */
export function moved(items: readonly TrayItem[], key: number, by: number): readonly TrayItem[] {
  const from = items.findIndex((item) => item.key === key);
  const item = items[from];
  if (item === undefined || from + by < 0 || from + by >= items.length) return items;
  return items.toSpliced(from, 1).toSpliced(from + by, 0, item);
}

/** Whether what is in the tray may be sent to be seen once (spec X-8). */
export function mayBeOnce({ items }: Pick<Tray, "items">): boolean {
  const [only] = items;
  if (items.length !== 1 || only?.made.kind !== "made") return false;
  const { kind } = only.made.file;
  return kind === "picture" || kind === "video" || kind === "voice";
}

/**
 * Sends what is in the tray with this text. Resolves once it is encrypted and written down: whether it was; what was not is in the tray again.
 * @throws what the client throws
 */
export async function sendTray(
  access: AttachAccess,
  conversationId: string,
  params: { readonly text: string; readonly answered: Message | undefined },
): Promise<boolean> {
  const { items, isOnce } = trayOf(access, conversationId);
  if (items.length === 0) return false;
  change(access, conversationId, (tray) => ({ ...tray, items: [], isOnce: false, notes: [] }));
  return await sendItems(access, conversationId, { items, isOnce, ...params });
}

/** Sends these files; as `sendTray`. */
export async function sendItems(
  access: AttachAccess,
  conversationId: string,
  params: Pick<Tray, "items" | "isOnce"> & { readonly text: string; readonly answered: Message | undefined },
): Promise<boolean> {
  const { items, isOnce, text, answered } = params;
  const key = nextKey();
  change(access, conversationId, (tray) => ({ ...tray, leaving: [...tray.leaving, { key, items, isCancelled: false }] }));
  const leaving = (): Tray["leaving"][number] | undefined => trayOf(access, conversationId).leaving.find((one) => one.key === key);
  const comeBack = (gone: readonly TrayItem[] = []): false => {
    change(access, conversationId, (tray) => {
      const back = { ...tray, items: [...(leaving()?.items ?? items), ...tray.items], isOnce };
      return gone.length === 0 ? back : withoutGone(back, gone);
    });
    return false;
  };
  const release = holdPage();
  const turn = takeTurn(conversationId);
  try {
    // What one says stands at the end.
    if (access.store.get().timelines.get(conversationId)?.hasNewer === true)
      void access.history.land(conversationId, { kind: "end" }).catch(() => undefined);
    const ready = await whenMade(access, leaving);
    if (leaving()?.isCancelled !== false) return comeBack();
    const gone = await unreadable(ready);
    if (gone.length > 0) return comeBack(gone);
    await turn.comes;
    if (leaving()?.isCancelled !== false) return comeBack();
    const sending = access.client.send(conversationId, text, {
      inReplyTo: answered?.id,
      undoMs: undoMs(),
      files: ready.flatMap(newFile),
      ...(isOnce ? { isOnce } : {}),
    });
    turn.end();
    const message = await sending;
    if (leaving()?.isCancelled === true && (await isLetGo(access, message))) return comeBack();
    remember(access, message, ready);
    return true;
  } catch (error) {
    comeBack();
    throw error;
  } finally {
    turn.end();
    change(access, conversationId, (tray) => ({ ...tray, leaving: tray.leaving.filter((one) => one.key !== key) }));
    release();
  }
}

/** The files of a message once all of them are made ready, or it is cancelled. */
function whenMade({ store }: AttachAccess, look: () => Tray["leaving"][number] | undefined): Promise<readonly TrayItem[]> {
  const { promise, resolve } = Promise.withResolvers<readonly TrayItem[]>();
  const check = (): boolean => {
    const { items = [], isCancelled = true } = look() ?? {};
    const isMade = isCancelled || items.every(({ made }) => made.kind !== "making");
    if (isMade) resolve(items);
    return isMade;
  };
  if (check()) return promise;
  const stop = store.subscribe(() => check() && stop());
  return promise;
}

/** Which of them are not there any more. */
async function unreadable(items: readonly TrayItem[]): Promise<readonly TrayItem[]> {
  const looks = items.map(async (item) => {
    if (item.made.kind !== "made") return [item];
    const { content } = item.made.file;
    if (!(content instanceof Blob)) return [];
    return await content
      .slice(0, 1)
      .arrayBuffer()
      .then(
        () => [],
        () => [item],
      );
  });
  return (await Promise.all(looks)).flat();
}

function newFile({ made, description }: TrayItem): NewFile[] {
  return made.kind === "made" ? [{ ...made.file, description: description.trim() }] : [];
}

/** It was cancelled while it was encrypted: whether it still waits here, and is forgotten. */
function isLetGo({ client }: AttachAccess, { conversationId, id }: Message): Promise<boolean> {
  return client.discard(conversationId, id).then(
    () => true,
    () => false,
  );
}

/** As long as the message can be taken back its files are at hand. */
function remember({ store }: AttachAccess, { id }: Message, items: readonly TrayItem[]): void {
  const waitMs = undoMs();
  if (waitMs === undefined) return;
  store.update((state) => ({ ...state, sentItems: new Map([...state.sentItems, [id, items]]) }));
  setTimeout(
    () => store.update((state) => ({ ...state, sentItems: new Map([...state.sentItems].filter(([other]) => other !== id)) })),
    waitMs + graceMs,
  );
}
