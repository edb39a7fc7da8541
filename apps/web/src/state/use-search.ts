import { useEffect, useState } from "react";
import type { ClientFailure, FoundMessage, SearchPage } from "@latchkey/client";
import { failureOf } from "../worker/protocol.ts";
import { useApp } from "./context.ts";

/** So long somebody types on before it is searched. */
const typingPauseMs = 120;
const firstWanted = 50;
const moreWanted = 150;
const mostInPage = 200;
/** How often it is looked again while the index is made. */
const indexingMs = 1000;

/** What is found so far. */
export interface Search {
  /** What it was found by; "" before anything was searched. */
  readonly query: string;
  readonly found: readonly FoundMessage[];
  readonly unknown: readonly string[];
  readonly indexing: SearchPage["indexing"];
  /** Whether there may be more further back. */
  readonly hasMore: boolean;
  readonly isSearching: boolean;
  readonly failure: ClientFailure | undefined;
}

const nothing: Search = { query: "", found: [], unknown: [], indexing: undefined, hasMore: false, isSearching: false, failure: undefined };

/** Searches while somebody types, in all conversations or one; what was found before stays until there is something else. `more` looks further back. */
export function useSearch(query: string, conversationId?: string): readonly [Search, more: () => void] {
  const { controller } = useApp();
  const [search, setSearch] = useState(nothing);
  const text = query.trim();
  const [wanted, setWanted] = useState({ text, count: firstWanted });
  const count = wanted.text === text ? wanted.count : firstWanted;
  useEffect(() => {
    if (text === "") {
      setSearch(nothing);
      return undefined;
    }
    let isGone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const limit = Math.min(mostInPage, count);
    const run = async (): Promise<void> => {
      const found: FoundMessage[] = [];
      for (let cursor: string | undefined; ;) {
        const page = await controller.client.search(text, { conversationId, limit, cursor });
        if (isGone) return;
        found.push(...page.found);
        const isOver = page.cursor === undefined || found.length >= count;
        const { unknown, indexing } = page;
        // Nothing takes the place of what was there before all was looked through.
        if (isOver || found.length > 0)
          setSearch({
            query: text,
            found: [...found],
            unknown,
            indexing,
            hasMore: page.cursor !== undefined,
            isSearching: !isOver,
            failure: undefined,
          });
        if (isOver && indexing !== undefined) timer = setTimeout(start, indexingMs);
        if (isOver) return;
        cursor = page.cursor;
      }
    };
    const start = (): void => {
      run().catch((error: unknown) => {
        if (!isGone) setSearch({ ...nothing, query: text, failure: failureOf(error) });
      });
    };
    setSearch((before) => ({ ...before, isSearching: true }));
    timer = setTimeout(start, typingPauseMs);
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [controller, conversationId, count, text]);
  return [search, () => setWanted({ text, count: count + moreWanted })];
}
