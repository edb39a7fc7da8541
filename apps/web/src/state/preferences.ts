import { listFilters } from "./list-filter.ts";
import type { PictureQuality } from "../media/prepare-picture.ts";
import type { ListFilter } from "./list-filter.ts";

/** The chosen appearance; `system` follows the system. */
export type Theme = "system" | "light" | "dark";

const themeKey = "latchkey.theme";
const languageKey = "latchkey.language";
const textSizeKey = "latchkey.text-size";
const widthKey = "latchkey.list-width";
const filterKey = "latchkey.list-filter";
const noteKey = "latchkey.storage-note-read";
const announcementKey = "latchkey.announcement-read";
const recoveryKey = "latchkey.recovery-put-off";
const accountKey = "latchkey.has-account";
const registeringKey = "latchkey.registering";
const enterKey = "latchkey.enter-breaks";
const undoKey = "latchkey.undo-send";
const qualityKey = "latchkey.pictures-high";
/** Emoji that were given last (`recent-emoji.ts`). */
export const emojiKey = "latchkey.emoji";
const placeKey = "latchkey.last-place";
const lockKey = "latchkey.locks";
const loadedAgainKey = "latchkey.loaded-again";

/** Narrowest and widest conversation list, in CSS pixels. */
export const listWidths = { least: 260, most: 480, usual: 320 } as const;

/** The chosen appearance. */
export function loadTheme(): Theme {
  const theme = read(themeKey);
  return theme === "light" || theme === "dark" ? theme : "system";
}

/** Chooses the appearance, now and for later visits. */
export function saveTheme(theme: Theme): void {
  write(themeKey, theme === "system" ? undefined : theme);
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}

/** The chosen language; without one, that of the system is used. */
export function loadLanguage(): string | undefined {
  return read(languageKey);
}

/** Chooses the language for later visits; `undefined` follows the system. */
export function saveLanguage(language: string | undefined): void {
  write(languageKey, language);
}

/** How large text may be, in hundredths of its usual size. */
export const textSizes = [100, 110, 125, 150, 175, 200] as const;

/** One of them. */
export type TextSize = (typeof textSizes)[number];

/** The chosen size of text. */
export function loadTextSize(): TextSize {
  const stored = Number(read(textSizeKey));
  return textSizes.find((size) => size === stored) ?? 100;
}

/** Chooses the size of text, now and for later visits; public/theme.js sets it before the first paint. */
export function saveTextSize(size: TextSize): void {
  write(textSizeKey, size === 100 ? undefined : String(size));
  const { style } = document.documentElement;
  if (size === 100) style.removeProperty("--text-scale");
  else style.setProperty("--text-scale", String(size / 100));
}

/** Whether Enter sends; where it does not, it makes a new line. */
export function enterSends(): boolean {
  return read(enterKey) === undefined;
}

/** Chooses what Enter does in this browser. */
export function saveEnterSends(sends: boolean): void {
  write(enterKey, sends ? undefined : "1");
}

/** Whether a message waits a few seconds, so that it can be taken back. */
export function canUndoSend(): boolean {
  return read(undoKey) !== undefined;
}

/** So long a message waits before it is sent; `undefined` where the person does not want that. */
export function undoMs(): number | undefined {
  return canUndoSend() ? 5000 : undefined;
}

/** Chooses whether messages wait before they are sent from this browser. */
export function saveUndoSend(waits: boolean): void {
  write(undoKey, waits ? "1" : undefined);
}

/** How much of pictures is sent, where nothing else is said. */
export function loadPictureQuality(): PictureQuality {
  return read(qualityKey) === undefined ? "standard" : "high";
}

/** Chooses how much of pictures is sent from this browser. */
export function savePictureQuality(quality: PictureQuality): void {
  write(qualityKey, quality === "high" ? "1" : undefined);
}

/** The width of the conversation list, in CSS pixels. */
export function loadListWidth(): number {
  return clampListWidth(Number(read(widthKey) ?? listWidths.usual));
}

/** Remembers the width of the conversation list. */
export function saveListWidth(width: number): void {
  write(widthKey, String(width));
}

/** A width within the limits. */
export function clampListWidth(width: number): number {
  return Number.isFinite(width) ? Math.round(Math.min(listWidths.most, Math.max(listWidths.least, width))) : listWidths.usual;
}

