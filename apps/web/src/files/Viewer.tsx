import "yet-another-react-lightbox/styles.css";
import "../styles/viewer.css";
import { useCallback, useEffect, useMemo, useState } from "react";
import type { ReactElement, SyntheticEvent } from "react";
import { createPortal } from "react-dom";
import type { AttachedFile, Message } from "@latchkey/client";
import { Lightbox } from "yet-another-react-lightbox";
import type { Slide } from "yet-another-react-lightbox";
import Video from "yet-another-react-lightbox/plugins/video";
import Zoom from "yet-another-react-lightbox/plugins/zoom";
import { Icon } from "../components/Icon.tsx";
import type { IconName } from "../components/Icon.tsx";
import { lazyComponent } from "../components/lazy.tsx";
import { t } from "../messages/words.ts";
import { fileKey } from "../state/app-state.ts";
import { useApp } from "../state/context.ts";
import { formatFull } from "../state/format.ts";
import { nameOf } from "../state/person-name.ts";
import { FileNote } from "./FileNote.tsx";
import { ShowError } from "./file-source.ts";
import type { ShowFailure } from "./file-source.ts";
import type { FileHolder } from "./holder.ts";
import { labelOf } from "./Tile.tsx";
import { thumbAddress } from "./thumbhash.ts";
import { useFileSource } from "./use-files.ts";
import { useSave } from "./use-save.ts";

const ForwardDialog = lazyComponent(async () => (await import("../components/MessageDialogs.tsx")).ForwardDialog);

interface Item {
  readonly message: FileHolder;
  readonly file: AttachedFile;
}

const mostListed = 200;
/** A browser counts no timeout that is longer. */
const longestTimeoutMs = 2 ** 31 - 1;

