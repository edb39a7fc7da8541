import { useEffect, useRef, useState } from "react";
import type { ReactElement } from "react";
import type { AttachedFile, Message } from "@latchkey/client";
import { Modal } from "../components/Dialog.tsx";
import { Icon } from "../components/Icon.tsx";
import { t } from "../messages/words.ts";
import { FileNote } from "./FileNote.tsx";
import { Progress } from "./Progress.tsx";
import { labelOf } from "./Tile.tsx";
import { UploadCause } from "./UploadCause.tsx";
import { useAddress, useFileSource, useFileState } from "./use-files.ts";

/** A file that is to be seen once: nothing of it is kept, and it does not open here a second time. One's own is not shown at all. */
export function OnceFile({ message, file }: { readonly message: Message; readonly file: AttachedFile }): ReactElement {
  const state = useFileState(message, file);
  const [isOpen, setIsOpen] = useState(false);
  const source = useFileSource();
  const isSeen = message.isSeen === true && !source.isOpened({ message, file });
  const isOwn = message.author?.isSelf === true;
  const isVoice = file.kind === "voice";
  const kind = t(`files.kind.${file.kind}`);
  return (
    <div className="files file-row file-once">
      <span className="file-icon">
        {state?.kind === "sending" ? <Progress message={message} file={file} state={state} /> : <Icon name="eye" size={24} />}
      </span>
      <span className="file-text">
        <span className="file-name">{isVoice ? t("files.onceVoice") : t("files.once", { kind })}</span>
        <span className="file-facts">
          {t(isOwn ? "files.onceOwn" : isSeen ? "files.onceSeen" : isVoice ? "files.onceVoiceHint" : "files.onceHint")}
        </span>
        <UploadCause message={message} />
      </span>
      {!isOwn && !isSeen && (
        <button type="button" className="button" onClick={() => setIsOpen(true)}>
          {t("files.onceOpen")}
        </button>
      )}
      {isOpen && <OnceDialog message={message} file={file} close={() => setIsOpen(false)} />}
    </div>
  );
}

function OnceDialog({
  message,
  file,
  close,
}: {
  readonly message: Message;
  readonly file: AttachedFile;
  readonly close: () => void;
}): ReactElement {
  const source = useFileSource();
  const { address, failure, onError, again } = useAddress(message, file, true);
  const place = useRef({ message, file });
  useEffect(() => () => source.forget(place.current), [source]);
  const label = labelOf(file);
  const shown = (): void => source.shown({ message, file });
  return (
    <Modal title={t(`files.kind.${file.kind}`)} close={close}>
      <div className="once-shown">
        {address === undefined && failure === undefined && <p role="status">{t("common.loading")}…</p>}
        {failure !== undefined && <FileNote message={message} file={file} why={failure} again={again} />}
        {address !== undefined && file.kind === "picture" && <img src={address} alt={label} onLoad={shown} onError={onError} />}
        {address !== undefined && file.kind !== "picture" && (
          // oxlint-disable-next-line jsx-a11y/media-has-caption
          <video src={address} aria-label={label} controls autoPlay playsInline onLoadedData={shown} onError={onError} />
        )}
      </div>
    </Modal>
  );
}
