import { savedHeaders } from "./answer.ts";
import type { WrittenAnswer, WrittenPart, WrittenRequest } from "./messages.ts";
import type { PageClient, Pages } from "../service-worker/scope.ts";

/** So long a page may take to say that it has it. */
const patienceMs = 15_000;

/**
 * The answer to a request for what a page writes as it is saved: piece by piece as the browser takes it, so that it is in nobody's memory as a whole and nowhere on the
 * disk but where the person saves it. Whatever the page says that it is, no browser shows it.
 */
export async function answerWritten({ clients }: { readonly clients: Pages }, token: string): Promise<Response> {
  const pages = await clients.matchAll({ type: "window", includeUncontrolled: true });
  const found = await Promise.any(pages.map((page) => ask(page, token))).catch(() => undefined);
  if (found === undefined) return new Response(null, { status: 404 });
  return new Response(streamOf(found.port), { headers: savedHeaders(found.name) });
}

async function ask(page: PageClient, token: string): Promise<{ readonly port: MessagePort; readonly name: string }> {
  const { port1, port2 } = new MessageChannel();
  const { promise, resolve } = Promise.withResolvers<WrittenAnswer>();
  const timer = setTimeout(() => resolve({ kind: "none" }), patienceMs);
  // Only pages of this app have the other end.
  port1.addEventListener("message", ({ data }: MessageEvent<WrittenAnswer>) => resolve(data), { once: true });
  port1.start();
  page.postMessage({ kind: "written_open", token }, [port2]);
  const answered = await promise.finally(() => clearTimeout(timer));
  if (answered.kind === "written") return { port: port1, name: answered.name };
  port1.close();
  throw new Error("not this page's");
}

/** Nothing is asked for before the browser wants it. */
function streamOf(port: MessagePort): ReadableStream<Uint8Array<ArrayBuffer>> {
  let next = Promise.withResolvers<WrittenPart>();
  port.addEventListener("message", ({ data }: MessageEvent<WrittenPart>) => next.resolve(data));
  const say = (request: WrittenRequest): void => port.postMessage(request);
  return new ReadableStream(
    {
      async pull(controller) {
        next = Promise.withResolvers();
        say({ kind: "more" });
        const part = await next.promise;
        if (part.kind === "bytes") return controller.enqueue(part.bytes);
        port.close();
        if (part.kind === "end") controller.close();
        else controller.error(new Error("the page broke off"));
      },
      cancel() {
        say({ kind: "stop" });
        port.close();
      },
    },
    { highWaterMark: 0 },
  );
}
