import type { AccessQuestion, MediaNotice, WrittenQuestion } from "../media-worker/messages.ts";
import type { EngineScope } from "./engine-script.ts";
import type { AppNotice } from "./messages.ts";
import type { ShownNotice, TabClient } from "./notices.ts";
import type { SystemNotices } from "./system-notices.ts";

/*
 * What of a service worker's scope is used; the DOM types describe a window's.
 */

/** A page of this origin, as the worker sees it. */
export interface PageClient {
  postMessage(message: AccessQuestion | WrittenQuestion, transfer: readonly Transferable[]): void;
}

/** An event during which the browser does not end the worker. */
export interface LastingEvent extends Event {
  waitUntil(done: Promise<unknown>): void;
}

/** It may tell the browser what it need not be asked for. */
export interface InstallEvent extends LastingEvent {
  addRoutes?(rules: unknown): Promise<void>;
}

/** A page, or something on it, asks for something. */
export interface FetchEvent extends LastingEvent {
  readonly request: Request;
  readonly clientId: string;
  respondWith(response: Promise<Response>): void;
}

/** A page says something. */
export interface NoticeEvent extends LastingEvent {
  readonly data: MediaNotice | AppNotice;
  readonly ports: readonly MessagePort[];
}

/** Somebody pressed a notification. */
export interface PressEvent extends LastingEvent {
  readonly notification: ShownNotice;
}

/** The pages of this origin. */
export interface Pages<Page extends PageClient = PageClient> {
  claim(): Promise<void>;
  get(id: string): Promise<PageClient | undefined>;
  matchAll(options: { readonly type: "window"; readonly includeUncontrolled: boolean }): Promise<readonly Page[]>;
}

/** The worker itself. */
export interface Scope extends EngineScope {
  readonly clients: Pages<PageClient & TabClient> & { openWindow(path: string): Promise<unknown> };
  readonly registration: SystemNotices & { readonly active: unknown };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install", listener: (event: InstallEvent) => void): void;
  addEventListener(type: "activate", listener: (event: LastingEvent) => void): void;
  addEventListener(type: "message", listener: (event: NoticeEvent) => void): void;
  addEventListener(type: "push", listener: (event: LastingEvent) => void): void;
  addEventListener(type: "notificationclick", listener: (event: PressEvent) => void): void;
  addEventListener(type: "fetch", listener: (event: FetchEvent) => void): void;
}
