import { isHost } from "@latchkey/protocol";
import type { ServerInfo } from "../api.ts";
import { cleanNotice } from "../names/clean.ts";

const registrations: readonly string[] = ["open", "invitation", "closed"] satisfies readonly ServerInfo["registration"][];

/** The answer of `GET /v1/info`; `undefined` when it is not one. Unknown fields are ignored. */
export function parseServerInfo(json: string): ServerInfo | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { host, name, registration, retentionDays, version, announcement } = value as Readonly<Record<string, unknown>>;
  if (typeof host !== "string" || !isHost(host) || typeof name !== "string" || name.length > 256) return undefined;
  if (!isRegistration(registration) || typeof retentionDays !== "number" || !(retentionDays >= 0)) return undefined;
  return { host, name, registration, retentionDays, announcement: cleanNotice(announcement), ...(isVersion(version) ? { version } : {}) };
}

/** Shown to people: nothing but a short number, whatever a server sends. */
function isVersion(value: unknown): value is string {
  return typeof value === "string" && /^[0-9]{1,6}(?:\.[0-9]{1,6}){1,3}(?:-[a-z0-9.]{1,32})?$/.test(value);
}

function isRegistration(value: unknown): value is ServerInfo["registration"] {
  return typeof value === "string" && registrations.includes(value);
}
