import { createMemoryDirectory } from "@latchkey/transparency/testing";
import type { MemoryDirectory, TestPerson } from "@latchkey/transparency/testing";
import { served } from "../account/fake-directory.testing.ts";
import type { ClientErrorCode } from "../api.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import { createFakeServer } from "../transport/fake-server.testing.ts";
import type { FakeServer } from "../transport/fake-server.testing.ts";
import { createDirectoryLog } from "./log.ts";
import type { AccountEvidence, DirectoryLog } from "./log.ts";
import type { Proven } from "./proven.ts";

export const host: string = "chat.example";
export const hourMs: number = 3_600_000;
export const dayMs: number = 24 * hourMs;

export interface Setting {
  readonly server: FakeServer;
  record: MemoryDirectory;
  readonly store: Store;
  readonly log: DirectoryLog;
  readonly alarms: string[];
  /** What they are about. */
  readonly abouts: string[];
  /** Notes that came with the alarms, as text. */
  readonly evidence: string[][];
  /** Who said of the record what its log did not sign. */
  readonly words: string[];
  /** Paths that are not there. */
  readonly gone: Set<string>;
  /** How many files whose path begins with `damaged` are damaged on the way from now on. */
  damage: number;
  damaged: string;
  /** When the host last answered anything but a file. */
  heardAtMs: number;
  /** Everything that was fetched, without the host's part. */
  readonly fetched: string[];
}

export async function setting(params: { witnesses?: number } = {}): Promise<Setting> {
  const server = createFakeServer("log");
  const record = await createMemoryDirectory({ host, witnesses: params.witnesses ?? 3, threshold: 2, nowMs: server.clock.now() });
  const store = createMemoryStore();
  const here: Setting = {
    server,
    record,
    store,
    log: createDirectoryLog({ store, platform: server.platform, httpUrl: () => "https://chat.example", heardAtMs: () => here.heardAtMs }),
    heardAtMs: 0,
    alarms: [],
    abouts: [],
    evidence: [],
    words: [],
    gone: new Set(),
    damage: 0,
    damaged: "tile/0",
    fetched: [],
  };
  listen(here, here.log);
  server.respondHttp = async (url) => {
    const path = new URL(url).pathname.replace("/v1/directory/", "");
    here.fetched.push(path);
    if ([...here.gone].some((gone) => path.startsWith(gone))) return new Response(undefined, { status: 404 });
    const response = await served(here.record, path);
    if (here.damage === 0 || !path.startsWith(here.damaged)) return response;
    here.damage--;
    return new Response(new Uint8Array(await response.arrayBuffer()).map((byte) => byte ^ 1));
  };
  return here;
}

export function listen(here: Setting, log: DirectoryLog): void {
  log.onAlarm(({ failure, about, evidence: notes }) => {
    here.alarms.push(failure.code);
    here.abouts.push(about);
    here.evidence.push(notes.map((note) => new TextDecoder().decode(note)));
  });
  log.onWord((speaker) => here.words.push(speaker));
}

export function logOf(server: FakeServer, store: Store): DirectoryLog {
  return createDirectoryLog({ store, platform: server.platform, httpUrl: () => "https://chat.example", heardAtMs: () => 0 });
}

export async function publish(here: Setting, person: TestPerson): Promise<void> {
  here.record.setTime(Math.max(here.record.nowMs(), here.server.clock.now()));
  await here.record.publish(person.changes);
}

export async function evidence(
  here: Setting,
  person: TestPerson,
  options: Parameters<MemoryDirectory["lookup"]>[1] & { source?: "host" | "member"; known?: Proven; record?: MemoryDirectory } = {},
): Promise<AccountEvidence> {
  const { source = "host", known, record = here.record, ...rest } = options;
  const knownSize = source === "host" ? await here.log.knownSize(host) : 0;
  const { accountId, username } = person;
  const askedSize = rest.knownSize ?? knownSize;
  return { host, accountId, username, record: await record.lookup(person, { knownSize, ...rest }), known, source, askedSize };
}

export async function codeOf(promise: Promise<unknown>): Promise<ClientErrorCode | "resolved"> {
  try {
    await promise;
  } catch (error) {
    // The code is all that these tests ask for.
    if (error instanceof Error && "code" in error) return error.code as ClientErrorCode;
    throw error;
  }
  return "resolved";
}
