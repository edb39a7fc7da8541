/**
 * What the service worker answers of `/media/TOKEN`: it decrypts what a page shows or saves, range by range, so that a video plays before it is here and no file is
 * in memory as a whole. It knows no file by itself: which one a token stands for, and its key, it asks the page, and forgets when it ends. The browser
 * ends it whenever it likes; nothing is lost by that.
 */
import type { FetchEvent, LastingEvent, PageClient, Pages } from "../service-worker/scope.ts";
import { answerWith, failure } from "./answer.ts";
import type { OpenedFile } from "./answer.ts";
import { mediaPath, writtenPath } from "./messages.ts";
import type { AccessAnswer, MediaNotice } from "./messages.ts";
import { openPieceStore } from "./piece-store.ts";
import { createReadingLocks } from "./reading-locks.ts";
import { browsersFetch, piecesOf, storeFor } from "./pieces.ts";
import type { PieceStore } from "./pieces.ts";
import { answerWritten } from "./written.ts";

/** So long a page may take to say which file it is. */
const patienceMs = 15_000;
/** Files whose keys are remembered; others are asked for again. */
const mostRemembered = 256;

/** Answers what pages show of files. */
export interface MediaAnswers {
  /** A page says something of files. */
  hear(notice: MediaNotice, event: LastingEvent): void;
  /** The answer to a request below `mediaPath`. */
  answer(event: FetchEvent, url: URL): Promise<Response>;
}

/** Answers in the scope of the service worker. */
export function createMediaAnswers(scope: { readonly clients: Pages }): MediaAnswers {
  const files = new Map<string, OpenedFile & { readonly id: string }>();
  /** How often something was forgotten. */
  let forgets = 0;
  const stores = new Map<string, PieceStore>();
  const world = browsersFetch();
  const reading = createReadingLocks({ locks: globalThis.navigator.locks, setTimer: world.setTimer });

  async function answer(request: Request, url: URL, clientId: string): Promise<Response> {
    if (url.pathname.startsWith(writtenPath)) return await answerWritten(scope, url.pathname.slice(writtenPath.length));
    const token = url.pathname.slice(mediaPath.length);
    const file = files.get(token) ?? (await openFile(token, clientId));
    if (file === undefined) return failure(404);
    return await answerWith(file, {
      range: request.headers.get("range"),
      destination: request.destination,
      isSaved: url.searchParams.has("save"),
    });
  }

  async function openFile(token: string, clientId: string): Promise<OpenedFile | undefined> {
    const before = forgets;
    const answered = await askPages(token, clientId);
    if (answered.kind === "none") return undefined;
    const { access, storeName } = answered;
    // Wherever the page says that it lies: this origin's own path is asked, and no other.
    const url = access.url === undefined ? undefined : new URL(access.url, globalThis.location.origin).pathname;
    const store = storeName === undefined ? undefined : storeFor(access, storeCalled(storeName));
    const pieces = piecesOf({ ...access, url }, store, world);
    const read: typeof pieces.read = () => {
      if (access.isKept) reading(access.id);
      return pieces.read();
    };
    const file = { id: access.id, keys: access, name: access.name, pieces: { ...pieces, read } };
    // It may be this one that was forgotten while a page was asked for it: the next request asks again.
    if (forgets === before) files.set(token, file);
    for (const old of files.keys()) {
      if (files.size <= mostRemembered) break;
      files.delete(old);
    }
    return file;
  }

  function storeCalled(name: string): PieceStore {
    const store = stores.get(name) ?? openPieceStore(name, () => Date.now());
    stores.set(name, store);
    return store;
  }

  /** Asks the page that asked, or where that is not known (what is being saved) all of them: tokens cannot be guessed. */
  async function askPages(token: string, clientId: string): Promise<AccessAnswer> {
    const own = clientId === "" ? undefined : await scope.clients.get(clientId);
    const pages = own === undefined ? await scope.clients.matchAll({ type: "window", includeUncontrolled: true }) : [own];
    const answers = pages.map(async (page) => {
      const answered = await askPage(page, token);
      if (answered.kind === "none") throw new Error("not this page's");
      return answered;
    });
    return await Promise.any(answers).catch((): AccessAnswer => ({ kind: "none" }));
  }

  return {
    hear(notice, event) {
      if (notice.kind === "media_claim") event.waitUntil(scope.clients.claim());
      if (notice.kind !== "media_forget") return;
      world.recent.clear();
      forgets++;
      const { token, fileIds } = notice;
      if (fileIds !== undefined) {
        for (const [known, { id }] of files) if (fileIds.includes(id)) files.delete(known);
      } else if (token === undefined) files.clear();
      else files.delete(token);
    },
    answer: async ({ request, clientId }, url) => (request.method === "GET" ? await answer(request, url, clientId) : failure(405)),
  };
}

function askPage(page: PageClient, token: string): Promise<AccessAnswer> {
  const { port1, port2 } = new MessageChannel();
  const { promise, resolve } = promiseOf<AccessAnswer>();
  const timer = setTimeout(() => resolve({ kind: "none" }), patienceMs);
  // Only pages of this app have the other end.
  port1.addEventListener("message", ({ data }: MessageEvent<AccessAnswer>) => resolve(data));
  port1.start();
  page.postMessage({ kind: "media_access", token }, [port2]);
  return promise.finally(() => {
    clearTimeout(timer);
    port1.close();
  });
}

function promiseOf<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((done) => (resolve = done));
  return { promise, resolve };
}
