/*
 * The files of one build of the app, kept in this browser so that it opens without a network (spec O-1, O-2). Which they are, and what is in them, says
 * the list that the build wrote into the service worker: nothing else is ever kept, or given out from here. A cache has the files of one build, and is used
 * only once it has all of them.
 */

/** A file of a build. */
export interface BundleFile {
  /** Where it is fetched; "/" is the app's page. */
  readonly path: string;
  /** SHA-256 of its bytes, base64url without padding. */
  readonly hash: string;
  readonly bytes: number;
  /** Only who speaks this language needs it. */
  readonly language?: string;
}

/** Why a file is not taken. */
export type Refusal =
  /** The server has none, or does not answer. */
  | "missing"
  /** It has other bytes than the list says: longer, shorter, or changed. */
  | "other";

/** A file could not be taken: the build is not kept. */
export class BundleRefused extends Error {
  override readonly name = "BundleRefused";
  readonly path: string;
  readonly why: Refusal;

  constructor(path: string, why: Refusal, options?: ErrorOptions) {
    super(`${path}: ${why}`, options);
    this.path = path;
    this.why = why;
  }
}

/** What it asks of a browser. */
export interface BundleWorld {
  readonly caches: Pick<CacheStorage, "open" | "keys" | "delete">;
  readonly fetch: typeof fetch;
  readonly sha256: (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;
  /** The languages that the browser asks for. */
  readonly languages: readonly string[];
}

/** The kept files of one build. */
export interface Bundle {
  /**
   * Keeps all that this browser needs of it and that is not kept yet: what no language is named of, and those of the languages in use.
   * @param spoken the language that a page speaks, where one says so
   * @throws BundleRefused
   */
  install(spoken?: string): Promise<void>;
  /** Forgets every other build's. */
  removeOthers(): Promise<void>;
  /** Whether it is a file of this build. */
  has(path: string): boolean;
  /** The kept file; `undefined` where it is not kept. */
  match(path: string): Promise<Response | undefined>;
}

/** The app's page. */
const pagePath = "/";
/** What lies below it is named by what is in it. */
const assetsPath = "/assets/";
const cachePrefix = "latchkey-app-";
const atOnce = 6;
const patienceMs = 60_000;
/** What every browser keeps words of: what is spoken where none of its languages is. */
const fallbackLanguage = "en";

/** Of what the server says beside a file this is kept with it; everything else it says for this moment. */
const keptHeaders = [
  "content-type",
  "cache-control",
  "content-security-policy",
  "cross-origin-embedder-policy",
  "cross-origin-opener-policy",
  "cross-origin-resource-policy",
  "permissions-policy",
  "referrer-policy",
  "x-content-type-options",
  "x-frame-options",
];

/** The files of the build that `files` lists. */
export function createBundle(files: readonly BundleFile[], world: BundleWorld): Bundle {
  const listed = new Map(files.map((file) => [file.path, file]));
  const languages = new Set(files.flatMap(({ language }) => language ?? []));
  let name: Promise<string> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const cacheName = (): Promise<string> => {
    name ??= world.sha256(new TextEncoder().encode(JSON.stringify(files))).then((hash) => cachePrefix + textOf(hash).slice(0, 22));
    return name;
  };
  const own = async (): Promise<Cache> => await world.caches.open(await cacheName());
  const others = async (): Promise<readonly string[]> => {
    const ownName = await cacheName();
    return (await world.caches.keys()).filter((one) => one.startsWith(cachePrefix) && one !== ownName);
  };

  const keep = async (wanted: readonly BundleFile[]): Promise<void> => {
    const cache = await own();
    const earlier = await Promise.all((await others()).map((one) => world.caches.open(one)));
    const left = wanted.filter(({ path }) => path !== pagePath);
    const work = async (): Promise<void> => {
      for (let file = left.pop(); file !== undefined; file = left.pop()) await keepOne(file, cache, earlier);
    };
    const workers = await Promise.allSettled(Array.from({ length: atOnce }, work));
    const failed = workers.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    for (const page of wanted) if (page.path === pagePath) await keepOne(page, cache, earlier);
  };
  const keepOne = async (file: BundleFile, cache: Cache, earlier: readonly Cache[]): Promise<void> => {
    if ((await cache.match(file.path)) !== undefined) return;
    await cache.put(file.path, (await fromEarlier(file, earlier)) ?? (await fetchFile(file, world)));
  };
  /** Most files of a build are those of the one before. */
  const fromEarlier = async (file: BundleFile, earlier: readonly Cache[]): Promise<Response | undefined> => {
    // What has the same name in every build is asked for with each.
    for (const cache of file.path.startsWith(assetsPath) ? earlier : []) {
      const found = await cache.match(file.path);
      const taken = found === undefined ? undefined : await takeIf(file, found, world).catch(() => undefined);
      if (taken !== undefined) return taken;
    }
    return undefined;
  };
  /** Those of the browser, and those that builds before this one were used in. */
  const languagesInUse = async (): Promise<ReadonlySet<string>> => {
    const used = new Set([fallbackLanguage, ...world.languages.map((one) => one.split("-")[0] ?? one)]);
    for (const one of await others())
      for (const { url } of await (await world.caches.open(one)).keys()) {
        const language = languageOfName(new URL(url).pathname);
        if (language !== undefined) used.add(language);
      }
    return used;
  };
  const languageOfName = (path: string): string | undefined => {
    const [, language] = /\/(?:late-words|words|emoji)-([a-z]+)-[^/]*$/.exec(path) ?? [];
    return language !== undefined && languages.has(language) ? language : undefined;
  };

  return {
    async install(spoken) {
      const run = async (): Promise<void> => {
        const used = await languagesInUse();
        await keep(files.filter(({ language }) => language === undefined || language === spoken || used.has(language)));
      };
      // Of several pages that ask, the first has it fetched.
      const done = last.then(run, run);
      last = done;
      await done;
    },
    async removeOthers() {
      await Promise.all((await others()).map((one) => world.caches.delete(one)));
    },
    has: (path) => listed.has(path),
    match: async (path) => (listed.has(path) ? await (await own()).match(path) : undefined),
  };
}

/** Removes every build that is kept. */
export async function removeBundles(caches: Pick<CacheStorage, "keys" | "delete">): Promise<void> {
  await Promise.all((await caches.keys()).filter((name) => name.startsWith(cachePrefix)).map((name) => caches.delete(name)));
}

/** What the server has of it; of something that an HTTP cache kept, and that is not it, the server's own. */
async function fetchFile(file: BundleFile, world: BundleWorld): Promise<Response> {
  let refused: unknown;
  for (const cache of file.path.startsWith(assetsPath) ? (["default", "reload"] as const) : (["no-cache"] as const)) {
    try {
      const response = await world.fetch(file.path, {
        cache,
        credentials: "omit",
        redirect: "error",
        signal: AbortSignal.timeout(patienceMs),
      });
      if (!response.ok) throw new BundleRefused(file.path, "missing");
      return await takeIf(file, response, world);
    } catch (error) {
      refused = error instanceof BundleRefused ? error : new BundleRefused(file.path, "missing", { cause: error });
    }
  }
  throw refused;
}

/** An answer with exactly the listed bytes, and nothing that is not kept beside them. @throws BundleRefused */
async function takeIf(file: BundleFile, response: Response, { sha256 }: BundleWorld): Promise<Response> {
  const bytes = await readAll(file, response);
  if (textOf(await sha256(bytes)) !== file.hash) throw new BundleRefused(file.path, "other");
  const headers = keptHeaders.flatMap((name) => {
    const value = response.headers.get(name);
    return value === null ? [] : [[name, value] satisfies [string, string]];
  });
  return new Response(bytes, { headers });
}

/** As many bytes as there are to be, and not one more. @throws BundleRefused */
async function readAll(file: BundleFile, response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(file.bytes);
  let at = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done || value === undefined) break;
    if (at + value.length > bytes.length) {
      await reader?.cancel();
      throw new BundleRefused(file.path, "other");
    }
    bytes.set(value, at);
    at += value.length;
  }
  if (at !== bytes.length) throw new BundleRefused(file.path, "other");
  return bytes;
}

/** Base64url without padding. */
function textOf(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
