import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "./errors.ts";

/** Where the server is unless the command, the profile or the environment says otherwise. */
export const defaultServerUrl = "http://localhost:8080";

const fileName = "cli.json";

/** Remembers the server of a profile for the commands to come. */
export function rememberServer(home: string, serverUrl: string): void {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const path = join(home, fileName);
  writeFileSync(`${path}.new`, `${JSON.stringify({ server: serverUrl })}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** The remembered server of a profile, if there is one. @throws CommandError `profile_damaged`. */
export function rememberedServer(home: string): string | undefined {
  let json: string;
  try {
    json = readFileSync(join(home, fileName), "utf8");
  } catch {
    return undefined;
  }
  try {
    const value: unknown = JSON.parse(json);
    const server: unknown = typeof value === "object" && value !== null ? Reflect.get(value, "server") : undefined;
    if (typeof server === "string") return server;
  } catch (error) {
    throw new CommandError("profile_damaged", `${join(home, fileName)} is not JSON: correct or delete it`, { cause: error });
  }
  throw new CommandError("profile_damaged", `${join(home, fileName)} names no server: correct or delete it`);
}

/** A server's URL as typed, without a trailing slash; `http://` is added for localhost and `https://` elsewhere. @throws CommandError. */
export function parseServerUrl(input: string): string {
  const withScheme = /^https?:\/\//.test(input) ? input : `${/^(localhost|127\.|\[::1\])/.test(input) ? "http" : "https"}://${input}`;
  let url: URL;
  try {
    url = new URL(withScheme);
  } catch {
    throw new CommandError("usage", "--server takes an address such as https://chat.example.org", { exitCode: 2 });
  }
  return url.origin;
}