/** The pictures and videos of a conversation, large; it opens at one of them and goes through the others. */
export function Viewer({
  message,
  fileId,
  around,
  close,
}: {
  readonly message: FileHolder;
  readonly fileId: string;
  /** What is gone through; all of its conversation when absent. */
  readonly around?: readonly FileHolder[] | undefined;
  readonly close: () => void;
}): ReactElement {
  const { controller } = useApp();
  const [items, setItems] = useState<readonly Item[]>(() => (around ?? [message]).flatMap((one) => itemsOf(one)));
  const [at, setAt] = useState(() => items.findIndex((one) => one.message.id === message.id && one.file.id === fileId));
  const [forwarded, setForwarded] = useState<Message>();
  const { shown, onError, again } = useShown(items, at);
  useEffect(() => {
    if (around !== undefined) return undefined;
    let isGone = false;
    void allOf(controller.client, message)
      .then((all) => {
        if (isGone) return;
        const first = itemsOf(message);
        setItems(all);
        // Whoever went on meanwhile, among those of this message, stays there.
        setAt((now) =>
          Math.max(
            0,
            all.findIndex((one) => first[now] !== undefined && keyOf(one) === keyOf(first[now])),
          ),
        );
      })
      // Then those of this message are gone through.
      .catch(() => undefined);
    return () => {
      isGone = true;
    };
    // Opened at one message, whatever comes meanwhile.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [controller]);
  const current = items[at];
  const sendable = current?.message.imported === undefined ? current?.message : undefined;
  const goesAtMs = current?.message.timer?.goesAtMs;
  // What goes after a time goes while it is looked at, too.
  useEffect(() => {
    if (goesAtMs === undefined || goesAtMs - Date.now() > longestTimeoutMs) return undefined;
    const timeout = setTimeout(close, goesAtMs - Date.now());
    return () => clearTimeout(timeout);
  }, [goesAtMs, close]);
  // The library goes back to the index that it was given when it is given other slides: so they stay the same, and are asked what they show.
  const slides = useMemo(() => items.map((item) => slideOf(item, () => shown.get(keyOf(item))?.address)), [items, shown]);
  return createPortal(
    // The library says of no picture why it is not shown.
    <div onErrorCapture={onError}>
      <Lightbox
        open
        close={close}
        index={at}
        slides={slides}
        plugins={[Zoom, Video]}
        on={{ view: ({ index }) => setAt(index) }}
        carousel={{ finite: true, preload: 1 }}
        animation={{ fade: 120, swipe: 180 }}
        controller={{ closeOnPullDown: true, closeOnBackdropClick: true }}
        labels={{
          Previous: t("files.viewer.previous"),
          Next: t("files.viewer.next"),
          Close: t("common.close"),
          "Zoom in": t("files.viewer.zoomIn"),
          "Zoom out": t("files.viewer.zoomOut"),
          Lightbox: t("files.viewer.label"),
          "Photo gallery": t("files.viewer.label"),
          Carousel: t("files.viewer.label"),
          Slide: t("files.kind.picture"),
        }}
        toolbar={{
          buttons: [
            ...(current === undefined ? [] : [<SaveButton key="save" item={current} />]),
            ...(sendable === undefined
              ? []
              : [<ToolButton key="forward" label={t("menu.actions.forward")} icon="forwardTo" press={() => setForwarded(sendable)} />]),
            "zoom",
            "close",
          ],
        }}
        render={{
          slide: ({ slide }) => {
            const item = items[slides.findIndex((one) => one === slide)];
            const why = item === undefined ? undefined : shown.get(keyOf(item))?.why;
            if (item === undefined || why === undefined) return undefined;
            return (
              <div className="viewer-note">
                <FileNote message={item.message} file={item.file} why={why} again={() => again(item)} />
              </div>
            );
          },
          slideFooter: ({ slide }) => (
            <p className="viewer-words">
              <bdi>{"description" in slide && typeof slide.description === "string" ? slide.description : ""}</bdi>
            </p>
          ),
        }}
      />
      {forwarded !== undefined && <ForwardDialog messages={[forwarded]} close={() => setForwarded(undefined)} />}
    </div>,
    document.body,
  );
}

function SaveButton({ item }: { readonly item: Item }): ReactElement {
  const { run, isBusy } = useSave(item.message, item.file);
  return <ToolButton label={t("files.save")} icon="download" isBusy={isBusy} press={run} />;
}

function ToolButton({
  label,
  icon,
  isBusy = false,
  press,
}: {
  readonly label: string;
  readonly icon: IconName;
  readonly isBusy?: boolean;
  readonly press: () => void;
}): ReactElement {
  return (
    <button type="button" className="yarl__button" aria-label={label} title={label} disabled={isBusy} onClick={press}>
      <Icon name={icon} size={24} />
    </button>
  );
}

const keyOf = ({ message, file }: Item): string => fileKey(message.id, file.id);

/** Where something is shown from, or why it is not. */
interface Shown {
  readonly address?: string;
  readonly why?: ShowFailure;
}

/** What is looked at and its neighbours, by their keys: one map, which is written on, and the screen is drawn anew with it. */
function useShown(
  items: readonly Item[],
  at: number,
): {
  readonly shown: ReadonlyMap<string, Shown>;
  /** The browser could not show something. */
  readonly onError: (event: SyntheticEvent) => void;
  readonly again: (item: Item) => void;
} {
  const source = useFileSource();
  const [shown] = useState(() => new Map<string, Shown>());
  const [drawn, setDrawn] = useState(0);
  const set = useCallback(
    (key: string, one: Shown | undefined): void => {
      if (one === undefined) shown.delete(key);
      else shown.set(key, one);
      setDrawn((before) => before + 1);
    },
    [shown],
  );
  useEffect(() => {
    for (const item of items.slice(Math.max(0, at - 1), at + 2)) {
      const key = keyOf(item);
      if (!shown.has(key))
        source.address(item).then(
          (address) => set(key, { address }),
          (error: unknown) => set(key, { why: error instanceof ShowError ? error.why : "failed" }),
        );
    }
  }, [at, drawn, items, set, shown, source]);
  const onError = useCallback(
    ({ target }: SyntheticEvent) => {
      const address = target instanceof Element ? target.getAttribute("src") : null;
      const [key] = [...shown].find(([, one]) => one.address === address) ?? [];
      if (address === null || key === undefined) return;
      void source.why(address).then((why) => set(key, { why }));
    },
    [set, shown, source],
  );
  const again = useCallback((item: Item) => set(keyOf(item), undefined), [set]);
  return { shown, onError, again };
}

/** @param addressOf where it is shown from, once that is known */
function slideOf({ message, file }: Item, addressOf: () => string | undefined): Slide & { readonly description: string } {
  const { author, imported } = message;
  const who = author === undefined ? (imported?.author ?? "") : author.isSelf ? t("common.you") : nameOf(author);
  const words = [file.description, `${who}, ${formatFull(message.sentAtMs)}`].filter((one) => one !== "").join(" · ");
  const size = file.width === undefined || file.height === undefined ? {} : { width: file.width, height: file.height };
  const thumb = thumbAddress(file.thumbhash) ?? emptyPicture;
  if (file.kind === "video")
    return {
      type: "video",
      description: words,
      ...size,
      poster: thumb,
      controls: true,
      playsInline: true,
      get sources() {
        const src = addressOf();
        return src === undefined ? [] : [{ src, type: file.mediaType }];
      },
    };
  return {
    description: words,
    get src() {
      return addressOf() ?? thumb;
    },
    alt: labelOf(file),
    ...size,
  };
}

const emptyPicture = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

function itemsOf(message: FileHolder): readonly Item[] {
  const files = message.files ?? [];
  return files.filter(({ kind }) => kind === "picture" || kind === "video").map((file) => ({ message, file }));
}

/** All around a message, in the order of the conversation; as many as are listed at once before it, and the newest. */
async function allOf(client: ReturnType<typeof useApp>["controller"]["client"], message: FileHolder): Promise<readonly Item[]> {
  const kinds = ["picture", "video"] as const;
  const { conversationId, order } = message;
  const [newest, before] = await Promise.all([
    client.listFiles(conversationId, { kinds, limit: mostListed }),
    client.listFiles(conversationId, { kinds, beforeOrder: order + 1, limit: mostListed }),
  ]);
  const messages = new Map<string, FileHolder>(
    [...newest, ...before].filter((one) => one.message.isOnce !== true).map((one) => [one.message.id, one.message]),
  );
  messages.set(message.id, message);
  return [...messages.values()].toSorted((a, b) => a.order - b.order).flatMap((one) => itemsOf(one));
}
