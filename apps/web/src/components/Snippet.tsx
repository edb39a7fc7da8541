import type { ReactElement, ReactNode } from "react";
import type { FoundMessage } from "@latchkey/client";

/** A piece of a message with what was looked for marked. */
export function Snippet({ snippet, hits }: Pick<FoundMessage, "snippet" | "hits">): ReactElement {
  const parts: ReactNode[] = [];
  let at = 0;
  for (const { start, end } of hits) {
    parts.push(snippet.slice(at, start), <mark key={start}>{snippet.slice(start, end)}</mark>);
    at = end;
  }
  return (
    <>
      {parts}
      {snippet.slice(at)}
    </>
  );
}
