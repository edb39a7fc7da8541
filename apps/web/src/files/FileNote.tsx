import type { ReactElement } from "react";
import type { AttachedFile } from "@latchkey/client";
import { failureWords, t } from "../messages/words.ts";
import { useAction, useApp } from "../state/context.ts";
import { nameOf } from "../state/person-name.ts";
import type { ShowFailure } from "./file-source.ts";
import type { FileHolder } from "./holder.ts";
import { useSave } from "./use-save.ts";

/** Why a file is not shown, and what can be done. */
export function FileNote({
  message,
  file,
  why,
  again,
}: {
  readonly message: FileHolder;
  readonly file: AttachedFile;
  readonly why: ShowFailure;
  readonly again: () => void;
}): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const save = useSave(message, file);
  const { author } = message;
  const ask = (): void => {
    if (message.imported === undefined)
      void act(() => controller.send(message.conversationId, t("files.asking", { name: file.name }), message));
  };
  return (
    <p className="file-note" role="status">
      {wordsOf(why)}{" "}
      {why === "gone" && author !== undefined && !author.isSelf && (
        <button type="button" className="link-button" onClick={ask}>
          {t("files.askAgain", { name: nameOf(author) })}
        </button>
      )}
      {(why === "failed" || why === "broken" || why === "not_accepted" || why === "storage_full") && (
        <button type="button" className="link-button" onClick={again}>
          {t("common.tryAgain")}
        </button>
      )}
      {(why === "not_shown" || why === "large") && message.isOnce !== true && (
        <button type="button" className="link-button" disabled={save.isBusy} onClick={save.run}>
          {t("files.save")}
        </button>
      )}
    </p>
  );
}

function wordsOf(why: ShowFailure): string {
  if (why !== "storage_full" && why !== "seen_once") return t(`files.failure.${why}`);
  const { title, advice } = failureWords({ code: why, message: "", canRetry: false });
  return `${title}. ${advice}`;
}
