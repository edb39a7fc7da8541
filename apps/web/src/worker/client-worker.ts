/**
 * The worker that holds the client: shared by the tabs of a profile, or one tab's own. All that it does is in a module of its own: parts of
 * the client that come later share code with it, and a browser that evaluates a worker's first module once more for them (WebKit) must find
 * nothing in it that may not run twice.
 */
import type { PortLike } from "./serve.ts";

const ports: PortLike[] = [];
let serve = (port: PortLike): void => void ports.push(port);

if ("onconnect" in globalThis) {
  globalThis.addEventListener("connect", (event) => {
    // A SharedWorker's connect event is a MessageEvent with the one port of the page that came.
    const port = (event as MessageEvent).ports[0];
    if (port === undefined) return;
    serve(asPort(port));
  });
} else {
  // The global scope of a dedicated worker is the end of its channel; the DOM types describe a window's.
  serve(asPort(globalThis as unknown as MessagePort));
}

const load = () => import("./client-host.ts");
const pause = () => new Promise((resolve) => setTimeout(resolve, 500));

// Whoever hands it over, such as a service worker, may have ended just then: it is asked for once more.
load()
  .catch(() => pause().then(load))
  .then(
    ({ addPort }) => begin(addPort),
    // A newer build on the server has other files, or nothing answers: the page offers to load again.
    () => {
      begin((port) =>
        port.postMessage({
          kind: "status",
          status: { kind: "failed", failure: { code: "closed", message: "A part is missing.", canRetry: true } },
        }),
      );
      // And must find another worker then, even where another tab still has this one.
      globalThis.close();
    },
  );

function begin(next: (port: PortLike) => void): void {
  serve = next;
  for (const port of ports.splice(0)) next(port);
}

function asPort(port: MessagePort): PortLike {
  return {
    postMessage: (message) => port.postMessage(message),
    // Only our own pages have the other end, and they send nothing but `Request`.
    addEventListener(type, listener) {
      port.addEventListener(type, listener as EventListener);
      // What a page sends waits until then; the global scope of a dedicated worker has begun by itself.
      if ("start" in port) port.start();
    },
  };
}