/** Which conversations of the list are shown. */
export function loadListFilter(): ListFilter {
  const stored = read(filterKey);
  return listFilters.find((filter) => filter === stored) ?? "all";
}

/** Remembers which conversations of the list are shown. */
export function saveListFilter(filter: ListFilter): void {
  write(filterKey, filter === "all" ? undefined : filter);
}

/** The announcement of the server that was put away last. */
export function readAnnouncement(): string | undefined {
  return read(announcementKey);
}

/** An announcement of the server was put away. */
export function rememberAnnouncement(text: string): void {
  write(announcementKey, text);
}

/** Whether the note on storage was dismissed. */
export function isStorageNoteRead(): boolean {
  return read(noteKey) !== undefined;
}

/** The note on storage was dismissed. */
export function dismissStorageNote(): void {
  write(noteKey, "1");
}

/** Whether the person wants to write the recovery phrase down later. */
export function isRecoveryPutOff(): boolean {
  return read(recoveryKey) !== undefined;
}

/** Remembers whether the recovery phrase is to be written down later. */
export function rememberRecoveryPutOff(isPutOff: boolean): void {
  write(recoveryKey, isPutOff ? "1" : undefined);
}

/** Whether this browser had an account: if so and it is gone, the browser has cleared it. */
export function hadAccount(): boolean {
  return read(accountKey) !== undefined;
}

/** Remembers that this browser has an account (not which). */
export function rememberAccount(has: boolean): void {
  write(accountKey, has ? "1" : undefined);
  if (!has) write(placeKey, undefined);
}

/** The conversation that was open last: its id is in the addresses that the browser keeps, too. */
export function lastPlace(): string | undefined {
  const id = read(placeKey);
  return id !== undefined && /^[\w-]{1,128}$/u.test(id) ? id : undefined;
}

/** Remembers which conversation was open; not where a lock is on. */
export function rememberPlace(conversationId: string): void {
  if (!hasLock()) write(placeKey, conversationId);
}

/** Whether a lock is on: then nothing is kept here of what the person does (spec O-11). */
export function hasLock(): boolean {
  return read(lockKey) !== undefined;
}

/** Remembers whether a lock is on. Once it is, what was kept before is forgotten. */
export function rememberLock(isOn: boolean): void {
  write(lockKey, isOn ? "1" : undefined);
  if (!isOn) return;
  for (const key of [placeKey, emojiKey, registeringKey]) write(key, undefined);
}

/** What somebody has typed to make an account. */
export interface RegistrationUnderWay {
  readonly username: string;
  readonly displayName: string;
  readonly invitation: string;
}

/** Remembers that an account is being made here, until it is made or was refused. */
export function rememberRegistering(begun: RegistrationUnderWay | undefined): void {
  write(registeringKey, begun === undefined ? undefined : JSON.stringify(begun));
}

/** The account that was being made when this browser was closed. */
export function registrationUnderWay(): RegistrationUnderWay | undefined {
  let stored: unknown;
  try {
    stored = JSON.parse(read(registeringKey) ?? "null");
  } catch {
    return undefined;
  }
  const known: Partial<Record<keyof RegistrationUnderWay, unknown>> = typeof stored === "object" && stored !== null ? stored : {};
  const text = (value: unknown): string => (typeof value === "string" ? value.slice(0, 256) : "");
  const username = text(known.username);
  return username === "" ? undefined : { username, displayName: text(known.displayName), invitation: text(known.invitation) };
}

/** Whether the page may load itself again now: not twice within half a minute. */
export function mayLoadAgain(): boolean {
  try {
    const nowMs = Date.now();
    const isSoon = nowMs - Number(globalThis.sessionStorage.getItem(loadedAgainKey) ?? 0) < 30_000;
    if (!isSoon) globalThis.sessionStorage.setItem(loadedAgainKey, String(nowMs));
    return !isSoon;
  } catch {
    return false;
  }
}

/** What was chosen in this browser. */
export function read(key: string): string | undefined {
  try {
    return globalThis.localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Remembers what was chosen in this browser. */
export function write(key: string, value: string | undefined): void {
  try {
    if (value === undefined) globalThis.localStorage.removeItem(key);
    else globalThis.localStorage.setItem(key, value);
  } catch {
    // Storage is blocked: the choice holds until the page is closed.
  }
}
