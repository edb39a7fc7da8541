import { useState } from "react";
import type { ReactElement } from "react";
import type { AttachedFile, Message } from "@latchkey/client";
import { Icon } from "../components/Icon.tsx";
import { t } from "../messages/words.ts";
import { useApp } from "../state/context.ts";
import { formatBytes } from "../state/format.ts";
import { failureWords } from "../messages/words.ts";
import { failureOf } from "../worker/protocol.ts";
import { ShowError } from "./file-source.ts";
import type { ShowFailure } from "./file-source.ts";
import { FileNote } from "./FileNote.tsx";
import { Progress } from "./Progress.tsx";
import { shareOf, typeOf } from "./transfer.ts";
import { useFileSource, useFileState } from "./use-files.ts";

/** A file by its name: what it is, how large, and how to save it. */
export function FileRow({ message, file }: { readonly message: Message; readonly file: AttachedFile }): ReactElement {
  const state = useFileState(message, file);
  const save = useSave(message, file);
  const share = shareOf(state);
  const type = typeOf(file.mediaType);
  const failure = state?.kind === "gone" ? "gone" : save.failure;
  return (
    <div className="file-row">
      <span className="file-icon">
        {share !== undefined && (state?.kind === "sending" || save.isBusy) ? (
          <Progress message={message} file={file} state={state} />
        ) : (
          <Icon name="file" size={24} />
        )}
      </span>
      <span className="file-text">
        <bdi className="file-name">{file.name}</bdi>
        <span className="file-facts">
          {t(`files.type.${type}`)} · <span className="tabular">{formatBytes(file.sizeBytes)}</span>
        </span>
        {failure !== undefined && <FileNote message={message} file={file} why={failure} again={save.run} />}
      </span>
      {state?.kind !== "sending" && state?.kind !== "gone" && (
        <button
          type="button"
          className="icon-button"
          aria-label={t("files.saveNamed", { name: file.name })}
          title={t("files.save")}
          disabled={save.isBusy}
          onClick={save.run}
        >
          <Icon name="download" size={20} />
        </button>
      )}
    </div>
  );
}

/** Saves a file, and tells what became of it. */
export function useSave(
  message: Message,
  file: AttachedFile,
): { readonly run: () => void; readonly isBusy: boolean; readonly failure: ShowFailure | undefined } {
  const { notify } = useApp();
  const source = useFileSource();
  const [isBusy, setIsBusy] = useState(false);
  const [failure, setFailure] = useState<ShowFailure>();
  const run = (): void => {
    setIsBusy(true);
    setFailure(undefined);
    source
      .save({ message, file })
      .catch((error: unknown) => {
        if (error instanceof ShowError) {
          setFailure(error.why);
          return;
        }
        const told = failureOf(error);
        // Whoever ended it knows.
        if (told.code === "closed") return;
        if (told.code === "file_gone") setFailure("gone");
        else {
          const { title, advice } = failureWords(told);
          notify(`${title}. ${advice}`);
        }
      })
      .finally(() => setIsBusy(false));
  };
  return { run, isBusy, failure };
}
