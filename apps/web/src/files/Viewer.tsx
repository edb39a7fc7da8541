import "yet-another-react-lightbox/styles.css";
import "../styles/viewer.css";
import { useEffect, useMemo, useState } from "react";
import type { ReactElement } from "react";
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
import { useApp } from "../state/context.ts";
import { formatFull } from "../state/format.ts";
import { nameOf } from "../state/person-name.ts";
import { labelOf } from "./Tile.tsx";
import { thumbAddress } from "./thumbhash.ts";
import { useFileSource } from "./use-files.ts";
import { useSave } from "./use-save.ts";

const ForwardDialog = lazyComponent(async () => (await import("../components/MessageDialogs.tsx")).ForwardDialog);

interface Item {
  readonly message: Message;
  readonly file: AttachedFile;
}

const mostListed = 200;

/** The pictures and videos of a conversation, large; it opens at one of them and goes through the others. */
export function Viewer({
  message,
  fileId,
  close,
}: {
  readonly message: Message;
  readonly fileId: string;
  readonly close: () => void;
}): ReactElement {
  const { controller } = useApp();
  const [items, setItems] = useState<readonly Item[]>(() => itemsOf(message));
  const [at, setAt] = useState(() => itemsOf(message).findIndex(({ file }) => file.id === fileId));
  const [forwarded, setForwarded] = useState<Message>();
  const addresses = useAddresses(items, at);
  useEffect(() => {
    let isGone = false;
    void allOf(controller.client, message)
      .then((all) => {
        const found = all.findIndex(({ file }) => file.id === fileId);
        if (isGone || found < 0) return;
        setItems(all);
        setAt(found);
      })
      // Then those of this message are gone through.
      .catch(() => undefined);
    return () => {
      isGone = true;
    };
    // Opened at one message, whatever comes meanwhile.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [controller]);
  const slides = useMemo(() => items.map((item, index) => slideOf(item, addresses.get(index))), [addresses, items]);
  const current = items[at];
  return createPortal(
    <>
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
            <ToolButton key="forward" label={t("menu.actions.forward")} icon="forwardTo" press={() => setForwarded(current?.message)} />,
            "zoom",
            "close",
          ],
        }}
        render={{
          slideFooter: ({ slide }) => (
            <p className="viewer-words">
              <bdi>{"description" in slide && typeof slide.description === "string" ? slide.description : ""}</bdi>
            </p>
          ),
        }}
      />
      {forwarded !== undefined && <ForwardDialog messages={[forwarded]} close={() => setForwarded(undefined)} />}
    </>,
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

/** Addresses of what is looked at and of its neighbours. */
function useAddresses(items: readonly Item[], at: number): ReadonlyMap<number, string> {
  const source = useFileSource();
  const [addresses, setAddresses] = useState<ReadonlyMap<string, string>>(new Map());
  useEffect(() => {
    for (const item of items.slice(Math.max(0, at - 1), at + 2))
      if (!addresses.has(item.file.id))
        source.address(item).then(
          (address) => setAddresses((before) => new Map([...before, [item.file.id, address]])),
          () => undefined,
        );
  }, [addresses, at, items, source]);
  return useMemo(
    () =>
      new Map(
        items.flatMap(({ file }, index) => {
          const address = addresses.get(file.id);
          return address === undefined ? [] : [[index, address] as const];
        }),
      ),
    [addresses, items],
  );
}

function slideOf({ message, file }: Item, address: string | undefined): Slide & { readonly description: string } {
  const who = message.author === undefined ? "" : message.author.isSelf ? t("common.you") : nameOf(message.author);
  const words = [file.description, `${who}, ${formatFull(message.sentAtMs)}`].filter((one) => one !== "").join(" · ");
  const size = file.width === undefined || file.height === undefined ? {} : { width: file.width, height: file.height };
  const thumb = thumbAddress(file.thumbhash) ?? emptyPicture;
  if (file.kind === "video" && address !== undefined)
    return {
      type: "video",
      description: words,
      ...size,
      poster: thumb,
      controls: true,
      playsInline: true,
      sources: [{ src: address, type: file.mediaType }],
    };
  return { description: words, src: address ?? thumb, alt: labelOf(file), ...size };
}

const emptyPicture = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

function itemsOf(message: Message): readonly Item[] {
  const files = message.files ?? [];
  return files.filter(({ kind }) => kind === "picture" || kind === "video").map((file) => ({ message, file }));
}

/** All around a message, in the order of the conversation; as many as are listed at once before it, and the newest. */
async function allOf(client: ReturnType<typeof useApp>["controller"]["client"], message: Message): Promise<readonly Item[]> {
  const kinds = ["picture", "video"] as const;
  const { conversationId, order } = message;
  const [newest, before] = await Promise.all([
    client.listFiles(conversationId, { kinds, limit: mostListed }),
    client.listFiles(conversationId, { kinds, beforeOrder: order + 1, limit: mostListed }),
  ]);
  const messages = new Map([...newest, ...before].filter((one) => one.message.isOnce !== true).map((one) => [one.message.id, one.message]));
  messages.set(message.id, message);
  return [...messages.values()].toSorted((a, b) => a.order - b.order).flatMap((one) => itemsOf(one));
}
