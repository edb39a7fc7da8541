import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Plugin } from "vite";

const id = "virtual:licences";

/** Makes `virtual:licences` a module with the licence of everything that the app is made of, as it is installed. */
export function licences(): Plugin {
  return {
    name: "licences",
    resolveId: (asked) => (asked === id ? `\0${id}` : undefined),
    load: (asked) =>
      asked === `\0${id}` ? `export default JSON.parse(${JSON.stringify(JSON.stringify(licencesOf(import.meta.dirname)))});` : undefined,
  };
}

/** Dependencies that no browser gets: sockets of Node, what Lingui would need to rewrite source text, and arguments of a command of markdown-it. */
const elsewhere: ReadonlySet<string> = new Set(["ws", "@lingui/babel-plugin-lingui-macro", "argparse"]);
/** Packages of which the build takes data: they stand among what is needed for building alone. */
const dataPackages = /^(?:emojibase-data|cldr-.*-full)$/u;

/** Packages under one licence text. */
export interface Licence {
  /** By name and version, such as `react 19.3.1`. */
  readonly packages: readonly string[];
  /** By its short name (SPDX), such as `MIT`. */
  readonly licence: string;
  readonly text: string;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name?: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** The licences of what a package is made of, those of most packages first. */
export function licencesOf(folder: string): readonly Licence[] {
  const found = new Map<string, Manifest & { readonly folder: string }>();
  const visit = (from: string, name: string): void => {
    if (elsewhere.has(name)) return;
    const at = folderOf(from, name);
    const manifest = manifestOf(at);
    const key = `${name} ${manifest.version}`;
    if (found.has(key)) return;
    found.set(key, { ...manifest, folder: at });
    for (const next of Object.keys(manifest.dependencies ?? {})) visit(at, next);
  };
  const own = manifestOf(folder);
  const data = Object.keys(own.devDependencies ?? {}).filter((name) => dataPackages.test(name));
  for (const name of [...Object.keys(own.dependencies ?? {}), ...data]) visit(folder, name);
  const groups = new Map<string, { licence: string; packages: string[]; text: string }>();
  for (const [key, manifest] of found) {
    if (manifest.name.startsWith("@latchkey/")) continue;
    const licence = manifest.license ?? "";
    const text = textOf(manifest.folder) ?? holderOf(manifest);
    const group = groups.get(`${licence} ${text}`);
    if (group === undefined) groups.set(`${licence} ${text}`, { licence, text, packages: [key] });
    else group.packages.push(key);
  }
  return [...groups.values()]
    .map((group) => ({ ...group, packages: group.packages.toSorted() }))
    .toSorted((a, b) => b.packages.length - a.packages.length || (a.packages[0] ?? "").localeCompare(b.packages[0] ?? ""));
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}

/** As Node finds it. */
function folderOf(from: string, name: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const at = join(folder, "node_modules", name);
    if (existsSync(join(at, "package.json"))) return at;
    if (folder === dirname(folder)) throw new Error(`${name}, which ${from} needs, is not installed.`);
  }
}

function textOf(folder: string): string | undefined {
  const name = readdirSync(folder).find((file) => /^(?:licen[cs]e|copying)(?:[.-].*)?$/iu.test(file));
  return name === undefined ? undefined : readFileSync(join(folder, name), "utf8").replaceAll("\r\n", "\n").trim();
}

/** What a package says of itself that has no file for it. */
function holderOf({ author, license = "" }: Manifest): string {
  const holder = typeof author === "string" ? author : author?.name;
  return holder === undefined ? license : `${license}\n\nCopyright ${holder}`;
}
