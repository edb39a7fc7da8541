import { Fragment } from "react";
import type { ReactElement } from "react";
import type { Message } from "@latchkey/client";
import { systemParts } from "../state/system-text.ts";
import { PersonButton } from "./PersonButton.tsx";

/** What happened, with the people whom it names to look at. */
export function SystemLine({ message, kind }: { readonly message: Message; readonly kind: "direct" | "group" }): ReactElement {
  return (
    <bdi>
      {systemParts(message, kind).map((part, index) =>
        typeof part === "string" ? (
          // Neither people nor texts of one line ever change places.
          // oxlint-disable-next-line react/no-array-index-key
          <Fragment key={index}>{part}</Fragment>
        ) : (
          // oxlint-disable-next-line react/no-array-index-key
          <PersonButton key={index} person={part.person} className="person-in-line">
            {part.text}
          </PersonButton>
        ),
      )}
    </bdi>
  );
}
