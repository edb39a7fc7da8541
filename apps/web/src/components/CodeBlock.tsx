import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import type { CodePart } from "../state/code-colours.ts";
import { useCopy } from "../state/use-copy.ts";
import { Icon } from "./Icon.tsx";

/** Longer code stays as it is: colours are not worth the time that they take there. */
const maxColoured = 4096;

/** Code, in colours where its language is told and known, with a button that copies it. */
export function CodeBlock({ text, language }: { readonly text: string; readonly language: string }): ReactElement {
  const copy = useCopy();
  const [parts, setParts] = useState<readonly CodePart[]>();
  useEffect(() => {
    setParts(undefined);
    if (language === "" || text.length > maxColoured) return undefined;
    let isShown = true;
    import("../state/code-colours.ts").then(({ colourCode }) => isShown && setParts(colourCode(text, language))).catch(() => undefined);
    return () => {
      isShown = false;
    };
  }, [language, text]);
  return (
    <div className="text-code" dir="ltr">
      {/* What is wider than the bubble is scrolled, by keys as well. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre tabIndex={0} role="group" aria-label={t("messageParts.code")}>
        <code>
          {parts === undefined
            ? text
            : parts.map((part, index) => (
                // Pieces of one text have no identity but their place.
                // oxlint-disable-next-line react/no-array-index-key
                <span key={index} className={part.kind === undefined ? undefined : `code-${part.kind}`}>
                  {part.text}
                </span>
              ))}
        </code>
      </pre>
      <button
        type="button"
        className="text-code-copy"
        aria-label={t("messageParts.copyCode")}
        title={t("messageParts.copyCode")}
        onClick={() => void copy(text)}
      >
        <Icon name="copy" size={16} />
      </button>
    </div>
  );
}
