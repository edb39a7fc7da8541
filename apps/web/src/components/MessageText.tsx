import { Fragment, memo, useMemo, useState } from "react";
import type { ReactElement, ReactNode } from "react";
import type { Person } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { hasMarks, plainBlocks, shortenText } from "../state/message-text.ts";
import type { Block, Cell, Inline } from "../state/message-text.ts";
import { PersonButton } from "./PersonButton.tsx";
import { meansSelf, mentionText } from "../state/mentions.ts";
import { partsOf } from "../state/text-parts.ts";
import { useMarkdown } from "../state/use-markdown.ts";
import { CodeBlock } from "./CodeBlock.tsx";
import { MessageLink } from "./MessageLink.tsx";

/**
 * The text of a message, styled; `meta` (time and state) flows into its last line. Of a long one the beginning is shown, then a part more
 * each time: no text takes long to be read and drawn, whatever it says.
 */
export function MessageText({
  text,
  mentions,
  meta,
}: {
  readonly text: string;
  readonly mentions: readonly Person[];
  readonly meta: ReactNode;
}): ReactElement {
  const short = useMemo(() => shortenText(text), [text]);
  const [shownCount, setShownCount] = useState(0);
  const isOpen = shownCount > 0;
  const parts = useMemo(() => (isOpen ? partsOf(text) : []), [isOpen, text]);
  if (short === undefined) return <TextPart text={text} mentions={mentions} meta={meta} />;
  const shown = isOpen ? parts.slice(0, shownCount) : [short];
  return (
    <>
      {shown.map((part, index) => (
        // oxlint-disable-next-line react/no-array-index-key
        <TextPart key={index} text={part} mentions={mentions} />
      ))}
      <p className="text-more">
        {(!isOpen || shownCount < parts.length) && (
          <button type="button" className="link-button" aria-expanded={isOpen} onClick={() => setShownCount(shownCount + 1)}>
            {t("conversation.readMore")}
          </button>
        )}
        {isOpen && (
          <button type="button" className="link-button" aria-expanded onClick={() => setShownCount(0)}>
            {t("conversation.readLess")}
          </button>
        )}
      </p>
      {meta}
    </>
  );
}

/** A text that is read and drawn at once. */
const TextPart = memo(function TextPart({ text, mentions, meta }: { readonly text: string; readonly meta?: ReactNode } & Inside) {
  const parse = useMarkdown(hasMarks(text));
  const blocks = useMemo(() => parse?.(text) ?? plainBlocks(text), [parse, text]);
  const flows = blocks.at(-1)?.kind === "paragraph";
  return (
    <>
      <div className="text">
        <Blocks blocks={blocks} mentions={mentions} meta={flows ? meta : undefined} />
      </div>
      {!flows && meta}
    </>
  );
});

interface Inside {
  readonly mentions: readonly Person[];
}

/** Blocks of one text, which have no identity but their place; `meta` goes into the last line of the last of them. */
function Blocks({ blocks, mentions, meta }: { readonly blocks: readonly Block[]; readonly meta?: ReactNode } & Inside): ReactElement {
  return (
    <>
      {blocks.map((block, index) => (
        // oxlint-disable-next-line react/no-array-index-key
        <BlockView key={index} block={block} mentions={mentions} meta={index === blocks.length - 1 ? meta : undefined} />
      ))}
    </>
  );
}

