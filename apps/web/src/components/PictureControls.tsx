import "../styles/picture.css";
import { useRef, useState } from "react";
import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import { useApp, useBusyAction } from "../state/context.ts";
import { usePicture } from "../state/use-picture.ts";
import { lazyComponent } from "./lazy.tsx";

const PictureCrop = lazyComponent(async () => (await import("./PictureCrop.tsx")).PictureCrop);

/** Larger files are no pictures that one is shown by, and opening them takes a machine's memory. */
const mostFileBytes = 50_000_000;

/** Chooses, crops and takes away the picture of oneself or of a group. */
export function PictureControls({
  id,
  set,
}: {
  /** An account or a conversation. */
  readonly id: string;
  readonly set: (picture: Uint8Array | undefined) => Promise<void>;
}): ReactElement {
  const { notify } = useApp();
  const [isBusy, act] = useBusyAction();
  const [image, setImage] = useState<ImageBitmap>();
  const input = useRef<HTMLInputElement>(null);
  const address = usePicture(id);
  const open = async (file: File | undefined): Promise<void> => {
    try {
      if (file === undefined) return;
      if (file.size > mostFileBytes) throw new Error("too large");
      setImage(await createImageBitmap(file));
    } catch {
      notify(t("picture.unreadable"));
    }
  };
  const change = async (picture: Uint8Array | undefined): Promise<boolean> => {
    const isDone = await act(() => set(picture));
    if (isDone) notify(t(picture === undefined ? "picture.removed" : "picture.changed"));
    return isDone;
  };
  const close = (): void => {
    image?.close();
    setImage(undefined);
  };
  return (
    <div className="picture-controls">
      <button type="button" className="button" disabled={isBusy} onClick={() => input.current?.click()}>
        {t(address === undefined ? "picture.choose" : "picture.change")}
      </button>
      {address !== undefined && (
        <button type="button" className="button" disabled={isBusy} onClick={() => void change(undefined)}>
          {t("picture.remove")}
        </button>
      )}
      <input
        ref={input}
        type="file"
        accept="image/*"
        hidden
        tabIndex={-1}
        aria-label={t("picture.choose")}
        onChange={(event) => {
          const [file] = event.target.files ?? [];
          event.target.value = "";
          void open(file);
        }}
      />
      {image !== undefined && <PictureCrop image={image} take={change} close={close} />}
    </div>
  );
}
