import * as languages from "@speed-highlight/core/languages";
import { tokenizeWith } from "@speed-highlight/core/tokenize";
import type { ShjLanguageData } from "@speed-highlight/core";

/** A piece of code, and what it is; `undefined` for nothing special. */
export interface CodePart {
  readonly text: string;
  readonly kind: "comment" | "keyword" | "string" | "number" | "name" | undefined;
}

const kinds: Readonly<Record<string, CodePart["kind"]>> = {
  cmnt: "comment",
  kwd: "keyword",
  str: "string",
  num: "number",
  bool: "number",
  func: "name",
  class: "name",
  type: "name",
  section: "keyword",
  insert: "string",
  deleted: "keyword",
};

const aliases: Readonly<Record<string, string>> = {
  javascript: "js",
  jsx: "js",
  mjs: "js",
  typescript: "ts",
  tsx: "ts",
  python: "py",
  rust: "rs",
  sh: "bash",
  shell: "bash",
  zsh: "bash",
  yml: "yaml",
  dockerfile: "docker",
  svg: "xml",
  cpp: "c",
  "c++": "c",
  h: "c",
  makefile: "make",
  perl: "pl",
  markdown: "md",
};

/** The grammars by name. The library types its own more narrowly than it reads them. */
const grammars: Readonly<Record<string, ShjLanguageData>> = { ...languages } as unknown as Record<string, ShjLanguageData>;

/** The pieces of code in a language by its usual names; the whole as one piece for one that is not known. */
export function colourCode(text: string, language: string): readonly CodePart[] {
  const name = language.toLowerCase();
  const wanted = Object.hasOwn(aliases, name) ? (aliases[name] ?? "") : name;
  const grammar = Object.hasOwn(grammars, wanted) ? grammars[wanted] : undefined;
  if (grammar === undefined) return [{ text, kind: undefined }];
  const parts: CodePart[] = [];
  tokenizeWith(text, grammar, (piece, type) => parts.push({ text: piece, kind: kinds[type ?? ""] }), { languages: { ...grammars } });
  return parts.filter((part) => part.text !== "");
}
