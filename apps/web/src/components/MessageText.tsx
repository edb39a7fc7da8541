import { Fragment, useMemo, useState } from "react";
import type { ReactElement, ReactNode } from "react";
import { words } from "../messages/words.ts";
import { parseMessageText, shortenText } from "../state/message-text.ts";
import type { Block, Inline } from "../state/message-text.ts";

/** The text of a message, styled; `meta` (time and state) flows into its last line. */
export function MessageText({ text, meta }: { readonly text: string; readonly meta: ReactNode }): ReactElement {
  const short = useMemo(() => shortenText(text), [text]);
  const [isWhole, setIsWhole] = useState(false);
  const shown = short === undefined || isWhole ? text : short;
  const blocks = useMemo(() => parseMessageText(shown), [shown]);
  const flows = short === undefined && blocks.at(-1)?.kind === "paragraph";
  return (
    <>
      <div className="text">
        {blocks.map((block, index) => (
          // Blocks of one text have no identity but their place.
          // oxlint-disable-next-line react/no-array-index-key
          <BlockView key={index} block={block} meta={flows && index === blocks.length - 1 ? meta : undefined} />
        ))}
      </div>
      {short !== undefined && (
        <button type="button" className="link-button text-more" aria-expanded={isWhole} onClick={() => setIsWhole(!isWhole)}>
          {isWhole ? words.conversation.readLess : words.conversation.readMore}
        </button>
      )}
      {!flows && meta}
    </>
  );
}

function BlockView({ block, meta }: { readonly block: Block; readonly meta: ReactNode }): ReactElement {
  switch (block.kind) {
    case "code":
      return (
        <pre className="text-code" dir="ltr">
          <code>{block.text}</code>
        </pre>
      );
    case "quote":
      return (
        <blockquote className="text-quote" dir="auto">
          <Inlines inlines={block.inlines} />
        </blockquote>
      );
    case "paragraph":
      return (
        <div className="text-paragraph" dir="auto">
          <Inlines inlines={block.inlines} />
          {meta}
        </div>
      );
  }
}

function Inlines({ inlines }: { readonly inlines: readonly Inline[] }): ReactElement {
  return (
    <>
      {inlines.map((inline, index) => (
        // Pieces of one text have no identity but their place.
        // oxlint-disable-next-line react/no-array-index-key
        <Fragment key={index}>{renderInline(inline)}</Fragment>
      ))}
    </>
  );
}

function renderInline(inline: Inline): ReactNode {
  switch (inline.kind) {
    case "text":
      return inline.text;
    case "code":
      return <code>{inline.text}</code>;
    case "bold":
      return <strong>{inline.text}</strong>;
    case "link":
      return (
        <a href={inline.href} target="_blank" rel="noopener noreferrer nofollow" dir="ltr">
          {inline.text}
        </a>
      );
  }
}
