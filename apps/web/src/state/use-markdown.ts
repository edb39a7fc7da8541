import { useEffect, useSyncExternalStore } from "react";
import type { Block } from "./message-text.ts";

type Parse = (text: string) => readonly Block[];

let parse: Parse | undefined;
let loading: Promise<void> | undefined;
const listeners = new Set<() => void>();

/** Fetches what reads Markdown, once. A failure is tried again when it is asked for again. */
export function fetchMarkdown(): Promise<void> {
  loading ??= import("./markdown.ts")
    .then(({ parseMarkdown }) => {
      parse = parseMarkdown;
      for (const listener of listeners) listener();
    })
    .catch(() => {
      loading = undefined;
    });
  return loading;
}

/** What reads Markdown, where it is needed and as soon as it is there; texts stand as they were written until then. */
export function useMarkdown(isNeeded: boolean): Parse | undefined {
  useEffect(() => {
    if (isNeeded) void fetchMarkdown();
  }, [isNeeded]);
  const found = useSyncExternalStore(subscribe, get, get);
  return isNeeded ? found : undefined;
}

const get = (): Parse | undefined => parse;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
