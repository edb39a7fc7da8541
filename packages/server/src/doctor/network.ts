import { readAtMost } from "@latchkey/codec";
import { socketPath, subprotocol } from "@latchkey/protocol";

/** What became of asking for the server at its public address, as browsers do. */
export type Reached =
  | { readonly kind: "reached" }
  /** It answers as another host, or as something that is no server of ours. */
  | { readonly kind: "other"; readonly host: string }
  | { readonly kind: "certificate"; readonly code: string }
  | { readonly kind: "unreachable"; readonly code: string };

/** What was found on the network. */
export interface NetworkFacts {
  readonly http: Reached;
  /** Whether a WebSocket opens there too: what proxies break first. */
  readonly webSocket: "opened" | "refused" | "not tried";
  /** Times in milliseconds since 1970 by the clocks of witnesses that answered, beside this machine's at that moment. */
  readonly times: readonly { readonly theirsMs: number; readonly oursMs: number }[];
  /** Witnesses that did not answer. */
  readonly silentWitnesses: number;
}

const timeoutMs = 5000;
const maxInfoBytes = 65_536;

/** Asks for the server at its public address, and its witnesses for the time. Takes ten seconds at most. */
export async function lookAround(params: {
  publicUrl: string;
  host: string;
  witnessUrls: readonly string[];
  nowMs: () => number;
}): Promise<NetworkFacts> {
  const { publicUrl, host, witnessUrls, nowMs } = params;
  const [reached, ...times] = await Promise.all([reach(publicUrl, host), ...witnessUrls.map((url) => timeOf(url, nowMs))]);
  const heard = times.filter((time) => time !== undefined);
  return {
    http: reached,
    webSocket: reached.kind === "reached" ? await openSocket(publicUrl) : "not tried",
    times: heard,
    silentWitnesses: witnessUrls.length - heard.length,
  };
}

async function reach(publicUrl: string, host: string): Promise<Reached> {
  try {
    const response = await fetch(`${publicUrl}/v1/info`, { signal: AbortSignal.timeout(timeoutMs), redirect: "error" });
    const body = await readAtMost(response.body, maxInfoBytes);
    if (body === undefined) return { kind: "other", host: "" };
    const value: unknown = response.ok ? JSON.parse(new TextDecoder().decode(body)) : undefined;
    const said: unknown = typeof value === "object" && value !== null ? Reflect.get(value, "host") : undefined;
    return said === host ? { kind: "reached" } : { kind: "other", host: typeof said === "string" && said.length < 300 ? said : "" };
  } catch (error) {
    if (error instanceof SyntaxError) return { kind: "other", host: "" };
    const code = causeOf(error);
    return /CERT|SIGNED|ALTNAME|ISSUER/.test(code) ? { kind: "certificate", code } : { kind: "unreachable", code };
  }
}

function openSocket(publicUrl: string): Promise<"opened" | "refused"> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${publicUrl.replace(/^http/, "ws")}${socketPath("lookup")}`, subprotocol);
    const finish = (outcome: "opened" | "refused"): void => {
      clearTimeout(timer);
      socket.close();
      resolve(outcome);
    };
    const timer = setTimeout(() => finish("refused"), timeoutMs);
    // The server speaks first: a proxy that opens the socket and lets nothing through is none.
    socket.addEventListener("message", () => finish("opened"));
    socket.addEventListener("error", () => finish("refused"));
    socket.addEventListener("close", () => finish("refused"));
  });
}

/** The time in a witness's answer, whatever it answers otherwise; `undefined` where none comes. */
async function timeOf(url: string, nowMs: () => number): Promise<{ theirsMs: number; oursMs: number } | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: "error" });
    void response.body?.cancel();
    const theirsMs = Date.parse(response.headers.get("date") ?? "");
    return Number.isFinite(theirsMs) ? { theirsMs, oursMs: nowMs() } : undefined;
  } catch {
    return undefined;
  }
}

function causeOf(error: unknown): string {
  if (error instanceof DOMException && error.name === "TimeoutError") return "no answer";
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const code: unknown = cause instanceof Error ? Reflect.get(cause, "code") : undefined;
  return typeof code === "string" ? code : "no answer";
}
