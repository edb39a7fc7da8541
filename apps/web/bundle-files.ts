import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { basename, join, relative, sep } from "node:path";
import type { Rolldown } from "vite";
import type { BundleFile } from "./src/service-worker/bundle.ts";

/** Where pages begin that have nothing to do with accounts in this browser: `/desk` and `/transparency` are always fetched from the server. */
const apartPages = /\/src\/(?:desk\/start-desk|counts\/start-counts)\.tsx$/;
const apartWords = /\.po\?(?:cases|counting|counts|desk|legal|office)$/;

/** Of no use without the server, and large: OPAQUE, for which it is asked twice. */
const onlyWithServer = /^assets\/wasm-/;

/** What the build knows of its files, by their names. */
export interface BuiltFiles {
  /** Needed by pages alone that are never kept. */
  readonly apart: ReadonlySet<string>;
  /** Of the files that one language alone needs: which. */
  readonly languages: ReadonlyMap<string, string>;
}

/** Which files of a build are whose. */
export function lookAtBuild(bundle: Rolldown.OutputBundle): BuiltFiles {
  const chunks = new Map(Object.values(bundle).flatMap((file) => (file.type === "chunk" ? [[file.fileName, file] as const] : [])));
  const isApart = ({ facadeModuleId }: Rolldown.OutputChunk): boolean =>
    facadeModuleId !== null && (apartPages.test(facadeModuleId) || apartWords.test(facadeModuleId));
  const reached = (from: readonly Rolldown.OutputChunk[], stops: (chunk: Rolldown.OutputChunk) => boolean): ReadonlySet<string> => {
    const found = new Set<string>();
    const visit = (chunk: Rolldown.OutputChunk): void => {
      if (found.has(chunk.fileName)) return;
      found.add(chunk.fileName);
      for (const style of chunk.viteMetadata?.importedCss ?? []) found.add(style);
      for (const name of [...chunk.imports, ...chunk.dynamicImports]) {
        const next = chunks.get(name);
        if (next !== undefined && !stops(next)) visit(next);
      }
    };
    for (const chunk of from) visit(chunk);
    return found;
  };
  const all = [...chunks.values()];
  const kept = reached(
    all.filter(({ isEntry }) => isEntry),
    isApart,
  );
  const ofApart = reached(all.filter(isApart), () => false);
  return {
    apart: new Set([...ofApart].filter((name) => !kept.has(name))),
    languages: new Map(
      all.flatMap((chunk) => {
        const language = languageOf(chunk.facadeModuleId);
        return language === undefined ? [] : [[chunk.fileName, language] as const];
      }),
    ),
  };
}

function languageOf(module: string | null): string | undefined {
  if (module === null) return undefined;
  const [file = ""] = module.split("?");
  if (file.endsWith(".po")) return basename(file, ".po");
  return module.includes("virtual:emoji/") ? basename(file).replace(/\.\w+$/, "") : undefined;
}

/** The files of a finished build that a browser keeps, with what tells exactly these bytes from any others. */
export async function listBundle(folder: string, { apart, languages }: BuiltFiles): Promise<readonly BundleFile[]> {
  const files: BundleFile[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path).split(sep).join("/");
    if (apart.has(name) || onlyWithServer.test(name) || /\.(?:br|gz|map)$/.test(name)) continue;
    const bytes = await readFile(path);
    const language = languages.get(name);
    files.push({
      path: name === "index.html" ? "/" : `/${name}`,
      hash: createHash("sha256").update(bytes).digest("base64url"),
      bytes: bytes.length,
      ...(language === undefined ? {} : { language }),
    });
  }
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}
