import type { ReactElement } from "react";
import type { AttachedFile } from "@latchkey/client";
import { Icon } from "../components/Icon.tsx";
import { t } from "../messages/words.ts";
import { formatBytes } from "../state/format.ts";
import { FileNote } from "./FileNote.tsx";
import type { FileHolder } from "./holder.ts";
import { Progress } from "./Progress.tsx";
import { shareOf, typeOf } from "./transfer.ts";
import { useFileState } from "./use-files.ts";
import { useSave } from "./use-save.ts";

/** A file by its name: what it is, how large, and how to save it. */
export function FileRow({ message, file }: { readonly message: FileHolder; readonly file: AttachedFile }): ReactElement {
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
        <span className="file-name">
          <bdi>{file.name}</bdi>
        </span>
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
