import "../styles/files.css";
import { useEffect, useId, useState } from "react";
import type { ReactElement } from "react";
import type { FoundMessage, ListedFile } from "@latchkey/client";
import { lazyComponent } from "../components/lazy.tsx";
import { t } from "../messages/words.ts";
import { useApp } from "../state/context.ts";
import { formatFull } from "../state/format.ts";
import { FileRow } from "./FileRow.tsx";
import { SoundPlayer } from "./SoundPlayer.tsx";
import { Tile } from "./Tile.tsx";

const Viewer = lazyComponent(async () => (await import("./Viewer.tsx")).Viewer);

const kinds = { pictures: ["picture", "video"], files: ["file", "audio", "voice"] } as const;
const parts = ["pictures", "files", "links"] as const;
type Part = (typeof parts)[number];
const pageSize = 60;

/** What was shared in a conversation, the newest first: pictures, files, links. */
export function SharedFiles({ conversationId }: { readonly conversationId: string }): ReactElement {
  const { controller } = useApp();
  const id = useId();
  const [part, setPart] = useState<Part>("pictures");
  const [files, setFiles] = useState<readonly ListedFile[]>();
  const [links, setLinks] = useState<readonly FoundMessage[]>();
  const [hasMore, setHasMore] = useState(false);
  const [viewed, setViewed] = useState<ListedFile>();
  const load = async (of: Part, before: readonly ListedFile[]): Promise<void> => {
    if (of === "links") {
      setLinks((await controller.client.search("has:link", { conversationId, limit: pageSize })).found);
      return;
    }
    const beforeOrder = before.at(-1)?.message.order;
    const found = await controller.client.listFiles(conversationId, { kinds: kinds[of], beforeOrder, limit: pageSize });
    setFiles([...before, ...found.filter(({ message }) => message.isOnce !== true)]);
    setHasMore(found.length >= pageSize);
  };
  useEffect(() => {
    setFiles(undefined);
    setLinks(undefined);
    setHasMore(false);
    void load(part, []).catch(() => setFiles([]));
    // Asked for when another part is chosen.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [conversationId, part]);
  const isEmpty = part === "links" ? links?.length === 0 : files?.length === 0;
  return (
    <section aria-labelledby={id} className="details-section">
      <h2 id={id} className="section-heading">
        {t("files.shared")}
      </h2>
      <div className="segments" role="radiogroup" aria-labelledby={id}>
        {parts.map((one) => (
          <label key={one} className="segment">
            <input type="radio" name={`${id}part`} value={one} checked={part === one} onChange={() => setPart(one)} />
            <span>{t(`files.parts.${one}`)}</span>
          </label>
        ))}
      </div>
      {isEmpty && <p className="section-hint">{t("files.nothing")}</p>}
      {part === "pictures" && (
        <div className="shared-grid">
          {files?.map((one) => (
            <Tile key={`${one.message.id} ${one.file.id}`} message={one.message} file={one.file} open={() => setViewed(one)} />
          ))}
        </div>
      )}
      {part === "files" &&
        files?.map(({ message, file }) =>
          file.kind === "file" ? (
            <FileRow key={`${message.id} ${file.id}`} message={message} file={file} />
          ) : (
            <SoundPlayer key={`${message.id} ${file.id}`} message={message} file={file} />
          ),
        )}
      {part === "links" &&
        links?.map((found) => (
          <button
            key={found.messageId}
            type="button"
            className="shared-link"
            onClick={() => void controller.reveal(conversationId, found.messageId).catch(() => undefined)}
          >
            <bdi className="shared-link-text">{found.snippet}</bdi>
            <small>{formatFull(found.sentAtMs)}</small>
          </button>
        ))}
      {hasMore && (
        <button type="button" className="button button-wide" onClick={() => void load(part, files ?? []).catch(() => undefined)}>
          {t("files.showMore")}
        </button>
      )}
      {viewed !== undefined && <Viewer message={viewed.message} fileId={viewed.file.id} close={() => setViewed(undefined)} />}
    </section>
  );
}
