import "../styles/files.css";
import { useState } from "react";
import type { ReactElement } from "react";
import type { Message } from "@latchkey/client";
import { lazyComponent } from "../components/lazy.tsx";
import { t } from "../messages/words.ts";
import { FileRow } from "./FileRow.tsx";
import type { FileHolder } from "./holder.ts";
import { OnceFile } from "./OnceFile.tsx";
import { SoundPlayer } from "./SoundPlayer.tsx";
import { Tile } from "./Tile.tsx";
import { UploadCause } from "./UploadCause.tsx";

const Viewer = lazyComponent(async () => (await import("./Viewer.tsx")).Viewer);

/** So many of an album are seen at once. */
const mostTiles = 6;

/** What came with a message. */
export function MessageFiles({ message }: { readonly message: Message }): ReactElement {
  const { files: [only] = [], isOnce } = message;
  return isOnce === true && only !== undefined ? <OnceFile message={message} file={only} /> : <HeldFiles message={message} />;
}

/** Files where they stand: pictures and films as tiles, sounds to be played, others by their names. */
export function HeldFiles({
  message,
  around,
}: {
  readonly message: FileHolder;
  /** What is gone through when one is looked at; all of its conversation when absent. */
  readonly around?: readonly FileHolder[] | undefined;
}): ReactElement {
  const [viewed, setViewed] = useState<string>();
  const { files = [] } = message;
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
              isAlone={tiles.length === 1}
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
      {viewed !== undefined && <Viewer message={message} fileId={viewed} around={around} close={() => setViewed(undefined)} />}
    </div>
  );
}
