import { useState } from "react";
import type { CSSProperties, ReactElement } from "react";
import type { AttachedFile, Message } from "@latchkey/client";
import { Icon } from "../components/Icon.tsx";
import { t } from "../messages/words.ts";
import { formatBytes } from "../state/format.ts";
import { FileNote } from "./FileNote.tsx";
import { Progress } from "./Progress.tsx";
import { thumbAddress } from "./thumbhash.ts";
import { formatLength } from "./transfer.ts";
import { comesByItself, useAddress, useFileState } from "./use-files.ts";

/** What stands in for a picture that nobody described. */
export function labelOf(file: AttachedFile): string {
  const kind = t(`files.kind.${file.kind}`);
  return file.description === "" ? `${kind}: ${file.name}` : `${kind}: ${file.description}`;
}

/** One picture or video of a message; `more` others stand behind it. */
export function Tile({
  message,
  file,
  more = 0,
  style,
  open,
}: {
  readonly message: Message;
  readonly file: AttachedFile;
  readonly more?: number;
  readonly style?: CSSProperties | undefined;
  /** Shows it large; absent where it is played where it stands. */
  readonly open: (() => void) | undefined;
}): ReactElement {
  const state = useFileState(message, file);
  const [isAsked, setIsAsked] = useState(false);
  const isVideo = file.kind === "video";
  const isWanted = isAsked || (!isVideo && comesByItself(file, state));
  const isGone = state?.kind === "gone";
  const shown = useAddress(message, file, isWanted && !isGone);
  const thumb = thumbAddress(file.thumbhash);
  const failure = isGone ? "gone" : shown.failure;
  const label = labelOf(file);
  // What stands on it is part of its name.
  const beside = more > 0 ? ` +${String(more)}` : !isVideo && !isWanted ? `, ${formatBytes(file.sizeBytes)}` : "";
  const tileLabel = `${isVideo || shown.address === undefined ? label : t("files.open", { name: label })}${beside}`;
  const isBusy = state?.kind === "sending" || (isAsked && state?.kind === "remote" && state.hereBytes > 0);
  return (
    <div className="file-tile" style={style}>
      {thumb !== undefined && <img className="file-thumb" src={thumb} alt="" />}
      {isVideo && isAsked && shown.address !== undefined ? (
        // Nobody has written down what others say in their videos.
        // oxlint-disable-next-line jsx-a11y/media-has-caption
        <video className="file-shown" src={shown.address} aria-label={label} controls autoPlay playsInline onError={shown.onError} />
      ) : (
        <>
          {!isVideo && shown.address !== undefined && (
            <img className="file-shown" src={shown.address} alt={label} decoding="async" onError={shown.onError} />
          )}
          {failure === undefined && (
            <button
              type="button"
              className="file-tile-button"
              aria-label={tileLabel}
              onClick={() => {
                if (isWanted && open !== undefined) open();
                else if (isVideo && open !== undefined && more > 0) open();
                else setIsAsked(true);
              }}
            >
              {more > 0 ? (
                <span className="file-more" dir="ltr">
                  +{more}
                </span>
              ) : isVideo ? (
                <span className="file-play">
                  <Icon name="play" size={28} />
                </span>
              ) : !isWanted ? (
                <span className="file-fetch">
                  <Icon name="download" size={18} />
                  {formatBytes(file.sizeBytes)}
                </span>
              ) : undefined}
            </button>
          )}
          {isVideo && failure === undefined && (
            <span className="file-length">
              {file.durationMs === undefined ? formatBytes(file.sizeBytes) : formatLength(file.durationMs / 1000)}
            </span>
          )}
        </>
      )}
      {failure !== undefined && <FileNote message={message} file={file} why={failure} again={shown.again} />}
      {isBusy && <Progress message={message} file={file} state={state} />}
    </div>
  );
}