function BlockView({ block, mentions, meta }: { readonly block: Block; readonly meta: ReactNode } & Inside): ReactElement {
  switch (block.kind) {
    case "code":
      return <CodeBlock text={block.text} language={block.language} />;
    case "quote":
      return (
        <blockquote className="text-quote" dir="auto">
          <Blocks blocks={block.blocks} mentions={mentions} />
        </blockquote>
      );
    case "paragraph":
      return (
        <div className="text-paragraph" dir="auto">
          <Inlines inlines={block.inlines} mentions={mentions} />
          {meta}
        </div>
      );
    case "heading":
      // Bold and no more: a message is no chapter of the page.
      return (
        <div className="text-paragraph text-heading" dir="auto">
          <Inlines inlines={block.inlines} mentions={mentions} />
        </div>
      );
    case "rule":
      return <hr className="text-rule" />;
    case "list":
      return <ListView block={block} mentions={mentions} />;
    case "table":
      return (
        // What is wider than the bubble is scrolled, by keys as well.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <div className="text-table" tabIndex={0} role="group" aria-label={t("messageParts.table")}>
          <table>
            <thead>
              <TableRow cells={block.head} mentions={mentions} isHead />
            </thead>
            <tbody>
              {block.rows.map((cells, index) => (
                // oxlint-disable-next-line react/no-array-index-key
                <TableRow key={index} cells={cells} mentions={mentions} />
              ))}
            </tbody>
          </table>
        </div>
      );
  }
}

function ListView({ block, mentions }: { readonly block: Extract<Block, { readonly kind: "list" }> } & Inside): ReactElement {
  const items = block.items.map((blocks, index) => (
    // oxlint-disable-next-line react/no-array-index-key
    <li key={index} dir="auto">
      <Blocks blocks={blocks} mentions={mentions} />
    </li>
  ));
  return block.start === undefined ? (
    <ul className="text-list">{items}</ul>
  ) : (
    <ol className="text-list" start={block.start}>
      {items}
    </ol>
  );
}

function TableRow({
  cells,
  mentions,
  isHead = false,
}: { readonly cells: readonly Cell[]; readonly isHead?: boolean } & Inside): ReactElement {
  const Tag = isHead ? "th" : "td";
  return (
    <tr>
      {cells.map(({ align, inlines }, index) => (
        // oxlint-disable-next-line react/no-array-index-key
        <Tag key={index} dir="auto" className={align === undefined ? undefined : `text-${align}`}>
          <Inlines inlines={inlines} mentions={mentions} />
        </Tag>
      ))}
    </tr>
  );
}

function Inlines({ inlines, mentions }: { readonly inlines: readonly Inline[] } & Inside): ReactElement {
  return (
    <>
      {inlines.map((inline, index) => (
        // oxlint-disable-next-line react/no-array-index-key
        <Fragment key={index}>{renderInline(inline, mentions)}</Fragment>
      ))}
    </>
  );
}

function renderInline(inline: Inline, mentions: readonly Person[]): ReactNode {
  switch (inline.kind) {
    case "text":
      return inline.text;
    case "code":
      return <code>{inline.text}</code>;
    case "strong":
      return (
        <strong>
          <Inlines inlines={inline.inlines} mentions={mentions} />
        </strong>
      );
    case "emphasis":
      return (
        <em>
          <Inlines inlines={inline.inlines} mentions={mentions} />
        </em>
      );
    case "strike":
      return (
        <s>
          <Inlines inlines={inline.inlines} mentions={mentions} />
        </s>
      );
    case "mention": {
      const text = mentionText(inline.who, inline.id, mentions);
      const className = `text-mention${meansSelf(inline.who, inline.id, mentions) ? " text-mention-own" : ""}`;
      const person = inline.who === "account" ? mentions.find(({ accountId }) => accountId === inline.id) : undefined;
      if (person === undefined) return <bdi className={className}>{text}</bdi>;
      return (
        <PersonButton person={person} className={className}>
          <bdi>{text}</bdi>
        </PersonButton>
      );
    }
    case "link":
      return (
        <MessageLink href={inline.href} text={plainOf(inline.inlines)}>
          <Inlines inlines={inline.inlines} mentions={mentions} />
        </MessageLink>
      );
  }
}

function plainOf(inlines: readonly Inline[]): string {
  return inlines.map((inline) => ("text" in inline ? inline.text : "inlines" in inline ? plainOf(inline.inlines) : "")).join("");
}
