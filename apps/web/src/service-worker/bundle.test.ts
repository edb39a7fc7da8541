import { describe, expect, it } from "vitest";
import { createBundle, removeBundles } from "./bundle.ts";
import type { Bundle, BundleFile, BundleWorld } from "./bundle.ts";

type Served = Record<string, string | (() => Response | Promise<Response>)>;

const sha256 = async (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

async function fileOf(path: string, content: string, language?: string): Promise<BundleFile> {
  const bytes = new TextEncoder().encode(content);
  const hash = (await sha256(bytes)).toBase64({ alphabet: "base64url", omitPadding: true });
  return { path, hash, bytes: bytes.length, ...(language === undefined ? {} : { language }) };
}

/** A browser's caches, in memory. */
class FakeCaches {
  readonly all = new Map<string, Map<string, Response>>();

  async open(name: string): Promise<Cache> {
    const entries = this.all.get(name) ?? new Map<string, Response>();
    this.all.set(name, entries);
    const cache: Pick<Cache, "match" | "put" | "keys"> = {
      match: async (path) => entries.get(String(path))?.clone(),
      put: async (path, response) => void entries.set(String(path), response),
      keys: async () => [...entries.keys()].map((path) => new Request(`https://example.org${path}`)),
    };
    // The bundle uses nothing else of it.
    return cache as Cache;
  }

  keys = async (): Promise<string[]> => [...this.all.keys()];
  delete = async (name: string): Promise<boolean> => this.all.delete(name);
}

function browser(served: Served, languages: readonly string[] = ["de-AT"]) {
  const caches = new FakeCaches();
  const asked: string[] = [];
  const world: BundleWorld = {
    caches,
    languages,
    sha256,
    async fetch(input, init) {
      asked.push(`${String(input)} ${String(init?.cache)}`);
      const answer = served[String(input)];
      if (answer === undefined) return new Response(null, { status: 404 });
      return typeof answer === "string" ? new Response(answer, { headers: { "content-type": "text/plain" } }) : await answer();
    },
  };
  return { caches, asked, world, textOf: async (bundle: Bundle, path: string) => await (await bundle.match(path))?.text() };
}

const page = await fileOf("/", "<page>");
const script = await fileOf("/assets/index-1.js", "script");
const german = await fileOf("/assets/words-de-1.js", "deutsch", "de");
const french = await fileOf("/assets/words-fr-1.js", "français", "fr");
const english = await fileOf("/assets/words-en-1.js", "english", "en");
const files = [page, script, german, french, english];
const served: Served = {
  "/": "<page>",
  "/assets/index-1.js": "script",
  "/assets/words-de-1.js": "deutsch",
  "/assets/words-fr-1.js": "français",
  "/assets/words-en-1.js": "english",
};

describe("[O-2] [E-260] the kept files of a build", () => {
  it("are those of its list, the page as the last; of languages those in use, and what a page says that it speaks", async () => {
    const { world, caches, asked, textOf } = browser(served);
    const bundle = createBundle(files, world);
    await bundle.install();
    expect(await textOf(bundle, "/")).toBe("<page>");
    expect(await textOf(bundle, "/assets/words-de-1.js")).toBe("deutsch");
    expect(await bundle.match("/assets/words-fr-1.js")).toBeUndefined();
    expect(asked.at(-1)).toBe("/ no-cache");
    await bundle.install("fr");
    expect(await textOf(bundle, "/assets/words-fr-1.js")).toBe("français");
    // What is kept is not fetched again.
    expect(asked).toHaveLength(5);
    expect([...caches.all.values()].map((entries) => entries.size)).toEqual([5]);
  });

  it.each([
    ["changed", "/assets/index-1.js", "scripT", "other"],
    ["cut", "/assets/index-1.js", "scrip", "other"],
    ["longer", "/assets/index-1.js", "script and more", "other"],
    ["empty", "/assets/index-1.js", () => new Response(null), "other"],
    ["missing", "/assets/index-1.js", () => new Response(null, { status: 404 }), "missing"],
    ["not reached", "/assets/index-1.js", () => Promise.reject(new TypeError("failed to fetch")), "missing"],
    ["another page", "/", "<pagE>", "other"],
  ] as const)("one file that is %s: nothing of the build is given out as a page", async (_how, path, answer, why) => {
    const { world, textOf } = browser({ ...served, [path]: answer });
    const bundle = createBundle(files, world);
    await expect(bundle.install()).rejects.toMatchObject({ name: "BundleRefused", path, why });
    expect(await bundle.match("/")).toBeUndefined();
    expect(await textOf(bundle, path)).toBeUndefined();
  });

  it("a file without end is read no further than it is to be long", async () => {
    let pulled = 0;
    const endless = (): Response =>
      new Response(
        new ReadableStream({
          pull(controller) {
            pulled += 1;
            controller.enqueue(new Uint8Array(1));
          },
        }),
      );
    const { world } = browser({ ...served, "/assets/index-1.js": endless });
    await expect(createBundle(files, world).install()).rejects.toMatchObject({ why: "other" });
    // Twice: as the HTTP cache has it, and as the server does.
    expect(pulled).toBeLessThan(2 * (script.bytes + 3));
  });

  it("what an HTTP cache has wrong is asked of the server once", async () => {
    let count = 0;
    const { world, asked, textOf } = browser({
      ...served,
      "/assets/index-1.js": () => new Response(count++ === 0 ? "stale!" : "script"),
    });
    const bundle = createBundle(files, world);
    await bundle.install();
    expect(asked.filter((one) => one.startsWith("/assets/index"))).toEqual(["/assets/index-1.js default", "/assets/index-1.js reload"]);
    expect(await textOf(bundle, "/assets/index-1.js")).toBe("script");
  });

  it("of what the server says beside a file only what is known is kept", async () => {
    const headers = {
      "content-type": "text/html",
      "content-security-policy": "default-src 'none'",
      "set-cookie": "a=b",
      refresh: "1",
      link: "<x>",
    };
    const { world } = browser({ ...served, "/": () => new Response("<page>", { headers }) });
    const bundle = createBundle(files, world);
    await bundle.install();
    expect([...((await bundle.match("/"))?.headers.keys() ?? [])].toSorted()).toEqual(["content-security-policy", "content-type"]);
  });

  it("[O-3] the next build takes over what is the same, in the languages that were in use, and forgets the one before when it begins", async () => {
    const { world, caches, asked, textOf } = browser(served);
    const first = createBundle(files, world);
    await first.install("fr");
    const before = asked.length;
    const next = createBundle(
      [await fileOf("/", "<page two>"), script, await fileOf("/assets/words-fr-2.js", "bonjour", "fr"), german, english],
      {
        ...world,
        fetch: async (input, init) => {
          asked.push(String(input));
          return String(input) === "/"
            ? new Response("<page two>")
            : String(input) === "/assets/words-fr-2.js"
              ? new Response("bonjour")
              : await world.fetch(input, init);
        },
      },
    );
    await next.install();
    expect(asked.slice(before).toSorted()).toEqual(["/", "/assets/words-fr-2.js"]);
    // Until then both are there.
    expect([await textOf(first, "/"), await textOf(next, "/"), caches.all.size]).toEqual(["<page>", "<page two>", 2]);
    await next.removeOthers();
    expect([await textOf(next, "/"), caches.all.size]).toEqual(["<page two>", 1]);
  });

  it("a file of the build before that is not what it was is not taken over", async () => {
    const { world, caches, textOf } = browser(served);
    await createBundle(files, world).install();
    for (const entries of caches.all.values()) entries.set("/assets/index-1.js", new Response("evil!!"));
    const next = createBundle([await fileOf("/", "<page>"), script], { ...world, languages: [] });
    await next.install();
    expect(await textOf(next, "/assets/index-1.js")).toBe("script");
  });

  it("all of them go, and nobody else's", async () => {
    const { world, caches } = browser(served);
    await createBundle(files, world).install();
    await caches.open("of something else");
    await removeBundles(caches);
    expect([...caches.all.keys()]).toEqual(["of something else"]);
  });
});
