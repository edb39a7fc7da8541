import "../styles/files.css";
import { useState } from "react";
import type { CSSProperties, ReactElement } from "react";
import type { AttachedFile, Message } from "@latchkey/client";
import { lazyComponent } from "../components/lazy.tsx";
import { t } from "../messages/words.ts";
import { FileRow } from "./FileRow.tsx";
import { OnceFile } from "./OnceFile.tsx";
import { SoundPlayer } from "./SoundPlayer.tsx";
import { Tile } from "./Tile.tsx";
import { UploadCause } from "./UploadCause.tsx";

const Viewer = lazyComponent(async () => (await import("./Viewer.tsx")).Viewer);

/** So many of an album are seen at once. */
const mostTiles = 6;
/** A picture alone is at least so flat, and so tall. */
const [flattest, tallest] = [2.2, 0.6];

/** What came with a message. */
export function MessageFiles({ message }: { readonly message: Message }): ReactElement {
  const [viewed, setViewed] = useState<string>();
  const { files = [], isOnce } = message;
  const [only] = files;
  if (isOnce === true && only !== undefined) return <OnceFile message={message} file={only} />;
  const tiles = files.filter(({ kind }) => kind === "picture" || kind === "video");
  const shown = tiles.length > mostTiles ? tiles.slice(0, mostTiles) : tiles;
  return (
    <div className="files">
      {tiles.length > 0 && (
        <div
          className={`album album-${String(shown.length)}`}
          role={tiles.length > 1 ? "group" : undefined}
          aria-label={tiles.length > 1 ? t("files.pictures", { n: tiles.length }) : undefined}
        >
          {shown.map((file, at) => (
            <Tile
              key={file.id}
              message={message}
              file={file}
              more={at === mostTiles - 1 ? tiles.length - mostTiles : 0}
              style={tiles.length === 1 ? shapeOf(file) : undefined}
              open={file.kind === "video" && tiles.length === 1 ? undefined : () => setViewed(file.id)}
            />
          ))}
        </div>
      )}
      {files.map((file) =>
        file.kind === "file" ? (
          <FileRow key={file.id} message={message} file={file} />
        ) : file.kind === "audio" || file.kind === "voice" ? (
          <SoundPlayer key={file.id} message={message} file={file} />
        ) : undefined,
      )}
      <UploadCause message={message} />
      {viewed !== undefined && <Viewer message={message} fileId={viewed} close={() => setViewed(undefined)} />}
    </div>
  );
}

/** Its place is as large as it will be, before anything of it is here. */
function shapeOf({ width, height }: AttachedFile): CSSProperties {
  const ratio = width === undefined || height === undefined ? 4 / 3 : width / height;
  return { aspectRatio: String(Math.min(flattest, Math.max(tallest, ratio))) };
}
