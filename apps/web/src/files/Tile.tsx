import { useState } from "react";
import type { CSSProperties, ReactElement } from "react";
import type { AttachedFile } from "@latchkey/client";
import { Icon } from "../components/Icon.tsx";
import { t } from "../messages/words.ts";
import { formatBytes } from "../state/format.ts";
import { FileNote } from "./FileNote.tsx";
import type { FileHolder } from "./holder.ts";
import { Progress } from "./Progress.tsx";
import { thumbAddress } from "./thumbhash.ts";
import { formatLength } from "./transfer.ts";
import { comesByItself, useAddress, useFileState } from "./use-files.ts";

/** A picture alone is at least so flat, and so tall. */
const [flattest, tallest] = [2.2, 0.6];

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
  isAlone = false,
  open,
}: {
  readonly message: FileHolder;
  readonly file: AttachedFile;
  readonly more?: number;
  /** It has the shape of what it shows. */
  readonly isAlone?: boolean;
  /** Shows it large; absent where it is played where it stands. */
  readonly open: (() => void) | undefined;
}): ReactElement {
  const state = useFileState(message, file);
  const [isAsked, setIsAsked] = useState(false);
  /** Of a picture of which nobody said how large it is, once it is there. */
  const [size, setSize] = useState<Pick<AttachedFile, "width" | "height">>(file);
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
    <div className="file-tile" style={isAlone ? shapeOf(size) : undefined}>
      {thumb !== undefined && <img className="file-thumb" src={thumb} alt="" />}
      {isVideo && isAsked && shown.address !== undefined ? (
        // Nobody has written down what others say in their videos.
        // oxlint-disable-next-line jsx-a11y/media-has-caption
        <video className="file-shown" src={shown.address} aria-label={label} controls autoPlay playsInline onError={shown.onError} />
      ) : (
        <>
          {!isVideo && shown.address !== undefined && (
            <img
              className="file-shown"
              // A page of imported lines may have hundreds.
              loading={message.imported === undefined ? "eager" : "lazy"}
              src={shown.address}
              alt={label}
              decoding="async"
              onError={shown.onError}
              onLoad={({ currentTarget: { naturalWidth: width, naturalHeight: height } }) => {
                if (size.width === undefined && width > 0 && height > 0) setSize({ width, height });
              }}
            />
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

/** Its place is as large as it will be, before anything of it is here, where somebody said how large that is. */
function shapeOf({ width, height }: Pick<AttachedFile, "width" | "height">): CSSProperties {
  const ratio = width === undefined || height === undefined ? 4 / 3 : width / height;
  return { aspectRatio: String(Math.min(flattest, Math.max(tallest, ratio))) };
}
